"""The sector of an ultrasound image: where it is, from beams to pixels, and to another size.

Legend: T frames, R ranges along a beam, A beams, H depth, W width (pixels).

A phased array sends its beams from near one point in the directions of a fan; a frame is first
(range, beam) and is then scan-converted to pixels by bilinear interpolation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.spatial import ConvexHull, Delaunay

Array = NDArray[np.float32]

_BANNER_FILL = 0.85  # share of its bounding box from which a part counts as a rectangle
_BANNER_SHARE = 0.25  # of the image; a rectangle as large as this is an image, not a banner


@dataclass(frozen=True)
class Sector:
    """A fan of beams in an image.

    Args:
        x, y: pixel (column, row) of the point the beams come from; it may lie above the image.
        near: pixels from there to the first sample of a beam.
        far: pixels from there to the last one.
        half_angle: rad between the axis, which points down, and the outermost beams.
    """

    x: float
    y: float
    near: float
    far: float
    half_angle: float

    def polar(self, shape: tuple[int, int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Range in pixels and angle in rad (positive to the right) of each pixel, both (H, W)."""
        down, right = np.mgrid[: shape[0], : shape[1]].astype(np.float64)
        down, right = down - self.y, right - self.x
        return np.hypot(down, right), np.arctan2(right, down)

    def mask(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """(H, W) true for pixels between the outermost beams and the first and last sample."""
        radius, angle = self.polar(shape)
        in_range = (radius >= self.near) & (radius <= self.far)
        return in_range & (np.abs(angle) <= self.half_angle)


def scan_converter(
    sector: Sector, num_ranges: int, num_beams: int, shape: tuple[int, int]
) -> sparse.csr_array:
    """Matrix (H·W, R·A) that takes frames of beams to pixels, zero off the sector.

    Ranges are evenly spaced from ``sector.near`` to ``sector.far``, beams from −half_angle to
    half_angle, both ends included; pixels between them are interpolated bilinearly.
    """
    radius, angle = sector.polar(shape)
    inside = np.flatnonzero(sector.mask(shape))
    along = (radius.ravel()[inside] - sector.near) / (sector.far - sector.near) * (num_ranges - 1)
    across = (angle.ravel()[inside] / sector.half_angle + 1) / 2 * (num_beams - 1)
    row = np.clip(along.astype(int), 0, num_ranges - 2)
    column = np.clip(across.astype(int), 0, num_beams - 2)
    down, right = along - row, across - column
    weights, places = [], []
    for step_down, weight_down in ((0, 1 - down), (1, down)):
        for step_right, weight_right in ((0, 1 - right), (1, right)):
            weights.append(weight_down * weight_right)
            places.append((row + step_down) * num_beams + column + step_right)
    pixels = np.tile(inside, 4)
    size = (shape[0] * shape[1], num_ranges * num_beams)
    return sparse.csr_array((np.concatenate(weights), (pixels, np.concatenate(places))), shape=size)


def detect_sector(frames: NDArray, threshold: float = 8.0) -> NDArray[np.bool_]:
    """(H, W) true inside the image of a cine, without burnt-in text, icons and borders.

    The convex hull (blood is as black as the border) of the largest connected part of what moves
    in time and is brighter than ``threshold``, once bridges thinner than three pixels are cut.
    Small rectangles at an edge of the frame are banners of text and do not count.  All false where
    nothing is to be seen.

    Args:
        frames: (T, H, W) grey levels 0 to 255; a single frame will do, text is then not told
            from tissue by its standing still.
        threshold: grey levels that noise of the border stays below.
    """
    first = frames[: min(len(frames), 64)].astype(np.float32)
    seen = first.max(axis=0) > threshold
    if len(first) > 1:
        seen &= first.std(axis=0) > threshold / 8
    padded = np.pad(seen, 4)  # else closing gnaws at the border of the image
    padded = ndimage.binary_opening(ndimage.binary_closing(padded), structure=np.ones((3, 3)))
    labels, _ = ndimage.label(padded[4:-4, 4:-4])
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        if _is_banner(box, int(sizes[number]), seen.shape):
            sizes[number] = 0
    if not sizes.any():
        return np.zeros(frames.shape[1:], np.bool_)
    places = np.argwhere(labels == sizes.argmax())
    if np.ptp(places, axis=0).min() == 0:  # a line has no hull
        return labels == sizes.argmax()
    hull = Delaunay(places[ConvexHull(places).vertices])
    grid = np.indices(seen.shape).reshape(2, -1).T
    return np.asarray(hull.find_simplex(grid) >= 0).reshape(seen.shape)


def _is_banner(box: tuple[slice, ...], size: int, shape: tuple[int, ...]) -> bool:
    """Whether a part of ``size`` pixels is a small filled rectangle at an edge of the image."""
    lengths = [side.stop - side.start for side in box]
    is_small = size < _BANNER_SHARE * shape[0] * shape[1]
    # opening and closing may leave a line of pixels between a banner and the edge
    at_edge = any(
        side.start <= 1 or side.stop >= length - 1 for side, length in zip(box, shape, strict=True)
    )
    return at_edge and is_small and size >= _BANNER_FILL * lengths[0] * lengths[1]


def resampling_matrix(num_in: int, num_out: int) -> NDArray[np.float64]:
    """Matrix (num_out, num_in) that resizes a line of pixels, rows summing to one.

    Linear interpolation between pixel centres when enlarging; when shrinking, a triangle as wide
    as two output pixels averages what would otherwise alias (PIL's ``BILINEAR``).
    """
    scale = num_in / num_out
    centre = (np.arange(num_out) + 0.5) * scale - 0.5
    distance = np.abs(np.arange(num_in)[None] - centre[:, None]) / max(scale, 1.0)
    weights = np.maximum(1 - distance, 0.0)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def resize(frames: NDArray, shape: tuple[int, int]) -> Array:
    """``frames`` (..., H, W) with ``shape`` pixels, float32."""
    down = resampling_matrix(frames.shape[-2], shape[0]).astype(np.float32)
    right = resampling_matrix(frames.shape[-1], shape[1]).astype(np.float32)
    return np.asarray(down @ frames.astype(np.float32) @ right.T, dtype=np.float32)


@dataclass(frozen=True)
class Window:
    """The square of an image that a network sees, at the network's own size.

    Args:
        top, left: first row and column of the square; they may lie outside the image.
        side: its rows and columns in pixels of the image.
        size: rows and columns that the network takes.
    """

    top: int
    left: int
    side: int
    size: int

    @staticmethod
    def around(sector: NDArray[np.bool_], size: int) -> Window:
        """The smallest square that holds ``sector``, centred on it.

        Raises:
            ValueError: the sector is empty.
        """
        rows, columns = (np.flatnonzero(sector.any(axis=axis)) for axis in (1, 0))
        if not len(rows):
            raise ValueError("the sector has no pixel")
        height, width = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
        side = int(max(height, width))
        top = int(rows[0] - (side - height) // 2)
        left = int(columns[0] - (side - width) // 2)
        return Window(top, left, side, size)

    def cut(self, frames: NDArray) -> Array:
        """``frames`` (..., H, W) inside the square, (..., size, size); zero beyond the image."""
        square = np.zeros((*frames.shape[:-2], self.side, self.side), np.float32)
        (rows, to_rows), (columns, to_columns) = self._overlap(frames.shape[-2:])
        square[..., to_rows, to_columns] = frames[..., rows, columns]
        return square if self.side == self.size else resize(square, (self.size, self.size))

    def put_back(self, frames: NDArray, shape: tuple[int, int]) -> Array:
        """``frames`` (..., size, size) on the grid of the image (..., *shape); zero elsewhere."""
        square = frames.astype(np.float32)
        if self.side != self.size:
            square = resize(square, (self.side, self.side))
        whole = np.zeros((*frames.shape[:-2], *shape), np.float32)
        (rows, to_rows), (columns, to_columns) = self._overlap(shape)
        whole[..., rows, columns] = square[..., to_rows, to_columns]
        return whole

    def _overlap(self, shape: tuple[int, ...]) -> list[tuple[slice, slice]]:
        """For rows and columns: the part of the image, and its place in the square."""
        parts = []
        for first, length in ((self.top, shape[0]), (self.left, shape[1])):
            start, stop = max(first, 0), min(first + self.side, length)
            parts.append((slice(start, stop), slice(start - first, stop - first)))
        return parts
