"""How good a fill is: errors behind the mask, band powers of the filled sky, spread of fills.

Legend: S skies, N pixels in RING order, E number of bands.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from domains.cmb_inpainting.science.spectra import band_powers, measure

Array = NDArray[np.float64]

DISTANCE_EDGES_DEG = (0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0, 13.0, 16.0, 20.0, 30.0)
"""Bins of the distance to the edge of the mask."""


def pixel_scores(filled: ArrayLike, truth: ArrayLike, where: ArrayLike) -> dict[str, Array]:
    """RMSE and MAE in µK and correlation of each sky on the pixels ``where``, (S,) each.

    Args:
        filled, truth: (S, N), µK.
        where: (N,), true for the pixels that count.
    """
    where = np.asarray(where, dtype=bool)
    a = np.asarray(filled, dtype=np.float64)[:, where]
    b = np.asarray(truth, dtype=np.float64)[:, where]
    error = a - b
    a, b = a - a.mean(1, keepdims=True), b - b.mean(1, keepdims=True)
    size = np.sqrt((a**2).sum(1) * (b**2).sum(1))
    return {
        "rmse": np.sqrt((error**2).mean(1)),
        "mae": np.abs(error).mean(1),
        # a constant fill tells nothing: correlation 0, not 0/0
        "correlation": np.where(size > 0, (a * b).sum(1) / np.where(size > 0, size, 1), 0.0),
    }


def pooled(rmse: ArrayLike) -> float:
    """Root of the mean square of RMSEs: the RMSE of all their pixels together."""
    return float(np.sqrt(np.mean(np.square(rmse))))


def gap_closed(ours: float, baseline: float, optimum: float) -> float:
    """Share in % of the way from a baseline's RMSE to the optimum's: 100 is the optimum."""
    return 100 * (baseline - ours) / (baseline - optimum)


def bands_of(skies: ArrayLike, lmax: int, bands: Sequence[tuple[int, int]]) -> Array:
    """Mean D_ℓ of complete skies (S, N) in each band, (S, E), µK²."""
    return band_powers(measure(skies, lmax), bands)


def bias_percent(filled: Array, truth: Array) -> Array:
    """Relative error of the mean band power of all skies, (E,), %, from powers (S, E)."""
    return 100 * (filled.mean(0) / truth.mean(0) - 1)


def bias_error_percent(filled: Array, truth: Array) -> Array:
    """Standard error of ``bias_percent`` by the scatter between skies, (E,), %."""
    scatter = (filled - truth * (filled.mean(0) / truth.mean(0))).std(0, ddof=1)
    return 100 * scatter / truth.mean(0) / np.sqrt(len(truth))


def error_by_distance(error: ArrayLike, distance: ArrayLike, where: ArrayLike) -> Array:
    """RMS error (bins,) of skies (S, N) by distance to the edge in degrees; NaN where none is."""
    error, where = np.asarray(error, dtype=np.float64), np.asarray(where, dtype=bool)
    number = np.digitize(np.asarray(distance), DISTANCE_EDGES_DEG) - 1
    result = np.full(len(DISTANCE_EDGES_DEG) - 1, np.nan)
    for place in range(len(result)):
        inside = where & (number == place)
        if inside.any():
            result[place] = np.sqrt((error[:, inside] ** 2).mean())
    return result


def coverage_percent(error: ArrayLike, sigma: ArrayLike, width: float) -> float:
    """Share in % of pixels whose error is within ± ``width`` standard deviations."""
    return float(100 * (np.abs(np.asarray(error)) <= width * np.asarray(sigma)).mean())
