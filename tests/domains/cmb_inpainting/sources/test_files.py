"""The user's folder: masks and skies told apart, or refused."""

import healpy
import numpy as np
import pytest
from astropy.io import fits

from domains.cmb_inpainting.params import IngestParams
from domains.cmb_inpainting.science.masks import draw_masks
from domains.cmb_inpainting.sources.files import collect_files
from domains.errors import DataError


@pytest.fixture
def folder(tmp_path, universe):
    sky = universe.draw(0)
    sky[:3] = healpy.UNSEEN
    healpy.write_map(tmp_path / "sky.fits", sky, column_units="uK", dtype=np.float32)
    mask = draw_masks("discs20", 8, 0)[0]
    healpy.write_map(tmp_path / "mask.fits", mask.astype(np.float32), nest=False, dtype=np.float32)
    (tmp_path / "notes.txt").write_text("not a map")
    return tmp_path


def test_masks_and_skies_are_told_apart(folder, ingest_params, universe):
    found = collect_files(str(folder), IngestParams.model_validate(ingest_params))
    np.testing.assert_array_equal(found.masks["mask"], draw_masks("discs20", 8, 0)[0])
    assert np.isnan(found.real["sky"]).sum() == 3
    np.testing.assert_allclose(found.real["sky"][3:], universe.draw(0)[3:], rtol=1e-6)


def test_another_nside_is_refused(folder, ingest_params):
    settings = IngestParams.model_validate({**ingest_params, "nside": 16})
    with pytest.raises(DataError, match=r"nside = 8, expected ingest\.nside = 16; set ingest"):
        collect_files(str(folder), settings)


def test_a_name_loses_its_ending_alone_and_two_of_one_name_are_refused(
    tmp_path, universe, ingest_params
):
    settings = IngestParams.model_validate(ingest_params)
    names = ["smica_R3.00_full", "smica_R3.00_hm1", "smica_R3.00_hm2"]
    for name, ending in zip(names, (".fits", ".FITS", ".fits.gz"), strict=True):
        path = tmp_path / (name + ending)
        healpy.write_map(path, universe.draw(0), column_units="uK", dtype=np.float32)
    assert sorted(collect_files(str(tmp_path), settings).real) == names
    (tmp_path / f"{names[0]}.fit").write_bytes((tmp_path / f"{names[0]}.fits").read_bytes())
    with pytest.raises(DataError, match=r"a second file called smica_R3\.00_full, expected one"):
        collect_files(str(tmp_path), settings)


@pytest.mark.parametrize("name", ["sky", "mask"])
def test_other_than_galactic_coordinates_are_refused(folder, ingest_params, name):
    settings = IngestParams.model_validate(ingest_params)
    path = folder / f"{name}.fits"
    fits.setval(path, "COORDSYS", value="G", ext=1)
    collect_files(str(folder), settings)
    fits.setval(path, "COORDSYS", value="C", ext=1)
    message = rf"{name}\.fits: COORDSYS = C, expected G as .*; turn it with healpy\.Rotator"
    with pytest.raises(DataError, match=message):
        collect_files(str(folder), settings)


def test_a_folder_without_fits_and_an_absent_one_are_refused(tmp_path, ingest_params):
    settings = IngestParams.model_validate(ingest_params)
    with pytest.raises(DataError, match=r"no file ending in \.fits"):
        collect_files(str(tmp_path), settings)
    with pytest.raises(DataError, match="no such file or folder"):
        collect_files(str(tmp_path / "absent"), settings)
