"""The trainable half of the contract: ``Task``, ``DataModule``, and a trained task on disk."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any, Protocol, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, default_collate

from domains.errors import DataError
from domains.files import write_json

__all__ = ["DataModule", "Task", "load_task", "one_at_a_time", "save_task", "warmup_cosine"]


class Engine(Protocol):
    """What a task may ask of the engine that trains it (``flows/training.py``)."""

    @property
    def global_step(self) -> int: ...

    @property
    def log(self) -> Callable[..., None]: ...

    def optimizers(self) -> Any: ...


class Task(nn.Module):
    """A network with its loss; batches come in physical units, statistics are buffers inside.

    A domain's ``train.py`` subclasses it as ``Task`` with keyword arguments that are plain JSON
    values, passes them on to ``super().__init__(**config)``, and implements ``training_step``,
    ``validation_step`` (which logs ``val_loss`` or whatever ``monitor`` names) and
    ``configure_optimizers``.  ``Task(**task.config)`` rebuilds the network without any data; the
    weights then bring the statistics.

    The names are those of a ``LightningModule``, which the engine makes of it to train it; a task
    that is only used does not wait for Lightning's import.

    Random numbers drawn in ``training_step`` are seeded per step by the engine, so a run that
    was killed anywhere ends with the same weights; draw them from torch's global generator.
    """

    monitor = "val_loss"
    """Name of the logged quantity that selects the best weights; lower is better."""

    _engine: Engine | None

    def __init__(self, **config: Any) -> None:
        super().__init__()
        self.config = config
        self.attach(None)

    def attach(self, engine: Engine | None) -> None:
        """Name the engine that trains the task from now on, ``None`` when it has ended."""
        self.__dict__["_engine"] = engine  # no submodule, though Lightning's module is one

    # --- what a domain implements --------------------------------------------------------------

    def training_step(self, batch: Any, index: int) -> Tensor:
        """The loss of a batch."""
        raise NotImplementedError(f"{type(self).__name__} lacks training_step(batch, index)")

    def validation_step(self, batch: Any, index: int) -> None:
        """Log ``monitor``, or keep what ``on_validation_epoch_end`` logs."""
        raise NotImplementedError(f"{type(self).__name__} lacks validation_step(batch, index)")

    def configure_optimizers(self) -> Any:
        """An optimiser, or what ``warmup_cosine`` returns."""
        raise NotImplementedError(f"{type(self).__name__} lacks configure_optimizers()")

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: int | float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Scale all gradients together to the norm ``train.grad_clip``."""
        if gradient_clip_val:
            weights = [weight for group in optimizer.param_groups for weight in group["params"]]
            nn.utils.clip_grad_norm_(weights, gradient_clip_val)

    def on_train_batch_end(self, *_: Any) -> None:
        """After an optimiser step."""

    def on_validation_epoch_end(self) -> None:
        """After the last batch of a validation."""

    # --- what it can use -----------------------------------------------------------------------

    def log(self, name: str, value: Any, **how: Any) -> None:
        """Record a number of this step, or the mean over a validation; silent outside a training.

        Args:
            name: its name.
            value: a number or a tensor with one.
            how: what ``LightningModule.log`` knows, such as ``batch_size``, the weight in the mean.
        """
        if self._engine is not None:
            self._engine.log(name, value, **how)

    def log_dict(self, values: Mapping[str, Any], **how: Any) -> None:
        """``log`` each of ``values``."""
        for name, value in values.items():
            self.log(name, value, **how)

    @property
    def global_step(self) -> int:
        """Number of optimiser steps taken, 0 outside a training."""
        return 0 if self._engine is None else self._engine.global_step

    def optimizers(self) -> Any:
        """The optimiser of the training."""
        assert self._engine is not None, "nothing trains this task"
        return self._engine.optimizers()

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(chain(self.parameters(), self.buffers())).device


def warmup_cosine(optimizer: torch.optim.Optimizer, num_steps: int, rise: int) -> dict[str, Any]:
    """What ``configure_optimizers`` returns: the rate rises evenly, then falls as a cosine to 0.

    Args:
        optimizer: its ``lr`` is the peak.
        num_steps: optimiser steps of the training.
        rise: steps until the peak, at least one is taken.
    """
    rise = max(1, rise)

    def factor(step: int) -> float:
        if step < rise:
            return (step + 1) / rise
        return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, num_steps - rise)))

    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}


def one_at_a_time(cases: Sequence[Any]) -> DataLoader:
    """The cases as they are, each a batch of its own: whole volumes, clips or trials differ."""
    return DataLoader(cast(Dataset, cases), batch_size=None)  # a sequence serves as a dataset


class DataModule:
    """Samples of one dataset, as the engine draws them.

    The engine shuffles ``range(num_train)`` anew each epoch and asks ``train_sample`` for each
    index with a seed of its own, so training is a pure function of ``train.seed`` and can go on
    from any step.  A domain implements ``train_sample`` and ``val_dataloader``.

    Args:
        num_train: number of training samples that make an epoch.
        batch_size: samples per optimiser step.
    """

    def __init__(self, num_train: int, batch_size: int) -> None:
        if num_train < 1 or batch_size < 1:
            raise DataError(
                f"nothing to train on: {num_train} training samples, batch size {batch_size}"
            )
        self.num_train = num_train
        self.batch_size = batch_size

    def train_sample(self, index: int, seed: int) -> Any:
        """Sample ``index``; all its randomness (crop, augmentation) comes from ``seed``."""
        raise NotImplementedError(f"{type(self).__name__} lacks train_sample(index, seed)")

    def val_dataloader(self) -> DataLoader:
        """The validation batches, in a fixed order."""
        raise NotImplementedError(f"{type(self).__name__} lacks val_dataloader()")

    @staticmethod
    def collate(samples: list) -> Any:
        """One batch of ``train_sample`` results; override for ragged samples."""
        return default_collate(samples)


def save_task(task: Task, folder: Path, domain: str, params: Mapping[str, Any]) -> None:
    """Write ``weights.safetensors`` and ``model.json``, all that ``load_task`` needs."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.contiguous() for name, tensor in task.state_dict().items()}
    save_file(weights, folder / "weights.safetensors")
    write_json(
        folder / "model.json",
        {"domain": domain, "config": task.config, "params": params},
    )


def load_task(folder: Path) -> tuple[str, Task, dict[str, Any]]:
    """Domain name, the trained task in evaluation mode, and the parameters it was trained with.

    Raises:
        DataError: a file is missing, or the weights do not fit the network.
    """
    folder = Path(folder)
    for name in ("model.json", "weights.safetensors"):
        if not (folder / name).is_file():
            raise DataError(f"{folder}: {name} is missing; run the train step first")
    record = json.loads((folder / "model.json").read_text())
    task = import_module(f"domains.{record['domain']}.train").Task(**record["config"])
    try:
        task.load_state_dict(load_file(folder / "weights.safetensors"))
    except (RuntimeError, SafetensorError) as error:
        raise DataError(
            f"{folder}/weights.safetensors does not fit the network of {record['domain']}: "
            f"{str(error).splitlines()[0]}; retrain it with this version"
        ) from error
    return record["domain"], task.eval(), record["params"]
