"""The task: what is learned, and how its loss is made.

Legend: B points.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from domains import task as contract
from domains.task import DataModule, warmup_cosine
from domains.template_domain.data import Points
from domains.template_domain.models.curve import Curve


class Task(contract.Task):
    """The curve, fitted by least squares.

    Args:
        width: units of each hidden layer.
        depth: number of hidden layers.
        lr: peak learning rate.
        weight_decay: of AdamW.
        max_steps: optimiser steps of the whole training.
    """

    def __init__(
        self, width: int, depth: int, lr: float, weight_decay: float, max_steps: int
    ) -> None:
        super().__init__(
            width=width, depth=depth, lr=lr, weight_decay=weight_decay, max_steps=max_steps
        )
        self.curve = Curve(width, depth)

    def training_step(self, batch: Tensor, index: int) -> Tensor:
        """Mean squared error of a batch (B, 2), in units of the spread of y."""
        loss = self._loss(batch)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch: Tensor, index: int) -> None:
        """Log the same on the validation points (B, 2)."""
        self.log("val_loss", self._loss(batch))

    def configure_optimizers(self) -> Any:
        """AdamW; the rate rises over the first tenth of the steps, then falls as a cosine."""
        optimizer = torch.optim.AdamW(
            self.parameters(), lr=self.config["lr"], weight_decay=self.config["weight_decay"]
        )
        steps = self.config["max_steps"]
        return warmup_cosine(optimizer, steps, rise=steps // 10)

    def estimate(self, x: NDArray) -> NDArray[np.float64]:
        """y in m at each ``x`` (B,) in m."""
        points = torch.tensor(x, dtype=torch.float32, device=self.curve.mean.device)
        with torch.inference_mode():
            y = self.curve(points)
        return y.cpu().numpy().astype(np.float64)

    def _loss(self, points: Tensor) -> Tensor:
        error = self.curve(points[:, 0]) - points[:, 1]
        return (error / self.curve.spread[1]).square().mean()


def build(dataset: Path, *, model: Mapping, train: Mapping, **_: Any) -> tuple[Task, DataModule]:
    """Task and data for the dataset folder that ``ingest`` wrote.

    Args:
        dataset: the folder.
        model: section ``model``.
        train: section ``train``.

    Raises:
        DataError: a split is empty.
    """
    data = Points(dataset, train["batch_size"])
    torch.manual_seed(train["seed"])
    task = Task(**model, **{key: train[key] for key in ("lr", "weight_decay", "max_steps")})
    task.curve.set_statistics(data.train_points)
    return task, data
