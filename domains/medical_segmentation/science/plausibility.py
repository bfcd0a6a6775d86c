"""Whether a volume and what was found in it are of the size of the training cases.

A network answers whatever it is given: a caudate nucleus in an abdomen too.  Sizes far from all
training cases say so without a truth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from domains.medical_segmentation.science.geometry import Grid

_FACTOR = 2.0
"""How far beyond the smallest and the largest training case is still believed."""


def doubts(
    seen: Mapping[str, Any],
    grid: Grid,
    structures: Mapping[str, Sequence[int]],
    volume_ml: Mapping[str, float],
) -> list[str]:
    """Sentences on what lies beyond half or twice what the training cases had.

    Args:
        seen: of the plan: ``extent_mm`` (smallest and largest, (3,) each), ``volume_ml`` (label
            values, joined by + -> smallest and largest).
        grid: of the volume.
        structures: name -> label values.
        volume_ml: name -> what was found.
    """
    found = []
    small, large = seen["extent_mm"]
    extent_mm = np.array(grid.canonical().shape) * grid.canonical().spacing_mm
    if any(_is_beyond(*sizes) for sizes in zip(extent_mm, small, large, strict=True)):
        spans = (" × ".join(f"{size:.0f}" for size in sizes) for sizes in (extent_mm, small, large))
        found.append("the volume spans {} mm, the training volumes {} to {} mm".format(*spans))
    for name, values in structures.items():
        low, high = seen["volume_ml"].get("+".join(map(str, values)), (0.0, 0.0))
        if _is_beyond(volume_ml[name], low, high):
            found.append(
                f"{name} has {volume_ml[name]:.3g} ml, in the training cases {low:.3g} to "
                f"{high:.3g} ml"
            )
    return found


def _is_beyond(value: float, low: float, high: float) -> bool:
    return value < low / _FACTOR or value > high * _FACTOR
