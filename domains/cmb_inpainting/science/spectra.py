"""Angular power spectra: Planck 2018 by CAMB, beam and noise, band powers and their scatter.

A. Lewis, A. Challinor, A. Lasenby, ApJ 538, 2000, astro-ph/9911177 (CAMB); Planck Collaboration,
"Planck 2018 results. VI", 2020, arXiv:1807.06209, table 2, TT,TE,EE+lowE+lensing.

Legend: ℓ multipole from 0; C_ℓ in µK²; D_ℓ = ℓ(ℓ+1) C_ℓ/2π in µK²; L = lmax + 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import healpy
import numpy as np
from numpy.typing import ArrayLike, NDArray

from domains.cmb_inpainting.science.sphere import nside_of

Spectrum = NDArray[np.float64]

# Planck 2018 VI, table 2, column TT,TE,EE+lowE+lensing: value and standard deviation
PLANCK_2018 = {
    "H0": (67.36, 0.54),
    "ombh2": (0.02237, 0.00015),
    "omch2": (0.1200, 0.0012),
    "tau": (0.0544, 0.0073),
    "ln_1e10_As": (3.044, 0.014),
    "ns": (0.9649, 0.0042),
}

_LMAX_LEAST = 600  # CAMB's lensing needs multipoles beyond the last one asked for
_LMAX_MARGIN = 200


def draw_cosmology(seed: int | None) -> dict[str, float]:
    """Planck's best parameters, or with a seed each drawn evenly within two of its deviations."""
    if seed is None:
        return {name: value for name, (value, _) in PLANCK_2018.items()}
    steps = np.random.default_rng(seed).uniform(-2, 2, len(PLANCK_2018))
    return {
        name: value + step * deviation
        for (name, (value, deviation)), step in zip(PLANCK_2018.items(), steps, strict=True)
    }


def lensed_spectrum(lmax: int, cosmology: dict[str, float] | None = None) -> Spectrum:
    """Lensed temperature C_ℓ (L,) in µK² of a flat universe; monopole and dipole are 0.

    Args:
        lmax: highest multipole.
        cosmology: as ``draw_cosmology`` gives it; ``None`` = Planck 2018.
    """
    import camb  # two seconds to import

    values = dict(cosmology or draw_cosmology(None))
    amplitude = np.exp(values.pop("ln_1e10_As")) * 1e-10
    # mnu: the smallest sum of masses that oscillations allow, as Planck assumes
    parameters = camb.set_params(**values, As=amplitude, mnu=0.06, omk=0)
    parameters.set_for_lmax(max(lmax + _LMAX_MARGIN, _LMAX_LEAST), lens_potential_accuracy=1)
    powers = camb.get_results(parameters).get_lensed_scalar_cls(
        lmax=lmax, CMB_unit="muK", raw_cl=True
    )
    spectrum = np.asarray(powers[: lmax + 1, 0], dtype=np.float64)
    spectrum[:2] = 0
    return spectrum


def gaussian_beam(fwhm_arcmin: float, lmax: int) -> Spectrum:
    """b_ℓ = exp(−ℓ(ℓ+1) σ²/2) with σ = FWHM/√(8 ln 2), (L,)."""
    sigma = np.deg2rad(fwhm_arcmin / 60) / np.sqrt(8 * np.log(2))
    ell = np.arange(lmax + 1)
    return np.exp(-0.5 * ell * (ell + 1) * sigma**2)


def to_d_ell(spectrum: ArrayLike) -> Spectrum:
    """D_ℓ = ℓ(ℓ+1) C_ℓ/2π of spectra (..., L)."""
    spectrum = np.asarray(spectrum, dtype=np.float64)
    ell = np.arange(spectrum.shape[-1])
    return spectrum * ell * (ell + 1) / (2 * np.pi)


def synthesize(spectrum: Spectrum, nside: int, seed: int) -> NDArray[np.float64]:
    """A Gaussian sky (N,) in RING order with this C_ℓ, the same for the same seed.

    The coefficients are drawn here, so no global random state is touched.
    """
    lmax = len(spectrum) - 1
    rng = np.random.default_rng(seed)
    ell, m = healpy.Alm.getlm(lmax)
    draws = rng.standard_normal((2, len(ell)))
    coefficients = (draws[0] + 1j * draws[1]) * np.sqrt(spectrum[ell] / 2)
    is_zonal = m == 0
    coefficients[is_zonal] = draws[0, is_zonal] * np.sqrt(spectrum[ell[is_zonal]])
    return healpy.alm2map(coefficients, nside, lmax=lmax, pixwin=False)


def measure(sky: ArrayLike, lmax: int) -> Spectrum:
    """C_ℓ (..., L) of complete skies (..., N) in RING order; monopole and dipole stay in."""
    sky = np.asarray(sky, dtype=np.float64)
    if not np.isfinite(sky).all() or (sky == healpy.UNSEEN).any():
        raise ValueError("a sky with NaN or UNSEEN has no spectrum; fill it first")
    nside_of(sky.shape[-1])
    flat = sky.reshape(-1, sky.shape[-1])
    # use_pixel_weights and pixwin would look for files on the network
    spectra = [
        healpy.anafast(one, lmax=lmax, iter=3, use_pixel_weights=False, pol=False) for one in flat
    ]
    return np.array(spectra).reshape(*sky.shape[:-1], lmax + 1)


def standard_bands(lmax: int) -> list[tuple[int, int]]:
    """First and last ℓ of the bands that scores are given in: 2–10, 11–30, 31–60, 61–120, …"""
    edges = [2, 11, 31, 61]
    while edges[-1] <= lmax:
        edges.append(2 * edges[-1] - 1)
    return [(low, min(high - 1, lmax)) for low, high in pairwise(edges) if low <= lmax]


def band_powers(spectrum: ArrayLike, bands: Sequence[tuple[int, int]]) -> Spectrum:
    """Mean D_ℓ of spectra (..., L) in each band, (..., number of bands), µK²."""
    d_ell = to_d_ell(spectrum)
    return np.stack([d_ell[..., low : high + 1].mean(axis=-1) for low, high in bands], axis=-1)


def cosmic_variance(spectrum: ArrayLike, bands: Sequence[tuple[int, int]]) -> Spectrum:
    """Relative standard deviation of the band power of a full sky: Var C_ℓ = 2 C_ℓ²/(2ℓ + 1)."""
    d_ell = to_d_ell(spectrum)
    ell = np.arange(d_ell.shape[-1])
    variance = 2 * d_ell**2 / (2 * ell + 1)
    relative = [
        np.sqrt(variance[low : high + 1].sum()) / d_ell[low : high + 1].sum() for low, high in bands
    ]
    return np.array(relative)


def change_resolution(
    sky: ArrayLike, nside: int, lmax: int, fwhm_from_arcmin: float, fwhm_to_arcmin: float
) -> NDArray[np.float64]:
    """A complete sky (N,) with a wider beam, at another nside, by its harmonic coefficients."""
    coefficients = healpy.map2alm(
        np.asarray(sky, dtype=np.float64), lmax=lmax, iter=3, use_pixel_weights=False
    )
    ratio = gaussian_beam(fwhm_to_arcmin, lmax) / gaussian_beam(fwhm_from_arcmin, lmax)
    return healpy.alm2map(healpy.almxfl(coefficients, ratio), nside, lmax=lmax, pixwin=False)
