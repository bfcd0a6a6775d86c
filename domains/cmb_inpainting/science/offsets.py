"""Monopole and dipole of a cut sky: what a CMB map carries that is no CMB anisotropy."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from domains.cmb_inpainting.science.covariance import unit_vectors
from domains.cmb_inpainting.science.sphere import nside_of


def offset(sky: ArrayLike, where: ArrayLike, dipole: bool = False) -> NDArray[np.float64]:
    """The monopole (and dipole) as a map (N,), by least squares on the pixels ``where``.

    Args:
        sky: (N,) in RING order; values elsewhere are not read.
        where: (N,) booleans.
        dipole: whether to fit a dipole too.
    """
    sky, where = np.asarray(sky, dtype=np.float64), np.asarray(where, dtype=bool)
    terms = np.ones((len(sky), 1))
    if dipole:
        terms = np.column_stack([terms, unit_vectors(nside_of(len(sky)))])
    solution, *_ = np.linalg.lstsq(terms[where], sky[where], rcond=None)
    return terms @ solution
