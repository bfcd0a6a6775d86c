"""Dataset to batches: points in m.

Legend: B points.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from domains.errors import DataError
from domains.task import DataModule, one_at_a_time
from domains.template_domain.science.points import load_points


class Points(DataModule):
    """Single points (2,), x and y in m."""

    def __init__(self, dataset: Path, batch_size: int) -> None:
        self.train_points = points_of(dataset, "train")
        self.validate_points = points_of(dataset, "validate")
        super().__init__(len(self.train_points), batch_size)

    def train_sample(self, index: int, seed: int) -> Tensor:
        """Point ``index``; what is random in an augmentation comes from ``seed``."""
        return self.train_points[index]

    def val_dataloader(self) -> DataLoader:
        """All validation points in one batch (B, 2)."""
        return one_at_a_time([self.validate_points])


def points_of(dataset: Path, split: str) -> Tensor:
    """The points (B, 2) of a split, x and y in m.

    Raises:
        DataError: there are none.
    """
    table = load_points(Path(dataset), split)
    if table.empty:
        raise DataError(f"template_domain: {dataset}: no points to {split} on")
    return torch.tensor(table[["x", "y"]].to_numpy(), dtype=torch.float32)
