"""The engine: exact resume, best weights, early stop, a full disk."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from flows.training import StepSampler
from tests.checkout import ROOT

_SCRIPT = """
import hashlib, os, resource, sys
from pathlib import Path
import torch
from domains.errors import ConvoyError
from domains.params import TrainParams
from domains.task import DataModule, Task
from flows.training import fit

class Line(Task):
    def __init__(self):
        super().__init__()
        self.net = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Dropout(0.3),
                                       torch.nn.Linear(8, 1))
    def training_step(self, batch, index):
        x, y = batch
        loss = ((self.net(x + 0.1 * torch.randn_like(x)) - y) ** 2).mean()
        self.log("train_loss", loss)
        return loss
    def validation_step(self, batch, index):
        x, y = batch
        self.log("val_loss", ((self.net(x) - y) ** 2).mean() * (float("nan") if limit < 0 else 1))
    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters(), 1e-2)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 60)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

class Points(DataModule):
    def __init__(self):
        super().__init__(num_train=10, batch_size=4)
    def train_sample(self, index, seed):
        x = torch.randn(3, generator=torch.Generator().manual_seed(seed)) + index
        return x, x.sum()[None]
    def val_dataloader(self):
        x = torch.randn(50, 3, generator=torch.Generator().manual_seed(1))
        data = torch.utils.data.TensorDataset(x, x.sum(1, keepdim=True))
        return torch.utils.data.DataLoader(data, batch_size=25)

scratch, kill_at, patience, limit = Path(sys.argv[1]), *map(int, sys.argv[2:])
train = TrainParams(seed=3, max_steps=60, batch_size=4, lr=1, grad_clip=1, validate_every=7,
    patience=patience, checkpoint_every=5, threads=1, accelerator="cpu", devices=1,
    precision="auto")
torch.manual_seed(0)
task, logged = Line(), []
def progress(step, total, text):
    if step == 20 and limit > 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    if step == kill_at:
        os.kill(os.getpid(), 9)
try:
    history = fit(task, Points(), train, scratch, lambda v, s: logged.append(s), progress)
except ConvoyError as error:
    sys.exit(f"{type(error).__name__}: {error}")
weights = b"".join(value.numpy().tobytes() for value in task.state_dict().values())
print(hashlib.sha256(weights).hexdigest(), len(history), logged[0])
"""


def train(scratch: Path, kill_at: int = 0, patience: int = 100, limit: int = 0) -> tuple[int, str]:
    """Exit code and last line of a training in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, *map(str, (scratch, kill_at, patience, limit))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, ((done.stdout + done.stderr).strip() or "silent").splitlines()[-1]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> str:
    code, line = train(tmp_path_factory.mktemp("whole"))
    assert code == 0, line
    return line.split()[0]


def test_a_run_killed_twice_anywhere_ends_with_the_same_weights(
    tmp_path: Path, uninterrupted: str
) -> None:
    draw = random.Random()
    first = draw.randint(6, 40)
    second = draw.randint(first + 1, 59)
    for moment in (first, second):
        code, _ = train(tmp_path, kill_at=moment)
        assert code == -9
        assert (tmp_path / "last.ckpt").is_file()
    code, line = train(tmp_path)
    weights, validations, first_step = line.split()
    assert weights == uninterrupted, f"killed at {first} and {second}"
    assert int(validations) == 8  # those before the kills are remembered
    assert int(first_step) == (second - 1) // 5 * 5 + 1  # only the steps after the checkpoint


def test_patience_stops_early_with_the_best_weights(tmp_path: Path, uninterrupted: str) -> None:
    code, line = train(tmp_path, patience=1)
    assert code == 0
    assert int(line.split()[1]) <= 8


def test_a_disk_that_fills_up_is_one_line_and_costs_nothing(
    tmp_path: Path, uninterrupted: str
) -> None:
    code, line = train(tmp_path, limit=1000)  # from step 20 on no file may pass 1 kB
    assert code == 1
    assert line.startswith("StorageError: could not write")
    assert "run again: it goes on from the last checkpoint" in line
    assert not list(tmp_path.glob(".*part"))
    code, line = train(tmp_path)
    assert line.split()[0] == uninterrupted
    assert int(line.split()[2]) > 1  # it did go on, not start again


def test_a_training_that_diverged_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    code, line = train(tmp_path / "scratch", limit=-1)  # its validation is not a number
    assert code == 1
    assert line.startswith("StepError: val_loss was not a finite number at any validation")
    assert not (tmp_path / "scratch").exists()


def test_every_sample_comes_once_an_epoch_and_epochs_differ() -> None:
    class Params:
        seed, max_steps = 5, 6

    batches = list(StepSampler(num_train=8, batch_size=4, train=Params(), rank=0, world=1))  # type: ignore[arg-type]
    epochs = [[index for index, _ in batches[i] + batches[i + 1]] for i in (0, 2, 4)]
    assert all(sorted(epoch) == list(range(8)) for epoch in epochs)
    assert epochs[0] != epochs[1]
    seeds = [seed for batch in batches for _, seed in batch]
    assert len(set(seeds)) == len(seeds)


def test_two_devices_share_a_batch_without_overlap() -> None:
    class Params:
        seed, max_steps = 5, 2

    both = [
        list(StepSampler(num_train=8, batch_size=4, train=Params(), rank=r, world=2))  # type: ignore[arg-type]
        for r in (0, 1)
    ]
    one = list(StepSampler(num_train=8, batch_size=4, train=Params(), rank=0, world=1))  # type: ignore[arg-type]
    for step in (0, 1):
        assert sorted(both[0][step] + both[1][step]) == sorted(one[step])
        assert len(both[0][step]) == 2


def test_weights_on_disk_are_safetensors_that_load_without_pickle(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    code, _ = train(tmp_path)
    assert code == 0
    assert isinstance(load_file(tmp_path / "best.safetensors")["net.0.weight"], torch.Tensor)
