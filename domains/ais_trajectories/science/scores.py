"""What a forecast is worth: great-circle errors, relative differences, R², F1, calibration.

Legend: N cases.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def relative_percentage_difference(true: Array, predicted: Array) -> Array:
    """200·|y − p| / (|y| + |p|) in %, element by element; 0 where both are 0.

    The measure of Spadon et al. 2022 (arXiv:2202.13867), 0 to 200.  It depends on the origin: far
    from 0° a longitude differs by little, near 0° by much, so it never stands without a distance.
    """
    size = np.abs(true) + np.abs(predicted)
    return 200 * np.abs(true - predicted) / np.where(size > 0, size, 1.0)


def r_squared(true: Array, predicted: Array) -> float:
    """1 − Σ(y − p)² / Σ(y − ȳ)² over (N,); NaN where all true values are equal."""
    spread = np.square(true - true.mean()).sum()
    return float(1 - np.square(true - predicted).sum() / spread) if spread > 0 else float("nan")


def weighted_f1(true: NDArray[np.int64], predicted: NDArray[np.int64]) -> float:
    """F1 of each class, averaged with the weight of its true cases, 0 to 1.

    Args:
        true, predicted: (N,) class of each case.
    """
    classes, inverse = np.unique(np.concatenate([true, predicted]), return_inverse=True)
    first, second = inverse[: len(true)], inverse[len(true) :]
    size = len(classes)
    hits = np.bincount(first[first == second], minlength=size)
    support, claimed = np.bincount(first, minlength=size), np.bincount(second, minlength=size)
    f1 = 2 * hits / (support + claimed)  # every class is in one of the two
    return float(np.average(f1, weights=support))


def calibration(
    probability: Array, is_right: NDArray[np.bool_], num_bins: int
) -> tuple[Array, Array, NDArray[np.int64]]:
    """Mean probability, share of right answers and count in bins of equal width over 0 to 1.

    Args:
        probability: (N,) of the answer given.
        is_right: (N,) whether it was right.

    Returns:
        Three arrays of the bins that hold a case.
    """
    bins = np.minimum((probability * num_bins).astype(int), num_bins - 1)
    counts = np.bincount(bins, minlength=num_bins)
    said = np.bincount(bins, weights=probability, minlength=num_bins)
    right = np.bincount(bins, weights=is_right, minlength=num_bins)
    full = counts > 0
    return said[full] / counts[full], right[full] / counts[full], counts[full]
