"""What a network has to beat: fitted to the same training points in closed form.

Legend: N training points, M points asked for.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def training_mean(x: Array, y: Array, at: Array) -> Array:
    """The mean of ``y`` (N,), whatever ``at`` (M,) is: what knowing nothing of x is worth."""
    return np.full(len(at), y.mean())


def straight_line(x: Array, y: Array, at: Array) -> Array:
    """Values at ``at`` (M,) of the least-squares line through ``x``, ``y`` (N,)."""
    slope, intercept = np.polyfit(x, y, 1)
    return slope * at + intercept


BASELINES = {"straight_line": straight_line, "training_mean": training_mean}
