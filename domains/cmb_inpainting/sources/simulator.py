"""Simulated skies as the field makes them: CAMB spectra, a Gaussian beam, HEALPix synthesis."""

from __future__ import annotations

import numpy as np

from domains.cmb_inpainting.params import IngestParams
from domains.cmb_inpainting.science.skies import Universe
from domains.cmb_inpainting.science.spectra import (
    draw_cosmology,
    gaussian_beam,
    lensed_spectrum,
)
from domains.cmb_inpainting.sources.collection import Collection
from domains.errors import DataError


def simulated_collection() -> Collection:
    """The source ``sample``: nothing measured at all."""
    return Collection(
        title="simulated CMB skies behind a simulated Galaxy, no measurement",
        source="CAMB (Planck 2018 parameters) and HEALPix synthesis",
        licence="BSD-3-Clause, as Convoy itself",
    )


def make_universe(settings: IngestParams) -> Universe:
    """The spectra that skies are drawn from, with the beam.

    Raises:
        DataError: more multipoles than the pixels can carry.
    """
    most = 3 * settings.nside - 1
    lmax = most if settings.lmax is None else settings.lmax
    if lmax > most:
        raise DataError(
            f"cmb_inpainting: ingest.lmax = {lmax}, expected up to 3·nside − 1 = {most}"
        )
    seeds = [None] if settings.cosmologies == 1 else range(settings.cosmologies)
    beam = gaussian_beam(settings.fwhm_arcmin, lmax)
    spectra = [
        lensed_spectrum(lmax, draw_cosmology(None if seed is None else settings.seed * 1000 + seed))
        * beam**2
        for seed in seeds
    ]
    return Universe(np.array(spectra), settings.nside, settings.fwhm_arcmin, settings.noise_uk)
