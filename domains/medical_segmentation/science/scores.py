"""Dice, 95th percentile Hausdorff distance and normalised surface Dice of one structure, in mm.

    Dice = 2 |A ∩ B| / (|A| + |B|)
    HD95 = max(P95 over a ∈ ∂A of d(a, ∂B), P95 over b ∈ ∂B of d(b, ∂A))
    NSD  = (|{a ∈ ∂A: d(a, ∂B) ≤ τ}| + |{b ∈ ∂B: d(b, ∂A) ≤ τ}|) / (|∂A| + |∂B|)

∂A are the voxels of A that have a neighbour (by a face) outside A; beyond the volume is outside.
S. Nikolov et al. 2018, arXiv:1809.04430 (NSD, here counted by voxels as MONAI does, not by area).

What is missing is not left out: a structure that is there and was not found, or found where none
is, has Dice and NSD 0 and as HD95 the diagonal of the volume (MONAI 1.6 makes NaN of it, and of the
mean 0.0, the best there is).  Where there is none and none was found, all three are NaN: no case.

Legend: X Y Z voxels; N surface voxels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_PERCENT = 95


@dataclass(frozen=True)
class Scores:
    """How well a structure was found.

    Args:
        dice: 0 … 1, higher is better; NaN where there is nothing to find and nothing was found.
        hd95_mm: lower is better.
        nsd: 0 … 1, higher is better.
        is_missed: there and not found at all.
        is_invented: not there, but found.
    """

    dice: float
    hd95_mm: float
    nsd: float
    is_missed: bool = False
    is_invented: bool = False


def score(
    found: NDArray[np.bool_],
    true: NDArray[np.bool_],
    spacing_mm: Sequence[float],
    tolerance_mm: float,
) -> Scores:
    """Scores of one structure.

    Args:
        found: (X, Y, Z), the answer.
        true: (X, Y, Z), on the same grid.
        spacing_mm: of the three axes.
        tolerance_mm: τ of the surface Dice.

    Raises:
        ValueError: shapes differ.
    """
    if found.shape != true.shape:
        raise ValueError(f"found has shape {found.shape}, true {true.shape}: expected the same")
    if not found.any() and not true.any():
        return Scores(np.nan, np.nan, np.nan)
    if not found.any() or not true.any():
        diagonal = float(np.linalg.norm(np.array(true.shape) * np.asarray(spacing_mm)))
        return Scores(0.0, diagonal, 0.0, is_missed=bool(true.any()), is_invented=bool(found.any()))
    away, back = surface_distances(found, true, spacing_mm)
    close = np.count_nonzero(away <= tolerance_mm) + np.count_nonzero(back <= tolerance_mm)
    return Scores(
        dice=dice(found, true),
        hd95_mm=float(max(np.percentile(away, _PERCENT), np.percentile(back, _PERCENT))),
        nsd=close / (len(away) + len(back)),
    )


def dice(found: NDArray[np.bool_], true: NDArray[np.bool_]) -> float:
    """Twice the common voxels over the sum of both; NaN where both are empty."""
    total = int(np.count_nonzero(found)) + int(np.count_nonzero(true))
    return 2 * int(np.count_nonzero(found & true)) / total if total else float("nan")


def surface_distances(
    one: NDArray[np.bool_], two: NDArray[np.bool_], spacing_mm: Sequence[float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distances in mm from each surface voxel of ``one`` to that of ``two`` (N,), and back.

    Both must hold a voxel.
    """
    box = _common_box(one | two)
    surfaces = [surface(one[box]), surface(two[box])]
    distances = [ndimage.distance_transform_edt(~edge, sampling=spacing_mm) for edge in surfaces]
    return distances[1][surfaces[0]], distances[0][surfaces[1]]


def surface(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Voxels of ``mask`` that have a neighbour by a face outside of it."""
    return mask & ~ndimage.binary_erosion(mask)


def _common_box(mask: NDArray[np.bool_]) -> tuple[slice, ...]:
    """Smallest box around ``mask``; beyond it nothing changes, for its edge is outside anyway."""
    return ndimage.find_objects(mask.astype(np.uint8))[0]
