"""The history of a domain: what its spools say, in order, with what changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from domains.contract import Metric
from flows.results import note_failures
from flows.runner import StageResult
from flows.runs import changes, read_runs, scored, trouble
from flows.settings import Places

ERROR = Metric("error", 9.0, "m", "lower", 4, {"line": 1.0})


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """An empty checkout."""
    return Places(tmp_path, tmp_path / ".state")


def record(places: Places, key: str, records: Sequence[dict[str, Any]], start_ms: int) -> None:
    """A spool of the domain ``tides``, a record every 10 ms."""
    folder = places.spool / "tides" / key
    folder.mkdir(parents=True)
    lines = [
        json.dumps({**fields, "time": start_ms + 10 * row}) for row, fields in enumerate(records)
    ]
    (folder / "records.jsonl").write_text("".join(f"{line}\n" for line in lines))


def run(error: float | None, lr: float = 0.1, data: str = "a" * 36) -> list[dict[str, Any]]:
    """The records of a training, with its evaluation unless ``error`` is ``None``."""
    start = {
        "kind": "start",
        "params": {"train.lr": lr, "train.seed": 3},
        "tags": {"git.commit": "c" * 40, "git.dirty": "false"},
    }
    known = [start, {"kind": "dataset", "digest": data}]
    known += [{"kind": "metrics", "step": 1, "values": {"val_loss": 1.0}}]
    if error is None:
        return known
    values = {"test/error": error, "test/error/line": 2.0, "test/error/mean": 5.0}
    return [
        *known,
        {"kind": "metrics", "step": 2, "values": values},
        {"kind": "end", "status": "FINISHED"},
    ]


def test_each_run_has_its_own_number_beside_its_own_baselines(places: Places) -> None:
    record(places, "b" * 16 + "-1", run(0.5), start_ms=2000)
    record(places, "a" * 16 + "-1", run(0.7), start_ms=1000)
    runs = scored(read_runs(places, "tides"), ERROR)
    metrics = [one.metric(ERROR) for one in runs]
    assert [metric.value for metric in metrics] == [0.7, 0.5]
    assert metrics[0].best_baseline() == ("line", 2.0)
    assert runs[0].commit == "cccccccc"


def test_what_changed_since_the_run_before_is_named(places: Places) -> None:
    record(places, "a" * 16 + "-1", run(0.7), start_ms=1000)
    record(places, "b" * 16 + "-1", run(0.5, lr=0.2, data="b" * 36), start_ms=2000)
    first, second = read_runs(places, "tides")
    assert changes(first, None) == []
    assert changes(second, first) == ["train.lr 0.1 → 0.2", "other data"]


def test_the_run_whose_model_is_on_disk_is_the_current_one(places: Places) -> None:
    for number, (key, start) in enumerate((("a", 1000), ("b", 2000), ("b", 3000)), start=1):
        name = f"{key * 16}-{1 if number < 3 else 2}"
        record(places, name, run(0.5), start_ms=start)
    model = places.model("tides")
    model.mkdir(parents=True)
    for key, current in (("a", [True, False, False]), ("b", [False, False, True])):
        (model / "record.json").write_text(json.dumps({"key": key * 64}))
        assert [one.is_current for one in read_runs(places, "tides")] == current


def test_a_second_evaluation_counts_and_the_first_does_not(places: Places) -> None:
    again = [run(0.7)[0], {"kind": "metrics", "step": 3, "values": {"test/error": 0.6}}]
    record(places, "a" * 16 + "-1", [*run(0.7), *again], start_ms=1000)
    (one,) = read_runs(places, "tides")
    assert one.metric(ERROR).value == 0.6


@pytest.mark.parametrize(
    ("records", "words"),
    [
        (run(None), "was stopped before its end"),
        ([*run(None), {"kind": "end", "status": "FAILED"}], "failed"),
    ],
)
def test_a_run_without_an_end_is_told_and_has_no_number(
    places: Places, records: list, words: str
) -> None:
    record(places, "a" * 16 + "-1", run(0.5), start_ms=1000)
    assert trouble(places, "tides", read_runs(places, "tides")) is None
    record(places, "b" * 16 + "-1", records, start_ms=2000)
    runs = read_runs(places, "tides")
    assert words in (trouble(places, "tides", runs) or "")
    assert len(scored(runs, ERROR)) == 1


def test_a_domain_that_never_ran_has_no_history(places: Places) -> None:
    assert read_runs(places, "tides") == []
    assert trouble(places, "tides", []) is None


def test_the_record_of_a_whole_flow_is_no_run(places: Places) -> None:
    start = {"kind": "start", "params": {}, "tags": {"convoy.kind": "flow"}}
    record(places, "flow-20260101-000000-1", [start], start_ms=1000)
    assert read_runs(places, "tides") == []


def test_what_stopped_a_domain_is_kept_until_it_comes_through(places: Places) -> None:
    failed = StageResult("ingest@tides", "failed", 0.1, "own.csv: no such file")
    skipped = StageResult("train@tides", "skipped", 0.0, "ingest@tides failed")
    other = StageResult("ingest@waves", "ran", 0.1)
    note_failures(places, [failed, skipped, other])
    assert "failed at ingest@tides: own.csv: no such file" in (trouble(places, "tides", []) or "")
    assert trouble(places, "waves", []) is None
    note_failures(places, [StageResult("ingest@tides", "restored", 0.1)])
    assert trouble(places, "tides", []) is None


def test_half_a_line_of_a_killed_writer_is_not_read(places: Places) -> None:
    record(places, "a" * 16 + "-1", run(0.5), start_ms=1000)
    path = places.spool / "tides" / ("a" * 16 + "-1") / "records.jsonl"
    path.write_text(path.read_text() + '{"kind": "met')
    assert read_runs(places, "tides")[0].metric(ERROR).value == 0.5
