"""The local servers: Prefect's and MLflow's, started in the background when they are needed.

Prefect's own embedded ("ephemeral") server loses records when a run ends at once and leaves runs
RUNNING for ever on Ctrl-C; a background server on SQLite does neither.  ``PREFECT_API_URL`` and
``MLFLOW_TRACKING_URI`` point the suite at servers of a team instead.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from domains.errors import ConvoyError
from domains.files import write_json
from flows.locks import lock
from flows.settings import Places, environment, tracking_uri

START_S = 180.0
"""A busy machine takes most of a minute to migrate a fresh database, and may stall for another."""

HUNG_S = 30.0
"""A server that is alive and silent for longer is replaced."""

_started: list[subprocess.Popen] = []
"""Servers started by this process: they outlive it and are not waited for."""


@dataclass(frozen=True)
class Service:
    """A background server of this checkout.

    Args:
        name: ``prefect`` or ``mlflow``.
        health: path that answers when it is up.
    """

    name: str
    health: str

    def note(self, places: Places) -> Path:
        """File that says where the server runs."""
        return places.state / self.name / "server.json"

    def command(self, places: Places, port: int) -> list[str]:
        """How it is started."""
        if self.name == "prefect":
            return [
                *(sys.executable, "-m", "prefect", "server", "start"),
                *("--host", "127.0.0.1", "--port", str(port), "--log-level"),
                "WARNING",
            ]
        return [
            *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1"),
            *("--port", str(port), "--workers", "1"),
            *("--backend-store-uri", self.store(places)),
        ]

    def store(self, places: Places) -> str:
        """MLflow's store: the user's, unless that is a server itself; Prefect has its own."""
        if self.name == "prefect":
            return ""
        uri = tracking_uri(places)
        return f"sqlite:///{places.mlflow_database}" if uri.startswith("http") else uri

    def running(self, places: Places, patience_s: float = 0.0) -> dict[str, Any] | None:
        """``{"pid", "url", "store"}`` of the live server, ``None`` when there is none.

        Args:
            places: the checkout.
            patience_s: how long one that is alive may be too busy to answer.
        """
        path = self.note(places)
        if not path.is_file():
            return None
        found = json.loads(path.read_text())
        if found.get("store") != self.store(places):
            return None
        deadline = time.monotonic() + patience_s
        while not _answers(found["url"] + self.health):
            if time.monotonic() >= deadline or not _is_ours(found["pid"], self.name):
                return None
            time.sleep(0.1)
        return found

    def ensure(self, places: Places) -> str:
        """Address of the server, started when there is none; many callers start one.

        Raises:
            ConvoyError: it does not come up.
        """
        if found := self.running(places):
            return found["url"]
        with lock(places.locks / f"{self.name}_server.lock"):
            if found := self.running(places, HUNG_S):
                return found["url"]
            self.stop(places)  # a hung or half-dead one, or one of another store
            return self._start(places)

    def _start(self, places: Places) -> str:
        port = _free_port()
        url = f"http://127.0.0.1:{port}"
        log = places.state / "logs" / f"{self.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "a") as stream:
            process = subprocess.Popen(
                self.command(places, port),
                cwd=places.state,
                env={**environment(places), "PREFECT_API_URL": f"{url}/api"},
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )
        _started.append(process)
        note = {"pid": process.pid, "url": url, "store": self.store(places)}
        write_json(self.note(places), note)
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if _answers(url + self.health):
                return url
            if process.poll() is not None:
                break
            time.sleep(0.1)
        self.stop(places)
        raise ConvoyError(
            f"the local {self.name} server did not come up; the reason is in {log}; "
            "--no-server runs without it"
        )

    def stop(self, places: Places) -> bool:
        """Stop the server; returns whether there was one."""
        path = self.note(places)
        if not path.is_file():
            return False
        pid = json.loads(path.read_text())["pid"]
        path.unlink()
        if not _is_ours(pid, self.name):
            return False
        for sign, patience in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 2.0)):
            try:
                os.killpg(pid, sign)
            except ProcessLookupError:
                return True
            deadline = time.monotonic() + patience
            while time.monotonic() < deadline:
                if not _is_ours(pid, self.name):
                    return True
                time.sleep(0.05)
        return True


PREFECT = Service("prefect", "/api/health")
MLFLOW = Service("mlflow", "/health")


def ensure_prefect(places: Places) -> str:
    """Address of Prefect's API: the user's server, else the local one, made ready for us."""
    if url := os.environ.get("PREFECT_API_URL"):
        if not _answers(f"{url}/health"):
            raise ConvoyError(
                f"PREFECT_API_URL={url} does not answer; start that server, unset the variable to "
                "use the local one, or run with --no-server"
            )
        return url
    url = PREFECT.ensure(places) + "/api"
    with lock(places.locks / "prefect_automation.lock"):
        ensure_crash_automation(url)
    return url


def ensure_crash_automation(api: str) -> None:
    """Have the server mark runs CRASHED whose process stopped sending heartbeats.

    Raises:
        ConvoyError: the server is up and does not answer.
    """
    name = "convoy: runs without heartbeat have crashed"
    existing = _post(f"{api}/automations/filter", {})
    if any(automation["name"] == name for automation in existing):
        return
    _post(
        f"{api}/automations/",
        {
            "name": name,
            "description": "kill -9 leaves no time to say goodbye",
            "enabled": True,
            "trigger": {
                "type": "event",
                "posture": "Proactive",
                "after": ["prefect.flow-run.heartbeat"],
                "expect": ["prefect.flow-run.*"],
                "match": {"prefect.resource.id": ["prefect.flow-run.*"]},
                "match_related": {},
                "for_each": ["prefect.resource.id"],
                "threshold": 1,
                "within": 75,
            },
            "actions": [
                {
                    "type": "change-flow-run-state",
                    "state": "CRASHED",
                    "name": "Crashed",
                    "message": "its process stopped without a word",
                }
            ],
        },
    )


def _post(url: str, body: dict[str, Any]) -> Any:
    request = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urlopen(request, timeout=START_S) as answer:
            return json.loads(answer.read())
    except OSError as error:
        raise ConvoyError(
            f"the Prefect server does not answer at {url}: {error}; `convoy down` stops it, and "
            "the next run starts another; --no-server runs without it"
        ) from error


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=3) as answer:
            return answer.status == 200
    except (URLError, OSError):
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _is_ours(pid: int, name: str) -> bool:
    """Whether ``pid`` is still that server: process ids are used again."""
    import psutil

    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and name in " ".join(process.cmdline())
    except psutil.Error:
        return False
