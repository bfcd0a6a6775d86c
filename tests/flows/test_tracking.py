"""The record: complete in MLflow exactly once, whatever dies in between."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import mlflow
import psutil
import pytest

from flows import settings, sync
from flows.locks import is_held
from flows.services import MLFLOW
from flows.settings import Places
from flows.tracking import (
    Record,
    backlog,
    carrier_lock,
    open_spools,
    read_records,
    was_killed,
)
from tests.checkout import ROOT

_WRITER = """
import os, sys, time
from pathlib import Path
from flows.settings import Places
from flows.tracking import Record
state = Path(sys.argv[1])
record = Record(Places(state.parent, state), "toy", sys.argv[4])
record.open("toy run", {"train.lr": 0.1}, {"git.commit": "abc"})
for step in range(int(sys.argv[2])):
    record.metrics({"loss": 1 / (step + 1)}, step)
    time.sleep(float(sys.argv[3]))
record.close("FINISHED")
"""


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    (tmp_path / "dvc.yaml").touch()
    (tmp_path / "params.yaml").touch()
    monkeypatch.setenv("CONVOY_ROOT", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return Places(tmp_path, tmp_path / ".state")


def start_writer(
    places: Places, steps: int, pause_s: float, key: str = "run-1"
) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(places.state), str(steps), str(pause_s), key],
        cwd=ROOT,
        env={**os.environ, **settings.environment(places)},
    )


def only_run(places: Places) -> tuple[mlflow.entities.Run, list]:
    """The one run of the experiment and the points of its curve."""
    client = mlflow.MlflowClient(settings.tracking_uri(places))
    experiment = client.get_experiment_by_name("toy")
    runs = client.search_runs([experiment.experiment_id])
    assert len(runs) == 1
    return runs[0], client.get_metric_history(runs[0].info.run_id, "loss")


def wait_until(condition, seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_finished_run_is_complete_with_flat_parameters_and_tags(places: Places) -> None:
    assert start_writer(places, 5, 0.0).wait() == 0
    wait_until(lambda: (places.spool / "toy/run-1/state.json").is_file())
    wait_until(lambda: not backlog(places.spool / "toy/run-1"))
    run, points = only_run(places)
    assert run.info.status == "FINISHED"
    assert run.data.params == {"train.lr": "0.1"}
    assert run.data.tags["git.commit"] == "abc"
    assert [(p.step, p.value) for p in points] == [(s, 1 / (s + 1)) for s in range(5)]


def test_a_killed_run_is_closed_and_then_continued_without_double_points(places: Places) -> None:
    process = start_writer(places, 1000, 0.05)
    spool = places.spool / "toy/run-1"
    wait_until(lambda: (spool / "state.json").is_file() and not was_killed(spool))
    wait_until(lambda: json.loads((spool / "state.json").read_text())["offset"] > 200)
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_until(lambda: json.loads((spool / "state.json").read_text())["status"] == "KILLED")
    assert only_run(places)[0].info.status == "KILLED"
    with open(spool / "records.jsonl", "a") as stream:
        stream.write('{"kind": "metrics", "st')  # torn by the kill
    assert start_writer(places, 100, 0.0).wait() == 0
    wait_until(lambda: json.loads((spool / "state.json").read_text())["status"] == "FINISHED")
    run, points = only_run(places)
    assert run.info.status == "FINISHED"
    assert [p.step for p in points[:100]] == list(range(100))
    assert len({p.step for p in points}) == len(points)


def test_a_replay_that_is_repeated_adds_nothing(places: Places) -> None:
    assert start_writer(places, 5, 0.0).wait() == 0
    spool = places.spool / "toy/run-1"
    wait_until(lambda: (spool / "state.json").is_file() and not backlog(spool))
    wait_until(lambda: json.loads((spool / "state.json").read_text())["status"] == "FINISHED")
    state = json.loads((spool / "state.json").read_text())
    for lost in ({**state, "offset": 0}, {"offset": 0, "run_id": None, "status": None}):
        (spool / "state.json").write_text(json.dumps(lost))  # as if killed before the note
        assert sync.replay_all(places) == (1, 0)
    assert len(only_run(places)[1]) == 5


@pytest.fixture
def server(places: Places, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    url = MLFLOW.ensure(places)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", url)
    yield url
    MLFLOW.stop(places)


def test_a_dead_server_neither_stops_nor_slows_a_run_and_sync_completes_it(
    places: Places, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = start_writer(places, 60, 0.1)
    spool = places.spool / "toy/run-1"
    wait_until(lambda: (spool / "state.json").is_file())
    started = time.monotonic()
    MLFLOW.stop(places)
    assert process.wait() == 0
    assert time.monotonic() - started < 30  # 6 s of work; nobody waited for the server
    wait_until(lambda: not is_held(carrier_lock(places)), 30)
    assert backlog(spool) > 0
    monkeypatch.setenv("MLFLOW_TRACKING_URI", MLFLOW.ensure(places))
    assert sync.replay_all(places) == (1, 0)
    run, points = only_run(places)
    assert run.info.status == "FINISHED"
    assert [p.step for p in points] == list(range(60))


def carriers(places: Places) -> int:
    """How many processes carry the checkout's records."""
    found = 0
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # it ended since it was listed
            here = process.cwd() == str(places.root)
            found += here and process.cmdline()[1:] == ["-m", "flows.sync"]
    return found


def test_one_carrier_serves_runs_that_go_on_together_and_then_ends(places: Places) -> None:
    keys = ("run-1", "run-2", "run-3")
    writers = [start_writer(places, 60, 0.2, key) for key in keys]
    wait_until(lambda: all((places.spool / f"toy/{key}/state.json").is_file() for key in keys))
    wait_until(lambda: carriers(places) == 1)
    assert [writer.wait() for writer in writers] == [0] * 3
    wait_until(lambda: carriers(places) == 0)
    assert not open_spools(places)
    client = mlflow.MlflowClient(settings.tracking_uri(places))
    runs = client.search_runs([client.get_experiment_by_name("toy").experiment_id])
    assert [run.info.status for run in runs] == ["FINISHED"] * 3
    for run in runs:
        assert len(client.get_metric_history(run.info.run_id, "loss")) == 60


def test_what_was_left_behind_goes_with_the_next_run(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as absent:
        absent.setattr("flows.tracking.start_carrier", lambda _: None)  # it gave up, say
        record = Record(places, "toy", "run-1")
        record.open("first", {}, {})
        record.metrics({"loss": 0.5}, 1)
        record.close("FINISHED")
    assert backlog(record.folder)
    assert start_writer(places, 1, 0.0, "run-2").wait() == 0
    wait_until(lambda: not open_spools(places))
    assert not backlog(record.folder)


def test_several_processes_may_create_the_store_at_once(places: Places) -> None:
    code = (
        "from flows.settings import find_places; from flows import sync; p = find_places();"
        "print(sync.experiment_id(sync.make_client(p), p, 'toy'))"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, **settings.environment(places)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for _ in range(4)
    ]
    answers = {process.communicate()[0].strip() for process in started}
    assert [process.returncode for process in started] == [0] * 4
    assert len(answers) == 1


def test_records_are_read_up_to_the_last_whole_line(tmp_path: Path) -> None:
    (tmp_path / "records.jsonl").write_text('{"kind": "end"}\n{"kind": "met')
    assert [record["kind"] for record in read_records(tmp_path / "records.jsonl")] == ["end"]


def test_a_second_owner_of_a_record_has_to_wait(places: Places) -> None:
    record = Record(places, "toy", "run-2")
    record.open("first", {}, {})
    assert is_held(record.folder / "owner.lock")
    record.close("FINISHED")
    assert not is_held(record.folder / "owner.lock")


def test_processes_that_start_together_share_one_whole_store(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from flows.settings import Places;"
        "from flows.sync import experiment_id, make_client; root = Path(sys.argv[1]);"
        "places = Places(root, root / '.state');"
        "print(experiment_id(make_client(places), places, sys.argv[2]))"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    started = [
        subprocess.Popen([*command, name], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for name in ("one", "two", "three")
    ]
    outputs = [process.communicate(timeout=300) for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], outputs
    assert sorted(output for output, _ in outputs) == [b"1\n", b"2\n", b"3\n"]
    assert [path.name for path in (tmp_path / ".state").glob("*mlflow.db*")] == ["mlflow.db"]
