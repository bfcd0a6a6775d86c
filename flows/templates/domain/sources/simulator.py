"""Simulated groups of points: a sine on a slope, an offset for each group, noise. No measurement.

Legend: G groups, P points of a group.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

_OFFSET_M = 0.05  # standard deviation between groups: two points of one group are alike


def simulate(seed: int, groups: int, points: int, noise_m: float) -> pd.DataFrame:
    """A table ``group``, ``x`` in m, ``y`` in m of ``groups`` times ``points`` rows."""
    random = np.random.default_rng(seed)
    x = random.uniform(-3.0, 3.0, (groups, points))  # (G, P)
    offset = _OFFSET_M * random.normal(size=(groups, 1))
    y = 0.5 * x + np.sin(2 * x) + offset + noise_m * random.normal(size=x.shape)
    names = [f"g{number:02d}" for number in range(1, groups + 1)]
    return pd.DataFrame({"group": np.repeat(names, points), "x": x.ravel(), "y": y.ravel()})
