"""Time between frames and place of the image, from the tags of an ultrasound DICOM file.

DICOM PS3.3, C.8.5.5 (regions), C.7.6.5 (cine), and what files get wrong: regions that refer to a
larger image than the file holds, missing, uneven or unreadable frame times.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from domains.errors import DataError

if TYPE_CHECKING:
    from pydicom import Dataset

_CENTIMETRES = 3  # PhysicalUnitsXDirection
_UNEVEN = 0.05  # relative spread of frame times above which frames are not evenly spaced


def read_frame_time(header: Dataset, num_frames: int, name: str, sentences: list[str]) -> float:
    """Time between frames in ms, NaN where the file does not say."""
    if num_frames == 1:
        return math.nan
    if time_ms := _positive(header, "FrameTime", name, sentences):
        return time_ms
    if len(header.get("FrameTimeVector") or ()) > 1:
        steps = np.array([float(step) for step in header.FrameTimeVector])[1:]  # the first is 0
        if np.ptp(steps) > _UNEVEN * np.median(steps):
            sentences.append(
                f"{name}: frames are unevenly spaced, {steps.min():g} to {steps.max():g} ms; their "
                f"median {np.median(steps):g} ms is taken for all"
            )
        return float(np.median(steps))
    for key in ("CineRate", "RecommendedDisplayFrameRate"):
        if rate_hz := _positive(header, key, name, sentences):
            return 1000.0 / rate_hz
    sentences.append(f"{name}: no FrameTime; set ingest.files.frame_time_ms if it is known")
    return math.nan


def _positive(header: Dataset, key: str, name: str, sentences: list[str]) -> float | None:
    """The number in a tag; ``None``, and a sentence where the tag is there, if it is none."""
    if not (value := header.get(key)):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if number > 0 and math.isfinite(number):
        return number
    sentences.append(f"{name}: {key} is no positive number and is not used")
    return None


def read_region(
    header: Dataset, shape: tuple[int, ...], name: str, sentences: list[str]
) -> tuple[tuple[int, int, int, int] | None, float]:
    """(top, left, bottom, right) of the largest 2-D region, and the side of a pixel in mm.

    Some scanners store a smaller image and leave the coordinates of the full one: they are divided
    by the smallest whole number that makes them fit.
    """
    corners = [f"RegionLocation{key}" for key in ("MinX0", "MinY0", "MaxX1", "MaxY1")]
    regions = [
        item
        for item in header.get("SequenceOfUltrasoundRegions", [])
        if item.get("RegionSpatialFormat") == 1  # 2-D image, not a trace
        and all(key in item for key in corners)
    ]
    if not regions:
        return None, math.nan
    boxes = [[int(item[key].value) for key in corners] for item in regions]
    largest = max(range(len(boxes)), key=lambda i: _area(boxes[i]))
    left, top, right, bottom = boxes[largest]
    factor = math.ceil(max((right + 1) / shape[1], (bottom + 1) / shape[0]))
    if factor > 1:
        sentences.append(
            f"{name}: the region ({left}, {top}) to ({right}, {bottom}) lies outside the frames of "
            f"{shape[1]} × {shape[0]} pixels; taken for an image {factor} times as large"
        )
    if _area(boxes[largest]) <= 0:
        raise DataError(f"{name}: the ultrasound region ends before it begins; correct the file")
    region = (top // factor, left // factor, bottom // factor + 1, right // factor + 1)
    pixel_mm = math.nan
    item = regions[largest]
    if item.get("PhysicalUnitsXDirection") == _CENTIMETRES and item.get("PhysicalDeltaX"):
        pixel_mm = abs(float(item.PhysicalDeltaX)) * 10 * factor
    return region, pixel_mm


def _area(box: list[int]) -> int:
    left, top, right, bottom = box
    return max(right - left, 0) * max(bottom - top, 0)
