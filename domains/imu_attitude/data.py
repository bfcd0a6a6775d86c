"""Dataset to batches for the hybrid: augmented trials, cut into windows.

Legend: K blocks of a trial, B windows, T blocks of a window, C channels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader

from domains.errors import DataError
from domains.imu_attitude.science import latency, tilt
from domains.imu_attitude.science.augmentation import augmented
from domains.imu_attitude.science.earth_frame import (
    BLOCK_RATE_HZ,
    MODES,
    Mode,
    anchor,
    blocks,
    reference_sample,
)
from domains.imu_attitude.science.recording import Recording, load_dataset
from domains.imu_attitude.science.truth import moving_of, reference_of
from domains.task import DataModule, one_at_a_time

_AT_REST = 0.2  # weight in the loss of samples that BROAD's metric does not count


@dataclass(frozen=True)
class Latencies:
    """How late each device is."""

    seconds: Mapping[str, float]

    def advance_s(self, recording: Recording) -> float:
        """Seconds by which to move VQF's attitude of ``recording``."""
        return latency.advance_s(self.seconds[recording.device], recording.rate_hz)


def measure_latencies(recordings: Sequence[Recording]) -> Latencies:
    """Latency of each device in ``recordings``."""
    seconds = {}
    for device in sorted({recording.device for recording in recordings}):
        own = [recording for recording in recordings if recording.device == device]
        attitudes = [anchor(r.gyr, r.acc, r.rate_hz, "offline").attitude for r in own]
        seconds[device] = latency.latency_s(own, attitudes)
    return Latencies(seconds)


def labelled(recording: Recording, mode: Mode, advance_s: float) -> dict[str, torch.Tensor]:
    """Channels (K, C), true vertical (K, 2), loss weight (K,) and what counts (K,) of a trial."""
    vqf = anchor(recording.gyr, recording.acc, recording.rate_hz, mode)
    seen = blocks(vqf, recording.gyr, recording.acc, recording.rate_hz, mode)
    at = reference_sample(seen.start, seen.stop, mode)
    in_time = latency.moved(vqf.attitude[at], (recording.gyr - vqf.bias)[at], advance_s)
    up = tilt.true_up(in_time, reference_of(recording)[at])
    known = np.isfinite(up[:, 0])  # a lost reference is NaN in all components
    moving = known & moving_of(recording)[at]
    weight = np.where(moving, 1.0, _AT_REST) * known
    parts = {
        "x": seen.channels,
        "up": np.where(known[:, None], up[:, :2], 0.0),
        "weight": weight,
        "counts": moving,
    }
    return {key: torch.from_numpy(np.asarray(part, np.float32)) for key, part in parts.items()}


class HybridData(DataModule):
    """Whole trials, augmented anew each time, cut into windows.

    A training sample is one augmented trial in all its windows, for both modes; an epoch takes
    every trial ``repeats`` times.
    """

    def __init__(
        self,
        train: Sequence[Recording],
        validate: Sequence[Recording],
        latencies: Latencies,
        section: Mapping[str, Any],
    ) -> None:
        self.repeats = 8
        super().__init__(len(train) * self.repeats, section["batch_size"])
        self.train, self.validate, self.latencies = train, validate, latencies
        self.augmentation = {
            "gyr_bias": float(np.deg2rad(section["augment_gyr_bias_deg_s"])),
            "acc_bias": section["augment_acc_bias"],
        }
        self.window = round(section["window_s"] * BLOCK_RATE_HZ)
        shortest = min(recording.duration_s for recording in train)
        if shortest * 2 / 3 < section["window_s"] + 1:
            raise DataError(
                f"imu_attitude: train.window_s is {section['window_s']:g} s, the shortest training "
                f"trial {shortest:.0f} s; set it to at most {shortest * 2 / 3 - 1:.0f}"
            )

    def train_sample(self, index: int, seed: int) -> dict[str, dict[str, torch.Tensor]]:
        """Windows (B, T, ...) of trial ``index`` by mode."""
        rng = np.random.default_rng(seed)
        recording = augmented(self.train[index % len(self.train)], rng, **self.augmentation)
        advance_s = self.latencies.advance_s(recording)
        parts = {mode: labelled(recording, mode, advance_s) for mode in MODES}
        length = len(parts["causal"]["x"])
        count = length // self.window
        first = int(rng.integers(0, length - count * self.window + 1))
        return {
            mode: {
                key: value[first : first + count * self.window].unflatten(0, (count, self.window))
                for key, value in part.items()
            }
            for mode, part in parts.items()
        }

    @staticmethod
    def collate(samples: list) -> dict[str, dict[str, torch.Tensor]]:
        """All windows of all samples in one batch."""
        return {
            mode: {key: torch.cat([s[mode][key] for s in samples]) for key in samples[0][mode]}
            for mode in samples[0]
        }

    def val_dataloader(self) -> DataLoader:
        """Whole validation trials as they were recorded, one at a time: (1, K, ...).

        One without a sample that counts is left out, as ``evaluate`` does.

        Raises:
            DataError: none is left.
        """
        trials = []
        for recording in self.validate:
            advance_s = self.latencies.advance_s(recording)
            parts = {mode: labelled(recording, mode, advance_s) for mode in MODES}
            if all(part["counts"].any() for part in parts.values()):
                trials.append({m: {k: v[None] for k, v in p.items()} for m, p in parts.items()})
        if not trials:
            raise DataError(
                f"imu_attitude: none of {len(self.validate)} validation trials has a sample that "
                "moves and whose reference is known; name others in validate_trials of "
                "ingest.public or ingest.files"
            )
        return one_at_a_time(trials)


def load_labelled(dataset: Path | str, split: str) -> list[Recording]:
    """The recordings of a split that have a reference.

    Raises:
        DataError: there is none.
    """
    recordings = load_dataset(dataset, split)
    usable = [recording for recording in recordings if recording.reference is not None]
    if not usable:
        raise DataError(
            f"{dataset}: split {split} has {len(recordings)} recordings, none with a reference "
            "attitude; set ingest.files.columns.reference"
        )
    return usable
