"""From the learned field to the optimum: conjugate gradients on the exact system.

The constrained mean of a Gaussian sky with spectrum C_ℓ and white noise σ is

    x_M = C_MO w,     (C_OO + σ²) w = x_O.

C is diagonal in spherical harmonics: a product costs two transforms, and no matrix is made.  The
learned precision P ≈ (C + σ²)⁻¹ preconditions: its Schur complement

    (C_OO + σ²)⁻¹ ≈ P_OO − P_OM P_MM⁻¹ P_MO

is the field's fill of the residual, times P, read where observed.  After k steps the fill is
C_MO w plus the field's fill of what is left, x_O − (C_OO + σ²) w: for k = 0 the field's own fill,
in the limit the optimum.  Preconditioned conjugate gradients: Y. Saad, "Iterative Methods for
Sparse Linear Systems", 2003, algorithm 9.1.

Legend: S skies, N pixels of the flattened faces, M masked and O observed ones.
"""

from __future__ import annotations

from collections.abc import Callable

import healpy
import numpy as np
from numpy.typing import NDArray

from domains.cmb_inpainting.science.sphere import face_index, pixel_place

Maps = NDArray[np.float64]


class HarmonicCovariance:
    """C + σ² of the flattened faces as a product.

    Args:
        spectrum: C_ℓ, (L,), µK².
        noise_uk: σ of each pixel.
        nside: of the sky.
    """

    def __init__(self, spectrum: Maps, noise_uk: float, nside: int) -> None:
        self.spectrum, self.variance, self.nside = spectrum, noise_uk**2, nside

    def __call__(self, maps: Maps) -> Maps:
        """(C + σ²) x of maps (S, N)."""
        lmax = len(self.spectrum) - 1
        # map2alm without weights is the transpose of alm2map times the area of a pixel
        filtered = self.spectrum * maps.shape[1] / (4 * np.pi)
        ring = np.empty_like(maps)
        for row, one in zip(ring, maps[:, pixel_place(self.nside)], strict=True):
            # use_pixel_weights and pixwin would look for files on the network
            alm = healpy.map2alm(one, lmax=lmax, iter=0, use_pixel_weights=False)
            alm = healpy.almxfl(alm, filtered)
            row[:] = healpy.alm2map(alm, self.nside, lmax=lmax, pixwin=False)
        return ring[:, face_index(self.nside).ravel()] + self.variance * maps


def refine(
    maps: Maps,
    observed: NDArray[np.bool_],
    covariance: Callable[[Maps], Maps],
    precision: Callable[[Maps], Maps],
    fill: Callable[[Maps], Maps],
    steps: int,
) -> Maps:
    """Filled maps (S, N) after ``steps`` steps; observed pixels as they were.

    Args:
        maps: (S, N); what they have behind the mask is not read.
        observed: (N,), true where observed.
        covariance: maps -> (C + σ²) maps.
        precision: maps -> P maps, P symmetric and positive.
        fill: maps -> maps with −P_MM⁻¹ P_MO x_O behind the mask.
        steps: k, from 0 on.
    """
    residual = np.where(observed, maps, 0.0)
    weights = np.zeros_like(residual)
    direction = np.zeros_like(residual)
    before = np.ones(len(residual))
    for step in range(steps):
        better = np.where(observed, precision(fill(residual)), 0.0)
        length = (residual * better).sum(1)
        if step == 0:
            direction = better
        else:
            direction = better + _over(length, before)[:, None] * direction
        product = np.where(observed, covariance(direction), 0.0)
        stride = _over(length, (direction * product).sum(1))[:, None]
        weights += stride * direction
        residual -= stride * product
        before = length
    return np.where(observed, maps, covariance(weights) + fill(residual))


def _over(first: Maps, second: Maps) -> Maps:
    """first / second, 0 where a sky is solved already."""
    return np.divide(first, second, out=np.zeros_like(first), where=second > 0)
