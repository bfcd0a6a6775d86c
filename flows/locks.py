"""Locks that the kernel frees the moment their holder dies (``flock``), and orphan prevention."""

from __future__ import annotations

import ctypes
import fcntl
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from domains.errors import BusyError

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_parent(parent: int | None = None) -> None:
    """Have the kernel kill this process when its parent dies (Linux; elsewhere nothing happens).

    Without it ``kill -9`` of dvc leaves the step running beside the next one.

    Args:
        parent: process id of who started it, where that is known; else the present parent.
    """
    if sys.platform != "linux":
        return
    parent = parent or os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the call
        os.kill(os.getpid(), signal.SIGKILL)


def holder(path: Path) -> str:
    """Who wrote its name into the lock file last, ``""`` where nobody did."""
    return path.read_text().strip() if path.is_file() else ""


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock at ``path``."""
    if not path.is_file():
        return False
    with open(path) as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)  # two who ask are no holders
        except BlockingIOError:
            return True
    return False


def _taken(stream: IO[str]) -> bool:
    """Take the lock if it is free; one who asks ``is_held`` has it for an instant."""
    for pause_s in (0.01, 0.1, 0.0):
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(pause_s)
    return False


@contextmanager
def lock(
    path: Path, *, wait: bool = True, on_wait: Callable[[str], None] | None = None
) -> Iterator[None]:
    """Hold the lock at ``path`` inside the block.

    Args:
        path: lock file; it stays behind, empty of meaning.
        wait: wait for the holder, or raise at once.
        on_wait: called once with the holder's name when there is one to wait for.

    Raises:
        BusyError: ``wait`` is false and another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+") as stream:
        if not _taken(stream):
            if not wait:
                raise BusyError(
                    f"{path.stem} is held by {holder(path)}; wait for it or stop that process"
                )
            if on_wait:
                on_wait(holder(path))
            fcntl.flock(stream, fcntl.LOCK_EX)
        stream.seek(0)
        stream.truncate()
        stream.write(f"process {os.getpid()} since {time.strftime('%Y-%m-%d %H:%M:%S')}")
        stream.flush()
        yield


@contextmanager
def some_locks(
    paths: list[Path], count: int, on_wait: Callable[[str], None]
) -> Iterator[list[int]]:
    """Hold ``count`` of several locks (one per device, say); yields the indices of those held.

    Fewer than ``count`` are let go again at once, so that two who wait never block each other.
    """
    told = False
    while True:
        with ExitStack() as stack:
            held: list[int] = []
            for index, path in enumerate(paths):
                try:
                    stack.enter_context(lock(path, wait=False))
                except BusyError:
                    continue
                held.append(index)
                if len(held) == count:
                    yield held
                    return
        if not told:
            on_wait(", ".join(holder(path) for path in paths))
            told = True
        time.sleep(0.2 + 0.2 * random.random())  # out of step with the others
