"""Kill it: whatever dies, nothing is left behind and the next run ends with the same weights."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.checkout import Checkout

pytestmark = pytest.mark.alone

SLOW = {"TOY_PAUSE_S": "0.5"}
"""A training of 20 s: it does not end before it is killed."""


@pytest.fixture(scope="module")
def expected(finished_checkout: Checkout, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Weights of an uninterrupted training with the seed the tests use."""
    root = tmp_path_factory.mktemp("uninterrupted") / "checkout"
    shutil.copytree(finished_checkout.root, root, symlinks=True)
    made = Checkout(root)
    made.convoy("run", "--no-server", "-S", "toy.train.seed=7")
    return made.weights()


def victims(checkout: Checkout, flow: subprocess.Popen) -> dict[str, psutil.Process]:
    """The flow, dvc and the step of the training that is under way."""
    step = checkout.step()
    assert step is not None
    dvc = step.parent()
    assert "repro" in dvc.cmdline()  # no shell between them: the step must see dvc die
    return {"flow": psutil.Process(flow.pid), "dvc": dvc, "step": step}


def assert_nothing_left(checkout: Checkout) -> None:
    """No process and no half-written artefact of the killed run."""
    checkout.wait_for(lambda: not checkout.processes(), 60)
    outputs = checkout.root / "outputs"
    assert not list(outputs.rglob(".*"))
    model = outputs / "model/toy"
    if model.is_dir():
        assert {path.name for path in model.iterdir()} == {
            "model.json",
            "record.json",
            "weights.safetensors",
        }


def finish(checkout: Checkout, expected: bytes) -> None:
    """The next run resumes and ends like an uninterrupted one."""
    output = checkout.convoy("run", "--no-server")
    assert "going on from the checkpoint" in output
    assert checkout.weights() == expected
    assert not list(checkout.root.glob(".state/work/toy/*"))


@pytest.mark.parametrize("victim", ["flow", "dvc", "step"])
@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT], ids=["kill9", "ctrl-c"])
def test_the_run_after_a_kill_ends_with_the_same_weights(
    finished: Checkout, expected: bytes, victim: str, sign: signal.Signals
) -> None:
    flow = finished.start("run", "--no-server", "-S", "toy.train.seed=7", **SLOW)
    finished.wait_for(lambda: finished.step() and finished.checkpoint(), 120)
    time.sleep(random.uniform(0.0, 1.0))
    target = victims(finished, flow)[victim]
    target.send_signal(sign)
    if victim != "flow" and sign == signal.SIGKILL:
        # a crash is tried again after ten seconds: that run, too, must be stoppable
        finished.wait_for(lambda: finished.step() is None, 60)
        os.killpg(flow.pid, signal.SIGKILL)
    elif victim == "dvc":  # dvc leaves Ctrl-C to its step; a person's Ctrl-C reaches both
        finished.step().send_signal(sign)
    output, _ = flow.communicate(timeout=60)
    told = "interrupted; the next `convoy run` goes on from here" in output
    assert told == (victim == "flow" and sign == signal.SIGINT)
    assert_nothing_left(finished)
    finish(finished, expected)


def test_ctrl_c_of_a_typed_repro_resumes_too(finished: Checkout, expected: bytes) -> None:
    finished.set("seed: 0", "seed: 7")
    dvc = subprocess.Popen(
        [sys.executable, "-m", "dvc", "repro", "train@toy"],
        cwd=finished.root,
        env=finished.environment(**SLOW),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    finished.wait_for(lambda: finished.step() and finished.checkpoint(), 120)
    os.killpg(dvc.pid, signal.SIGINT)
    assert dvc.wait(60) != 0
    assert_nothing_left(finished)
    finish(finished, expected)


def test_a_checkpoint_of_other_parameters_is_not_resumed(finished: Checkout) -> None:
    flow = finished.start("run", "--no-server", "-S", "toy.train.seed=7", **SLOW)
    finished.wait_for(lambda: finished.step() and finished.checkpoint(), 120)
    os.killpg(flow.pid, signal.SIGKILL)
    flow.communicate()
    finished.wait_for(lambda: not finished.processes(), 60)
    output = finished.convoy("run", "--no-server", "-S", "toy.train.seed=8")
    assert "going on" not in output


def test_a_second_writer_of_the_same_step_is_refused(finished: Checkout) -> None:
    finished.set("seed: 0", "seed: 7")
    flow = finished.start("run", "--no-server", **SLOW)
    finished.wait_for(lambda: finished.step() and finished.checkpoint(), 120)  # it has the lock
    done = subprocess.run(
        [sys.executable, "-m", "flows.steps", "train", "toy"],
        cwd=finished.root,
        env=finished.environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: train@toy is held by process ")
    os.killpg(flow.pid, signal.SIGKILL)
    flow.communicate()


def test_a_failing_disk_is_one_line(finished: Checkout, tmp_path: Path) -> None:
    script = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200));"
        "from flows.steps import main; sys.exit(main(['ingest', 'toy']))"
    )
    before = (finished.root / "outputs/dataset/toy/points.csv").read_bytes()
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=finished.root,
        env=finished.environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "make room and run again, earlier results are untouched" in done.stderr
    assert (finished.root / "outputs/dataset/toy/points.csv").read_bytes() == before
    assert not list((finished.root / "outputs/dataset").glob(".*"))


def test_a_lock_list_of_dvc_cut_short_by_a_kill_blocks_nobody(finished: Checkout) -> None:
    (finished.root / ".dvc/tmp/rwlock").write_text('{"write": {"outputs/model/toy": {"pi')
    assert "nothing to do" in finished.convoy("run", "--no-server")
