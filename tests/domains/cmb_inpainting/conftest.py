"""Parameters, spectra and skies that the tests of cmb_inpainting share."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from domains.cmb_inpainting.science.skies import Universe
from domains.cmb_inpainting.science.spectra import gaussian_beam

INGEST = {
    "nside": 8,
    "lmax": None,
    "fwhm_arcmin": 880.0,
    "noise_uk": 1.0,
    "seed": 0,
    "cosmologies": 1,
    "validate_skies": 2,
    "test_skies": 3,
    "train_masks": ["gal15", "discs10x2"],
    "validate_masks": ["gal15"],
    "test_masks": ["gal15", "strip20"],
    "reference": "auto",
    "template": None,
    "unit": "auto",
}

PREDICT = {
    "mask": None,
    "mask_column": None,
    "column": None,
    "offset": "monopole",
    "realisations": 0,
    "seed": 0,
}


@pytest.fixture
def ingest_params():
    """The section ``ingest`` at a size for tests."""
    return copy.deepcopy(INGEST)


@pytest.fixture
def predict_params():
    """A block for ``predict``: the sections it reads."""
    return {"ingest": copy.deepcopy(INGEST), "evaluate": {"predict": copy.deepcopy(PREDICT)}}


def plateau(lmax: int, fwhm_arcmin: float) -> np.ndarray:
    """C_ℓ of D_ℓ = 1000 µK² behind a beam: a sky like the CMB without CAMB."""
    ell = np.arange(lmax + 1)
    spectrum = np.zeros(lmax + 1)
    spectrum[2:] = 2000 * np.pi / (ell[2:] * (ell[2:] + 1))
    return spectrum * gaussian_beam(fwhm_arcmin, lmax) ** 2


@pytest.fixture(scope="session")
def universe():
    """Skies at nside 8."""
    return Universe(plateau(23, 880.0)[None], nside=8, fwhm_arcmin=880.0, noise_uk=1.0)
