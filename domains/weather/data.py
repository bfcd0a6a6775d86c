"""Dataset to batches: stretches of consecutive frames, in SI units, with the time of each step.

Legend: T frames of a sample, S steps, C channels, H latitude, W longitude.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from domains.task import DataModule
from domains.weather.science.calendars import embeddings
from domains.weather.science.channels import split_channel
from domains.weather.science.dataset import open_dataset, start_indices
from domains.weather.science.grid import latitude_weights

_IN_MEMORY_BYTES = 2 * 2**30
"""Fields up to this size are read once; larger ones from the store, sample by sample."""

_CHUNK = 64  # frames held in memory at once


class Fields:
    """The dataset's frames, with what networks are told of time.

    Args:
        folder: that ``ingest`` wrote.

    Raises:
        DataError: no dataset there.
    """

    def __init__(self, folder: Path | str) -> None:
        self.dataset = open_dataset(folder)
        fields = self.dataset["field"]
        self.values: NDArray | xr.DataArray = (
            fields.to_numpy() if fields.nbytes <= _IN_MEMORY_BYTES else fields
        )
        self.valid: NDArray[np.bool_] = self.dataset["valid"].to_numpy()
        self.year_phase: NDArray = self.dataset["year_phase"].to_numpy()
        self.day_phase: NDArray = self.dataset["day_phase"].to_numpy()

    @property
    def world(self) -> dict[str, Any]:
        """What the fields are, as plain values: all that a task must know of its data."""
        attributes = self.dataset.attrs
        return {
            "channels": [str(name) for name in attributes["channels"]],
            "units": [str(unit) for unit in attributes["units"]],
            "latitude": self.dataset["latitude"].to_numpy().astype(float).tolist(),
            "longitude": self.dataset["longitude"].to_numpy().astype(float).tolist(),
            "step_h": float(attributes["step_h"]),
            "calendar": str(attributes["calendar"]),
            "is_global": bool(attributes["is_global"]),
            "is_zonally_symmetric": bool(attributes["is_zonally_symmetric"]),
            "is_simulated": bool(attributes["is_simulated"]),
        }

    def frames(self, places: Sequence[int] | NDArray) -> NDArray[np.float32]:
        """(T, C, H, W) frames at the indices ``places``, SI units."""
        return np.asarray(self.values[np.asarray(places)], np.float32)  # type: ignore[index]

    def times(self, last: int, num_steps: int) -> NDArray[np.float32]:
        """(S, 12) time of each step of a forecast whose last known frame is ``last``."""
        rows = slice(last, last + num_steps)
        numbers = embeddings(
            self.year_phase[rows],
            self.day_phase[rows],
            float(self.dataset.attrs["step_h"]),
            str(self.dataset.attrs["calendar"]),
        )
        return numbers.astype(np.float32)

    def starts(self, split: str, num_leads: int) -> NDArray[np.int64]:
        """Indices of last known frames in ``split`` with ``num_leads`` frames to come."""
        return start_indices(self.dataset, split, num_leads)


def measure_statistics(fields: Fields) -> tuple[Tensor, Tensor, Tensor]:
    """Mean and standard deviation of each channel, and that of its change in one step, each (C,).

    Of the training split alone, weighted by cos φ, in float64; filled cells do not count.
    """
    (rows,) = np.nonzero(fields.dataset["split"].to_numpy() == 0)
    run = fields.dataset["run"].to_numpy()
    weights = latitude_weights(fields.dataset["latitude"].to_numpy())[:, None] * fields.valid
    weights = weights / weights.sum((-2, -1), keepdims=True)  # (C, H, W)
    offset = np.einsum("chw,chw->c", fields.frames(rows[:1])[0], weights)[:, None, None]
    sums = np.zeros((3, len(weights)))
    num_changes = 0
    before: NDArray | None = None
    for first in range(0, len(rows), _CHUNK):
        part = rows[first : first + _CHUNK]
        anomaly = fields.frames(part) - offset
        sums[0] += np.einsum("tchw,chw->c", anomaly, weights)
        sums[1] += np.einsum("tchw,chw->c", anomaly**2, weights)
        previous = part - 1
        if before is not None:
            anomaly = np.concatenate([before[None], anomaly])
        else:
            part, previous = part[1:], previous[1:]
        change = np.diff(anomaly, axis=0)[run[part] == run[previous]]  # a run is in one split
        sums[2] += np.einsum("tchw,chw->c", change**2, weights)
        num_changes += len(change)
        before = anomaly[-1]
    mean = sums[0] / len(rows)
    std = np.sqrt(np.maximum(sums[1] / len(rows) - mean**2, 0))
    change_std = np.sqrt(sums[2] / max(num_changes, 1))
    found = (mean + offset[:, 0, 0], std, change_std)
    mean_, std_, change_ = (torch.from_numpy(value.astype(np.float32)) for value in found)
    return mean_, std_.clamp_min(1e-12), change_.clamp_min(1e-12)


def mirror_signs(channels: Sequence[str]) -> NDArray[np.float32]:
    """(C, 1, 1) what a channel is multiplied by when north and south are exchanged.

    −1 for the northward wind, which then blows the other way, and 1 for all else.
    """
    quantities = [(split_channel(name) or ("", None))[0] for name in channels]
    signs = [-1.0 if quantity in ("v", "10v") else 1.0 for quantity in quantities]
    return np.array(signs, np.float32)[:, None, None]


class WeatherData(DataModule):
    """Stretches of the training split; a sample is ``fields`` (T, C, H, W), ``times`` (S, 12).

    A world that is the same at every longitude is turned by a random angle, and one that is the
    same on both hemispheres mirrored at random too: of such a world, those are states as good as
    any.

    Args:
        fields: the dataset.
        offsets: of the T frames of a sample from its first.
        section: section ``train``.

    Raises:
        DataError: a split is shorter than a sample.
    """

    def __init__(self, fields: Fields, offsets: Sequence[int], section: Mapping[str, Any]) -> None:
        self.fields, self.offsets = fields, np.array(offsets)
        self.num_steps = int(self.offsets[-1]) - 1
        self.first = fields.starts("train", self.num_steps) - 1
        super().__init__(len(self.first), section["batch_size"])
        world = fields.world
        self.turns = world["is_zonally_symmetric"] and world["is_global"]
        latitude = np.array(world["latitude"])
        self.mirrors = (
            section["mirror"]
            and world["is_zonally_symmetric"]
            and np.allclose(latitude, -latitude[::-1], atol=1e-3)
        )
        self._signs = mirror_signs(world["channels"])
        starts = fields.starts("validate", section["validate_steps"])
        count = min(section["validate_starts"], len(starts))
        self._validate = starts[np.linspace(0, len(starts) - 1, count).round().astype(int)]
        self._validate_steps = section["validate_steps"]

    def train_sample(self, index: int, seed: int) -> dict[str, Tensor]:
        """The stretch that begins at training start ``index``, turned and mirrored by ``seed``."""
        first = int(self.first[index])
        frames = self.fields.frames(first + self.offsets)
        random = np.random.default_rng(seed)
        if self.turns:
            frames = np.roll(frames, int(random.integers(frames.shape[-1])), axis=-1)
        if self.mirrors and random.random() < 0.5:
            frames = frames[:, :, ::-1] * self._signs
        return self._sample(frames, first + 1, self.num_steps)

    def val_dataloader(self) -> DataLoader:
        """Forecasts that begin evenly spaced over the validation split."""
        return DataLoader(_Stretches(self), batch_size=self.batch_size)

    def validation_sample(self, number: int) -> dict[str, Tensor]:
        """Stretch ``number`` of the validation split, all its frames, as it is."""
        last = int(self._validate[number])
        places = np.arange(last - 1, last + 1 + self._validate_steps)
        return self._sample(self.fields.frames(places), last, self._validate_steps)

    @property
    def num_validate(self) -> int:
        """Number of validation forecasts."""
        return len(self._validate)

    def _sample(self, frames: NDArray, last: int, num_steps: int) -> dict[str, Tensor]:
        return {
            "fields": torch.from_numpy(np.ascontiguousarray(frames)),
            "times": torch.from_numpy(self.fields.times(last, num_steps)),
        }


class _Stretches(Dataset):
    """Validation samples, read when they are needed."""

    def __init__(self, data: WeatherData) -> None:
        self._data = data

    def __len__(self) -> int:
        return self._data.num_validate

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        return self._data.validation_sample(number)
