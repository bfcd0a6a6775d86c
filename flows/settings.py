"""Where things are, and the environment every process of the suite runs in."""

from __future__ import annotations

import locale
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from domains.errors import ConvoyError


@dataclass(frozen=True)
class Places:
    """Folders and files of one checkout.

    Args:
        root: the folder with ``dvc.yaml`` and ``params.yaml`` that is worked on.
        state: what the suite keeps between runs: servers, records, locks, checkpoints.
    """

    root: Path
    state: Path

    @property
    def params(self) -> Path:
        return self.root / "params.yaml"

    @property
    def outputs(self) -> Path:
        return self.root / "outputs"

    @property
    def report(self) -> Path:
        return self.outputs / "report"

    @property
    def mlflow_database(self) -> Path:
        return self.state / "mlflow.db"

    @property
    def spool(self) -> Path:
        return self.state / "spool"

    @property
    def locks(self) -> Path:
        return self.state / "locks"

    def dataset(self, domain: str) -> Path:
        return self.outputs / "dataset" / domain

    def model(self, domain: str) -> Path:
        return self.outputs / "model" / domain

    def history(self, domain: str) -> Path:
        return self.outputs / "history" / f"{domain}.csv"

    def evaluation(self, domain: str) -> Path:
        return self.outputs / "evaluation" / domain


def find_places(start: Path | None = None) -> Places:
    """The checkout around ``start`` (default: ``CONVOY_ROOT``, else the current folder).

    ``CONVOY_STATE`` moves the state folder.  Inside a DVC experiment in a temporary copy, the
    state stays with the real checkout (``DVC_ROOT``), or its records would be thrown away.

    Raises:
        ConvoyError: no ``dvc.yaml`` with a ``params.yaml`` here or above.
    """
    start = Path(start or os.environ.get("CONVOY_ROOT") or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / "dvc.yaml").is_file() and (folder / "params.yaml").is_file():
            home = Path(os.environ.get("DVC_ROOT") or folder)
            state = os.environ.get("CONVOY_STATE") or home / ".state"
            return Places(root=folder, state=Path(state).resolve())
    raise ConvoyError(
        f"{start}: no dvc.yaml and params.yaml here or above; go to the checkout of the suite, "
        "or set CONVOY_ROOT"
    )


_SQLITE = "sqlite:///"


def tracking_uri(places: Places) -> str:
    """Address of the MLflow store: ``MLFLOW_TRACKING_URI``, else the SQLite file of the state.

    A relative path is one of the current folder, from which processes elsewhere get it absolute.
    """
    uri = os.environ.get("MLFLOW_TRACKING_URI") or f"{_SQLITE}{places.mlflow_database}"
    file = store_file(uri)
    return f"{_SQLITE}{file}" if file else uri


def store_file(uri: str) -> Path | None:
    """The file of a store that is an SQLite file, ``None`` for a server."""
    return Path(uri.removeprefix(_SQLITE)).absolute() if uri.startswith(_SQLITE) else None


def ensure_utf8(module: str) -> None:
    """Start ``python -m MODULE`` again in UTF-8 where the locale has another encoding."""
    if locale.getpreferredencoding().lower().replace("-", "") != "utf8":
        os.environ["PYTHONUTF8"] = "1"
        os.execv(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]])


def environment(places: Places) -> dict[str, str]:
    """Variables for every child process: no telemetry, this Python first, absolute addresses."""
    variables = dict(os.environ)
    for name in ("no_proxy", "NO_PROXY"):  # our own servers are never behind a proxy
        listed = variables.get(name, "")
        if listed != "*" and "127.0.0.1" not in listed:
            variables[name] = ",".join(filter(None, [listed, "127.0.0.1", "localhost"]))
    variables.update(
        {
            "PATH": os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")]),
            "CONVOY_ROOT": str(places.root),
            "CONVOY_STATE": str(places.state),
            "PYTHONUNBUFFERED": "1",
            "DO_NOT_TRACK": "1",
            "DVC_NO_ANALYTICS": "1",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
            "MLFLOW_TRACKING_URI": tracking_uri(places),
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            # a dead server must cost seconds, not the 246 s of MLflow's seven retries
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
            "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
            "PREFECT_HOME": str(places.state / "prefect"),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_DATABASE_TIMEOUT": "60",
            "PREFECT_API_REQUEST_TIMEOUT": "180",  # more than one wait for the database
            "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
            "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
            "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
            "PREFECT_CLI_PROMPT": "false",
        }
    )
    return variables
