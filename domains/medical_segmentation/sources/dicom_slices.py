"""The slices of DICOM files: one a file, or the frames of an enhanced multi-frame one.

An enhanced CT or MR image (DICOM PS3.3 A.36, A.38) keeps position, direction, pixel spacing and
rescaling of its frames in functional groups, shared by all frames or told for each.

Legend: X along a row of the picture, Y down its columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domains.errors import DataError


@dataclass(frozen=True)
class Slice:
    """One picture with its place, in DICOM's patient axes (LPS).

    Args:
        name: file, and frame where there are several, for messages.
        series: identifier and description of its series.
        values: (X, Y), in the unit of the modality (Hounsfield for CT).
        corner_mm: (3,) centre of the first pixel.
        orientation: (6,) direction along a row, then down a column.
        pixel_mm: distance of rows, distance of columns.
        thickness_mm: what the header says; None where it says nothing.
    """

    name: str
    series: tuple[str, str]
    values: NDArray[np.float32]
    corner_mm: NDArray[np.float64]
    orientation: NDArray[np.float64]
    pixel_mm: tuple[float, float]
    thickness_mm: float | None


def read_slices(folder: Path, notes: list[str]) -> list[Slice]:
    """All pictures in ``folder``; other files are passed over, which is noted.

    Raises:
        DataError: none there, or one without position or with pixels that cannot be decoded.
    """
    import pydicom
    from pydicom.errors import InvalidDicomError

    found: list[Slice] = []
    num_others = 0
    for path in files_of(folder):
        if path.name.upper() == "DICOMDIR":
            continue
        try:
            one = pydicom.dcmread(path)
        except (InvalidDicomError, EOFError, OSError):
            num_others += 1
            continue
        if "PixelData" in one:
            found += _frames(one, path)
        else:
            num_others += 1
    if num_others:
        notes.append("files that are no DICOM picture were passed over")
    if not found:
        raise DataError(f"{folder}: no DICOM picture there, expected the slices of one series")
    return found


def files_of(folder: Path) -> list[Path]:
    """Files of ``folder`` by name, hidden ones left out."""
    return sorted(
        path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")
    )


def _frames(one: Any, path: Path) -> Iterator[Slice]:
    """The picture of a data set, or its frames."""
    series = (str(one.get("SeriesInstanceUID", "")), str(one.get("SeriesDescription", "no name")))
    groups = one.get("PerFrameFunctionalGroupsSequence") or [None]
    count = int(one.get("NumberOfFrames") or 1)
    if len(groups) != count:
        raise DataError(
            f"{path}: {count} frames with {len(groups)} places, expected a place for each; it is "
            "no volume but a film or a screen capture: leave it out"
        )
    pixels = _pixels(one, path).reshape(count, int(one.Rows), int(one.Columns))
    for number, (group, picture) in enumerate(zip(groups, pixels, strict=True)):
        name = f"{path}" if count == 1 else f"{path}, frame {number + 1}"
        slope = _number(_find(one, group, "PixelValueTransformationSequence", "RescaleSlope"), 1.0)
        intercept = _find(one, group, "PixelValueTransformationSequence", "RescaleIntercept")
        row_mm, column_mm = _wanted(one, group, "PixelMeasuresSequence", "PixelSpacing", name)
        thickness = _find(one, None, "", "SpacingBetweenSlices") or _find(
            one, group, "PixelMeasuresSequence", "SliceThickness"
        )
        yield Slice(
            name=name,
            series=series,
            values=picture.T * np.float32(slope) + np.float32(_number(intercept, 0.0)),
            corner_mm=_wanted(one, group, "PlanePositionSequence", "ImagePositionPatient", name),
            orientation=_wanted(
                one, group, "PlaneOrientationSequence", "ImageOrientationPatient", name
            ),
            pixel_mm=(float(row_mm), float(column_mm)),
            thickness_mm=float(thickness) if thickness else None,
        )


def _find(one: Any, group: Any, sequence: str, key: str) -> Any:
    """Value of ``key``: of the frame, else shared by all frames, else of the file."""
    shared = one.get("SharedFunctionalGroupsSequence")
    for place in (group, shared[0] if shared else None):
        if place is not None and place.get(sequence) and key in place[sequence][0]:
            return place[sequence][0][key].value
    return one.get(key)


def _wanted(one: Any, group: Any, sequence: str, key: str, name: str) -> NDArray[np.float64]:
    value = _find(one, group, sequence, key)
    if value is None:
        raise DataError(
            f"{name}: {key} missing, expected a slice with a position; leave localisers and "
            "screen captures out"
        )
    return np.array(value, np.float64)


def _number(value: Any, default: float) -> float:
    return default if value is None else float(value)


def _pixels(one: Any, path: Path) -> NDArray[np.float32]:
    """Stored values of all frames.

    Raises:
        DataError: they cannot be decoded, or are colours.
    """
    kind = str(one.get("PhotometricInterpretation", "MONOCHROME2"))
    if int(one.get("SamplesPerPixel", 1)) != 1 or not kind.startswith("MONOCHROME"):
        raise DataError(f"{path}: a picture in colour, expected grey values; leave it out")
    try:
        return one.pixel_array.astype(np.float32)
    except Exception as error:  # pydicom's decoders raise many kinds
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise DataError(
            f"{path}: pixels cannot be decoded ({reason}); copy the file again"
        ) from error
