"""How far a filtered clip is from the truth, and what a filter changed where nobody knows it.

Legend: T frames, H depth, W width.  All scores are over the whole frame, as in the authors' code
of arXiv:2401.13147, in display grey levels 0 to 255.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

_WHITE = 255.0

# arXiv:2401.13147, code of the adversarial variant: pixels that clutter has changed visibly
_ZONE = 0.1

NEAR_FIELD = 0.35
"""Share of the sector's depth, from the transducer, that is called the near field."""


def clutter_zone(cluttered: ArrayLike, clean: ArrayLike) -> NDArray[np.bool_]:
    """True where clutter has changed a pixel by at least a tenth of the grey scale; (T, H, W)."""
    return np.abs(_difference(cluttered, clean)) >= _ZONE * _WHITE


def mae(found: ArrayLike, truth: ArrayLike, where: NDArray[np.bool_] | None = None) -> float:
    """Mean absolute error in grey levels; NaN where ``where`` (T, H, W) holds no pixel."""
    error = np.abs(_difference(found, truth))
    chosen = error if where is None else error[where]
    return float(chosen.mean()) if chosen.size else math.nan


def psnr(found: ArrayLike, truth: ArrayLike, where: NDArray[np.bool_] | None = None) -> float:
    """Peak signal-to-noise ratio in dB, 10 log10(255² / MSE); infinite for equal clips."""
    square = _difference(found, truth) ** 2
    chosen = square if where is None else square[where]
    if not chosen.size:
        return math.nan
    mean = float(chosen.mean())
    return 10 * math.log10(_WHITE**2 / mean) if mean > 0 else math.inf


def temporal_coherence(found: ArrayLike, truth: ArrayLike) -> float:
    """How unevenly the error is spread over time: mean_t |Σ|e_t| − Σ|e_{t+1}||, lower is better.

    Sums go over the pixels of a frame, in grey levels, as in the authors' code.

    Raises:
        ValueError: fewer than two frames.
    """
    total = np.abs(_difference(found, truth)).sum(axis=(1, 2))
    if len(total) < 2:
        raise ValueError(f"temporal coherence of {len(total)} frame: expected at least 2")
    return float(np.abs(np.diff(total)).mean())


def near_field(sector: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The part of the ``sector`` (H, W) that is nearest to the transducer, ``NEAR_FIELD`` deep.

    Depth is the distance in pixels from the middle of the sector's uppermost row.
    """
    rows, columns = np.nonzero(sector)
    if not rows.size:
        return np.zeros_like(sector)
    top = rows.min()
    apex = columns[rows == top].mean()
    depth = np.hypot(np.arange(sector.shape[0])[:, None] - top, np.arange(sector.shape[1]) - apex)
    return sector & (depth <= NEAR_FIELD * depth[sector].max())


def change(
    filtered: ArrayLike, cluttered: ArrayLike, sector: NDArray[np.bool_]
) -> tuple[float, float]:
    """Mean absolute change in grey levels inside the near field and in the rest of the sector.

    It is no error: of a real clip nobody knows what lies behind the clutter.
    """
    near = near_field(sector)
    moved = np.abs(_difference(filtered, cluttered)).mean(axis=0)
    return float(moved[near].mean()), float(moved[sector & ~near].mean())


def _difference(found: ArrayLike, truth: ArrayLike) -> Array:
    a, b = np.asarray(found, np.float64), np.asarray(truth, np.float64)
    if a.shape != b.shape or a.ndim != 3:
        raise ValueError(f"clips of shape {a.shape} and {b.shape}: expected one (T, H, W)")
    return a - b
