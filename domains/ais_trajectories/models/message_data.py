"""Windows of messages as they came, in irregular steps, and the message that follows.

Legend: N windows, T messages seen, V quantities of ``models.messages``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from domains.ais_trajectories.science import geodesy
from domains.ais_trajectories.science.messages import MessageWindows, cut_messages
from domains.task import DataModule, one_at_a_time

_AT_ONCE = 512


def to_batch(cut: MessageWindows) -> dict[str, Tensor]:
    """Keys of ``models.messages`` of all windows."""
    seen = slice(0, -1)
    origin = cut.longitude[:, -2:-1], cut.latitude[:, -2:-1]
    east, north = geodesy.to_local_km(cut.longitude, cut.latitude, *origin)
    course = np.deg2rad(cut.cog_deg)
    known = np.isfinite(cut.sog_kn) & np.isfinite(course)
    content = np.stack(
        [east, north, cut.sog_kn, np.sin(course), np.cos(course), cut.interval_min], axis=-1
    )  # (N, T + 1, V)
    content[..., 2:5] = np.where(known[..., None], content[..., 2:5], 0.0)
    values = torch.from_numpy(content.astype(np.float32))
    is_known = torch.from_numpy(known)
    return {
        "messages": values[:, seen],
        "is_known": is_known[:, seen],
        "next": values[:, -1],
        "next_known": is_known[:, -1],
    }


class MessageData(DataModule):
    """All windows of messages in memory.

    Args:
        dataset: folder.
        section: ``model.messages``.
        train: section ``train``.
    """

    def __init__(self, dataset: Path, section: Mapping[str, Any], train: Mapping[str, Any]) -> None:
        size = section["length"], section["max_gap_min"]
        self.train = to_batch(cut_messages(dataset, "train", *size, train["stride"]))
        self.validate = to_batch(cut_messages(dataset, "validate", *size, 3 * train["stride"]))
        super().__init__(len(self.train["next"]), train["batch_size"])

    def train_sample(self, index: int, seed: int) -> dict[str, Tensor]:
        """Window ``index``; nothing about it is random."""
        return {key: value[index] for key, value in self.train.items()}

    def val_dataloader(self) -> DataLoader:
        """All validation windows, 512 at a time."""
        parts = [
            {key: value[first : first + _AT_ONCE] for key, value in self.validate.items()}
            for first in range(0, len(self.validate["next"]), _AT_ONCE)
        ]
        return one_at_a_time(parts)
