"""The real sky: what the combination of bands keeps and loses."""

import numpy as np
import pytest

from domains.cmb_inpainting.params import IngestParams
from domains.cmb_inpainting.science.covariance import unit_vectors
from domains.cmb_inpainting.science.masks import threshold_mask
from domains.cmb_inpainting.sources.wmap import SHA256, collect_wmap, least_variance_weights
from domains.errors import DataError
from domains.files import hash_file


@pytest.fixture
def settings(ingest_params):
    return {**ingest_params, "nside": 32, "fwhm_arcmin": 220.0}


def test_the_hashes_are_those_of_the_files(test_data):
    for band, known in SHA256.items():
        path = test_data / "cmb" / f"wmap9_{band}_1deg_nside128_mK_ring.fits"
        assert hash_file(path) == known


def test_the_combination_is_the_cmb_and_the_template_the_galaxy(test_data, settings, monkeypatch):
    monkeypatch.setenv("CONVOY_MIRROR", str(test_data))
    found = collect_wmap(IngestParams.model_validate(settings))
    latitude = np.rad2deg(np.arcsin(unit_vectors(32)[:, 2]))
    sky = found.real["wmap_ilc"]
    away = sky[np.abs(latitude) > 30]
    assert 40 < away.std() < 60  # µK: Planck's spectrum behind 220′ makes 49.7
    masked = ~threshold_mask(found.template, 15)
    assert np.abs(latitude[masked]).mean() < 10
    assert found.template.max() > 100 * np.median(found.template)


def test_weights_keep_what_all_bands_share_and_lose_what_they_do_not():
    rng = np.random.default_rng(0)
    cmb, dust = rng.standard_normal((2, 5000))
    bands = np.stack([cmb + 9 * dust, cmb + 3 * dust, cmb + dust])
    weights = least_variance_weights(
        bands + 0.01 * rng.standard_normal((3, 5000)), np.ones(5000, bool)
    )
    assert weights.sum() == pytest.approx(1)
    assert weights @ [9, 3, 1] == pytest.approx(0, abs=0.05)


def test_a_finer_resolution_than_the_maps_is_refused(settings):
    settings["fwhm_arcmin"] = 30.0
    with pytest.raises(DataError, match=r"beam of 60′ at nside 128, found ingest\.fwhm_arcmin: 30"):
        collect_wmap(IngestParams.model_validate(settings))
