"""What the training cases are like, and the plan that follows from it.

The rules are nnU-Net's (F. Isensee, P. F. Jaeger, S. A. A. Kohl, J. Petersen, K. H. Maier-Hein,
"nnU-Net: a self-configuring method for deep learning-based biomedical image segmentation", Nature
Methods 18, 2021): median spacing, but the 10th percentile along an axis whose slices are three
times thicker than the others' voxels; a patch as near to the median shape as a budget of voxels
allows (there: of memory).

Legend: C channel; X, Y, Z voxels in canonical axes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domains.medical_segmentation.science.cases import Case
from domains.medical_segmentation.science.geometry import Grid

ANISOTROPY = 3.0
"""Ratio of spacings above which an axis is one of thick slices (nnU-Net)."""

BACKGROUND_SHARE = 0.2
"""A volume with more voxels of exactly zero has had its background taken away (skull, air)."""

SAMPLED_VOXELS = 10_000
"""Labelled voxels of a case that enter the intensity statistics, evenly spaced (nnU-Net)."""


def measure(
    cases: Iterable[Case],
    channels: Sequence[str],
    regions: Mapping[str, Sequence[int]] | None = None,
) -> dict[str, Any]:
    """Spacings, shapes, intensities and class frequencies of ``cases``, as JSON values.

    Intensities are those of labelled voxels (of all voxels of a case without one).  Volumes are
    those of ``regions`` (name -> label values), else of labels; a key is the values, joined by +.
    """
    spacings, shapes, zero_shares, samples = [], [], [], []
    class_voxels: dict[int, int] = {}
    volumes_ml: list[dict[int, float]] = []
    for case in cases:
        grid = Grid(case.image.shape[1:], case.affine).canonical()
        spacings.append(grid.spacing_mm)
        shapes.append(grid.shape)
        zero_shares.append((case.image == 0).mean(axis=(1, 2, 3)))
        samples.append(_sampled(case))
        if case.label is not None:
            volumes_ml.append({})
            for value, count in zip(*np.unique(case.label, return_counts=True), strict=True):
                class_voxels[int(value)] = class_voxels.get(int(value), 0) + int(count)
                volumes_ml[-1][int(value)] = float(count) * grid.voxel_ml
    total = sum(class_voxels.values())
    values = np.concatenate(samples, axis=1)
    labels = [[value] for value in sorted(class_voxels) if value > 0]
    return {
        "num_cases": len(shapes),
        "spacing_mm": _spread(np.array(spacings)),
        "shape": _spread(np.array(shapes)),
        "extent_mm": _spread(np.array(shapes) * np.array(spacings)),
        "intensity": {
            name: _statistics(values[number], np.array(zero_shares)[:, number])
            for number, name in enumerate(channels)
        },
        "class_voxels": {str(value): class_voxels[value] for value in sorted(class_voxels)},
        "class_frequency": {
            str(value): round(class_voxels[value] / total, 6) for value in sorted(class_voxels)
        },
        "volume_ml": {
            "+".join(map(str, members)): _limits(
                [sum(one.get(value, 0.0) for value in members) for one in volumes_ml]
            )
            for members in (regions.values() if regions else labels)
        },
    }


def plan(
    measured: Mapping[str, Any],
    modality: str,
    max_patch_voxels: int,
    patch_multiple: int,
    spacing_mm: Sequence[float] | None = None,
) -> dict[str, Any]:
    """Spacing, patch and normalisation for cases like those ``measured``.

    Args:
        measured: result of ``measure``.
        modality: ``CT``, ``MR``, or ``auto``: CT where a channel is called so.
        max_patch_voxels: budget of a patch.
        patch_multiple: each edge of the patch divides by it.
        spacing_mm: instead of the one that follows from the measured ones.

    Returns:
        ``spacing_mm`` (3,), ``patch`` (3,), for each channel a ``normalisation`` as
        ``science.normalisation`` takes it, and what was ``seen``, for ``science.plausibility``.
    """
    spacing = list(spacing_mm) if spacing_mm else _target_spacing(measured["spacing_mm"])
    median = np.array(measured["shape"]["median"]) * measured["spacing_mm"]["median"]
    patch = _patch(median / spacing, max_patch_voxels, patch_multiple)
    normalisation = [
        _normalisation(name, found, modality) for name, found in measured["intensity"].items()
    ]
    extent = measured["extent_mm"]
    seen = {
        "extent_mm": [extent["smallest"], extent["largest"]],
        "volume_ml": measured["volume_ml"],
    }
    return {"spacing_mm": spacing, "patch": patch, "normalisation": normalisation, "seen": seen}


def _sampled(case: Case) -> NDArray[np.float32]:
    """(C, N) labelled voxels, evenly spaced; all voxels where none is labelled."""
    values = case.image.reshape(len(case.image), -1)
    if case.label is not None and case.label.any():
        values = values[:, case.label.ravel() > 0]
    return values[:, :: max(1, values.shape[1] // SAMPLED_VOXELS)]


def _spread(values: NDArray) -> dict[str, list[float]]:
    """Per axis: smallest, 10th percentile, median, largest."""
    return {
        "smallest": np.round(values.min(axis=0), 6).tolist(),
        "tenth": np.round(np.percentile(values, 10, axis=0), 6).tolist(),
        "median": np.round(np.median(values, axis=0), 6).tolist(),
        "largest": np.round(values.max(axis=0), 6).tolist(),
    }


def _limits(values: Sequence[float]) -> list[float]:
    return [round(min(values), 4), round(max(values), 4)]


def _statistics(values: NDArray, zero_shares: NDArray) -> dict[str, float]:
    low, middle, high = np.percentile(values.astype(np.float64), [0.5, 50, 99.5])
    return {
        "mean": float(values.mean(dtype=np.float64)),
        "std": float(values.std(dtype=np.float64)),
        "percentile_00_5": float(low),
        "median": float(middle),
        "percentile_99_5": float(high),
        "zero_share": round(float(np.median(zero_shares)), 6),
    }


def _target_spacing(spacing: Mapping[str, Sequence[float]]) -> list[float]:
    target = list(spacing["median"])
    worst = int(np.argmax(target))
    others = [value for axis, value in enumerate(target) if axis != worst]
    if target[worst] > ANISOTROPY * max(others):
        target[worst] = max(spacing["tenth"][worst], *others)
    return target


def _patch(shape: NDArray, max_voxels: int, multiple: int) -> list[int]:
    """Start with the whole median volume; shorten the relatively longest edge till it fits."""
    patch = [multiple * int(np.ceil(round(float(size), 6) / multiple)) for size in shape]
    while np.prod(patch) > max_voxels and max(patch) > multiple:
        ratio = [n / size if n > multiple else 0.0 for n, size in zip(patch, shape, strict=True)]
        patch[int(np.argmax(ratio))] -= multiple
    return patch


def _normalisation(name: str, found: Mapping[str, float], modality: str) -> dict[str, Any]:
    is_ct = modality == "CT" or (modality == "auto" and name.strip().upper() == "CT")
    if is_ct:
        return {
            "kind": "dataset",
            "low": found["percentile_00_5"],
            "high": found["percentile_99_5"],
            "mean": found["mean"],
            "std": max(found["std"], 1e-6),
        }
    within = "nonzero" if found["zero_share"] > BACKGROUND_SHARE else "all"
    return {"kind": "volume", "within": within}
