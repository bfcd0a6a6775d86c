"""Rotations as matrices, Euler angles and the continuous 6-D form; NumPy arrays or torch tensors.

Legend: ``...`` any leading axes (time, joint), R = rotation matrix (3, 3).

A matrix turns column vectors of the joint's own frame into the parent's.  An Euler order is read
as BVH writes its channels: ``ZXY`` means R = Rz·Rx·Ry, the last channel turns first.  The 6-D form
is the first two columns of R, one after the other: Y. Zhou et al., "On the Continuity of Rotation
Representations in Neural Networks", CVPR 2019, arXiv:1812.07035.

Every function that takes arrays works on NumPy and on torch alike; under autocast a caller keeps
them in float32.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = Any
"""A NumPy array or a torch tensor."""


def array_module(x: Array) -> Any:
    """``numpy`` or ``torch``, whichever ``x`` belongs to; never imports torch itself."""
    torch = sys.modules.get("torch")
    return torch if torch is not None and isinstance(x, torch.Tensor) else np


def unit(x: Array) -> Array:
    """``x`` (..., 3) at length one; a vector shorter than 1e-8 stays as short."""
    return x / (x * x).sum(-1)[..., None].clip(min=1e-16) ** 0.5


def from_6d(six: Array) -> Array:
    """Rotation matrices (..., 3, 3) of 6-D forms (..., 6), by Gram-Schmidt (Zhou et al., eq. 15).

    Defined for any two columns that are not parallel, so a network may put out what it likes.
    """
    xp = array_module(six)
    first = unit(six[..., :3])
    second = six[..., 3:]
    second = unit(second - (first * second).sum(-1)[..., None] * first)
    return xp.stack([first, second, xp.linalg.cross(first, second)], -1)


def to_6d(matrix: Array) -> Array:
    """6-D forms (..., 6) of rotation matrices (..., 3, 3)."""
    return array_module(matrix).concatenate([matrix[..., :, 0], matrix[..., :, 1]], -1)


def about(axis: str, angle: NDArray) -> NDArray:
    """Rotation matrices (..., 3, 3) by ``angle`` (...) in rad about ``X``, ``Y`` or ``Z``."""
    angle = np.asarray(angle, np.float64)
    first, second, third = _cycle(axis)
    matrix = np.zeros((*angle.shape, 3, 3))
    cos, sin = np.cos(angle), np.sin(angle)
    matrix[..., first, first] = 1.0
    matrix[..., second, second] = matrix[..., third, third] = cos
    matrix[..., third, second] = sin
    matrix[..., second, third] = -sin
    return matrix


def from_euler(angles: NDArray, order: str) -> NDArray:
    """Rotation matrices (..., 3, 3) of ``angles`` (..., n) in rad about the n axes of ``order``.

    Args:
        angles: one column per letter of ``order``.
        order: up to three of ``XYZ``, in the order of the channels.
    """
    matrix = np.broadcast_to(np.eye(3), (*angles.shape[:-1], 3, 3)).copy()
    for column, axis in enumerate(order):
        matrix = matrix @ about(axis, angles[..., column])
    return matrix


def to_euler(matrix: NDArray, order: str) -> NDArray:
    """Angles (..., 3) in rad of matrices (..., 3, 3) for an ``order`` of three different axes.

    The second angle is within ±90°; at ±90° (gimbal lock) the third is set to zero.
    """
    i, j, k = ("XYZ".index(axis) for axis in order)
    sign = 1.0 if (j - i) % 3 == 1 else -1.0
    second = np.arcsin(np.clip(sign * matrix[..., i, k], -1.0, 1.0))
    locked = np.abs(matrix[..., i, k]) > 1.0 - 1e-12
    first = np.arctan2(-sign * matrix[..., j, k], matrix[..., k, k])
    third = np.arctan2(-sign * matrix[..., i, j], matrix[..., i, i])
    at_lock = np.arctan2(sign * matrix[..., k, j], matrix[..., j, j])
    first, third = np.where(locked, at_lock, first), np.where(locked, 0.0, third)
    return np.stack([first, second, third], -1)


def continuous_euler(angles: NDArray) -> NDArray:
    """The same rotations as ``angles`` (T, ..., 3) in rad, without jumps from frame to frame.

    Each rotation has two triples, (a, b, c) and (a + π, π − b, c + π), each up to whole turns; the
    one nearest to the frame before is taken, so curves can be edited and interpolated.
    """
    turn = 2 * np.pi
    smooth = np.array(angles, np.float64)
    for frame in range(1, len(smooth)):
        before = smooth[frame - 1]
        one = smooth[frame]
        other = np.stack([one[..., 0] + np.pi, np.pi - one[..., 1], one[..., 2] + np.pi], -1)
        one, other = (x - turn * np.round((x - before) / turn) for x in (one, other))
        near = np.abs(one - before).sum(-1) <= np.abs(other - before).sum(-1)
        smooth[frame] = np.where(near[..., None], one, other)
    return smooth


def from_rotation_vector(vector: NDArray) -> NDArray:
    """Matrices (..., 3, 3) of axis·angle vectors (..., 3) in rad, by Rodrigues' formula."""
    vector = np.asarray(vector, np.float64)
    angle = np.linalg.norm(vector, axis=-1)[..., None, None]
    x, y, z = np.moveaxis(vector, -1, 0)
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(*x.shape, 3, 3)
    # np.sinc(x) is sin(πx)/(πx), and (1 − cos θ)/θ² = ½ sinc²(θ/2)
    sine, half = np.sinc(angle / np.pi), np.sinc(angle / (2 * np.pi))
    return np.eye(3) + sine * cross + 0.5 * half**2 * (cross @ cross)


def heading(matrix: NDArray) -> NDArray:
    """Angle (...) in rad about the vertical (y) of the frame's z axis, from +z towards +x."""
    return np.arctan2(matrix[..., 0, 2], matrix[..., 2, 2])


def _cycle(axis: str) -> tuple[int, int, int]:
    first = "XYZ".index(axis)
    return first, (first + 1) % 3, (first + 2) % 3
