"""Short windows of a recording, for the paper's networks.

Legend: W samples of a window, M samples of a trial near the network's rate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from domains.errors import DataError
from domains.imu_attitude.science import quaternions
from domains.imu_attitude.science.recording import Recording
from domains.imu_attitude.science.truth import reference_of
from domains.task import DataModule


class WindowData(DataModule):
    """Windows of one trial each for the paper's networks; the label is the true vertical.

    Args:
        train: trials to cut training windows from.
        validate: trials to cut validation windows from.
        section: ``window`` W in samples, ``rate_hz``, ``label``, ``stride_s``, ``batch_size``.

    Raises:
        DataError: a split without a window.
    """

    def __init__(
        self, train: Sequence[Recording], validate: Sequence[Recording], section: Mapping[str, Any]
    ) -> None:
        self.window, self.place = section["window"], label_place(section)
        self.train = [WindowTrial.of(recording, section["rate_hz"]) for recording in train]
        self.validate = [WindowTrial.of(recording, section["rate_hz"]) for recording in validate]
        stride = section["stride_s"]
        self.starts = [
            (number, start)
            for number, trial in enumerate(self.train)
            for start in trial.starts(self.window, self.place, stride)
        ]
        self.val_starts = [
            (number, start)
            for number, trial in enumerate(self.validate)
            for start in trial.starts(self.window, self.place, 4 * stride)
        ]
        for split, starts in (("training", self.starts), ("validation", self.val_starts)):
            if not starts:
                raise DataError(
                    f"imu_attitude: no {split} trial has a window of {self.window} samples at "
                    f"{section['rate_hz']:g} Hz with a known reference; lower model.paper.window_s "
                    "or name other trials"
                )
        super().__init__(len(self.starts), section["batch_size"])

    def train_sample(self, index: int, seed: int) -> dict[str, torch.Tensor]:
        """One window; the paper's only augmentation, noise, is a layer of the network."""
        number, start = self.starts[index]
        return self.train[number].window(start, self.window, self.place)

    def val_dataloader(self) -> DataLoader:
        """All validation windows."""
        samples = [self.validate[n].window(s, self.window, self.place) for n, s in self.val_starts]
        return DataLoader(samples, batch_size=256)  # type: ignore[arg-type]


def label_place(section: Mapping[str, Any]) -> int:
    """Sample of the window that the label stands for: the centre, or the last (causal)."""
    return section["window"] // 2 if section["label"] == "centre" else section["window"] - 1


@dataclass(frozen=True)
class WindowTrial:
    """A trial near the rate that the network was built for.

    Args:
        rate_hz: of the samples, a whole fraction of the recording's.
        acc: (M, 3) in m/s².
        gyr: (M, 3) in rad/s.
        up: (M, 3) true vertical in the sensor frame, NaN where unknown; ``None`` without reference.
        last: (M,) sample of the recording at which each ends.
    """

    rate_hz: float
    acc: torch.Tensor
    gyr: torch.Tensor
    up: torch.Tensor | None
    last: NDArray[np.int64]

    @staticmethod
    def of(recording: Recording, rate_hz: float) -> WindowTrial:
        """Means over whole numbers of samples, so that no future enters."""
        step = max(1, round(recording.rate_hz / rate_hz))
        count = len(recording) // step

        def mean(x: np.ndarray) -> torch.Tensor:
            return torch.from_numpy(x[: count * step].reshape(count, step, -1).mean(1))

        last = np.arange(count) * step + step - 1
        up = None
        if recording.reference is not None:
            back = quaternions.conjugate(reference_of(recording)[last])
            up = torch.from_numpy(quaternions.rotate(back, [0.0, 0.0, 1.0]).astype(np.float32))
        return WindowTrial(
            recording.rate_hz / step, mean(recording.acc), mean(recording.gyr), up, last
        )

    def starts(self, window: int, place: int, stride_s: float) -> list[int]:
        """First samples of the windows whose label is known, ``stride_s`` apart."""
        step = max(1, round(stride_s * self.rate_hz))
        first = range(0, len(self.acc) - window + 1, step)
        if self.up is None:
            return []
        known = torch.isfinite(self.up).all(-1)
        return [start for start in first if known[start + place]]

    def window(self, start: int, window: int, place: int) -> dict[str, torch.Tensor]:
        """Window from ``start``: acc, gyr (W, 3), rate (1,) and, where known, up (3,)."""
        part = slice(start, start + window)
        sample = {
            "acc": self.acc[part],
            "gyr": self.gyr[part],
            "rate_hz": torch.tensor([self.rate_hz], dtype=torch.float32),
        }
        return sample if self.up is None else {**sample, "up": self.up[start + place]}
