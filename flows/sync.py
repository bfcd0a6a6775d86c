"""Replays spools into MLflow, each record exactly once.

``python -m flows.sync`` is the carrier: it follows the open spools while their owners live, and
closes each run when its owner ends or is killed; ``convoy sync`` replays all spools of the
checkout.  The offset reached is kept beside the spool.  A batch that was sent
but not noted is sent again with the same times, which the MLflow store keeps once.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domains.errors import BusyError, RecordError
from domains.files import write_json
from flows.locks import is_held, lock
from flows.settings import Places, find_places, store_file, tracking_uri
from flows.tracking import (
    backlog,
    carrier_lock,
    hand_over,
    open_note,
    open_spools,
    read_records,
    replay_state,
    spools,
    was_killed,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient

GIVE_UP_S = 8.0
"""How long it tries in vain after the last owner ended; the next one or ``convoy sync`` goes on."""


def make_client(places: Places) -> MlflowClient:
    """An MLflow client on a store that exists: the first use by many processes creates it once.

    Raises:
        RecordError: a server that does not answer.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    uri = tracking_uri(places)
    mlflow.set_tracking_uri(uri)
    if file := store_file(uri):
        with lock(places.locks / "mlflow_init.lock"):
            create_store(file)
            return mlflow.MlflowClient(tracking_uri=uri)  # it looks at the tables
    client = mlflow.MlflowClient(tracking_uri=uri)
    try:
        client.search_experiments(max_results=1)
    except MlflowException as error:
        raise RecordError(
            f"MLflow at {uri} does not answer; start it, or unset MLFLOW_TRACKING_URI to use the "
            "local store"
        ) from error
    return client


def create_store(path: Path) -> None:
    """Make MLflow's SQLite file if there is none; it appears whole, whatever is killed meanwhile.

    MLflow makes its tables in some fifty migrations; two processes at it, or one that is killed,
    leave tables that no later start can finish.
    """
    import mlflow

    if path.is_file():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.unlink(missing_ok=True)
    mlflow.MlflowClient(tracking_uri=f"sqlite:///{scratch}").search_experiments(max_results=1)
    os.replace(scratch, path)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=WAL")


def experiment_id(client: MlflowClient, places: Places, domain: str) -> str:
    """The domain's experiment, created once."""
    with lock(places.locks / "mlflow_init.lock"):
        found = client.get_experiment_by_name(domain)
        if found:
            return found.experiment_id
        location = None
        if tracking_uri(places).startswith("sqlite:"):
            location = (places.state / "mlartifacts" / domain).as_uri()
        return client.create_experiment(domain, artifact_location=location)


class Replay:
    """Carries one spool's records to one MLflow run."""

    def __init__(self, client: MlflowClient, places: Places, spool: Path) -> None:
        self.client, self.places, self.spool = client, places, spool
        self.state = replay_state(spool)

    def run(self) -> None:
        """Send what is new; raises whatever MLflow raises, with the offset before the failure."""
        new = backlog(self.spool)
        points: list[dict[str, Any]] = []
        for record in read_records(self.spool / "records.jsonl", self.state["offset"], new):
            if record["kind"] == "metrics":
                points.append(record)
                continue
            self._send_points(points)
            points = []
            getattr(self, f"_{record['kind']}")(record)
        self._send_points(points)
        self.state["offset"] += new
        self._note()

    def _note(self) -> None:
        write_json(self.spool / "state.json", self.state)

    def close_dead(self) -> None:
        """Mark the run KILLED when its owner is gone without having ended it."""
        if was_killed(self.spool):
            self._end({"status": "KILLED"})
            self._note()

    def _send_points(self, records: list[dict[str, Any]]) -> None:
        from mlflow.entities import Metric

        metrics = [
            Metric(key, value, record["time"], record["step"])
            for record in records
            for key, value in record["values"].items()
        ]
        for start in range(0, len(metrics), 1000):  # the largest batch the API takes
            self.client.log_batch(self.state["run_id"], metrics=metrics[start : start + 1000])

    def _start(self, record: dict[str, Any]) -> None:
        from mlflow.entities import Param, RunTag

        tags = {**record["tags"], "convoy.spool": f"{self.spool.parent.name}/{self.spool.name}"}
        if record["parent"]:
            parent = Path(record["parent"])
            with lock(parent / "sync.lock"):
                upper = Replay(self.client, self.places, parent)
                upper.run()
            tags["mlflow.parentRunId"] = upper.state["run_id"]
        run_id = self.state["run_id"] or self._find_run(tags["convoy.spool"])
        if run_id is None:
            experiment = experiment_id(self.client, self.places, self.spool.parent.name)
            run = self.client.create_run(
                experiment, start_time=record["time"], tags=tags, run_name=record["name"]
            )
            run_id = run.info.run_id
        self.state.update(run_id=run_id, status="RUNNING")
        self._note()
        known = self.client.get_run(run_id).data.params
        params = [
            Param(key, str(value)) for key, value in record["params"].items() if key not in known
        ]
        self.client.log_batch(
            run_id, params=params, tags=[RunTag(key, str(value)) for key, value in tags.items()]
        )
        self.client.update_run(run_id, status="RUNNING")

    def _find_run(self, spool: str) -> str | None:
        """The run of this spool when the note of it was lost between creation and writing."""
        experiment = experiment_id(self.client, self.places, self.spool.parent.name)
        found = self.client.search_runs([experiment], f"tags.`convoy.spool` = '{spool}'")
        return found[0].info.run_id if found else None

    def _tags(self, record: dict[str, Any]) -> None:
        from mlflow.entities import RunTag

        tags = [RunTag(key, str(value)) for key, value in record["values"].items()]
        self.client.log_batch(self.state["run_id"], tags=tags)

    def _dataset(self, record: dict[str, Any]) -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag

        dataset = Dataset(
            name=record["name"],
            digest=record["digest"],
            source_type="dvc",
            source=json.dumps({"uri": record["source"]}),
            profile=json.dumps(record["profile"]),
        )
        tags = [InputTag("mlflow.data.context", "training")]
        self.client.log_inputs(self.state["run_id"], datasets=[DatasetInput(dataset, tags)])

    def _artifact(self, record: dict[str, Any]) -> None:
        self.client.log_artifact(
            self.state["run_id"], str(self.spool / record["file"]), record["folder"] or None
        )

    def _model(self, record: dict[str, Any]) -> None:
        from flows.serving import log_model

        run = self.client.get_run(self.state["run_id"])
        if run.data.tags.get("convoy.model") != record["digest"]:
            log_model(self.client, run, self.spool / record["file"], self.places.root)
            self.client.set_tag(run.info.run_id, "convoy.model", record["digest"])

    def _end(self, record: dict[str, Any]) -> None:
        end = record.get("time") or time.time_ns() // 1_000_000
        self.client.set_terminated(self.state["run_id"], record["status"], end_time=end)
        self.state["status"] = record["status"]


def replay_all(places: Places) -> tuple[int, int]:
    """Complete every run in MLflow; returns how many spools are complete and how many are not."""
    complete = behind = 0
    client = None
    for spool in spools(places):
        if not backlog(spool) and not was_killed(spool):
            complete += 1
            continue
        try:
            client = client or make_client(places)
            with lock(spool / "sync.lock"):
                replay = Replay(client, places, spool)
                replay.run()
                replay.close_dead()
            complete += 1
        except Exception as error:
            print(f"{spool.name}: {type(error).__name__}: {_first_line(error)}", file=sys.stderr)
            behind += 1
    return complete, behind


class Carrier:
    """Replays the open spools until their owners have ended and all is sent.

    Args:
        places: the checkout.
    """

    def __init__(self, places: Places) -> None:
        self.places = places
        self._client: MlflowClient | None = None
        self._sent: dict[Path, int] = {}
        """Size of each spool when it was last replayed."""
        self._samplers: dict[Path, SystemSampler] = {}
        self._failing_since: float | None = None

    def run(self) -> None:
        """Work while it is needed, unless another carrier does."""
        while self.is_needed():  # asked again after the lock is free: who came late saw it held
            try:
                with lock(carrier_lock(self.places), wait=False):
                    while self.is_needed():
                        self.carry()
                        time.sleep(0.5 if self._failing_since is None else 3.0)
            except BusyError:
                return

    def is_needed(self) -> bool:
        """Whether a run lives, or records wait that may still be sent."""
        waiting = open_spools(self.places)
        if any(is_held(spool / "owner.lock") for spool in waiting):
            self._failing_since = None
            return True
        since = self._failing_since
        return bool(waiting) and (since is None or time.monotonic() - since <= GIVE_UP_S)

    def carry(self) -> None:
        """Send what is new in all open spools; what cannot be sent now stays open."""
        failed = False
        for spool in open_spools(self.places):
            try:
                self._client = self._client or make_client(self.places)
                self._carry(self._client, spool)
            except Exception as error:
                print(f"{spool}: {type(error).__name__}: {_first_line(error)}", flush=True)
                failed = True
                if self._client is None:
                    break
        self._failing_since = (self._failing_since or time.monotonic()) if failed else None

    def _carry(self, client: MlflowClient, spool: Path) -> None:
        sampler = self._samplers.setdefault(spool, SystemSampler(spool))
        alive = is_held(spool / "owner.lock")
        size = (spool / "records.jsonl").stat().st_size
        if alive and self._sent.get(spool) == size and not sampler.is_due:
            return  # most of the time: it must cost next to nothing
        with lock(spool / "sync.lock"):
            replay = Replay(client, self.places, spool)
            if backlog(spool):
                replay.run()
            self._sent[spool] = size
            if alive:
                sampler.log(client, replay.state["run_id"])
            else:
                replay.close_dead()
                self._forget(spool)

    def _forget(self, spool: Path) -> None:
        """The run has ended and is complete, unless it was opened again in this moment."""
        del self._samplers[spool]
        open_note(self.places, spool).unlink(missing_ok=True)
        if is_held(spool / "owner.lock") or backlog(spool):
            hand_over(self.places, spool)


class SystemSampler:
    """Machine load under MLflow's own names, every ten seconds of a training or evaluation."""

    EVERY_S = 10.0

    def __init__(self, spool: Path) -> None:
        # the parent run of a flow only waits for its children
        self._next = float("inf") if spool.name.startswith("flow-") else 0.0

    @property
    def is_due(self) -> bool:
        """Whether it is time for a sample."""
        return time.monotonic() >= self._next

    def log(self, client: MlflowClient, run_id: str) -> None:
        """Send one sample when it is time; its step is the seconds since the run started."""
        if not self.is_due:
            return
        import psutil
        from mlflow.entities import Metric

        memory = psutil.virtual_memory()
        values = {
            "system/cpu_utilization_percentage": psutil.cpu_percent(),
            "system/system_memory_usage_megabytes": memory.used / 1e6,
            "system/system_memory_usage_percentage": memory.percent,
            "system/disk_usage_percentage": psutil.disk_usage(os.getcwd()).percent,
        }
        now = time.time_ns() // 1_000_000
        step = (now - client.get_run(run_id).info.start_time) // 1000
        client.log_batch(run_id, [Metric(k, v, now, step) for k, v in values.items()])
        self._next = time.monotonic() + self.EVERY_S


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:300]


if __name__ == "__main__":
    Carrier(find_places()).run()
