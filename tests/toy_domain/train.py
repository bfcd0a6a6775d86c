"""The toy's task."""

import os
import time
from pathlib import Path
from typing import Any

import torch

from domains.task import Task as ContractTask
from domains.toy.data import Points


class Task(ContractTask):
    """A tiny network with dropout, so that random numbers matter."""

    def __init__(self, width: int, lr: float) -> None:
        super().__init__(width=width, lr=lr)
        self.lr = lr
        self.net = torch.nn.Sequential(
            torch.nn.Linear(1, width),
            torch.nn.Tanh(),
            torch.nn.Dropout(0.2),
            torch.nn.Linear(width, 1),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.net(x)

    def training_step(self, batch: torch.Tensor, index: int) -> torch.Tensor:
        time.sleep(float(os.environ.get("TOY_PAUSE_S", 0)))  # s, for tests that kill
        loss = ((self(batch[:, :1]) - batch[:, 1:]) ** 2).mean()
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch: Any, index: int) -> None:
        (points,) = batch
        self.log("val_loss", ((self(points[:, :1]) - points[:, 1:]) ** 2).mean())

    def configure_optimizers(self) -> Any:
        return torch.optim.Adam(self.parameters(), self.lr)


def build(dataset: Path, **params: Any) -> tuple[Task, Points]:
    """Task and data module."""
    train = params["train"]
    task = Task(params["model"]["width"], train["lr"])
    return task, Points(dataset, train["batch_size"])
