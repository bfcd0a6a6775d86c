"""The runs of a domain on this machine, read from their spools: what the key number was each time.

Spools are local and cheap to read; a shared MLflow store may know of runs made elsewhere too.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from domains.contract import Metric
from flows.locks import is_held
from flows.results import failure
from flows.settings import Places
from flows.tracking import read_records

_UNFINISHED = {
    "FAILED": "failed",
    "KILLED": "was stopped before its end",
    "RUNNING": "is under way",
}


@dataclass
class Run:
    """One training with its last evaluation, as its spool tells it.

    Args:
        key: name of the spool; MLflow has it in the tag ``convoy.spool``.
        time_ms: of the last evaluation, or of the last record where there is none.
        numbers: ``test/<metric>`` and ``test/<metric>/<baseline>`` -> value; empty before an
            evaluation.
        params: ``train.lr`` ... -> value.
        tags: git commit and the like.
        data: SHA-256 of the dataset.
        status: FINISHED, FAILED, KILLED or RUNNING.
        is_current: whether the model on disk is this one.
    """

    key: str
    time_ms: int = 0
    numbers: dict[str, float] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    data: str = ""
    status: str = "RUNNING"
    is_current: bool = False

    @property
    def when(self) -> str:
        """Local date and time."""
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(self.time_ms / 1000))

    @property
    def commit(self) -> str:
        """Short commit, with a mark where the checkout had local changes."""
        mark = " + changes" if self.tags.get("git.dirty") == "true" else ""
        return self.tags.get("git.commit", "no git")[:8] + mark

    def metric(self, like: Metric) -> Metric:
        """The number of this run that ``like`` is now, beside its baselines."""
        own = f"test/{like.name}"
        rivals = {
            name.removeprefix(f"{own}/"): value
            for name, value in self.numbers.items()
            if name.startswith(f"{own}/")
        }
        return replace(like, value=self.numbers[own], baselines=rivals)


def read_runs(places: Places, domain: str) -> list[Run]:
    """All runs of ``domain`` on this machine, in the order of their last evaluations."""
    found = [_read_run(path.parent) for path in (places.spool / domain).glob("*/records.jsonl")]
    runs = sorted((run for run in found if run), key=lambda run: (run.time_ms, run.key))
    record = places.model(domain) / "record.json"
    if record.is_file():
        key = json.loads(record.read_text())["key"][:16]
        same = [run for run in runs if run.key.partition("-")[0] == key]
        if same:
            max(same, key=lambda run: int(run.key.partition("-")[2])).is_current = True
    return runs


def scored(runs: Sequence[Run], metric: Metric) -> list[Run]:
    """Those whose evaluation gave the number that is the headline now."""
    return [run for run in runs if f"test/{metric.name}" in run.numbers]


def changes(run: Run, before: Run | None) -> list[str]:
    """What differs from the run ``before``: parameters, data, commit; empty for the first one."""
    if before is None:
        return []
    keys = sorted({*run.params, *before.params})
    found = [
        f"{key} {_short(before.params.get(key))} → {_short(run.params.get(key))}"
        for key in keys
        if run.params.get(key) != before.params.get(key)
    ]
    found += ["other data"] if run.data != before.data else []
    return found + (["other commit"] if run.commit != before.commit else [])


def trouble(places: Places, domain: str, runs: Sequence[Run]) -> str | None:
    """A sentence on the latest run if it did not come to its end, ``None`` if it did."""
    if reason := failure(places, domain):
        return reason
    latest = max(runs, key=lambda run: run.time_ms, default=None)
    if latest is None or latest.status not in _UNFINISHED:
        return None
    return f"The latest run ({latest.when}) {_UNFINISHED[latest.status]}"


def _read_run(spool: Path) -> Run | None:
    """What the records say, ``None`` where there are none yet or they are of a whole flow."""
    run = Run(spool.name)
    records = list(read_records(spool / "records.jsonl"))
    for record in records:
        _take(run, record)
    if run.status == "RUNNING" and not is_held(spool / "owner.lock"):
        run.status = "KILLED"
    return run if records and run.tags.get("convoy.kind") != "flow" else None


def _take(run: Run, record: Mapping[str, Any]) -> None:
    """Add one record to what is known of ``run``."""
    kind = record["kind"]
    if kind == "start":
        run.params, run.tags, run.status = record["params"], record["tags"], "RUNNING"
    elif kind == "dataset":
        run.data = record["digest"]
    elif kind == "end":
        run.status = record["status"]
    elif kind == "metrics":
        final = {key: v for key, v in record["values"].items() if key.startswith("test/")}
        if final:
            run.numbers, run.time_ms = final, record["time"]
    if not run.numbers:
        run.time_ms = record["time"]


def _short(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 24 else f"{text[:23]}…"
