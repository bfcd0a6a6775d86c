"""A lock is free the moment its holder dies."""

from __future__ import annotations

import fcntl
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from domains.errors import BusyError
from flows.devices import hold_device
from flows.locks import is_held, lock, some_locks
from flows.settings import Places

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


def test_who_asks_at_the_same_time_is_no_holder(tmp_path: Path) -> None:
    path = tmp_path / "gpu0.lock"
    path.touch()
    with open(path) as asking:
        fcntl.flock(asking, fcntl.LOCK_SH)  # as is_held does for an instant
        assert not is_held(path)
    with lock(path, wait=False):
        assert is_held(path)


def test_who_asks_for_an_instant_refuses_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "gpu0.lock"
    path.touch()
    with open(path) as asking:
        fcntl.flock(asking, fcntl.LOCK_SH)
        monkeypatch.setattr("time.sleep", lambda _: fcntl.flock(asking, fcntl.LOCK_UN))
        with lock(path, wait=False):
            assert is_held(path)


def test_some_locks_take_the_devices_that_are_free(tmp_path: Path) -> None:
    paths = [tmp_path / f"gpu{index}.lock" for index in range(4)]
    with lock(paths[1]), some_locks(paths, 2, on_wait=pytest.fail) as held:
        assert held == [0, 2]


def test_who_cannot_have_all_holds_none_while_waiting(tmp_path: Path) -> None:
    paths = [tmp_path / "cpu0.lock", tmp_path / "cpu1.lock"]
    seen = []

    def look(_: str) -> None:
        seen.append([is_held(path) for path in paths])
        raise KeyboardInterrupt

    with lock(paths[1]), pytest.raises(KeyboardInterrupt), some_locks(paths, 2, on_wait=look):
        pass
    assert seen == [[False, True]]


def test_a_training_takes_a_core_for_each_of_its_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVOY_CPU_SLOTS", "3")
    places = Places(tmp_path, tmp_path / ".state")
    with hold_device(places, "cpu", threads=2), hold_device(places, "cpu", threads=1):
        assert all(is_held(places.locks / f"cpu{index}.lock") for index in range(3))
    with hold_device(places, "cpu", threads=64):  # all there are
        assert is_held(places.locks / "cpu2.lock")


def test_gpus_named_by_the_user_are_taken_one_by_one_and_none_is_the_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.devices.num_gpus", lambda: 4)
    places = Places(tmp_path, tmp_path / ".state")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    with hold_device(places, "auto", threads=1):
        assert is_held(places.locks / "gpu0.lock")
        assert is_held(places.locks / "gpu1.lock")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with hold_device(places, "auto", threads=1):
        assert is_held(places.locks / "cpu0.lock")


def test_a_command_whose_parent_is_gone_does_not_start() -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    command = [sys.executable, "-m", "flows.guard", str(ended.pid), "sleep", "60"]
    assert subprocess.run(command, timeout=30).returncode == -signal.SIGKILL


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
    orphan.wait(timeout=30)
