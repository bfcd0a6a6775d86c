"""How alike two pixels of a Gaussian sky are: the covariance that a spectrum makes.

ξ(θ) = Σ (2ℓ + 1)/4π · C_ℓ · P_ℓ(cos θ)

Legend: A, B numbers of pixels.
"""

from __future__ import annotations

from functools import lru_cache

import healpy
import numpy as np
from numpy.polynomial.legendre import legval
from numpy.typing import ArrayLike, NDArray

_ROWS = 512  # of a matrix at a time, so that scratch arrays stay small


class Covariance:
    """ξ by table, linear in sin(θ/2): smooth at 0, where ξ is largest.

    Args:
        spectrum: C_ℓ of the sky with its beam, (L,), µK².
        noise_uk: white noise of each pixel, standard deviation, µK.
    """

    def __init__(self, spectrum: ArrayLike, noise_uk: float) -> None:
        if noise_uk <= 0:
            raise ValueError(f"noise_uk = {noise_uk}: expected more than 0, or no inverse exists")
        spectrum = np.asarray(spectrum, dtype=np.float64)
        self.noise_uk = noise_uk
        terms = (2 * np.arange(len(spectrum)) + 1) * spectrum / (4 * np.pi)
        self.variance = float(terms.sum())
        self._steps = 1000 * max(len(spectrum), 64)
        half_sine = np.linspace(0, 1, self._steps + 1)
        table = legval(1 - 2 * half_sine**2, terms)
        self._table = np.append(table, table[-1])

    def at(self, cosine: ArrayLike) -> NDArray[np.float64]:
        """ξ in µK² at these cosines of an angle."""
        place = np.sqrt(np.clip((1 - np.asarray(cosine)) / 2, 0, 1)) * self._steps
        step = place.astype(np.int32)
        low = self._table[step]
        return low + (self._table[step + 1] - low) * (place - step)

    def between(self, first: NDArray, second: NDArray) -> NDArray[np.float64]:
        """Covariance matrix (A, B) of the directions (A, 3) and (B, 3), without noise."""
        matrix = np.empty((len(first), len(second)))
        for start in range(0, len(first), _ROWS):
            rows = slice(start, start + _ROWS)
            matrix[rows] = self.at(first[rows] @ second.T)
        return matrix


@lru_cache(maxsize=8)
def unit_vectors(nside: int) -> NDArray[np.float64]:
    """Directions of all pixels in RING order, (N, 3)."""
    vectors = np.stack(healpy.pix2vec(nside, np.arange(12 * nside**2)), axis=1)
    vectors.setflags(write=False)
    return vectors
