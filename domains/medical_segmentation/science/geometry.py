"""Where voxels are: canonical axes, another spacing and back.

Volumes are resampled over the same field of view: n voxels become m with edges on edges, so centre
j of the new axis lies at (j + ½)·n/m − ½ of the old one.  Each axis is a matrix of triangle
weights, as wide as the coarser of the two voxels: linear interpolation towards finer voxels, a mean
without aliasing towards coarser ones.  A coarser label is what fills most of its voxel.

Legend: X, Y, Z voxels; a leading channel or class axis C; affines take indices to mm in RAS.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Grid:
    """Voxels in space.

    Args:
        shape: voxels along the three axes.
        affine: (4, 4), indices to mm in RAS.
    """

    shape: Shape
    affine: NDArray[np.float64]

    @property
    def spacing_mm(self) -> NDArray[np.float64]:
        """(3,) edge lengths of a voxel in mm."""
        return np.linalg.norm(self.affine[:3, :3], axis=0)

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel in ml."""
        return float(abs(np.linalg.det(self.affine[:3, :3]))) / 1000.0

    def corners_mm(self) -> NDArray[np.float64]:
        """(8, 3) centres of the corner voxels, mm."""
        last = np.array(self.shape) - 1
        index = np.array(np.meshgrid(*((0, n) for n in last), indexing="ij")).reshape(3, -1).T
        return index @ self.affine[:3, :3].T + self.affine[:3, 3]

    def distance_mm(self, other: Grid) -> float:
        """Largest distance between the same corners of two grids; infinite for other shapes."""
        if self.shape != other.shape:
            return float("inf")
        apart = self.corners_mm() - other.corners_mm()
        return float(np.linalg.norm(apart, axis=1).max())

    def canonical(self) -> Grid:
        """The same voxels with axes in the order and direction nearest to R, A, S."""
        turn = _to_canonical(self.affine)
        shape = [0, 0, 0]
        for old, new in enumerate(turn[:, 0].astype(int)):
            shape[new] = self.shape[old]
        affine = self.affine @ nib.orientations.inv_ornt_aff(turn, self.shape)
        return Grid((shape[0], shape[1], shape[2]), affine)

    def resampled(self, spacing_mm: Sequence[float]) -> Grid:
        """The same field of view in voxels of about ``spacing_mm``: a whole number of them."""
        old = np.array(self.shape)
        new = np.maximum(1, np.rint(old * self.spacing_mm / np.asarray(spacing_mm))).astype(int)
        affine = self.affine.copy()
        affine[:3, :3] *= old / new
        affine[:3, 3] += self.affine[:3, :3] @ ((old / new - 1) / 2)
        return Grid((int(new[0]), int(new[1]), int(new[2])), affine)


def to_canonical(values: NDArray, grid: Grid) -> NDArray:
    """``values`` (..., X, Y, Z) on ``grid`` with their axes as in ``grid.canonical()``."""
    return _turned(values, _to_canonical(grid.affine))


def from_canonical(values: NDArray, grid: Grid) -> NDArray:
    """``values`` (..., X, Y, Z) on ``grid.canonical()``, back on ``grid``; exact."""
    turn = _to_canonical(grid.affine)
    same = nib.orientations.io_orientation(np.eye(4))
    return _turned(values, nib.orientations.ornt_transform(same, turn))


def resample(values: NDArray, shape: Sequence[int]) -> NDArray[np.float32]:
    """``values`` (..., X, Y, Z) over the same field of view in ``shape`` voxels."""
    return _weighted(values, shape, triangle_weights)


def resample_labels(label: NDArray, shape: Sequence[int]) -> NDArray:
    """``label`` (X, Y, Z) in ``shape`` voxels: in each the value with the largest share.

    No value arises that was not there; between equal shares the smaller value wins.
    """
    if label.shape == tuple(shape):
        return label.copy()
    best = np.full(tuple(shape), -1.0, np.float32)
    winner = np.zeros(tuple(shape), label.dtype)
    for value in np.unique(label):
        share = _weighted(label == value, shape, share_weights)
        # shares that differ by rounding alone are equal
        wins = share > best + 1e-5
        best[wins], winner[wins] = share[wins], value
    return winner


def _weighted(
    values: NDArray, shape: Sequence[int], weights_of: Callable[[int, int], NDArray[np.float32]]
) -> NDArray[np.float32]:
    values = np.asarray(values, np.float32)
    for axis, size in zip((-3, -2, -1), shape, strict=True):
        if values.shape[axis] != size:
            moved = np.moveaxis(values, axis, -1) @ weights_of(values.shape[axis], size).T
            values = np.moveaxis(moved, -1, axis)
    return np.ascontiguousarray(values)


def triangle_weights(old: int, new: int) -> NDArray[np.float32]:
    """(new, old) triangle weights of ``old`` voxels in each of ``new``; rows sum to one."""
    ratio = old / new
    centre = (np.arange(new) + 0.5) * ratio - 0.5
    distance = np.abs(centre[:, None] - np.arange(old)) / max(ratio, 1.0)
    weights = np.maximum(0.0, 1.0 - distance)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def share_weights(old: int, new: int) -> NDArray[np.float32]:
    """(new, old) share of each of ``new`` coarser voxels that an old one fills.

    Finer voxels take the triangle's weights, which round a structure's steps off.
    """
    if new >= old:
        return triangle_weights(old, new)
    edges = np.arange(new + 1) * (old / new)
    at = np.arange(old)
    overlap = np.minimum(edges[1:, None], at + 1) - np.maximum(edges[:-1, None], at)
    return (np.maximum(0.0, overlap) * (new / old)).astype(np.float32)


def _to_canonical(affine: NDArray) -> NDArray:
    """nibabel's orientation array (3, 2): for each axis its place in RAS and its direction."""
    return nib.orientations.io_orientation(affine)


def _turned(values: NDArray, turn: NDArray) -> NDArray:
    lead = values.ndim - 3
    moved = np.moveaxis(values, range(lead, values.ndim), range(3)) if lead else values
    moved = nib.orientations.apply_orientation(moved, turn)
    return np.ascontiguousarray(np.moveaxis(moved, range(3), range(lead, values.ndim)))
