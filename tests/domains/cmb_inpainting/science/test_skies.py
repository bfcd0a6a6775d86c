"""The dataset on disk comes back as it was, and skies come from their seeds."""

import healpy
import numpy as np
import pytest

from domains.cmb_inpainting.science.masks import draw_masks
from domains.cmb_inpainting.science.skies import Masks, SkySet, Universe, has_split
from domains.errors import DataError
from domains.files import hash_file


@pytest.fixture
def sky_set(universe):
    masks = Masks(["gal15", "strip20"], np.concatenate([
        draw_masks("gal15", 8, 0), draw_masks("strip20", 8, 0),
    ]))  # fmt: skip
    skies = universe.draw_fixed("test", 3, 0)
    fills = {"diffusive": np.broadcast_to(skies, (2, 3, 768)).copy()}
    sigma = np.abs(skies[:2])
    return SkySet(["a", "b", "c"], skies, masks, fills, sigma, skies[0] > 0)


def test_a_universe_comes_back_and_draws_the_same_skies(tmp_path, universe):
    universe.save(tmp_path)
    loaded = Universe.load(tmp_path)
    np.testing.assert_array_equal(loaded.draw(5), universe.draw(5))
    assert (loaded.nside, loaded.fwhm_arcmin, loaded.noise_uk, loaded.lmax) == (8, 880.0, 1.0, 23)


def test_skies_masks_and_fills_come_back(tmp_path, sky_set):
    sky_set.save(tmp_path, "test")
    loaded = SkySet.load(tmp_path, "test")
    assert (list(loaded.names), list(loaded.masks.names)) == (["a", "b", "c"], ["gal15", "strip20"])
    for key in ("skies", "sigma", "scored"):
        np.testing.assert_array_equal(getattr(loaded, key), getattr(sky_set, key))
    np.testing.assert_array_equal(loaded.masks.values, sky_set.masks.values)
    np.testing.assert_array_equal(loaded.fills["diffusive"], sky_set.fills["diffusive"])
    assert has_split(tmp_path, "test")
    assert not has_split(tmp_path, "real")


def test_healpy_reads_the_masks(tmp_path, sky_set):
    sky_set.masks.save(tmp_path, "train")
    found = healpy.read_map(tmp_path / "masks_train.fits", field=1)
    np.testing.assert_array_equal(found > 0, sky_set.masks.values[1])


def test_the_same_dataset_is_the_same_bytes(tmp_path, sky_set, universe):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        sky_set.save(tmp_path / name, "test")
        universe.save(tmp_path / name)
    for file in (tmp_path / "one").iterdir():
        assert hash_file(file) == hash_file(tmp_path / "two" / file.name), file.name


def test_splits_share_no_sky_with_each_other_nor_with_training(universe):
    drawn = [universe.draw(seed) for seed in range(20)]
    for split in ("validate", "test", "realisation", "predict"):
        drawn += list(universe.draw_fixed(split, 5, 0))
        drawn += list(universe.draw_fixed(split, 5, 1))
    assert len({sky.tobytes() for sky in drawn}) == 60
    later = universe.draw_fixed("predict", 2, 0, first=3)
    np.testing.assert_array_equal(later, universe.draw_fixed("predict", 5, 0)[3:])


def test_a_missing_dataset_is_named(tmp_path):
    with pytest.raises(DataError, match=r"spectra\.nc is missing; run the ingest step"):
        Universe.load(tmp_path)
