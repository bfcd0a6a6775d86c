"""A volume onto the network's grid, and the network's answer back onto the scanner's.

Forth: axes to the order nearest to R, A, S; the planned spacing over the same field of view;
intensities normalised.  Back: the same steps undone, so that an answer lies on the very voxels of
the image that was given, whatever its axes.

Legend: C channel; K classes or regions; X, Y, Z voxels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domains.medical_segmentation.science import geometry, regions
from domains.medical_segmentation.science.cases import Case
from domains.medical_segmentation.science.geometry import Grid
from domains.medical_segmentation.science.normalisation import normalise


@dataclass(frozen=True)
class Prepared:
    """A case on the network's grid.

    Args:
        image: (C, X, Y, Z), normalised, canonical axes, planned spacing.
        label: (X, Y, Z) on the same grid, None where the case has none.
        grid: of image and label here.
        original: the scanner's grid.
    """

    image: NDArray[np.float32]
    label: NDArray[np.uint8] | None
    grid: Grid
    original: Grid


def prepare(case: Case, plan: Mapping[str, Any]) -> Prepared:
    """``case`` on the network's grid.

    Intensities are normalised before the volume is resampled, so that a background of exact zeros
    is still one.
    """
    original = Grid(case.image.shape[1:], case.affine)
    grid = original.canonical().resampled(plan["spacing_mm"])
    normal = normalise(case.image, plan["normalisation"])
    image = geometry.resample(geometry.to_canonical(normal, original), grid.shape)
    label = None
    if case.label is not None:
        label = geometry.resample_labels(geometry.to_canonical(case.label, original), grid.shape)
    return Prepared(image, label, grid, original)


def restore(probability: NDArray[np.float32], prepared: Prepared) -> NDArray[np.float32]:
    """Probabilities (K, X, Y, Z) on the network's grid, on the scanner's."""
    back = geometry.resample(probability, prepared.original.canonical().shape)
    return geometry.from_canonical(back, prepared.original)


def to_label(
    probability: NDArray[np.float32],
    values: Sequence[int],
    wanted: Mapping[str, Sequence[int]] | None = None,
    paint: Mapping[str, int] | None = None,
) -> NDArray[np.uint8]:
    """Label (X, Y, Z) of probabilities (K, X, Y, Z).

    Args:
        probability: of background and each label in ``values`` (K = 1 + their number), or of each
            region.
        values: label values in the order of the classes, background left out.
        wanted: regions; None = the most probable class.
        paint: region -> label value.
    """
    if wanted is not None:
        return regions.from_regions(probability > 0.5, wanted, paint or {})
    table = np.array([0, *values], np.uint8)
    return table[np.argmax(probability, axis=0)]
