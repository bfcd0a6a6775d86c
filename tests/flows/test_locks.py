"""A lock is free the moment its holder dies."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from domains.errors import BusyError
from flows.locks import any_lock, is_held, lock

_HOLD = """
import sys, time
from pathlib import Path
from flows.locks import lock
with lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def hold(path: Path) -> subprocess.Popen:
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_held_lock_refuses_a_second_holder_and_names_the_first(tmp_path: Path) -> None:
    path = tmp_path / "gpu0.lock"
    process = hold(path)
    try:
        assert is_held(path)
        with (
            pytest.raises(BusyError, match=f"gpu0 is held by process {process.pid} "),
            lock(path, wait=False),
        ):
            pass
    finally:
        process.kill()
        process.communicate()


def test_a_killed_holder_frees_the_lock_at_once(tmp_path: Path) -> None:
    path = tmp_path / "gpu0.lock"
    process = hold(path)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not is_held(path)
    with lock(path, wait=False):
        pass


def test_any_lock_takes_the_device_that_is_free(tmp_path: Path) -> None:
    paths = [tmp_path / "gpu0.lock", tmp_path / "gpu1.lock"]
    with lock(paths[0]), any_lock(paths, on_wait=pytest.fail) as index:
        assert index == 1


def test_a_process_dies_with_its_parent(tmp_path: Path) -> None:
    child = (
        "import time; from flows.locks import die_with_parent; die_with_parent();"
        "print('up', flush=True); time.sleep(60)"
    )
    parent = (
        "import subprocess, sys, time;"
        f"p = subprocess.Popen([sys.executable, '-c', {child!r}], stdout=subprocess.PIPE);"
        "p.stdout.readline(); print(p.pid, flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    import psutil

    orphan = psutil.Process(int(process.stdout.readline()))
    process.kill()
    process.communicate()
    orphan.wait(timeout=5)
