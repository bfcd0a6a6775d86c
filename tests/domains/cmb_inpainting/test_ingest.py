"""Sources to a dataset: what is in it, what it says of itself, and what is refused."""

from unittest import mock

import healpy
import numpy as np
import pytest

from domains.cmb_inpainting.ingest import ingest
from domains.cmb_inpainting.science.skies import Masks, SkySet, Universe, has_split
from domains.cmb_inpainting.sources import simulator
from domains.contract import Card
from domains.errors import DataError
from tests.domains.cmb_inpainting.conftest import plateau


@pytest.fixture(autouse=True)
def quick_spectrum():
    """CAMB takes seconds; test_spectra has it."""
    with mock.patch.object(
        simulator, "lensed_spectrum", lambda lmax, cosmology=None: plateau(lmax, 1e-6)
    ):
        yield


def rmse(skies, method, number=0):
    where = ~skies.masks.values[number] & (True if skies.scored is None else skies.scored)
    return np.sqrt(((skies.fills[method][number] - skies.skies)[:, where] ** 2).mean())


def test_the_sample_is_skies_masks_and_their_classical_fills(tmp_path, ingest_params):
    ingest_params["test_skies"] = 40
    card = ingest("sample", tmp_path / "out", ingest=ingest_params)
    test = SkySet.load(tmp_path / "out", "test")
    assert test.skies.shape == (40, 768)
    assert list(test.masks.names) == ["gal15", "strip20"]
    for number in range(2):
        best = rmse(test, "constrained_mean", number)
        assert best < rmse(test, "diffusive", number)
        assert rmse(test, "constrained_realisation", number) > 1.2 * best
        predicted = test.sigma[number][~test.masks.values[number]]
        assert best == pytest.approx(np.sqrt((predicted**2).mean()), rel=0.08)
        for filled in test.fills.values():
            observed = test.masks.values[number]
            np.testing.assert_array_equal(filled[number][:, observed], test.skies[:, observed])
    assert list(Masks.load(tmp_path / "out", "train").names) == [
        "gal15", "discs10x2_0", "discs10x2_1",
    ]  # fmt: skip
    assert SkySet.load(tmp_path / "out", "validate").skies.shape == (2, 768)
    assert not has_split(tmp_path / "out", "real")
    assert "no measurement" in card.title
    assert card.counts["masked pixels, test, gal15"] == 115


def test_the_same_parameters_give_the_same_bytes_and_another_seed_does_not(tmp_path, ingest_params):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        ingest("sample", tmp_path / name, ingest={**ingest_params, "seed": seed})
    hashes = [Card.load(tmp_path / name)[1] for name in "abc"]
    assert hashes[0] == hashes[1] != hashes[2]


def test_random_masks_of_the_test_are_not_those_of_training(tmp_path, ingest_params):
    masks = {"train_masks": ["discs10"], "validate_masks": ["discs10"], "test_masks": ["discs10"]}
    ingest("sample", tmp_path / "out", ingest={**ingest_params, **masks})
    found = [Masks.load(tmp_path / "out", split).values for split in ("train", "validate", "test")]
    assert len({values.tobytes() for values in found}) == 3


def test_drawn_cosmologies_are_spectra_of_their_own(tmp_path, ingest_params):
    drawn = []
    with mock.patch.object(
        simulator,
        "lensed_spectrum",
        lambda lmax, cosmology: drawn.append(cosmology) or plateau(lmax, 1) * cosmology["ns"],
    ):
        ingest("sample", tmp_path / "out", ingest={**ingest_params, "cosmologies": 3})
    assert len({one["ns"] for one in drawn}) == 3
    assert len(np.unique(Universe.load(tmp_path / "out").spectra[:, 5])) == 3


def test_a_real_sky_is_masked_where_it_is_known_and_scored_there_alone(
    tmp_path, ingest_params, test_data, monkeypatch
):
    monkeypatch.setenv("CONVOY_MIRROR", str(test_data))
    ingest("public", tmp_path / "out", ingest=ingest_params)
    real = SkySet.load(tmp_path / "out", "real")
    assert list(real.names) == ["wmap_ilc"]
    assert list(real.masks.names) == ["gal15_and_quarter_turn", "strip20_and_quarter_turn"]
    assert 0.08 < (~real.masks.values[0] & real.scored).mean() < 0.2
    assert not real.masks.values[:, ~real.scored].any()  # the Galaxy informs no fill
    assert abs(real.skies[0][real.scored].mean()) < 1
    assert rmse(real, "diffusive") < np.sqrt((real.skies[0][real.scored] ** 2).mean())


def test_the_users_masks_and_skies_are_taken(tmp_path, ingest_params, universe):
    (tmp_path / "in").mkdir()
    sky, mask = universe.draw(0), np.ones(768, dtype=np.float32)
    sky[5], mask[100:150] = np.nan, 0
    healpy.write_map(tmp_path / "in" / "sky.fits", sky, column_units="uK", dtype=np.float32)
    healpy.write_map(tmp_path / "in" / "hole.fits", mask, dtype=np.float32)
    specs = {f"{split}_masks": ["files"] for split in ("train", "validate", "test")}
    card = ingest(str(tmp_path / "in"), tmp_path / "out", ingest={**ingest_params, **specs})
    assert card.splits["test masks"] == ["hole"]
    real = SkySet.load(tmp_path / "out", "real")
    assert not real.scored[5]
    assert real.scored.sum() == 767
    assert (~real.masks.values[0]).sum() == 51


def test_a_template_of_the_user_makes_the_galactic_masks(tmp_path, ingest_params):
    bright = np.zeros(12 * 16**2, dtype=np.float32)
    bright[: 12 * 16**2 // 4] = 1 + np.arange(12 * 16**2 // 4)
    healpy.write_map(tmp_path / "k.fits", bright, dtype=np.float32)
    specs = {f"{split}_masks": ["gal15"] for split in ("train", "validate", "test")}
    settings = {**ingest_params, **specs, "template": str(tmp_path / "k.fits")}
    ingest("sample", tmp_path / "out", ingest=settings)
    masked = ~Masks.load(tmp_path / "out", "test").values[0]
    assert not masked[768 // 3 :].any()
    healpy.write_map(tmp_path / "k.fits", bright, coord="E", dtype=np.float32, overwrite=True)
    with pytest.raises(DataError, match=r"k\.fits: COORDSYS = E, expected G"):
        ingest("sample", tmp_path / "again", ingest=settings)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lmax": 24}, "ingest.lmax = 24, expected up to 3·nside − 1 = 23"),
        ({"test_masks": ["files"]}, "ingest.test_masks asks for files, but the source has no mask"),
        ({"train_masks": ["gal95"]}, "ingest.train_masks: mask 'gal95': expected 1 to 80"),
        ({"test_masks": ["gal15", "gal15"]}, "ingest.test_masks names a mask twice"),
    ],
)
def test_values_that_do_not_go_together_are_refused(tmp_path, ingest_params, change, message):
    with pytest.raises(DataError, match=message):
        ingest("sample", tmp_path / "out", ingest={**ingest_params, **change})
    assert not (tmp_path / "out").exists()
