"""Schedules: what is due runs, waits or is left out, is told of and made up for."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from flows.missed_runs import next_time
from flows.schedules import Schedule, clock
from flows.services import PREFECT
from tests.checkout import Checkout

pytestmark = pytest.mark.alone


@pytest.fixture(scope="module", autouse=True)
def prefect(served: Checkout) -> None:
    """The checkout's Prefect server is up before it is asked anything."""
    PREFECT.ensure(served.places)


def count(checkout: Checkout, state: str = "COMPLETED") -> int:
    """Number of flow runs that ended so."""
    body = {"flow_runs": {"state": {"type": {"any_": [state]}}}}
    return checkout.ask("flow_runs/count", body)


@contextmanager
def serving(checkout: Checkout, entry: str, **variables: str) -> Iterator[Any]:
    """``convoy schedule`` with one entry, stopped in order at the end."""
    (checkout.root / "mine.yaml").write_text(f"schedules:\n  - {entry}\n")
    process = checkout.start("schedule", "mine.yaml", **variables)
    try:
        yield process
    finally:
        os.kill(process.pid, signal.SIGINT)
        process.communicate(timeout=60)


def test_an_interval_schedule_runs_and_changes_nothing_in_the_lock(served: Checkout) -> None:
    before = (served.root / "dvc.lock").read_bytes()
    number = count(served)
    server = served.start("schedule")

    served.wait_for(lambda: count(served) > number, 120)
    os.kill(server.pid, signal.SIGINT)
    server.communicate(timeout=60)
    assert (served.root / "dvc.lock").read_bytes() == before


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("{name: x, domains: [toy]}", "give either cron or every_minutes"),
        ("{name: x, cron: '0 2 * * *', domains: [tooy]}", "did you mean `toy`"),
        ("{name: x, corn: '0 2 * * *'}", "corn"),
        ("{name: x, cron: '99 2 * * *'}", "schedule x"),
        ("{name: x, cron: '0 2 * * *', timezone: Berlin}", "Europe/Berlin, found 'Berlin'"),
        ("{name: x, every_minutes: .inf}", "every_minutes Input should be a finite number"),
        ("{name: x, every_minutes: 5, notify: me@example.org}", "expected http://..., https://"),
        ("{name: x, every_minutes: 5, notify: $NOT_SET_ANYWHERE}", "NOT_SET_ANYWHERE is not set"),
        (
            "{name: x, every_minutes: 5, overrides: [toy.train.lrr=1]}",
            "did you mean `toy.train.lr`",
        ),
        ("{name: x, every_minutes: 5, overlap: pile}", "overlap Input should be 'wait' or 'skip'"),
    ],
)
def test_a_wrong_schedule_is_one_line(served: Checkout, entry: str, words: str) -> None:
    (served.root / "mine.yaml").write_text(f"schedules:\n  - {entry}\n")
    output = served.convoy("schedule", "mine.yaml", code=1)
    assert output.startswith("error: ")
    assert words in output


def test_a_failing_run_is_tried_again_and_then_told_to_the_web_address(served: Checkout) -> None:
    told: list[dict[str, Any]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing: the test's output is for its failures."""

    hook = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    served.set("source: sample", "source: absent.csv")
    entry = (
        "{name: doomed, every_minutes: 0.2, domains: [toy], overlap: skip, "
        "retries: 1, retry_minutes: 0, notify: $HOOK}"
    )
    with serving(served, entry, HOOK=f"http://127.0.0.1:{hook.server_port}"):
        served.wait_for(lambda: told, 120)
    hook.shutdown()
    hook.server_close()
    served.set("source: absent.csv", "source: sample")
    assert told[0]["state"] == "FAILED"
    assert told[0]["reason"].startswith("ingest@toy: ")
    assert "absent.csv: no such file" in told[0]["text"]
    run = told[0]["page"].rpartition("/")[2]
    logs = served.ask("logs/filter", {"logs": {"flow_run_id": {"any_": [run]}}, "limit": 200})
    assert any("try 1 of 1" in line["message"] for line in logs)
    assert not any(
        "http://" in str(deployment["parameters"])
        for deployment in served.ask("deployments/filter")
    )  # the address stays a secret


def test_a_run_that_is_due_while_the_last_goes_on_is_left_out(served: Checkout) -> None:
    before = count(served, "CANCELLED")
    served.set("lr: 0.01", "lr: 0.03")
    entry = "{name: dense, every_minutes: 0.1, domains: [toy], overlap: skip}"
    with serving(served, entry, TOY_PAUSE_S="2"):
        served.wait_for(lambda: count(served, "CANCELLED") > before, 120)
    served.set("lr: 0.03", "lr: 0.01")


def test_what_was_missed_while_nothing_served_is_made_up_for_once(served: Checkout) -> None:
    entry = "{name: rare, every_minutes: 0.2, domains: [toy], catch_up: true}"
    number = count(served)
    with serving(served, entry):
        served.wait_for(lambda: count(served) > number, 120)
    time.sleep(13)  # two are missed

    def made_up() -> list[dict[str, Any]]:
        runs = served.ask("flow_runs/filter")
        return [run for run in runs if run["deployment_id"] and not run["auto_scheduled"]]

    assert not made_up()
    with serving(served, entry):
        served.wait_for(made_up, 120)
    assert len(made_up()) == 1


def test_the_next_time_of_a_clock_is_after_the_last() -> None:
    last = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
    cron = clock(Schedule(name="x", cron="0 2 * * *"))
    assert next_time(cron, last) == last + timedelta(days=1)
    assert next_time(cron, last - timedelta(seconds=1)) == last
    assert next_time(clock(Schedule(name="x", every_minutes=90)), last) == last + timedelta(
        minutes=90
    )
