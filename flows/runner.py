"""Runs one stage of the plan as ``dvc repro -s STAGE`` in a process group of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import Literal, Protocol

from domains.errors import StepError
from flows import progress
from flows.settings import Places, environment

Outcome = Literal["ran", "restored", "unchanged"]

_CHATTER = (
    "To track the changes with git",
    "git add ",
    "To enable auto staging",
    "dvc config core.autostage",
    "Use `dvc push`",
    "Updating lock file",
    "Generating lock file",
    "> exec python -m flows.steps",
)


class Listener(Protocol):
    """Who wants to know how a run goes: the console, Prefect's log and artifacts."""

    def planned(self, stages: list[str]) -> None: ...

    def started(self, stage: str) -> None: ...

    def line(self, stage: str, text: str) -> None: ...

    def progress(self, stage: str, fraction: float, text: str) -> None: ...

    def ended(self, result: StageResult) -> None: ...


@dataclass(frozen=True)
class StageResult:
    """How one stage went.

    Args:
        stage: its name.
        outcome: ``ran``; ``restored`` from DVC's cache without running; ``unchanged``;
            ``failed``; ``skipped`` because a stage before it failed.
        seconds: wall time.
        error: the one-line reason of a failure.
    """

    stage: str
    outcome: Outcome | Literal["failed", "skipped"]
    seconds: float
    error: str = ""

    @property
    def domain(self) -> str:
        """The domain it belongs to, ``""`` for the report."""
        return self.stage.partition("@")[2]


class CrashError(StepError):
    """A step died without saying why (killed, out of memory): worth another try."""


class Processes:
    """The running ``dvc`` processes; ``kill`` ends them with everything below them."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen] = set()
        self._guard = threading.Lock()
        self.closed = False

    def start(self, command: list[str], places: Places, extra: dict[str, str]) -> subprocess.Popen:
        """Start a command in its own process group; it dies with this process too."""
        with self._guard:
            if self.closed:
                raise StepError("the run is being stopped")
            process = subprocess.Popen(
                [sys.executable, "-m", "flows.guard", str(os.getpid()), *command],
                cwd=places.root,
                env={**environment(places), **extra},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",  # a file's name may be any bytes
                start_new_session=True,
            )
            self._running.add(process)
        return process

    def forget(self, process: subprocess.Popen) -> None:
        """The process has ended."""
        with self._guard:
            self._running.discard(process)

    def kill(self) -> None:
        """End all, politely for three seconds, and start none any more."""
        with self._guard:
            self.closed = True
            running = list(self._running)
        for sign in (signal.SIGTERM, signal.SIGKILL):
            for process in running:
                try:
                    os.killpg(process.pid, sign)
                except ProcessLookupError:
                    continue
            deadline = time.monotonic() + 3.0
            while time.monotonic() < deadline and any(p.poll() is None for p in running):
                time.sleep(0.05)


def run_stage(
    places: Places,
    stage: str,
    listener: Listener,
    processes: Processes,
    extra: dict[str, str] | None = None,
    force: bool = False,
) -> StageResult:
    """Bring one stage up to date.

    Args:
        places: the checkout.
        stage: name in ``dvc.yaml``.
        listener: told about lines and progress.
        processes: where the process is registered, to be killed with the run.
        extra: further environment variables for the step.
        force: run it even if nothing changed.

    Raises:
        StepError: the step said what is wrong; earlier results are put back from DVC's cache.
        CrashError: it died without a word.
    """
    listener.started(stage)
    started = time.monotonic()
    command = ["dvc", "--wait-for-lock", "repro", "-s", stage] + (["--force"] if force else [])
    process = processes.start(command, places, extra or {})
    outcome: Outcome = "unchanged"
    errors: list[str] = []
    last = ""
    assert process.stdout is not None
    for raw in process.stdout:
        line = raw.rstrip()
        if found := progress.parse(line):
            listener.progress(stage, *found)
            continue
        if line.startswith("Running stage "):
            outcome = "ran"
        elif "is cached - skipping run" in line:
            outcome = "restored"
        if line.startswith("error: "):
            errors.append(line.removeprefix("error: "))
        if not line.strip() or line.strip().startswith(_CHATTER):
            continue
        last = line.strip()
        listener.line(stage, line)
    code = process.wait()
    processes.forget(process)
    if code:
        put_back(places, stage, processes)
        if errors:
            raise StepError(errors[-1])
        if last.startswith("ERROR: ") and "exited with" not in last:  # dvc's own refusal
            raise StepError(f"{stage}: {last.removeprefix('ERROR: ')}")
        raise CrashError(f"{stage} ended with code {code}: {last or 'no output'}")
    result = StageResult(stage, outcome, time.monotonic() - started)
    listener.ended(result)
    return result


def put_back(places: Places, stage: str, processes: Processes) -> None:
    """Restore the stage's earlier results, which DVC removed before the step failed."""
    if processes.closed or f"{stage}:" not in _lock_text(places):
        return
    process = processes.start(["dvc", "--wait-for-lock", "checkout", "-q", stage], places, {})
    process.communicate()
    processes.forget(process)


def _lock_text(places: Places) -> str:
    path = places.root / "dvc.lock"
    return path.read_text() if path.is_file() else ""
