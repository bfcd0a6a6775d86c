"""Intensities to numbers of order one.

MR has no unit: each volume is centred by its median and scaled by robust percentiles, which bright
vessels, wrap-around and a scale of 100 or a million leave alone.  CT has one (Hounsfield): all
volumes share the mean, spread and limits of the training cases' labelled voxels, as nnU-Net has it
(F. Isensee et al., Nature Methods 18, 2021, "CT normalisation").

Legend: C channel; X, Y, Z voxels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

LIMIT = 5.0
"""Normalised intensities end here: beyond five standard deviations lies no anatomy."""


def normalise(
    image: NDArray[np.float32], channels: Sequence[Mapping[str, Any]]
) -> NDArray[np.float32]:
    """``image`` (C, X, Y, Z) in its own unit to numbers within ±5.

    Args:
        image: finite everywhere.
        channels: of each channel ``kind``: ``volume`` (robust z-score of this volume, ``within``
            all its voxels or the ``nonzero`` ones, the others becoming 0), or ``dataset`` (clip
            to ``low`` … ``high``, minus ``mean``, over ``std``).
    """
    normal = [_one(values, how) for values, how in zip(image, channels, strict=True)]
    return np.stack(normal).astype(np.float32)


def _one(values: NDArray[np.float32], how: Mapping[str, Any]) -> NDArray:
    if how["kind"] == "dataset":
        limited = np.clip(values, how["low"], how["high"])
        return np.clip((limited - how["mean"]) / how["std"], -LIMIT, LIMIT)
    inside = values != 0 if how["within"] == "nonzero" else np.ones(values.shape, bool)
    if not inside.any():
        return np.zeros_like(values)
    centre, scale = robust_scale(values[inside])
    return np.where(inside, np.clip((values - centre) / scale, -LIMIT, LIMIT), 0.0)


def robust_scale(values: NDArray) -> tuple[float, float]:
    """Median, and the standard deviation of the values held within the 0.5th … 99.5th percentile.

    A constant volume has scale 1, so that it becomes zeros.
    """
    values = values.astype(np.float64)
    low, centre, high = np.percentile(values, [0.5, 50, 99.5])
    scale = float(np.clip(values, low, high).std())
    # below: rounding of a constant
    return float(centre), scale if scale > 1e-9 * abs(float(centre)) else 1.0
