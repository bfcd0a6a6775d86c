"""Points -> batches."""

from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch.utils.data import DataLoader, TensorDataset

from domains.task import DataModule


def points(dataset: Path, split: str) -> torch.Tensor:
    """(N, 2) points of one split."""
    table = pd.read_csv(dataset / "points.csv")
    table = table[table["split"] == split]
    return torch.tensor(table[["x", "y"]].to_numpy(), dtype=torch.float32)


class Points(DataModule):
    """Points with a little noise of their own."""

    def __init__(self, dataset: Path, batch_size: int) -> None:
        self.train_points = points(dataset, "train")
        self.validate_points = points(dataset, "validate")
        super().__init__(len(self.train_points), batch_size)

    def train_sample(self, index: int, seed: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        return self.train_points[index] + 0.01 * torch.randn(2, generator=generator)

    def val_dataloader(self) -> Any:
        return DataLoader(TensorDataset(self.validate_points), batch_size=8)
