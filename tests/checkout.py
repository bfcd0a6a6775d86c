"""A throw-away checkout of the suite with the toy domain."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import psutil
from ruamel.yaml import YAML

from flows import parameters
from flows.settings import Places

ROOT = Path(__file__).resolve().parents[1]


@dataclass
class Checkout:
    """A checkout of the suite in a temporary folder."""

    root: Path

    @property
    def places(self) -> Places:
        return Places(self.root, self.root / ".state")

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen:
        """Start ``python -m flows ARGUMENTS`` in its own process group."""
        return subprocess.Popen(
            [sys.executable, "-m", "flows", *arguments],
            cwd=self.root,
            env=self.environment(**variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def convoy(self, *arguments: str, code: int = 0, timeout: float = 300, **variables: str) -> str:
        """Output of a command that must end with ``code``."""
        process = self.start(*arguments, **variables)
        output, _ = process.communicate(timeout=timeout)
        assert code is None or process.returncode == code, output
        return output

    def dvc(self, *arguments: str, code: int = 0) -> str:
        """Output of a typed ``dvc`` command."""
        done = subprocess.run(
            [sys.executable, "-m", "dvc", *arguments],
            cwd=self.root,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def ask(self, what: str, body: dict[str, Any] | None = None) -> Any:
        """Answer of the local Prefect server's API."""
        url = json.loads((self.root / ".state/prefect/server.json").read_text())["url"]
        data, headers = json.dumps(body or {}).encode(), {"Content-Type": "application/json"}
        with urlopen(Request(f"{url}/api/{what}", data, headers), timeout=120) as answer:
            return json.loads(answer.read())

    def environment(self, **variables: str) -> dict[str, str]:
        """The user's environment, with this Python found first and the shell that cron gives."""
        bin_folder = str(Path(sys.executable).parent)
        path = f"{bin_folder}{os.pathsep}{os.environ['PATH']}"
        fixed = {"PATH": path, "SHELL": "/bin/sh", "OMP_NUM_THREADS": "1"}
        return {**os.environ, **fixed, **variables}

    def set(self, old: str, new: str) -> None:
        """Edit ``params.yaml`` as a person would."""
        path = self.root / "params.yaml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def processes(self) -> list[psutil.Process]:
        """Living processes that work in this checkout, servers left out."""
        found = []
        for process in psutil.process_iter(["cmdline", "status"]):
            try:
                here = process.cwd() == str(self.root)
            except psutil.Error:
                continue
            if here and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(process)
        return found

    def wait_for(self, condition: Callable[[], object], seconds: float = 120.0) -> None:
        """Wait until ``condition`` holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"{condition} did not come true in {seconds} s"
            time.sleep(0.05)

    def step(self) -> psutil.Process | None:
        """The training step's process."""
        for process in self.processes():
            with suppress(psutil.Error):  # it ended since it was listed
                if process.cmdline()[1:5] == ["-m", "flows.steps", "train", "toy"]:
                    return process
        return None

    def checkpoint(self) -> Path | None:
        """The last checkpoint of a training that is under way."""
        return next(iter(self.root.glob(".state/work/toy/*/last.ckpt")), None)

    def weights(self) -> bytes:
        """The trained weights."""
        return (self.root / "outputs/model/toy/weights.safetensors").read_bytes()


def make_checkout(root: Path) -> Checkout:
    """A git checkout with the suite's code and the toy as its only domain."""
    root.mkdir(parents=True)
    for name in ("dvc.yaml", "pyproject.toml", ".dvcignore", ".gitignore"):
        shutil.copyfile(ROOT / name, root / name)
    others = [path.parent.name for path in (ROOT / "domains").glob("*/params.py")]
    skip = shutil.ignore_patterns("__pycache__", *others, "cache", "tmp", "config.local")
    for name in (".dvc", "flows", "domains", "infra"):
        shutil.copytree(ROOT / name, root / name, ignore=skip)
    (root / "shared_layers").mkdir()  # the toy needs none of it
    stub = "def kernels_info():\n    return {}\n"
    (root / "shared_layers" / "__init__.py").write_text(stub)
    shutil.copytree(ROOT / "tests" / "toy_domain", root / "domains" / "toy", ignore=skip)
    block = (ROOT / "tests" / "toy_domain" / "block.yaml").read_text()
    (root / "params.yaml").write_text("domains:\n- toy\n" + block)
    (root / "infra" / "schedules.yaml").write_text(
        "schedules:\n  - {name: often, every_minutes: 0.2, domains: [toy]}\n"
    )
    commit(root)
    return Checkout(root)


def make_suite(root: Path, domains: Sequence[str] = (), tiny: bool = True) -> Checkout:
    """A git checkout with the real domains.

    Args:
        root: where; it must not exist.
        domains: those to keep, all when empty; their code is there in any case.
        tiny: at the sizes of ``tests/tiny.yaml``, else as shipped, with ``dvc.lock``.
    """
    names = ["dvc.yaml", "pyproject.toml", ".dvcignore", ".gitignore", ".dvc", "infra"]
    names += ["flows", "domains", "shared_layers", "params.yaml", *([] if tiny else ["dvc.lock"])]
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *names],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, root / name)
    values = parameters.read(ROOT / "params.yaml")
    kept = list(domains or values["domains"])
    sizes = parameters.read(ROOT / "tests" / "tiny.yaml") if tiny else {}
    whole = {name: laid_over(values[name], sizes.get(name, {})) for name in kept}
    with open(root / "params.yaml", "w") as stream:
        YAML().dump({"domains": kept, **whole}, stream)
    commit(root)
    return Checkout(root)


def laid_over(block: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """``block`` with the values of ``other``; both nest alike."""
    return block | {
        key: laid_over(block[key], value) if isinstance(value, dict) else value
        for key, value in other.items()
    }


def commit(root: Path) -> None:
    """Make ``root`` a git checkout with one commit."""
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@example.org"]
    plain = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}  # a person's may sign every commit
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "start"]):
        subprocess.run([*git, *command], cwd=root, env=plain, check=True, capture_output=True)


def clean(made: Checkout) -> None:
    """Stop its servers and kill what still runs in it."""
    if list(made.root.glob(".state/*/server.json")):
        subprocess.run(
            [sys.executable, "-m", "flows", "down"], cwd=made.root, capture_output=True, timeout=120
        )
    for process in made.processes():
        try:
            process.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue
