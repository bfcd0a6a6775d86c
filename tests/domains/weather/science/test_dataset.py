"""The dataset at rest."""

import numpy as np
import pytest

from domains.errors import DataError
from domains.weather.science.calendars import TimeAxis
from domains.weather.science.dataset import (
    chunk_times,
    mark_runs,
    open_dataset,
    start_indices,
    times_of,
)


def test_runs_end_at_gaps_in_time_and_at_the_ends_of_splits():
    minutes = np.array([0, 360, 720, 1440, 1800, 2160])
    split = np.array([0, 0, 0, 0, 1, 1], np.int8)
    assert mark_runs(minutes, split, 6.0).tolist() == [0, 0, 0, 1, 2, 2]


def test_samples_stay_in_one_split_and_one_run(tiny):
    dataset = open_dataset(tiny)
    split, run = dataset["split"].to_numpy(), dataset["run"].to_numpy()
    for name, value, count in (("train", 0, 48), ("validate", 1, 12), ("test", 2, 16)):
        starts = start_indices(dataset, name, 4)
        assert len(starts) == count - 5
        for start in starts:
            stretch = slice(start - 1, start + 5)
            assert set(split[stretch]) == {value}
            assert len(set(run[stretch])) == 1
    with pytest.raises(DataError, match="split test has at most 16 frames in a row, 17 are needed"):
        start_indices(dataset, "test", 15)


def test_a_missing_frame_takes_away_the_samples_that_cross_it(tiny):
    dataset = open_dataset(tiny).load()
    dataset["split"][20] = -1
    times = times_of(dataset)
    dataset["run"].values[:] = mark_runs(times.minutes, dataset["split"].to_numpy(), 6.0)
    starts = start_indices(dataset, "train", 2)
    assert starts.tolist() == [*range(1, 18), *range(22, 46)]


def test_times_come_back(tiny):
    times = times_of(open_dataset(tiny))
    assert isinstance(times, TimeAxis)
    assert times.labels()[:2] == ["1900-01-01T00:00", "1900-01-01T06:00"]


def test_chunks_are_eight_mebibytes_of_whole_frames():
    assert chunk_times((69, 721, 1440)) == 1
    assert chunk_times((7, 32, 64)) == 8 * 2**20 // (4 * 7 * 32 * 64)


def test_no_dataset_is_said_so(tmp_path):
    with pytest.raises(DataError, match="run the ingest step of weather first"):
        open_dataset(tmp_path)
