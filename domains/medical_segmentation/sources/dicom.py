"""A DICOM series to one volume.

Names of files, InstanceNumber and SliceThickness lie often enough: slices are ordered by their
position along the normal of the image plane, and their distance is measured there (DICOM PS3.3
C.7.6.2).  Values are those of the modality after RescaleSlope and RescaleIntercept.

Legend: X, Y, Z voxels; X runs along a row of the picture, Y down its columns, Z across slices.
DICOM's patient axes are LPS (left, posterior, superior); affines here are RAS.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domains.errors import DataError
from domains.medical_segmentation.sources.dicom_slices import Slice, files_of, read_slices
from domains.medical_segmentation.sources.nifti import Volume

_GAP_SHARE = 0.2
"""Distances of slices that differ by more than this share of their median mean a lost slice."""


def is_series(folder: Path) -> bool:
    """Whether ``folder`` holds a DICOM file (told by content: many have no ending)."""
    return folder.is_dir() and any(_is_dicom(path) for path in files_of(folder))


def read_series(folder: Path) -> Volume:
    """The volume (1, X, Y, Z) of the one series in ``folder``.

    Raises:
        DataError: no series or several, slices of another size or direction, one twice, one lost.
    """
    notes: list[str] = []
    slices = read_slices(folder, notes)
    _check_alike(folder, slices)
    first = slices[0]
    along_row, down_column = first.orientation[:3], first.orientation[3:]
    normal = np.cross(along_row, down_column)
    slices.sort(key=lambda one: float(one.corner_mm @ normal))
    step = _step(folder, slices, normal, notes)

    row_mm, column_mm = first.pixel_mm
    affine = np.eye(4)
    # PixelSpacing says first the distance of rows, then that of columns
    affine[:3, 0], affine[:3, 1] = along_row * column_mm, down_column * row_mm
    affine[:3, 2], affine[:3, 3] = step, slices[0].corner_mm
    affine[:2] *= -1  # LPS to RAS
    values = np.stack([one.values for one in slices], axis=-1)
    return Volume(values[None], affine, None, notes)


def _is_dicom(path: Path) -> bool:
    with open(path, "rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def _check_alike(folder: Path, slices: Sequence[Slice]) -> None:
    """Refuse slices of several series, sizes or directions."""
    if len({one.series[0] for one in slices}) > 1:
        told = sorted({description for _, description in (one.series for one in slices)})
        raise DataError(
            f"{folder}: {len({one.series[0] for one in slices})} series ({', '.join(told)}), "
            "expected one; put each into a folder of its own"
        )
    first = slices[0]
    for one in slices:
        if one.values.shape != first.values.shape:
            raise DataError(
                f"{one.name}: {one.values.shape} pixels, expected {first.values.shape} as the "
                "other slices have; leave it out"
            )
        for key, ours, theirs in (
            ("ImageOrientationPatient", first.orientation, one.orientation),
            ("PixelSpacing", np.array(first.pixel_mm), np.array(one.pixel_mm)),
        ):
            if np.abs(ours - theirs).max() > 1e-3:
                raise DataError(
                    f"{one.name}: {key} {theirs.tolist()}, expected {ours.tolist()} as the other "
                    "slices have; it is a localiser or of another series: leave it out"
                )


def _step(folder: Path, slices: Sequence[Slice], normal: NDArray, notes: list[str]) -> NDArray:
    """(3,) mm from one slice to the next, LPS; slices already in order.

    Raises:
        DataError: two slices at one place, or a gap.
    """
    thickness = slices[0].thickness_mm
    if len(slices) == 1:
        if not thickness:
            raise DataError(
                f"{folder}: one slice without SliceThickness, expected two slices or a thickness"
            )
        return normal * thickness
    places = np.array([one.corner_mm @ normal for one in slices])
    distances = np.diff(places)
    usual = float(np.median(distances))
    if (same := np.flatnonzero(distances < 1e-3)).size:
        raise DataError(
            f"{folder}: {same.size + 1} slices at {places[same[0]]:.2f} mm or near, expected one "
            "at each place; the folder holds several echoes, times or copies: keep one"
        )
    lost = np.flatnonzero(np.abs(distances - usual) > _GAP_SHARE * usual)
    if lost.size:
        at = lost[0]
        raise DataError(
            f"{folder}: slices lie {usual:.2f} mm apart, but {distances[at]:.2f} mm between "
            f"{places[at]:.2f} and {places[at + 1]:.2f} mm along the normal ({lost.size} such "
            "gaps); slices are missing: export the series again"
        )
    if np.abs(distances - usual).max() > 0.01 * usual:
        notes.append("distances of slices vary by more than 1 %; their mean was taken")
    step = (slices[-1].corner_mm - slices[0].corner_mm) / (len(slices) - 1)
    if thickness and abs(thickness - usual) > 0.01 * usual:
        notes.append("SliceThickness is not the distance of the slices; the distance was taken")
    if np.linalg.norm(step - normal * (step @ normal)) > 0.01 * usual:
        notes.append("slices are shifted against each other (gantry tilt); the affine is sheared")
    return step
