"""Nested regions of labels, as brain tumours are scored.

B. H. Menze et al., "The Multimodal Brain Tumor Image Segmentation Benchmark (BRATS)", IEEE
Transactions on Medical Imaging 34(10), 2015.

A region is a union of labels: whole tumour = oedema ∪ core, core = necrosis ∪ enhancing.  Each is
predicted by itself; a label volume is painted from the largest region to the smallest.

Legend: R regions; X, Y, Z voxels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

BRATS = {
    "whole_tumour": ("oedema", "necrosis", "non_enhancing", "enhancing"),
    "tumour_core": ("necrosis", "non_enhancing", "enhancing"),
    "enhancing_tumour": ("enhancing",),
}
"""Names of the labels in each region."""

BRATS_PAINT = {
    "whole_tumour": ("oedema",),
    "tumour_core": ("necrosis", "non_enhancing"),
    "enhancing_tumour": ("enhancing",),
}
"""The label that a region's own voxels get: the first of these that the data set has."""


def to_regions(label: NDArray, regions: Mapping[str, Sequence[int]]) -> NDArray[np.bool_]:
    """(R, X, Y, Z) of a label volume (X, Y, Z)."""
    return np.stack([np.isin(label, list(values)) for values in regions.values()])


def from_regions(
    is_inside: NDArray[np.bool_], regions: Mapping[str, Sequence[int]], paint: Mapping[str, int]
) -> NDArray[np.uint8]:
    """(X, Y, Z) labels of regions (R, X, Y, Z): each paints over the one before."""
    label = np.zeros(is_inside.shape[1:], np.uint8)
    for name, inside in zip(regions, is_inside, strict=True):
        label[inside] = paint[name]
    return label


def brats_regions(
    labels: Mapping[str, int],
) -> tuple[dict[str, list[int]], dict[str, int]] | None:
    """Regions and paint for a data set with BraTS's labels by name; None for another one."""
    if "enhancing" not in labels or "oedema" not in labels:
        return None
    regions = {
        name: sorted(labels[part] for part in parts if part in labels)
        for name, parts in BRATS.items()
    }
    paint = {
        name: next(labels[part] for part in parts if part in labels)
        for name, parts in BRATS_PAINT.items()
        if any(part in labels for part in parts)
    }
    return (regions, paint) if set(paint) == set(regions) else None
