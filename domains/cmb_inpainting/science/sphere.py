"""The sphere as twelve square images: faces of HEALPix, and what lies beyond their edges.

K. M. Górski et al., "HEALPix: A Framework for High-Resolution Discretization and Fast Analysis of
Data Distributed on the Sphere", ApJ 622, 2005, astro-ph/0409513.  A face is a square of nside ×
nside pixels, x towards north-east, y towards north-west.  Beyond an edge the neighbouring face
goes on, turned or not; at eight points of the sphere only three faces meet, and there the pixels
diagonally beyond a corner do not exist: they repeat the corner.

Legend: B batch, C channel, n = nside pixels along an edge, p padding, N = 12·n² pixels.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

import healpy
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

NUM_FACES = 12

Order = Literal["ring", "nest"]
Index = NDArray[np.int64]

# Figure 4 of Górski et al. as a table: the face beyond each edge or corner of each face.
# Rows: step in y (−1, 0, 1), in each row: step in x (−1, 0, 1); −1 where no face is.
_BEYOND = np.array(
    [
        [
            [8, 9, 10, 11, -1, -1, -1, -1, 10, 11, 8, 9],
            [5, 6, 7, 4, 8, 9, 10, 11, 9, 10, 11, 8],
            [-1, -1, -1, -1, 5, 6, 7, 4, -1, -1, -1, -1],
        ],
        [
            [4, 5, 6, 7, 11, 8, 9, 10, 11, 8, 9, 10],
            [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
            [1, 2, 3, 0, 0, 1, 2, 3, 5, 6, 7, 4],
        ],
        [
            [-1, -1, -1, -1, 7, 4, 5, 6, -1, -1, -1, -1],
            [3, 0, 1, 2, 3, 0, 1, 2, 4, 5, 6, 7],
            [2, 3, 0, 1, -1, -1, -1, -1, 0, 1, 2, 3],
        ],
    ]
)


def check_nside(nside: int) -> int:
    """``nside`` if faces have that size: a power of two.

    Raises:
        ValueError: it is not.
    """
    if nside < 1 or nside & (nside - 1):
        raise ValueError(f"nside = {nside}: expected a power of two, 1, 2, 4, …")
    return nside


def nside_of(num_pixels: int) -> int:
    """nside of a map with that many pixels.

    Raises:
        ValueError: no HEALPix map with square faces has so many.
    """
    nside = round((num_pixels / NUM_FACES) ** 0.5)
    if NUM_FACES * nside**2 != num_pixels:
        raise ValueError(f"{num_pixels} pixels: expected 12·nside²")
    return check_nside(nside)


@lru_cache(maxsize=32)
def face_index(nside: int, order: Order = "ring") -> Index:
    """Pixel number at each place of each face, (12, n, n), axes face, y, x."""
    check_nside(nside)
    face, y, x = np.meshgrid(
        np.arange(NUM_FACES), np.arange(nside), np.arange(nside), indexing="ij"
    )
    return _frozen(healpy.xyf2pix(nside, x, y, face, nest=order == "nest"))


@lru_cache(maxsize=32)
def pixel_place(nside: int, order: Order = "ring") -> Index:
    """Place in the flattened faces of each pixel, (N,): the inverse of ``face_index``."""
    index = face_index(nside, order).ravel()
    place = np.empty_like(index)
    place[index] = np.arange(len(index))
    return _frozen(place)


@lru_cache(maxsize=64)
def padding_index(nside: int, pad: int) -> Index:
    """Place in the flattened faces behind each pixel of the padded faces, (12, n + 2p, n + 2p).

    Args:
        nside: pixels along an edge.
        pad: pixels added on each side, 0 to nside.
    """
    if not 0 <= pad <= check_nside(nside):
        raise ValueError(f"pad = {pad}: expected 0 to nside = {nside}")
    steps = np.arange(-pad, nside + pad)
    face, y, x = np.meshgrid(np.arange(NUM_FACES), steps, steps, indexing="ij")
    beyond = _BEYOND[y // nside + 1, x // nside + 1, face]
    no_face = beyond < 0
    y = np.where(no_face, y.clip(0, nside - 1), y)
    x = np.where(no_face, x.clip(0, nside - 1), x)
    beyond = np.where(no_face, face, beyond)
    y, x = _turned(face, y, x, nside)
    return _frozen((beyond * nside + y) * nside + x)


def _turned(face: Index, y: Index, x: Index, nside: int) -> tuple[Index, Index]:
    """Coordinates of a step beyond an edge, on the face that is there.

    Between two faces around a pole the axes turn: the north-eastern edge of one is the
    north-western edge of the next.  Everywhere else they are parallel.
    """
    low_y, high_y, low_x, high_x = y < 0, y >= nside, x < 0, x >= nside
    y, x = y % nside, x % nside
    is_north, is_south = face < 4, face >= 8
    both_axes = (is_north & high_x & high_y) | (is_south & low_x & low_y)
    flip_x = (is_north & high_x & ~high_y & ~low_y) | (is_south & low_x & ~low_y & ~high_y)
    flip_y = (is_north & high_y & ~high_x & ~low_x) | (is_south & low_y & ~low_x & ~high_x)
    x = np.where(flip_x | both_axes, nside - 1 - x, x)
    y = np.where(flip_y | both_axes, nside - 1 - y, y)
    swap = flip_x | flip_y
    return np.where(swap, x, y), np.where(swap, y, x)


def to_faces(sky: Any, order: Order = "ring") -> Any:
    """Maps (..., N) as faces (..., 12, n, n); an array stays an array, a tensor a tensor."""
    index = face_index(nside_of(sky.shape[-1]), order)
    return sky[..., _like(index, sky)]


def from_faces(faces: Any, order: Order = "ring") -> Any:
    """Faces (..., 12, n, n) as maps (..., N)."""
    place = pixel_place(faces.shape[-1], order)
    return faces.reshape(*faces.shape[:-3], -1)[..., _like(place, faces)]


def pad_faces(x: Tensor, pad: int) -> Tensor:
    """Faces with ``pad`` pixels of their neighbours on each side, by one gather.

    Args:
        x: (B, C, 12, n, n).
        pad: 0 to n; a convolution of odd size k and dilation d needs (k − 1)·d/2.

    Returns:
        (B, C, 12, n + 2p, n + 2p)
    """
    nside = x.shape[-1]
    if x.ndim != 5 or x.shape[2:] != (NUM_FACES, nside, nside):
        raise ValueError(f"expected faces (B, C, 12, n, n), found {tuple(x.shape)}")
    if pad == 0:
        return x
    index = _padding_tensor(nside, pad, x.device)
    padded = x.flatten(2).index_select(2, index)  # (B, C, 12·(n + 2p)²)
    return padded.unflatten(2, (NUM_FACES, nside + 2 * pad, nside + 2 * pad))


@lru_cache(maxsize=64)
def _padding_tensor(nside: int, pad: int, device: torch.device) -> Tensor:
    with torch.inference_mode(False):
        return torch.as_tensor(padding_index(nside, pad).ravel().copy(), device=device)


def _like(index: Index, sky: Any) -> Any:
    return torch.as_tensor(index.copy(), device=sky.device) if isinstance(sky, Tensor) else index


def _frozen(array: NDArray) -> Index:
    array = np.ascontiguousarray(array, dtype=np.int64)
    array.setflags(write=False)
    return array
