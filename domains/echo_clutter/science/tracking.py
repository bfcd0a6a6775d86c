"""Follows points of the wall from frame to frame by their speckle.

Block matching by normalised cross-correlation (Bohs & Trahey 1991, doi:10.1109/10.81569) finds the
whole-pixel shift; Gauss-Newton steps on the same block (Lucas & Kanade 1981) find the rest.  Shifts
are smoothed along the contour, since neighbouring points of a wall move alike.  A clip is one heart
beat: it is followed forwards from frame 0 and backwards from its end, and the two are mixed by
their distance from frame 0, which takes most of the drift away.  The inner side of a wall is half
blood, whose speckle comes and goes: two lines inside the wall are followed, and the motion of its
inner side is extrapolated from them.

Legend: T frames, H depth, W width, P points, K = 2·radius + 1, R = 2·reach + 1.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

# chosen on clean simulated training clips
_RADIUS = 5  # pixels, half a block
_DEPTHS = (1.5, 5.0)  # pixels from the inner side into the wall, of two lines that are followed
_OUT_OF_WALL = 0.5  # share of what is extrapolated from them to the inner side
_SMOOTHING = 2.0  # neighbours, σ along the contour
_REACH = 3  # pixels between neighbouring frames; walls move less than 2 at 50 frames a beat
_WINDOW = 0.4  # of the radius, σ of the weights of a block's pixels
_REFINEMENTS = 5
_MIN_TEXTURE = 1e-3  # of the block's gradients: below it a shift is not defined


def track_beat(
    clip: ArrayLike, start: ArrayLike, *, radius: int = _RADIUS, smoothing: float = _SMOOTHING
) -> Array:
    """Where the points ``start`` of frame 0 are in each frame of one beat, (T, P, 2).

    Args:
        clip: (T, H, W) grey levels; the frame after the last is like the first.
        start: (P, 2) points (x, y) in pixels, in order along the inner side of the wall.
        radius: half the side of a block in pixels.
        smoothing: σ of the smoothing along the contour, in points; 0 = none.

    Raises:
        ValueError: shapes do not fit.
    """
    frames, points = _checked(clip, start)
    outwards = outward_normals(points)
    moved = []
    for depth in _DEPTHS:
        line = points + depth * outwards
        moved.append(_both_ways(frames, line, radius, smoothing) - line)
    inner, outer = moved
    # what lies in the wall moves less than its inner side: go on along the line through both
    slope = (inner - outer) / (_DEPTHS[1] - _DEPTHS[0])
    slope = np.stack([along_contour(part, _SMOOTHING) for part in slope])
    return points + inner + _OUT_OF_WALL * _DEPTHS[0] * slope


def _both_ways(frames: Array, start: Array, radius: int, smoothing: float) -> Array:
    """Followed from frame 0 on and from the end of the beat back to it, mixed by distance."""
    forwards = track(frames, start, radius=radius, smoothing=smoothing)
    turned = np.concatenate([frames[:1], frames[:0:-1]])  # 0, T-1, T-2, ..., 1
    backwards = track(turned, start, radius=radius, smoothing=smoothing)
    backwards = np.concatenate([backwards[:1], backwards[:0:-1]])
    late = (np.arange(len(frames)) / len(frames))[:, None, None]
    return (1 - late) * forwards + late * backwards


def track(
    clip: ArrayLike, start: ArrayLike, *, radius: int = _RADIUS, smoothing: float = _SMOOTHING
) -> Array:
    """Where the points ``start`` of frame 0 are in each later frame; arguments as above."""
    frames, points = _checked(clip, start)
    path = [points]
    for now, after in itertools.pairwise(frames):
        shift = block_shift(now, after, path[-1], radius)
        path.append(path[-1] + along_contour(shift, smoothing))
    return np.stack(path)


def outward_normals(points: Array) -> Array:
    """Unit vectors (P, 2) across the line ``points`` (P, 2), away from their middle."""
    if len(points) < 2:
        return np.zeros_like(points)
    along = np.gradient(points, axis=0)
    across = np.stack([along[:, 1], -along[:, 0]], axis=1)
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-12)
    turned = np.sum(across * (points - points.mean(axis=0))) < 0
    return -across if turned else across


def _checked(clip: ArrayLike, start: ArrayLike) -> tuple[Array, Array]:
    frames, points = np.asarray(clip, np.float64), np.asarray(start, np.float64)
    if frames.ndim != 3 or points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"clip {frames.shape}, start {points.shape}: expected (T, H, W), (P, 2)")
    return frames, points


def block_shift(now: Array, after: Array, points: Array, radius: int = _RADIUS) -> Array:
    """By how many pixels (P, 2) the blocks around ``points`` (P, 2) move between two frames."""
    template = blocks(now, points, radius)  # (P, K, K)
    shift = _whole_pixels(template, blocks(after, points, radius + _REACH))
    # Lucas & Kanade: gradients of the template serve all steps (inverse compositional form)
    wide = blocks(now, points, radius + 1)
    gradient = np.stack(
        [
            (wide[:, 1:-1, 2:] - wide[:, 1:-1, :-2]) / 2,
            (wide[:, 2:, 1:-1] - wide[:, :-2, 1:-1]) / 2,
        ],
        axis=-1,
    )  # (P, K, K, 2)
    gradient -= gradient.mean(axis=(1, 2), keepdims=True)
    weight = _window(radius)
    normal = np.einsum("pijk,pijl,ij->pkl", gradient, gradient, weight)  # (P, 2, 2)
    flat = np.linalg.eigvalsh(normal)[:, 0] < _MIN_TEXTURE
    normal[flat] = np.eye(2)
    for _ in range(_REFINEMENTS):
        moved = _normalised(blocks(after, points + shift, radius), like=template)
        right = np.einsum("pijk,pij,ij->pk", gradient, moved - template, weight)
        step = np.linalg.solve(normal, right[..., None])[..., 0]
        step[flat] = 0.0
        shift = np.clip(shift - step, -_REACH, _REACH)
    return shift


def along_contour(shift: Array, smoothing: float) -> Array:
    """``shift`` (P, 2) smoothed by straight lines fitted with Gaussian weights around each point.

    A plain average would hold the two ends of the wall back, and so take away strain.
    """
    if smoothing <= 0 or len(shift) < 3:
        return shift
    place = np.arange(len(shift))
    away = (place[None, :] - place[:, None]).astype(np.float64)
    weight = np.exp(-0.5 * (away / smoothing) ** 2)
    zeroth, first, second = (
        (weight * away**power).sum(axis=1, keepdims=True) for power in (0, 1, 2)
    )
    line = weight * (second - first * away) / (zeroth * second - first**2)
    return line @ shift


def blocks(frame: Array, points: Array, radius: int) -> Array:
    """Blocks (P, K, K) of ``frame`` (H, W) around ``points`` (P, 2), bilinear, edges held."""
    offset = np.arange(-radius, radius + 1.0)
    x = np.clip(points[:, 0, None] + offset, 0, frame.shape[1] - 1.000001)  # (P, K)
    y = np.clip(points[:, 1, None] + offset, 0, frame.shape[0] - 1.000001)
    column, row = x.astype(int), y.astype(int)
    right, down = (x - column)[:, None, :], (y - row)[:, :, None]
    row, column = row[:, :, None], column[:, None, :]
    above = frame[row, column] * (1 - right) + frame[row, column + 1] * right
    below = frame[row + 1, column] * (1 - right) + frame[row + 1, column + 1] * right
    return above * (1 - down) + below * down


def _whole_pixels(template: Array, region: Array) -> Array:
    """The whole-pixel shift (P, 2) of greatest normalised cross-correlation."""
    size = template.shape[1]
    windows = sliding_window_view(region, (size, size), axis=(1, 2))  # (P, R, R, K, K)
    centred = template - template.mean(axis=(1, 2), keepdims=True)
    product = np.einsum("pabij,pij->pab", windows, centred)
    spread = windows.std(axis=(3, 4))
    score = product / np.maximum(spread, 1e-6)  # the template's own spread is common to all
    # Equal blocks everywhere (black, white) must not wander: the nearest of equal scores wins
    reach = (windows.shape[1] - 1) // 2
    away = np.hypot(*np.mgrid[-reach : reach + 1, -reach : reach + 1])
    score -= 1e-9 * away * np.abs(score).max(axis=(1, 2), keepdims=True)
    score[np.ptp(template, axis=(1, 2)) == 0] = -away
    best = score.reshape(len(score), -1).argmax(axis=1)
    y, x = np.divmod(best, windows.shape[2])
    return np.stack([x - reach, y - reach], axis=-1).astype(np.float64)


def _window(radius: int) -> Array:
    """Weights (K, K) of a block's pixels: the wall at the point counts more than what is around."""
    line = np.exp(-0.5 * (np.arange(-radius, radius + 1) / (_WINDOW * radius)) ** 2)
    return np.outer(line, line)


def _normalised(block: Array, like: Array) -> Array:
    """``block`` (P, K, K) with the mean and spread of ``like``: gain and offset do not count."""
    mean = block.mean(axis=(1, 2), keepdims=True)
    spread = np.maximum(block.std(axis=(1, 2), keepdims=True), 1e-6)
    wanted = like.std(axis=(1, 2), keepdims=True)
    return (block - mean) / spread * wanted + like.mean(axis=(1, 2), keepdims=True)
