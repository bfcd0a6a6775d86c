"""Dataset to batches: clean clips, a few frames of each, with clutter drawn on the fly.

Legend: B batch, T frames, H depth, W width.  All clips are in grey levels 0 to 255.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader

from domains.echo_clutter.science.clips import Clip, load_dataset
from domains.echo_clutter.science.clutter import draw_clutter
from domains.errors import DataError
from domains.task import DataModule, one_at_a_time

_WHITE = 255.0


class EchoData(DataModule):
    """Clean training clips under random clutter; validation clips as they lie in the dataset.

    Args:
        train: clips with ``clean``.
        validate: clips with ``clean`` and ``cluttered``.
        section: the section ``train``.
        is_spread: a sample's frames are spread over the beat; otherwise they are neighbours.
    """

    def __init__(
        self,
        train: Sequence[Clip],
        validate: Sequence[Clip],
        section: Mapping[str, Any],
        is_spread: bool,
    ) -> None:
        super().__init__(len(train), section["batch_size"])
        self.train, self.validate = train, validate
        self.chances = dict(section["clutter"])
        self.frames, self.is_spread = section["frames"], is_spread
        self.gain, self.gamma, self.floor = section["gain"], section["gamma"], section["floor"]
        self.untouched = section["untouched"]

    def train_sample(self, index: int, seed: int) -> dict[str, Tensor]:
        """``cluttered`` and ``clean`` (T, H, W) of clip ``index``: all chance is from ``seed``."""
        rng = np.random.default_rng(seed)
        clip = self.train[index]
        clean_bytes, sector, contour = clean_of(clip), clip.sector, clip.contour
        numbers = self._frames(len(clip), int(rng.integers(len(clip))))
        curve = self._curve(rng)
        clean = curve[clean_bytes[numbers]]
        if rng.random() < 0.5:
            clean, sector = clean[:, :, ::-1], sector[:, ::-1]
            contour = None if contour is None else mirrored(contour, sector.shape[1])
        cluttered = clean
        if rng.random() >= self.untouched:  # else a clip that must stay as it is
            drawn = draw_clutter(int(rng.integers(2**31)), sector, len(clip), self.chances, contour)
            cluttered = drawn.add(clean, sector, numbers)
        return {
            "cluttered": torch.from_numpy(np.ascontiguousarray(cluttered, np.float32)),
            "clean": torch.from_numpy(np.ascontiguousarray(clean, np.float32)),
        }

    def val_dataloader(self) -> DataLoader:
        """Whole validation clips, one at a time: (1, T, H, W)."""
        clips = [
            {key: torch.from_numpy(frames.astype(np.float32))[None] for key, frames in pair.items()}
            for pair in (
                {"cluttered": cluttered_of(clip), "clean": clean_of(clip)} for clip in self.validate
            )
        ]
        return one_at_a_time(clips)

    def _frames(self, length: int, first: int) -> NDArray[np.int64]:
        """Numbers (T,) of a sample's frames; the beat is taken for closed, a short one repeats."""
        step = np.arange(self.frames)
        if self.is_spread:
            step = step * length // self.frames
        return (first + step) % length

    def _curve(self, rng: np.random.Generator) -> NDArray[np.float32]:
        """Another scanner's brightness and contrast: the new value of each grey level (256,)."""
        gain = 1 + rng.uniform(-self.gain, self.gain)
        gamma = np.exp(rng.normal(0, self.gamma))
        floor = rng.uniform(0, self.floor)  # a smaller dynamic range: more of the image is black
        grey = np.clip(gain * (np.arange(256) / _WHITE - floor) / (1 - floor), 0, 1)
        return (_WHITE * grey**gamma).astype(np.float32)


def mirrored(contour: NDArray, width: int) -> NDArray:
    """Points (..., 2) of an image ``width`` pixels wide, left and right exchanged."""
    turned = contour.copy()
    turned[..., 0] = width - 1 - turned[..., 0]
    return turned


def clean_of(clip: Clip) -> NDArray[np.uint8]:
    """The clutter-free frames (T, H, W).

    Raises:
        DataError: nobody knows them.
    """
    if clip.clean is None:
        raise DataError(
            f"echo_clutter: {clip.name} has no clean frames, and learning needs them; use clips "
            "free of clutter with ingest.files.are_clean: true"
        )
    return clip.clean


def cluttered_of(clip: Clip) -> NDArray[np.uint8]:
    """The frames (T, H, W) to filter.

    Raises:
        DataError: there are none.
    """
    if clip.cluttered is None:
        raise DataError(f"echo_clutter: {clip.name} has no cluttered frames; run ingest again")
    return clip.cluttered


def load_pairs(dataset: Path | str, split: str) -> list[Clip]:
    """The clips of a split that have a truth.

    Raises:
        DataError: there is none.
    """
    clips = load_dataset(dataset, split)
    usable = [clip for clip in clips if clip.clean is not None]
    if not usable:
        raise DataError(
            f"{dataset}: split {split} has {len(clips)} clips, none with clean frames; use source "
            "sample or public, or clips free of clutter with ingest.files.are_clean: true"
        )
    return usable
