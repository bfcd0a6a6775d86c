"""Whether an image is a picture, a label is one, and both lie on the same voxels.

Legend: C channel; X, Y, Z voxels.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domains.errors import DataError
from domains.medical_segmentation.science.geometry import Grid, from_canonical, to_canonical
from domains.medical_segmentation.sources.nifti import Volume

_EXACT_MM = 1e-4
"""Headers keep single precision; differences below this are nothing but rounding."""


def checked_image(volume: Volume, path: Path, notes: list[str]) -> NDArray[np.float32]:
    """Intensities (C, X, Y, Z), finite everywhere; what had to be replaced is noted.

    Raises:
        DataError: more than half of the voxels are no numbers, or all are the same.
    """
    image = volume.values.astype(np.float32)
    for number, channel in enumerate(image):
        is_number = np.isfinite(channel)
        if not is_number.all():
            if is_number.mean() < 0.5:
                raise DataError(
                    f"{path}: {(~is_number).sum()} of {channel.size} voxels are NaN or infinite, "
                    "expected an image; export it again"
                )
            notes.append("NaN or infinite voxels were set to the lowest finite value")
            channel[~is_number] = channel[is_number].min()
        if channel.min() == channel.max():
            raise DataError(
                f"{path}: channel {number} is {channel.flat[0]:g} in every voxel, expected an "
                "image; export it again or leave the case out"
            )
    return image


def checked_label(volume: Volume, path: Path, notes: list[str]) -> NDArray[np.uint8]:
    """Label values (X, Y, Z), 0 to 255.

    Raises:
        DataError: several channels, fractions, negative or too large values.
    """
    if len(volume.values) != 1:
        raise DataError(f"{path}: {len(volume.values)} channels, expected one volume of labels")
    label = volume.values[0]
    if label.dtype.kind == "f":
        whole = np.rint(label)
        is_off = ~np.isfinite(label) | (np.abs(label - whole) > 1e-3)
        if is_off.any():
            raise DataError(
                f"{path}: {is_off.sum()} voxels are no whole number (e.g. "
                f"{label[is_off][0]:g}), expected labels; they were probably resampled as an "
                "image: resample them by nearest neighbour, or threshold probabilities"
            )
        notes.append("labels stored as fractions were taken as whole numbers")
        label = whole
    if label.min() < 0 or label.max() > 255:
        raise DataError(
            f"{path}: label values {label.min():g} to {label.max():g}, expected 0 to 255; "
            "renumber them"
        )
    if not label.any():
        notes.append("no voxel is labelled")
    return label.astype(np.uint8)


def on_grid_of(
    image: Volume,
    image_path: Path,
    other: Volume,
    path: Path,
    tolerance_mm: float,
    notes: list[str],
) -> Volume:
    """``other`` (a label, or another channel) along the axes of ``image``.

    Axes in another order or direction are turned, which moves no voxel; nothing is resampled.

    Raises:
        DataError: another shape, or corners further apart than ``tolerance_mm``.
    """
    here, there = image.grid.canonical(), other.grid.canonical()
    if here.shape != there.shape:
        raise DataError(
            f"{path}: shape {other.grid.shape}, expected {image.grid.shape} as {image_path.name} "
            "has; resample it onto the image by nearest neighbour"
        )
    apart = here.distance_mm(there)
    if apart > tolerance_mm:
        raise DataError(
            f"{path}: lies up to {apart:.3g} mm away from {image_path.name} {_how(here, there)}, "
            f"expected at most {tolerance_mm:g} mm; copy the image's header if the voxels agree, "
            "else resample it, or raise ingest.tolerance_mm"
        )
    if apart > _EXACT_MM:
        notes.append("image and label differ in position within tolerance_mm; the image's is kept")
    values = other.values
    if image.grid.distance_mm(other.grid) > tolerance_mm:
        notes.append("label or channel with axes in another order or direction; they were turned")
        values = from_canonical(to_canonical(values, other.grid), image.grid)
    return Volume(values, image.affine, other.header, other.notes)


def _how(here: Grid, there: Grid) -> str:
    """Which of spacing, direction and origin differs."""
    parts = []
    if not np.allclose(here.spacing_mm, there.spacing_mm, rtol=1e-3):
        parts.append(
            f"spacing {np.round(there.spacing_mm, 3).tolist()} for "
            f"{np.round(here.spacing_mm, 3).tolist()} mm"
        )
    ours, theirs = (grid.affine[:3, :3] / grid.spacing_mm for grid in (here, there))
    if not np.allclose(ours, theirs, atol=1e-3):
        parts.append("direction")
    if not np.allclose(here.affine[:3, 3], there.affine[:3, 3], atol=1e-2):
        parts.append("origin")
    return f"({', '.join(parts) or 'slightly turned'})"
