"""Prefect drives the same stages: recorded runs, many at once, crashes."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.checkout import Checkout

pytestmark = pytest.mark.alone


def test_eight_runs_at_once_on_a_fresh_state_all_succeed(served: Checkout) -> None:
    served.set("slope: 1.0", "slope: 1.1")
    started = [served.start("run") for _ in range(8)]
    outputs = [process.communicate(timeout=400)[0] for process in started]
    assert [process.returncode for process in started] == [0] * 8, outputs
    assert sum("✓ evaluate@toy: ran" in output for output in outputs) == 1
    assert sum("nothing to do" in output for output in outputs) == 7
    assert sum("another run is at toy (process" in output for output in outputs) >= 1


def test_a_run_is_recorded_with_log_table_and_progress(served: Checkout) -> None:
    served.convoy("run", "-S", "toy.train.lr=0.03")
    runs = served.ask("flow_runs/filter", {"sort": "START_TIME_DESC", "limit": 1})
    assert (runs[0]["state_type"], runs[0]["name"]) == ("COMPLETED", "all domains")
    tasks = served.ask("task_runs/filter", {"flow_runs": {"id": {"any_": [runs[0]["id"]]}}})
    assert {task["name"] for task in tasks} == {"train@toy", "evaluate@toy", "report"}
    logs = served.ask("logs/filter", {"logs": {"flow_run_id": {"any_": [runs[0]["id"]]}}})
    assert any("toy: error" in line["message"] for line in logs)
    kinds = {artifact["type"] for artifact in served.ask("artifacts/filter")}
    assert {"table", "progress"} <= kinds


def test_a_failed_stage_fails_the_flow_and_the_exit_code(served: Checkout) -> None:
    output = served.convoy("run", "-S", "toy.source=absent.csv", code=1)
    assert "✗ ingest@toy: failed" in output
    assert "failed: ingest@toy" in output  # the summary at the end
    assert "Traceback" not in output
    assert not list(served.root.glob(".state/prefect/storage/*"))  # nothing is pickled
    runs = served.ask("flow_runs/filter", {"sort": "START_TIME_DESC", "limit": 1})
    assert runs[0]["state_type"] == "FAILED"
    served.convoy("run", "-S", "toy.source=sample")


def test_a_flow_killed_with_9_is_crashed_within_two_minutes(served: Checkout) -> None:
    flow = served.start("run", "-S", "toy.train.lr=0.04", TOY_PAUSE_S="2")
    served.wait_for(served.step, 120)
    os.kill(flow.pid, signal.SIGKILL)
    flow.communicate()
    killed = time.monotonic()
    run = served.ask("flow_runs/filter", {"sort": "START_TIME_DESC", "limit": 1})[0]
    assert run["state_type"] == "RUNNING"

    def crashed() -> bool:
        now = served.ask("flow_runs/filter", {"flow_runs": {"id": {"any_": [run["id"]]}}})
        return now[0]["state_type"] == "CRASHED"

    served.wait_for(crashed, 120)
    assert time.monotonic() - killed < 120
    served.convoy("run")


def test_ctrl_c_is_recorded_at_once(served: Checkout) -> None:
    flow = served.start("run", "-S", "toy.train.lr=0.05", TOY_PAUSE_S="2")
    served.wait_for(served.step, 120)
    os.kill(flow.pid, signal.SIGINT)
    output, _ = flow.communicate(timeout=120)
    assert flow.returncode == 130, output
    run = served.ask("flow_runs/filter", {"sort": "START_TIME_DESC", "limit": 1})[0]
    assert run["state_type"] in ("CRASHED", "CANCELLED")
    served.wait_for(lambda: served.step() is None, 60)
    served.convoy("run")


def test_a_dead_remote_server_is_one_line_that_names_the_ways_out(finished: Checkout) -> None:
    override = "toy.evaluate.slope=1.2"  # so that there is something to do
    output = finished.convoy(
        "run", "-S", override, code=1, PREFECT_API_URL="http://127.0.0.1:9/api"
    )
    assert output.startswith("error: PREFECT_API_URL=http://127.0.0.1:9/api does not answer")
    assert "--no-server" in output
