"""What can be had without a network: an atlas of the training labels, and the best threshold.

``atlas`` is the share of training cases that have a structure at a place of the volume, after all
volumes are stretched to one size; the answer is the most frequent one.  It knows where organs lie
and sees no intensity.  ``threshold`` is the one intensity of one channel, above or below which the
training cases have the structure, and of what it finds the largest connected part.  It sees
intensities and knows no place.

Legend: C channel; K structures; X, Y, Z voxels of the network's grid; N bins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from domains.medical_segmentation.science.geometry import resample
from domains.medical_segmentation.science.preparation import Prepared, restore
from domains.medical_segmentation.science.regions import to_regions

_EDGES = np.linspace(-5.0, 5.0, 201)
"""Thresholds that are tried, in the unit of normalised intensities, which end at ±5."""

Structures = Mapping[str, Sequence[int]]
"""Name of a structure -> the label values that it is the union of."""


def atlas_answer(
    atlas: NDArray[np.float32], shape: Sequence[int], is_nested: bool
) -> NDArray[np.float32]:
    """The most frequent answer on a volume of ``shape``, (K, X, Y, Z), 0 or 1.

    Args:
        atlas: as ``fit`` gives it.
        shape: of the volume.
        is_nested: structures lie inside each other: each is there where more than half have it;
            else the most frequent of the structures and the background.
    """
    share = resample(atlas, shape)
    if is_nested:
        return (share > 0.5).astype(np.float32)
    background = 1 - share.sum(axis=0)
    winner = np.concatenate([background[None], share]).argmax(axis=0)
    return np.stack([winner == 1 + k for k in range(len(share))]).astype(np.float32)


@dataclass(frozen=True)
class Threshold:
    """Where a structure's intensities lie.

    Args:
        channel: that shows it best.
        level: in the unit of normalised intensities.
        is_above: whether the structure is brighter than ``level``.
    """

    channel: int
    level: float
    is_above: bool

    def answer(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """The largest connected part of ``image`` (C, X, Y, Z) beyond the level, 0 or 1."""
        values = image[self.channel]
        beyond = values > self.level if self.is_above else values <= self.level
        parts, count = ndimage.label(beyond)
        if count == 0:
            return np.zeros(values.shape, np.float32)
        sizes = np.bincount(parts.ravel())[1:]
        return (parts == 1 + int(np.argmax(sizes))).astype(np.float32)


def fit(
    cases: Iterable[tuple[NDArray[np.float32], NDArray[np.uint8]]],
    structures: Structures,
    shape: Sequence[int],
) -> tuple[NDArray[np.float32], list[Threshold]]:
    """Atlas and thresholds of training cases, one pass.

    Args:
        cases: image (C, X, Y, Z), normalised, and label (X, Y, Z) of each, any sizes; one or more.
        structures: what is to be found.
        shape: of the atlas.

    Returns:
        Share of the cases with each structure, (K, *shape), and for each structure the threshold
        with the best mean Dice over the cases that have it.
    """
    share = np.zeros((len(structures), *shape))
    curves: list[Any] = [0.0] * len(structures)  # sums of (C, 2, N)
    count = 0
    for image, label in cases:
        masks = to_regions(label, structures)
        share += resample(masks.astype(np.float32), shape)
        for number, mask in enumerate(masks):
            if mask.any():
                curves[number] += np.stack([_dice_curves(values, mask) for values in image])
        count += 1
    return (share / count).astype(np.float32), [_best(curve) for curve in curves]


def _best(curves: Any) -> Threshold:
    """The threshold with the highest of (C, 2, N); that which finds nothing, where no case was."""
    if np.ndim(curves) == 0:
        return Threshold(0, float(_EDGES[-1]), True)  # nothing lies above the last edge
    channel, side, at = np.unravel_index(np.argmax(curves), curves.shape)
    return Threshold(int(channel), float(_EDGES[at]), bool(side == 0))


def _dice_curves(values: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(2, N) Dice of what lies above, and of what lies at or below, each threshold."""
    inside = np.sort(values[mask])
    everything = np.sort(values.ravel())
    below = np.searchsorted(inside, _EDGES, side="right")
    all_below = np.searchsorted(everything, _EDGES, side="right")
    above, all_above = len(inside) - below, len(everything) - all_below
    return np.stack([2 * above / (len(inside) + all_above), 2 * below / (len(inside) + all_below)])


class Baselines:
    """Atlas and thresholds, fitted on the training cases.

    Args:
        train: training cases with label, on the network's grid.
        structures: name -> label values.
        is_nested: structures are regions that lie inside each other.
        shape: of the atlas.
    """

    names = ("atlas", "threshold")

    def __init__(
        self,
        train: Iterable[Prepared],
        structures: Structures,
        is_nested: bool,
        shape: Sequence[int],
    ) -> None:
        self.is_nested = is_nested
        pairs = ((case.image, case.label) for case in train if case.label is not None)
        self.atlas, self.thresholds = fit(pairs, structures, shape)

    def answers(self, prepared: Prepared) -> dict[str, NDArray[np.bool_]]:
        """Method -> (K, X, Y, Z) on the scanner's grid."""
        shape = prepared.image.shape[1:]
        parts = {
            "atlas": atlas_answer(self.atlas, shape, self.is_nested),
            "threshold": np.stack([one.answer(prepared.image) for one in self.thresholds]),
        }
        return {name: restore(part, prepared) > 0.5 for name, part in parts.items()}
