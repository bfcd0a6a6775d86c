"""Square windows of neighbouring pixels on the sphere, and what makes their values independent.

Legend: N = 12·n² pixels of the flattened faces, U kinds of windows, k window side, K = k².
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from domains.cmb_inpainting.science.covariance import Covariance, unit_vectors
from domains.cmb_inpainting.science.sphere import NUM_FACES, face_index, padding_index

_FLOOR = 1e-6  # of the largest eigenvalue: repeated pixels beside a three-face point have none
_CHUNK = 4096  # windows at a time, so that scratch arrays stay small


def windows(nside: int, side: int) -> Tensor:
    """Place in the flattened faces of each pixel of the window around each pixel, (N, K)."""
    padded = torch.from_numpy(padding_index(nside, side // 2).copy())
    return padded.unfold(1, side, 1).unfold(2, side, 1).reshape(-1, side**2)


def turns(side: int) -> Tensor:
    """The eight turns and mirrors of a window as permutations, (8, K)."""
    place = torch.arange(side**2).view(side, side)
    return torch.stack([torch.rot90(p, r).flatten() for p in (place, place.T) for r in range(4)])


def kinds(nside: int) -> Tensor:
    """Number of the kind of each window, (N,): a quarter turn about the poles changes none."""
    row = torch.arange(NUM_FACES) // 4
    return (row[:, None] * nside**2 + torch.arange(nside**2)).flatten()


class WindowRoots:
    """K_w^(−1/2) of windows on the sphere, from the angles between their very pixels.

    Pixels of HEALPix change their shape with latitude; a window whitened by its own covariance
    looks the same everywhere.  Computed once for each kind.

    Args:
        nside: of the sky.
        side: k.
        covariance: of the sky.
    """

    def __init__(self, nside: int, side: int, covariance: Covariance) -> None:
        self.covariance = covariance
        self._vectors = unit_vectors(nside)[face_index(nside).ravel()]
        self._windows = windows(nside, side).numpy()
        self._first = np.arange(NUM_FACES * nside**2).reshape(3, -1)[:, : nside**2].ravel()
        self._table = torch.empty(3 * nside**2, side**2, side**2)
        self._is_known = np.zeros(3 * nside**2, dtype=bool)

    def of(self, wanted: Tensor) -> Tensor:
        """Roots of these kinds (U,), (U, K, K) float32."""
        numbers = np.unique(wanted.cpu().numpy())
        new = numbers[~self._is_known[numbers]]
        for start in range(0, len(new), _CHUNK):
            part = new[start : start + _CHUNK]
            self._table[torch.from_numpy(part)] = self._compute(part)
        self._is_known[new] = True
        return self._table[wanted.cpu()].to(wanted.device)

    def _compute(self, numbers: NDArray[np.int64]) -> Tensor:
        directions = self._vectors[self._windows[self._first[numbers]]]  # (U, K, 3)
        cosine = np.einsum("uki,uli->ukl", directions, directions)
        matrix = torch.from_numpy(self.covariance.at(cosine))  # (U, K, K)
        matrix.diagonal(dim1=1, dim2=2).add_(self.covariance.noise_uk**2)
        values, vectors = torch.linalg.eigh(matrix)
        scale = (values.clamp(min=0) + _FLOOR * values[:, -1:]).rsqrt()
        return ((vectors * scale[:, None]) @ vectors.mT).float()
