"""Clutter as spots of brightness that are added to display grey levels.

Legend: T frames, H depth, W width (pixels).

    cluttered = min(clean + near field + reverberation + haze, 255) inside the sector

as measured on the clips of Tabassian et al. 2024, arXiv:2401.13147 (``science/clutter.py``).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Array = NDArray[np.float32]

KINDS = ("near_field", "reverberation", "haze")

_FLICKER = 0.15  # of the haze's strength from frame to frame
_FLICKER_SIGMA = 2.5  # pixels, size of its grains


@dataclass(frozen=True)
class Spot:
    """A Gaussian spot of brightness.

    Args:
        amplitude: grey levels in its centre.
        x, y: its centre in pixels.
        sigma_along: standard deviation along its own depth axis, in pixels.
        sigma_across: standard deviation across, in pixels.
        tilt: rad, turns the across-axis from the width towards larger depth.
    """

    amplitude: float
    x: float
    y: float
    sigma_along: float
    sigma_across: float
    tilt: float

    def values(self, shape: tuple[int, int], moved: NDArray | None = None) -> Array:
        """Grey levels (T, H, W), its centre moved by (T, 2) pixels (x, y); T = 1 without."""
        moved = np.zeros((1, 2)) if moved is None else np.asarray(moved)
        across = np.arange(shape[1], dtype=np.float32)[None, None] - np.float32(self.x)
        along = np.arange(shape[0], dtype=np.float32)[None, :, None] - np.float32(self.y)
        across = across - moved[:, 0, None, None].astype(np.float32)  # (T, 1, W)
        along = along - moved[:, 1, None, None].astype(np.float32)  # (T, H, 1)
        cos, sin = np.float32(np.cos(self.tilt)), np.float32(np.sin(self.tilt))
        first = (cos * across + sin * along) / np.float32(self.sigma_across)
        second = (cos * along - sin * across) / np.float32(self.sigma_along)
        return np.float32(self.amplitude) * np.exp(-0.5 * (first * first + second * second))


@dataclass(frozen=True)
class Clutter:
    """What is added to one clip; a pure function of the frame number.

    Args:
        shape: (H, W) of the frames.
        near_field: a static spot or ``None``.
        reverberation: a moving spot or ``None``.
        path: (T, 2) how far the reverberation has moved (x, y) in each frame of the clip, pixels.
        haze: a broad spot or ``None``.
        seed: of the haze's flicker.
    """

    shape: tuple[int, int]
    near_field: Spot | None
    reverberation: Spot | None
    path: NDArray[np.float64]
    haze: Spot | None
    seed: int

    def values(self, frames: NDArray | None = None) -> Array:
        """Grey levels (T, H, W) to add to the frames with these numbers; all without."""
        numbers = np.arange(len(self.path)) if frames is None else np.asarray(frames)
        total = np.zeros((len(numbers), *self.shape), np.float32)
        if self.near_field is not None:
            total += self.near_field.values(self.shape)
        if self.reverberation is not None:
            total += self.reverberation.values(self.shape, self.path[numbers])
        if self.haze is not None:
            total += self.haze.values(self.shape) * self._flicker(numbers)
        return total

    def add(
        self, clean: NDArray, sector: NDArray[np.bool_], frames: NDArray | None = None
    ) -> Array:
        """``clean`` (T, H, W) with the clutter of those frames, 0 to 255, unchanged off the sector.

        Args:
            clean: grey levels 0 to 255 of the frames that ``frames`` numbers.
            sector: (H, W) true where clutter can be seen.
            frames: (T,) their numbers in the clip; all without.
        """
        added = self.values(frames)
        added *= sector
        added += clean
        return np.clip(added, 0, 255, out=added)

    def record(self) -> dict[str, Any]:
        """Its parameters as plain values."""
        spots = {kind: getattr(self, kind) for kind in KINDS}
        return {kind: asdict(spot) for kind, spot in spots.items() if spot is not None}

    def _flicker(self, numbers: NDArray) -> Array:
        fields = []
        for number in numbers:
            grains = np.random.default_rng([self.seed, int(number)]).standard_normal(
                self.shape, dtype=np.float32
            )
            grains = gaussian_filter(grains, _FLICKER_SIGMA)
            fields.append(1 + _FLICKER * grains / grains.std())
        return np.stack(fields).astype(np.float32)
