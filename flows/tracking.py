"""The record of a run: written to a local spool first, carried to MLflow by another process.

A training never waits for MLflow and never fails because of it.  Every record is one line of
``records.jsonl``; ``flows/sync.py`` replays the lines, exactly once, now or days later.

A spool is a folder::

    records.jsonl   what happened, in order
    artifacts/      copies of the figures and the model
    owner.lock      held while the run lives: a killed run is recognised by a free lock
    state.json      how far the replay came, and the MLflow run it went to

One process, the carrier, serves all runs of a checkout that go to the same store: MLflow's import
takes seconds.  An empty file ``.state/carriers/<carrier>/<domain>.<spool>`` says that it has not
seen the end of a spool.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from flows.locks import is_held, lock
from flows.settings import Places, environment, tracking_uri


class Record:
    """Writer of one spool; ``open`` continues a run that was killed or one that trained before.

    Args:
        places: the checkout.
        domain: MLflow experiment.
        key: names the spool; the same key is the same run.
    """

    def __init__(self, places: Places, domain: str, key: str) -> None:
        self.folder = places.spool / domain / key
        self._places = places
        self._stack = ExitStack()
        self._seen: set[tuple[str, int]] = set()
        self.times_opened = 0

    def open(self, name: str, params: Mapping[str, Any], tags: Mapping[str, str]) -> Record:
        """Start or continue the run, and see to it that it is carried to MLflow."""
        (self.folder / "artifacts").mkdir(parents=True, exist_ok=True)
        self._stack.enter_context(lock(self.folder / "owner.lock"))
        path = self.folder / "records.jsonl"
        for record in read_records(path):
            self.times_opened += record["kind"] == "start"
            if record["kind"] == "metrics":
                self._seen.update((key, record["step"]) for key in record["values"])
        path.touch()
        os.truncate(path, whole_lines(path.read_bytes()))  # a kill can tear the last line
        self._stream = open(path, "a")  # noqa: SIM115 - closed in close()
        parent = os.environ.get("CONVOY_PARENT_RUN", "")
        hand_over(self._places, self.folder)
        self._write("start", name=name, params=dict(params), tags=dict(tags), parent=parent)
        start_carrier(self._places)
        return self

    def metrics(self, values: Mapping[str, float], step: int) -> None:
        """Log numbers at a step; a number already logged for that step is left out."""
        new = {k: float(v) for k, v in values.items() if (k, step) not in self._seen}
        self._seen.update((key, step) for key in new)
        if new:
            self._write("metrics", step=step, values=new)

    def tags(self, values: Mapping[str, str]) -> None:
        """Set tags."""
        self._write("tags", values=dict(values))

    def dataset(self, name: str, digest: str, source: str, profile: Mapping[str, Any]) -> None:
        """Name the data the run uses.

        Args:
            name: the dataset's name.
            digest: its hash, at most 36 characters.
            source: where it is, ``dvc://...``.
            profile: counts shown on the page.
        """
        self._write("dataset", name=name, digest=digest[:36], source=source, profile=dict(profile))

    def artifact(self, path: Path, folder: str = "") -> None:
        """Copy a file into the record."""
        copy = self.folder / "artifacts" / folder / path.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        self._write("artifact", file=str(copy.relative_to(self.folder)), folder=folder)

    def model(self, folder: Path, digest: str) -> None:
        """Copy a trained model (``model.json`` and weights) into the record."""
        copy = self.folder / "artifacts" / "model"
        shutil.copytree(folder, copy, dirs_exist_ok=True)
        self._write("model", file=str(copy.relative_to(self.folder)), digest=digest)

    def close(self, status: str) -> None:
        """End the run: ``FINISHED``, ``FAILED`` or ``KILLED``."""
        self._write("end", status=status)
        self._stream.close()
        self._stack.close()

    def _write(self, kind: str, **fields: Any) -> None:
        line = json.dumps({"kind": kind, "time": time.time_ns() // 1_000_000, **fields})
        self._stream.write(line + "\n")
        self._stream.flush()


_carriers: list[subprocess.Popen] = []
"""Those started here and not yet ended: they outlive their owner and must not be waited for."""


def carrier_key(places: Places) -> str:
    """Names the carrier: the checkout whose code a model takes along, and the store."""
    whole = f"{places.root}\0{tracking_uri(places)}"
    return hashlib.sha256(whole.encode()).hexdigest()[:16]


def carrier_lock(places: Places) -> Path:
    """Held by the carrier while it is at work."""
    return places.locks / f"carrier_{carrier_key(places)}.lock"


def open_note(places: Places, spool: Path) -> Path:
    """While this file is there, the carrier has not seen the end of ``spool``."""
    return _open_notes(places) / f"{spool.parent.name}.{spool.name}"


def hand_over(places: Places, spool: Path) -> None:
    """Ask the carrier to look at ``spool`` until it is complete."""
    note = open_note(places, spool)
    note.parent.mkdir(parents=True, exist_ok=True)
    note.touch()


def open_spools(places: Places) -> list[Path]:
    """Those that the carrier has to look at; one that was deleted is none."""
    notes = sorted(_open_notes(places).glob("*.*"))
    found = [places.spool / Path(*note.name.split(".", 1)) for note in notes]
    return [spool for spool in found if (spool / "records.jsonl").is_file()]


def _open_notes(places: Places) -> Path:
    return places.state / "carriers" / carrier_key(places)


def start_carrier(places: Places) -> None:
    """Start the process that carries records to MLflow while runs live; it ends if there is one.

    It has a session of its own, so that it can still close a run whose owner was killed.
    """
    log = places.state / "logs"
    log.mkdir(parents=True, exist_ok=True)
    _carriers[:] = [process for process in _carriers if process.poll() is None]
    with open(log / "sync.log", "a") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "flows.sync"],
            cwd=places.root,
            env=environment(places),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
    _carriers.append(process)


def whole_lines(content: bytes) -> int:
    """Length of ``content`` up to its last line end."""
    return content.rfind(b"\n") + 1


def read_records(path: Path, offset: int = 0, size: int = -1) -> Iterator[dict[str, Any]]:
    """The whole records of a spool from byte ``offset`` on, ``size`` bytes or all."""
    if not path.is_file():
        return
    with open(path, "rb") as stream:
        stream.seek(offset)
        content = stream.read(size)
    for line in content[: whole_lines(content)].splitlines():
        yield json.loads(line)


def spools(places: Places) -> list[Path]:
    """All spools of the checkout."""
    return sorted(path.parent for path in places.spool.glob("*/*/records.jsonl"))


def replay_state(spool: Path) -> dict[str, Any]:
    """How far the spool is replayed: ``offset`` in bytes, ``run_id`` and ``status`` in MLflow."""
    path = spool / "state.json"
    if path.is_file():
        return json.loads(path.read_text())
    return {"offset": 0, "run_id": None, "status": None}


def backlog(spool: Path) -> int:
    """Bytes of whole records that MLflow does not have yet."""
    return whole_lines((spool / "records.jsonl").read_bytes()) - replay_state(spool)["offset"]


def was_killed(spool: Path) -> bool:
    """Whether MLflow shows the run as RUNNING while nobody runs it any more."""
    return replay_state(spool)["status"] == "RUNNING" and not is_held(spool / "owner.lock")
