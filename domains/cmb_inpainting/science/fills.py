"""Fills without training: zero, diffusive, the constrained mean, and constrained realisations.

The constrained mean E[sky | observed] is the optimum for a Gaussian sky: no fill has a smaller
RMSE (Y. Hoffman, E. Ribak, ApJ 380, 1991, L5, who also give the realisation).

Legend: N pixels in RING order, M masked, O observed, S skies.  A mask is 1 where observed.
"""

from __future__ import annotations

from collections.abc import Callable

import healpy
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.sparse import coo_array, csc_array
from scipy.sparse.linalg import splu

from domains.cmb_inpainting.science.covariance import Covariance, unit_vectors
from domains.cmb_inpainting.science.masks import distance_to_edge
from domains.cmb_inpainting.science.sphere import nside_of

Maps = NDArray[np.float64]
MaskArray = NDArray[np.bool_]

MAX_LOCAL_PIXELS = 9000
"""Observed pixels that a local constrained mean conditions on: a matrix of 650 MB."""


def observed(mask: ArrayLike) -> MaskArray:
    """The mask as booleans, True where observed.

    Raises:
        ValueError: nothing is observed.
    """
    mask = np.asarray(mask) > 0.5
    nside_of(mask.shape[-1])
    if not mask.any():
        raise ValueError("the mask leaves no pixel observed: nothing to fill from")
    return mask


def zero_fill(maps: ArrayLike, mask: ArrayLike) -> Maps:
    """Maps (..., N) with 0 behind the mask."""
    return np.where(observed(mask), np.asarray(maps, dtype=np.float64), 0.0)


class DiffusiveFill:
    """Each masked pixel the mean of its neighbours: the limit of iterated averaging.

    One sparse factorisation of (degree − adjacency) on the masked pixels; neighbours are the 8
    (at the eight three-face points 7) that touch the pixel.

    Args:
        mask: (N,)
    """

    def __init__(self, mask: ArrayLike) -> None:
        self.mask = observed(mask)
        nside = nside_of(len(self.mask))
        self._masked = np.flatnonzero(~self.mask)
        if not len(self._masked):
            return
        neighbours = healpy.get_all_neighbours(nside, self._masked)  # (8, M)
        row = np.broadcast_to(np.arange(len(self._masked)), neighbours.shape)
        is_there = neighbours >= 0
        row, column = row[is_there], neighbours[is_there]
        degree = np.bincount(row).astype(float)
        place = np.full(len(self.mask), -1)
        place[self._masked] = np.arange(len(self._masked))
        inside = place[column] >= 0
        size = len(self._masked)
        within = coo_array(
            (np.ones(inside.sum()), (row[inside], place[column[inside]])), shape=(size, size)
        )
        self._to_masked = coo_array(
            (np.ones((~inside).sum()), (row[~inside], column[~inside])),
            shape=(size, len(self.mask)),
        ).tocsr()
        diagonal = coo_array((degree, (np.arange(size), np.arange(size))), shape=(size, size))
        self._factor = splu(csc_array(diagonal - within), permc_spec="MMD_AT_PLUS_A")

    def __call__(self, maps: ArrayLike) -> Maps:
        """Filled maps (..., N), float64; observed pixels as they were."""
        filled = zero_fill(maps, self.mask)
        if len(self._masked):
            flat = filled.reshape(-1, filled.shape[-1])
            flat[:, self._masked] = self._factor.solve(self._to_masked @ flat.T).T
        return filled


def diffusive_fill(maps: ArrayLike, mask: ArrayLike) -> Maps:
    """Maps (..., N) filled by diffusion; see ``DiffusiveFill`` for many maps behind one mask."""
    return DiffusiveFill(mask)(maps)


class ConstrainedMean:
    """E[sky | observed pixels] for a Gaussian sky: C_MO (C_OO + σ² 1)⁻¹ x_O.

    One dense Cholesky factorisation for each mask; exact where it conditions on all observed
    pixels.  With ``max_pixels`` below their number it takes those nearest to the hole and an even
    sample of the rest: a little worse than the optimum, never better.

    Args:
        mask: (N,)
        covariance: of the sky, pixel by pixel.
        max_pixels: most observed pixels to condition on; ``None`` = all.
    """

    def __init__(
        self, mask: ArrayLike, covariance: Covariance, max_pixels: int | None = None
    ) -> None:
        self.mask = observed(mask)
        self.is_exact = max_pixels is None or max_pixels >= self.mask.sum()
        self._masked = np.flatnonzero(~self.mask)
        self._used = (
            np.flatnonzero(self.mask)
            if self.is_exact or max_pixels is None
            else _near_pixels(self.mask, max_pixels)
        )
        self._covariance = covariance
        self._vectors = unit_vectors(nside_of(len(self.mask)))
        matrix = covariance.between(self._vectors[self._used], self._vectors[self._used])
        matrix[np.diag_indices_from(matrix)] += covariance.noise_uk**2
        self._factor = cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)

    def __call__(self, maps: ArrayLike) -> Maps:
        """Filled maps (..., N), float64; observed pixels as they were."""
        filled = zero_fill(maps, self.mask)
        flat = filled.reshape(-1, filled.shape[-1])
        weights = cho_solve(self._factor, flat[:, self._used].T, check_finite=False)  # (O, S)
        for pixels in self._blocks():
            flat[:, pixels] = (self._cross(pixels) @ weights).T
        return filled

    def sigma(self) -> Maps:
        """Standard deviation of the sky given the observed pixels, (N,), µK; 0 where observed."""
        total = self._covariance.variance + self._covariance.noise_uk**2
        result = np.zeros(len(self.mask))
        for pixels in self._blocks():
            half = solve_triangular(
                self._factor[0], self._cross(pixels).T, lower=True, check_finite=False
            )
            result[pixels] = np.sqrt((total - (half**2).sum(axis=0)).clip(0))
        return result

    def _blocks(self) -> list[NDArray[np.int64]]:
        """Masked pixels, some at a time: all of the cross-covariance may not fit in memory."""
        return [self._masked[i : i + 1024] for i in range(0, len(self._masked), 1024)]

    def _cross(self, pixels: NDArray[np.int64]) -> Maps:
        """Covariance of masked with used pixels, (pixels, O)."""
        return self._covariance.between(self._vectors[pixels], self._vectors[self._used])


def constrained_realisation(
    maps: ArrayLike, simulated: ArrayLike, fill: Callable[[Maps], ArrayLike], mask: ArrayLike
) -> Maps:
    """A sky that agrees with the observed pixels and is random with the right power behind.

    fill(x) + (s − fill(s)) behind the mask, with s a random sky of the same statistics (noise
    included): exact where ``fill`` is the constrained mean.

    Args:
        maps: (..., N) observed skies.
        simulated: (..., N) random skies, a fresh one for each realisation.
        fill: maps (..., N) -> filled maps.
        mask: (N,)
    """
    is_observed = observed(mask)
    maps = zero_fill(maps, is_observed)
    simulated = np.asarray(simulated, dtype=np.float64)
    spread = simulated - np.asarray(fill(zero_fill(simulated, is_observed)))
    return np.where(is_observed, maps, np.asarray(fill(maps)) + spread)


def _near_pixels(mask: MaskArray, count: int) -> NDArray[np.int64]:
    """``count`` observed pixels: five sixths nearest to the hole, the rest evenly from beyond."""
    pixels = np.flatnonzero(mask)
    order = pixels[np.argsort(distance_to_edge(mask)[pixels], kind="stable")]
    num_near = count * 5 // 6
    beyond = np.sort(order[num_near:])
    sample = beyond[np.linspace(0, len(beyond) - 1, count - num_near).round().astype(int)]
    return np.sort(np.concatenate([order[:num_near], sample]))
