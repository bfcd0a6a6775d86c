"""Tables at rest: what was written is read, in bytes that depend on nothing else."""

import numpy as np
import pytest

from domains.ais_trajectories.science.storage import COLUMNS, TableWriter, read_table, write_table
from domains.errors import DataError


def test_tables_come_back_in_order_whole_or_by_split(tiny_dataset):
    rows = read_table(tiny_dataset, "tracks")
    assert list(rows) == list(COLUMNS["tracks"])
    test = read_table(tiny_dataset, "tracks", ["time_s", "longitude"], split="test")
    assert list(test) == ["time_s", "longitude"]
    np.testing.assert_array_equal(test["time_s"], rows["time_s"][rows["split"] == "test"])


def test_the_same_rows_give_the_same_bytes(tiny_dataset, tmp_path):
    rows = read_table(tiny_dataset, "tracks")
    write_table(tmp_path, "tracks", rows)
    written = (tmp_path / "tracks.parquet").read_bytes()
    assert written == (tiny_dataset / "tracks.parquet").read_bytes()


def test_rows_may_come_in_parts_even_empty_ones(tiny_dataset, tmp_path):
    rows = read_table(tiny_dataset, "messages")
    with TableWriter(tmp_path, "messages") as writer:
        for part in (slice(0, 7), slice(7, 7), slice(7, None)):
            writer.append({name: values[part] for name, values in rows.items()})
    for name, values in read_table(tmp_path, "messages").items():
        np.testing.assert_array_equal(values, rows[name])


def test_a_missing_table_says_which_step_writes_it(tmp_path):
    with pytest.raises(DataError, match=r"tracks.parquet is missing; run the ingest step first"):
        read_table(tmp_path, "tracks")
