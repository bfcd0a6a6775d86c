"""Time between frames and place of the image, from the tags of an ultrasound DICOM file.

DICOM PS3.3, C.8.5.5 (regions), C.7.6.5 (cine), and what files get wrong: regions that end beyond
the frames or refer to a larger image than the file holds; missing, uneven, unreadable frame times.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from domains.errors import DataError

if TYPE_CHECKING:
    from pydicom import Dataset

_CENTIMETRES = 3  # PhysicalUnitsXDirection
_UNEVEN = 0.05  # relative spread of frame times above which frames are not evenly spaced
_OVERSHOOT = 0.02  # share of an axis by which a region may end too late
_OVERSHOOT_PIXELS = 2  # likewise, in frames of less than 100 pixels
_FILLED = 0.8  # share of a larger image that its region ends at, at least, on both axes


@dataclass(frozen=True)
class Region:
    """Place and scale of the ultrasound image in the frames.

    Args:
        box: (top, left, bottom, right) pixels, the last two exclusive; ``None`` where unknown.
        pixel_mm: side of a pixel; NaN where unknown.
        is_sure: the file said so, and it fits the frames but for an overshoot of a few pixels.
    """

    box: tuple[int, int, int, int] | None = None
    pixel_mm: float = math.nan
    is_sure: bool = False


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


def read_region(header: Dataset, shape: tuple[int, ...], name: str, sentences: list[str]) -> Region:
    """The largest 2-D region of the header in frames of ``shape`` (H, W).

    An end beyond the frames by up to 2 % is cut to them.  Some scanners store a smaller image and
    leave the coordinates of the full one: where both axes say so, they are divided by the whole
    number that makes them fit.  Any other region that ends beyond the frames is not used.

    Raises:
        DataError: the region ends before it begins.
    """
    corners = [f"RegionLocation{key}" for key in ("MinX0", "MinY0", "MaxX1", "MaxY1")]
    regions = [
        item
        for item in header.get("SequenceOfUltrasoundRegions", [])
        if item.get("RegionSpatialFormat") == 1  # 2-D image, not a trace
        and all(key in item for key in corners)
    ]
    if not regions:
        return Region()
    boxes = [[int(item[key].value) for key in corners] for item in regions]
    largest = max(range(len(boxes)), key=lambda i: _area(boxes[i]))
    left, top, right, bottom = boxes[largest]
    if _area(boxes[largest]) <= 0:
        raise DataError("the ultrasound region ends before it begins; correct the file")
    lies = (
        f"{name}: the region ({left}, {top}) to ({right}, {bottom}) lies outside the frames of "
        f"{shape[1]} × {shape[0]} pixels"
    )
    factor = _larger_image(right + 1, bottom + 1, shape)
    ends = [min(bottom // (factor or 1) + 1, shape[0]), min(right // (factor or 1) + 1, shape[1])]
    if factor is None or top // factor >= ends[0] - 1 or left // factor >= ends[1] - 1:
        sentences.append(f"{lies} and is not used")
        return Region()
    if factor > 1:
        sentences.append(f"{lies}; taken for an image {factor} times as large")
    elif right >= shape[1] or bottom >= shape[0]:
        sentences.append(f"{lies} by a few pixels; cut to them")
    pixel_mm = math.nan
    item = regions[largest]
    if item.get("PhysicalUnitsXDirection") == _CENTIMETRES and item.get("PhysicalDeltaX"):
        pixel_mm = abs(float(item.PhysicalDeltaX)) * 10 * factor
    box = (top // factor, left // factor, ends[0], ends[1])
    return Region(box, pixel_mm, is_sure=factor == 1)


def _larger_image(right: int, bottom: int, shape: tuple[int, ...]) -> int | None:
    """How many times as large the image is that a region ends in; ``None`` if that is unclear.

    Args:
        right, bottom: columns and rows up to the end of the region.
        shape: (H, W) of the frames.
    """
    pairs = ((right, shape[1]), (bottom, shape[0]))
    if all(end - size <= max(_OVERSHOOT * size, _OVERSHOOT_PIXELS) for end, size in pairs):
        return 1
    ratios = [end / size for end, size in pairs]
    factor = max(2, math.ceil(max(ratios) / (1 + _OVERSHOOT)))
    fits = all(_FILLED * factor <= ratio <= (1 + _OVERSHOOT) * factor for ratio in ratios)
    return factor if fits else None


def _area(box: list[int]) -> int:
    left, top, right, bottom = box
    return max(right - left, 0) * max(bottom - top, 0)
