"""A case from its files: channels stacked, label beside, everything checked.

Legend: C channel; X, Y, Z voxels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domains.medical_segmentation.science.cases import Case
from domains.medical_segmentation.sources import dicom
from domains.medical_segmentation.sources.checks import (
    checked_image,
    checked_label,
    on_grid_of,
)
from domains.medical_segmentation.sources.nifti import Volume, read_nifti


def read_volume(path: Path, allow_missing_affine: bool = False) -> Volume:
    """A NIfTI file, or the DICOM series in a folder (or around one of its files).

    Raises:
        DataError: neither, or one that cannot be used.
    """
    path = Path(path)
    if path.is_dir():
        return dicom.read_series(path)
    if path.suffix.lower() in (".dcm", ".ima"):
        return dicom.read_series(path.parent)
    return read_nifti(path, allow_missing_affine)


def read_image(
    paths: Sequence[Path], tolerance_mm: float, allow_missing_affine: bool, notes: list[str]
) -> tuple[Volume, NDArray[np.float32]]:
    """The first volume, and the channels (C, X, Y, Z) of all ``paths`` in order, on its grid.

    Args:
        paths: one file a channel, or one with all channels on its fourth axis.
        tolerance_mm: how far the corners of two grids may be apart.
        allow_missing_affine: as for ``read_nifti``.
        notes: gets sentences about what was unusual.

    Raises:
        DataError: a file that cannot be used, or two that do not lie on the same voxels.
    """
    volumes = [read_volume(path, allow_missing_affine) for path in paths]
    first, parts = volumes[0], []
    for path, volume in zip(paths, volumes, strict=True):
        notes += volume.notes
        if volume is not first:
            volume = on_grid_of(first, paths[0], volume, path, tolerance_mm, notes)
        parts.append(checked_image(volume, path, notes))
    return first, np.concatenate(parts)


def read_case(
    name: str,
    images: Sequence[Path],
    label: Path,
    tolerance_mm: float,
    allow_missing_affine: bool,
    note: Callable[[str], None],
) -> Case:
    """The case ``name`` of ``images``, as ``read_image`` takes them, and its ``label``.

    ``note`` is called once with each sentence about what was unusual.

    Raises:
        DataError: a file that cannot be used, or two that do not lie on the same voxels.
    """
    notes: list[str] = []
    volume, image = read_image(images, tolerance_mm, allow_missing_affine, notes)
    found = read_volume(label, allow_missing_affine)
    notes += found.notes
    found = on_grid_of(volume, images[0], found, label, tolerance_mm, notes)
    truth = checked_label(found, label, notes)
    for sentence in dict.fromkeys(notes):
        note(sentence)
    return Case(name, image, volume.affine, truth)
