"""The training engine: Lightning, with checkpoints from which a killed run goes on bit for bit.

What makes the resume exact:

1. Training is a function of the optimiser step: step ``s`` takes fixed samples, each with a seed
   of its own, and torch's generators are seeded anew at every step.
2. Checkpoints are taken where a step begins: the step before, its validation and the choice of
   the best weights are complete.
3. A checkpoint is written beside the old one and renamed; it lives in a scratch folder named by
   a hash of parameters, code and data, so another training never picks it up.
"""

from __future__ import annotations

import logging
import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch.utils.data import DataLoader, Dataset, Sampler

from domains.errors import StepError, StorageError
from domains.params import TrainParams
from domains.task import DataModule, Task

_STEP_SEED = 7919  # a prime: seeds of neighbouring steps share no pattern with sample seeds


def fit(
    task: Task,
    data: DataModule,
    train: TrainParams,
    scratch: Path,
    log: Callable[[dict[str, float], int], None],
    progress: Callable[[int, int, str], None],
) -> list[dict[str, float]]:
    """Train ``task`` in place; it ends with the best weights on validation.

    Args:
        task: what to train.
        data: its samples.
        train: seed, steps and everything else the engine reads.
        scratch: folder of this training's checkpoints; found there, it goes on from them.
        log: called with logged numbers and the step.
        progress: called with step, number of steps, and a short text.

    Returns:
        One row per validation: ``step`` and everything logged.

    Raises:
        StepError: the loss of validation was never finite.
        StorageError: no space for a checkpoint; the last one stays.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(train.threads)
    choice = BestWeights(train, scratch, log, progress)
    with _quiet():
        trainer = lightning.Trainer(
            accelerator=train.accelerator,
            devices=train.devices,
            precision=_precision(train),
            max_epochs=1,  # an epoch of max_steps: the loader is a function of the step
            min_epochs=0,
            val_check_interval=min(train.validate_every, train.max_steps),
            gradient_clip_val=train.grad_clip or None,
            num_sanity_val_steps=0,
            log_every_n_steps=1,
            callbacks=[SeedSteps(train.seed), choice, Checkpoint(train.checkpoint_every, scratch)],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
            default_root_dir=scratch,
        )
        last = scratch / "last.ckpt"
        loader = StepLoader(data, train, trainer)
        try:
            trainer.fit(
                Module(task),
                train_dataloaders=loader,
                val_dataloaders=data.val_dataloader(),
                ckpt_path=str(last) if last.is_file() else None,
                weights_only=True,
            )
        except SystemExit:  # Lightning's answer to Ctrl-C
            raise KeyboardInterrupt from None
        finally:
            task.attach(None)
    if not choice.path.is_file():
        shutil.rmtree(scratch)  # going on from these weights leads nowhere
        raise StepError(
            f"{task.monitor} was not a finite number at any validation: the training diverged; "
            "lower train.lr or set train.grad_clip"
        )
    task.load_state_dict(load_file(choice.path))
    return choice.history


class Module(lightning.LightningModule):
    """A task as Lightning wants it: passes its calls on, and is the task's ``Engine``."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.task = task
        task.attach(self)

    def training_step(self, batch: Any, index: int) -> Any:
        return self.task.training_step(batch, index)

    def validation_step(self, batch: Any, index: int) -> None:
        self.task.validation_step(batch, index)

    def configure_optimizers(self) -> Any:
        return self.task.configure_optimizers()

    def configure_gradient_clipping(self, *arguments: Any, **named: Any) -> None:
        self.task.configure_gradient_clipping(*arguments, **named)

    def on_train_batch_end(self, *arguments: Any) -> None:
        self.task.on_train_batch_end(*arguments)

    def on_validation_epoch_end(self) -> None:
        self.task.on_validation_epoch_end()


def _precision(train: TrainParams) -> Any:
    if train.precision != "auto":
        return train.precision
    gpu = train.accelerator != "cpu" and torch.cuda.is_available()
    return "bf16-mixed" if gpu and torch.cuda.is_bf16_supported() else "32-true"


class _quiet:
    """Silences Lightning's advice on loaders and its advertisements, which nobody here can use."""

    def __enter__(self) -> None:
        self._catch = warnings.catch_warnings()
        self._catch.__enter__()
        warnings.filterwarnings("ignore", module=r"lightning\..*")
        warnings.filterwarnings("ignore", message=r".*LeafSpec.*")
        self._level = logging.getLogger("lightning.pytorch").level
        logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

    def __exit__(self, *error: Any) -> None:
        logging.getLogger("lightning.pytorch").setLevel(self._level)
        self._catch.__exit__(*error)


class SeedSteps(Callback):
    """Seeds torch's generators at the start of every optimiser step."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        torch.manual_seed(self.seed + _STEP_SEED * (trainer.global_step + 1))


class BestWeights(Callback):
    """Logs, keeps the weights that are best on validation, and stops when patience runs out."""

    def __init__(
        self, train: TrainParams, scratch: Path, log: Callable, progress: Callable
    ) -> None:
        self.train, self.path = train, scratch / "best.safetensors"
        self.record, self.progress = log, progress
        self.best = float("inf")
        self.waited = 0
        self.history: list[dict[str, float]] = []

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        step = trainer.global_step
        values = {k: float(v) for k, v in trainer.callback_metrics.items() if "val" not in k}
        self.record({**values, **_learning_rate(trainer)}, step)
        best = "" if self.best == float("inf") else f" best {self.best:.4g}"
        self.progress(step, self.train.max_steps, f"step {step}/{self.train.max_steps}{best}")

    def on_validation_end(self, trainer: lightning.Trainer, module: Any) -> None:
        task, step = module.task, trainer.global_step
        values = {key: float(value) for key, value in trainer.callback_metrics.items()}
        if task.monitor not in values:
            raise RuntimeError(f"validation_step logged {list(values)}, not {task.monitor!r}")
        self.record({k: v for k, v in values.items() if "val" in k}, step)
        self.history.append({"step": step, **values})
        if values[task.monitor] < self.best:
            self.best, self.waited = values[task.monitor], 0
            weights = {k: v.contiguous().cpu() for k, v in task.state_dict().items()}
            if trainer.is_global_zero:
                write_whole(self.path, lambda path: save_file(weights, path))
        else:
            self.waited += 1
            trainer.should_stop = self.waited >= self.train.patience

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "waited": self.waited, "history": self.history}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.best, self.waited = state["best"], state["waited"]
        self.history = list(state["history"])


class Checkpoint(Callback):
    """Writes ``last.ckpt`` every few steps, where a step begins."""

    def __init__(self, every: int, scratch: Path) -> None:
        self.every, self.path = every, scratch / "last.ckpt"

    def on_train_batch_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        step = trainer.global_step
        if step and step % self.every == 0:
            if trainer.is_global_zero:
                write_whole(self.path, trainer.save_checkpoint)
            else:
                trainer.save_checkpoint(self.path)  # writes nothing, and waits for the others


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Let ``write`` make a file that then takes the place of ``path`` at once.

    Raises:
        StorageError: the disk is full; ``path`` keeps its old content.
    """
    scratch = path.with_name(f".{path.name}.part")
    try:
        write(scratch)
        with open(scratch, "rb") as stream:
            os.fsync(stream.fileno())
        os.replace(scratch, path)
    except (OSError, SafetensorError) as error:
        free = shutil.disk_usage(path.parent).free
        raise StorageError(
            f"could not write {path}: {error}; {free / 1e6:.0f} MB are free there; make room and "
            "run again: it goes on from the last checkpoint"
        ) from error
    finally:
        scratch.unlink(missing_ok=True)


class StepLoader:
    """The batches of all steps; Lightning stores its position in the checkpoint."""

    def __init__(self, data: DataModule, train: TrainParams, trainer: lightning.Trainer) -> None:
        self._trainer = trainer
        self._sampler = StepSampler(
            data.num_train, data.batch_size, train, trainer.global_rank, trainer.world_size
        )
        self._loader = DataLoader(
            _Samples(data), batch_sampler=self._sampler, collate_fn=data.collate
        )

    def __len__(self) -> int:
        return len(self._sampler)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._loader)

    def state_dict(self) -> dict[str, int]:
        return {"step": self._trainer.global_step}  # not what was fetched: that runs ahead

    def load_state_dict(self, state: dict[str, int]) -> None:
        self._sampler.start = state["step"]


class StepSampler(Sampler):
    """For each step the (index, seed) pairs of its batch: epochs are permutations by seed."""

    def __init__(
        self, num_train: int, batch_size: int, train: TrainParams, rank: int, world: int
    ) -> None:
        self.num_train, self.batch_size = num_train, batch_size
        self.seed, self.max_steps = train.seed, train.max_steps
        self.rank, self.world = rank, world
        self.start = 0

    def __len__(self) -> int:
        return self.max_steps

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        for step in range(self.start, self.max_steps):
            first = step * self.batch_size
            places = range(first + self.rank, first + self.batch_size, self.world)
            yield [(self._index(place), self.seed * 1_000_003 + place) for place in places]

    def _index(self, place: int) -> int:
        epoch, offset = divmod(place, self.num_train)
        if getattr(self, "_epoch", None) != epoch:
            generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
            self._epoch = epoch
            self._order = torch.randperm(self.num_train, generator=generator).tolist()
        return self._order[offset]


class _Samples(Dataset):
    """A data module's training samples, addressed by (index, seed)."""

    def __init__(self, data: DataModule) -> None:
        self._data = data

    def __getitem__(self, key: tuple[int, int]) -> Any:
        return self._data.train_sample(*key)


def _learning_rate(trainer: lightning.Trainer) -> dict[str, float]:
    return {"lr": trainer.optimizers[0].param_groups[0]["lr"]}
