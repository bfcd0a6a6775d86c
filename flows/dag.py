"""The plan of a run, read from ``dvc.yaml``: stages, what they wait for, which are stale.

DVC's internals are used here only: one repository object and one check of all stages take well
under a second, where one ``dvc status`` for each stage would take that long each.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domains.errors import ParameterError
from flows import parameters
from flows.settings import Places
from flows.sources import has_changed


@dataclass(frozen=True)
class Stage:
    """One node of the plan.

    Args:
        name: DVC's address, ``train@imu_attitude`` or ``report``.
        upstream: names of the stages of this plan that come first.
        stale: it, or a stage before it, must run.
        forced: DVC does not see why: the user's own files have changed.
    """

    name: str
    upstream: tuple[str, ...]
    stale: bool
    forced: bool = False

    @property
    def domain(self) -> str:
        """The domain it belongs to, ``""`` for the report."""
        return self.name.partition("@")[2]


def read_plan(places: Places, domains: Sequence[str]) -> list[Stage]:
    """The stages of ``domains`` and the report, in an order that can be run.

    Raises:
        ParameterError: DVC cannot make sense of ``dvc.yaml`` or ``params.yaml``.
    """
    import networkx
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    prepare(places)
    params = parameters.load(places)
    logging.getLogger("dvc").setLevel(logging.ERROR)
    try:
        with Repo(str(places.root), _wait_for_lock=True) as repo, repo.lock:
            free_dead_locks(repo)
            graph = repo.index.graph
            order = list(networkx.topological_sort(graph.reverse()))
            wanted = [stage for stage in order if _is_wanted(stage.addressing, domains)]
            plan: list[Stage] = []
            stale: set[str] = set()
            for stage in wanted:
                upstream = tuple(
                    node.addressing for node in graph.successors(stage) if node in wanted
                )
                step, _, domain = stage.addressing.partition("@")
                forced = step == "ingest" and has_changed(places, domain, params[domain].source)
                is_stale = forced or any(name in stale for name in upstream) or stage.changed()
                if is_stale:
                    stale.add(stage.addressing)
                plan.append(Stage(stage.addressing, upstream, is_stale, forced))
            return plan
    except DvcException as error:
        raise ParameterError(f"dvc.yaml: {str(error).splitlines()[0]}") from error


def free_dead_locks(repo: Any) -> None:
    """Take killed processes off DVC's list of readers and writers.

    DVC does so itself, but counts a zombie as alive, and in a container nobody may ever reap it.
    A list that no longer reads was cut short by a kill while DVC rewrote it: it starts anew.
    """
    from dvc.rwlock import RWLOCK_FILE, RWLockFileCorruptedError, _edit_rwlock

    hardlink = repo.config["core"].get("hardlink_lock", False)
    try:
        _drop_the_dead(_edit_rwlock(repo.tmp_dir, repo.fs, hardlink))
    except RWLockFileCorruptedError:
        Path(repo.tmp_dir, RWLOCK_FILE).unlink()


def _drop_the_dead(edit: AbstractContextManager[dict[str, Any]]) -> None:
    with edit as held:
        held["write"] = {path: who for path, who in held["write"].items() if _is_alive(who)}
        readers = {path: [w for w in who if _is_alive(w)] for path, who in held["read"].items()}
        held["read"] = {path: who for path, who in readers.items() if who}


def _is_alive(who: dict[str, Any]) -> bool:
    import psutil

    try:
        return psutil.Process(who["pid"]).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def prepare(places: Places) -> None:
    """Let DVC work in a folder without ``.git`` (an unpacked archive, a container image)."""
    from dvc.config import Config

    without_git = not (places.root / ".git").exists()
    config = Config(str(places.root / ".dvc"), validate=False)
    if without_git != bool(config["core"].get("no_scm", False)):
        with config.edit("local") as local:
            local.setdefault("core", {})["no_scm"] = without_git


def _is_wanted(name: str, domains: Sequence[str]) -> bool:
    domain = name.partition("@")[2]
    return not domain or domain in domains
