"""The public source: WMAP nine-year bands, smoothed to 1°, for the Galaxy and for a real sky.

C. L. Bennett et al., "Nine-year WMAP Observations: Final Maps and Results", ApJS 208, 2013,
arXiv:1212.5225.  The K band shows the Galaxy; a linear combination of K, Ka and V with the least
variance keeps the CMB and loses most of the foregrounds (an internal linear combination).
"""

from __future__ import annotations

import healpy
import numpy as np
from numpy.typing import NDArray

from domains.cmb_inpainting.params import IngestParams
from domains.cmb_inpainting.science.masks import threshold_mask
from domains.cmb_inpainting.science.spectra import change_resolution
from domains.cmb_inpainting.sources.collection import Collection
from domains.cmb_inpainting.sources.fits_maps import read_map
from domains.errors import DataError
from domains.files import fetch

ADDRESS = "https://raw.githubusercontent.com/komatsu5147/CleanCMB.jl/master/examples/data"
"""NASA/LAMBDA's maps brought to nside 128 by E. Komatsu (MIT licence)."""

SHA256 = {
    "K": "c98e3b0bbf3e5adbb77442999e4032a59db2a3281fc7e86eb465dbdd181a5658",
    "Ka": "d92667bfce6fc6bf5bc0b80e28aa82a464e4129088e6c8783a87633a60a4cd22",
    "V": "1ed6c27ae5c36f1b7f4e997dce8da2234438118fef3e63760f258dcbf6b0e825",
}

FWHM_ARCMIN = 60.0
NSIDE = 128

_WEIGHTS_OUTSIDE_PERCENT = 2  # the brightest pixels of the K band do not choose the weights


def collect_wmap(settings: IngestParams) -> Collection:
    """K-band template and the real sky at the resolution of ``settings``.

    Raises:
        DataError: a finer resolution than the maps have, or a file that cannot be had.
    """
    if settings.fwhm_arcmin < FWHM_ARCMIN or settings.nside > NSIDE:
        raise DataError(
            f"cmb_inpainting: source public has a beam of {FWHM_ARCMIN:g}′ at nside {NSIDE}, "
            f"found ingest.fwhm_arcmin: {settings.fwhm_arcmin:g} and ingest.nside: "
            f"{settings.nside}; take a wider beam and at most that nside"
        )
    bands = {band: read_band(band) for band in SHA256}
    weights = least_variance_weights(
        np.stack(list(bands.values())), threshold_mask(bands["K"], _WEIGHTS_OUTSIDE_PERCENT)
    )
    clean = weights @ np.stack(list(bands.values()))
    lmax = min(3 * settings.nside - 1, settings.lmax or 3 * settings.nside - 1)
    collection = Collection(
        title="simulated CMB skies behind masks of the WMAP K band; one real sky (WMAP 9-year)",
        source=f"{ADDRESS} (NASA/LAMBDA, WMAP 9-year, smoothed to 1 degree)",
        licence="NASA/LAMBDA, US government work; files MIT",
        template=healpy.ud_grade(bands["K"], settings.nside),
        turn_masks=True,
    )
    collection.real["wmap_ilc"] = change_resolution(
        clean, settings.nside, lmax, FWHM_ARCMIN, settings.fwhm_arcmin
    )
    shares = ", ".join(f"{b} {w:+.2f}" for b, w in zip(bands, weights, strict=True))
    collection.source += f"; the real sky is the combination {shares}"
    return collection


def read_band(band: str) -> NDArray[np.float64]:
    """A band (N,) in µK."""
    path = fetch(
        f"{ADDRESS}/wmap_band_smth_imap_r7_9yr_{band}_v5.fits",
        SHA256[band],
        "cmb_inpainting",
        f"cmb/wmap9_{band}_1deg_nside128_mK_ring.fits",
    )
    return read_map(path).microkelvin("auto")[0]


def least_variance_weights(bands: NDArray, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Weights of the bands (B, N) that sum to one with the least variance where observed."""
    inverse = np.linalg.inv(np.cov(bands[:, mask]))
    return inverse.sum(axis=1) / inverse.sum()
