"""Segmental longitudinal strain of the left ventricle from a tracked contour.

Lagrangian strain: ε_s(t) = L_s(t) / L_s(0) − 1, where L_s is the length of segment s along the
endocardium and frame 0 is end-diastole (Voigt et al., EACVI/ASE consensus on strain, 2015,
doi:10.1093/ehjci/jeu184).  Negative is shortening.

Legend: T frames, P contour points, S segments.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def segment_lengths(contour: ArrayLike, segment: ArrayLike) -> Array:
    """Lengths (T, S) in pixels of the segments of a contour.

    The piece between two neighbouring points belongs half to the segment of each.

    Args:
        contour: (T, P, 2) points along the wall.
        segment: (P,) 0 to S − 1 for each point; every segment has a point.

    Raises:
        ValueError: shapes do not fit, or a segment has no point.
    """
    points, owner = np.asarray(contour, np.float64), np.asarray(segment).astype(int)
    if points.ndim != 3 or points.shape[1:] != (len(owner), 2):
        raise ValueError(f"contour {points.shape} and segment {owner.shape}: expected (T, P, 2), P")
    count = np.bincount(owner)
    if len(owner) < 2 or (count == 0).any():
        raise ValueError(f"points by segment {count.tolist()}: each needs one, two in all")
    pieces = np.linalg.norm(np.diff(points, axis=1), axis=-1)  # (T, P-1)
    share = np.zeros((len(owner) - 1, len(count)))  # (P-1, S)
    np.add.at(share, (np.arange(len(owner) - 1), owner[:-1]), 0.5)
    np.add.at(share, (np.arange(len(owner) - 1), owner[1:]), 0.5)
    return pieces @ share


def segmental_strain(contour: ArrayLike, segment: ArrayLike) -> Array:
    """Strain (T, S) in per cent of each segment against frame 0; arguments as above."""
    lengths = segment_lengths(contour, segment)
    return 100.0 * (lengths / lengths[0] - 1.0)


def strain_rmse(found: ArrayLike, truth: ArrayLike) -> float:
    """Root mean square over frames and segments of the difference, in per cent points.

    Frame 0 is left out: it is zero by definition.
    """
    error = np.asarray(found, np.float64)[1:] - np.asarray(truth, np.float64)[1:]
    return float(np.sqrt(np.mean(error**2)))
