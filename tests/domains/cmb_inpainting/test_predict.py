"""A map to its filled map, with classical fills in the place of a trained model."""

import logging
import re
from types import SimpleNamespace
from typing import ClassVar
from unittest import mock

import healpy
import numpy as np
import pytest
from astropy.io import fits

from domains.cmb_inpainting.predict import example_input, infer, predict
from domains.cmb_inpainting.science.covariance import Covariance
from domains.cmb_inpainting.science.fills import ConstrainedMean, diffusive_fill
from domains.cmb_inpainting.science.masks import draw_masks
from domains.cmb_inpainting.sources import simulator
from domains.errors import DataError


class Diffusive:
    """A model that needs no training."""

    config: ClassVar = {"nside": 32}

    def fill(self, maps, mask):
        assert maps.dtype == np.float32
        assert maps.ndim == 2
        return diffusive_fill(maps, mask)


class Optimum:
    """The best of all models."""

    def __init__(self, universe):
        self.covariance = Covariance(universe.spectra[0], universe.noise_uk)

    def fill(self, maps, mask):
        return ConstrainedMean(mask, self.covariance)(maps)


@pytest.fixture
def sky(universe):
    return universe.draw(0)


@pytest.fixture
def mask():
    return draw_masks("gal15", 8, 0)[0]


@pytest.fixture
def files(tmp_path, sky, mask):
    """map.fits with everything in it, mask.fits beside it."""
    healpy.write_map(tmp_path / "map.fits", sky, column_units="uK", dtype=np.float32)
    healpy.write_map(tmp_path / "mask.fits", mask.astype(np.float32), dtype=np.float32)
    return tmp_path


def with_mask(params, files, **changes):
    params["evaluate"]["predict"] |= {"mask": str(files / "mask.fits"), **changes}
    return params


def test_masked_pixels_are_filled_and_observed_ones_are_the_same_bits(
    files, predict_params, sky, mask
):
    predict(Diffusive(), files / "map.fits", files / "out.fits", **with_mask(predict_params, files))
    found = healpy.read_map(files / "out.fits", dtype=np.float32)
    assert found[mask].tobytes() == sky[mask].tobytes()
    np.testing.assert_allclose(found, diffusive_fill(sky, mask), rtol=1e-4, atol=1e-3)


def test_order_unit_and_column_stay_those_of_the_file(tmp_path, predict_params, sky, mask):
    kelvin = np.where(mask, sky * 1e-6, healpy.UNSEEN)
    kelvin[np.flatnonzero(~mask)[:5]] = np.nan
    healpy.write_map(
        tmp_path / "map.fits", healpy.reorder(kelvin, r2n=True), nest=True, dtype=np.float32,
        column_names=["TEMP"], column_units="K_CMB",
    )  # fmt: skip
    predict(Diffusive(), tmp_path / "map.fits", tmp_path / "out.fits", **predict_params)
    with fits.open(tmp_path / "out.fits") as file:
        header = file[1].header
        assert (header["ORDERING"], header["TTYPE1"], header["TUNIT1"]) == (
            "NESTED", "TEMP", "K_CMB",
        )  # fmt: skip
    found = healpy.read_map(tmp_path / "out.fits")
    np.testing.assert_allclose(found * 1e6, diffusive_fill(sky, mask), rtol=1e-4, atol=1e-3)


def test_the_shared_trap_file_is_filled_in_one_go(tmp_path, predict_params, test_data):
    path = test_data / "cmb" / "trap_V_nside64_NEST_Kelvin_UNSEEN_NaN.fits"
    predict_params["ingest"]["nside"] = 64
    predict(Diffusive(), path, tmp_path / "out.fits", **predict_params)
    before, after = (healpy.read_map(p, nest=None) for p in (path, tmp_path / "out.fits"))
    is_missing = np.isnan(before) | healpy.mask_bad(before)
    assert after[~is_missing].tobytes() == before[~is_missing].tobytes()
    assert np.isfinite(after).all()
    assert np.abs(after[is_missing]).max() < 0.1  # K, not µK nor UNSEEN


def test_a_monopole_passes_through_unharmed(files, predict_params, sky, mask):
    healpy.write_map(files / "high.fits", sky + 5000, column_units="uK", dtype=np.float32)

    class NoMonopole(Diffusive):
        def fill(self, maps, mask):
            assert abs(maps[0][mask].mean()) < 1
            return super().fill(maps, mask)

    predict(
        NoMonopole(), files / "high.fits", files / "out.fits", **with_mask(predict_params, files)
    )
    found = healpy.read_map(files / "out.fits")
    np.testing.assert_allclose(found - 5000, diffusive_fill(sky, mask), atol=2e-3)
    np.testing.assert_array_equal(found[mask], (sky + 5000)[mask])


def test_realisations_and_their_sigma_are_those_of_the_constrained_sky(
    files, predict_params, sky, mask, universe
):
    params = with_mask(predict_params, files, realisations=120, offset="none")
    optimum = Optimum(universe)
    with mock.patch.object(simulator, "make_universe", return_value=universe):
        predict(optimum, files / "map.fits", files / "out.fits", **params)
    with fits.open(files / "out.fits") as file:
        drawn = np.stack([file["REALISATIONS"].data[f"REALISATION_{k + 1}"] for k in range(120)])
        sigma = file["SIGMA"].data["SIGMA"]
        filled = file[1].data.field(0).ravel()
        assert file["REALISATIONS"].header["TUNIT1"] == "uK"
    assert (drawn[:, mask] == sky[mask]).all()
    assert (sigma[mask] == 0).all()
    known = ConstrainedMean(mask, optimum.covariance).sigma()[~mask]
    ratio = (drawn[:, ~mask].std(axis=0) / known).mean()
    assert ratio == pytest.approx(1, abs=0.05)
    np.testing.assert_allclose(sigma[~mask], drawn[:, ~mask].std(axis=0, ddof=1), rtol=1e-3)
    pull = (drawn.mean(axis=0) - filled)[~mask] / known * np.sqrt(120)
    assert np.sqrt((pull**2).mean()) < 2


def test_the_answer_is_the_same_bytes_each_time(files, predict_params, universe):
    params = with_mask(predict_params, files, realisations=2)
    with mock.patch.object(simulator, "make_universe", return_value=universe):
        for name in ("a.fits", "b.fits"):
            predict(Diffusive(), files / "map.fits", files / name, **params)
    assert (files / "a.fits").read_bytes() == (files / "b.fits").read_bytes()


def test_what_cannot_be_filled_is_refused_and_nothing_is_written(
    files, predict_params, universe, sky
):
    def refuses(message, name="map.fits", output="out.fits", **changes):
        params = {**predict_params, "evaluate": {"predict": {
            **predict_params["evaluate"]["predict"], **changes,
        }}}  # fmt: skip
        with pytest.raises(DataError, match=message) as caught:
            predict(Diffusive(), files / name, files / output, **params)
        assert "\n" not in str(caught.value)
        assert not (files / output).exists()

    healpy.write_map(files / "mask16.fits", np.ones(3072), dtype=np.float32)
    healpy.write_map(files / "big.fits", np.ones(3072), column_units="uK", dtype=np.float32)
    healpy.write_map(files / "kelvin.fits", sky / 1e6, column_units="uK", dtype=np.float32)
    healpy.write_map(files / "none.fits", np.full(768, healpy.UNSEEN), dtype=np.float32)
    for name, coord in (("celestial", "C"), ("galactic", "G")):
        path = files / f"{name}.fits"
        healpy.write_map(path, sky > 0, coord=coord, column_units="uK", dtype=np.float32)
    refuses(
        "galactic.fits: COORDSYS = G, expected C as the map has",
        "celestial.fits",
        mask=str(files / "galactic.fits"),
    )
    refuses("nothing to fill, no pixel of T is UNSEEN or NaN; name a mask")
    refuses("column T has nside = 16, expected 8", mask=str(files / "mask16.fits"))
    refuses("no such file", mask=str(files / "absent.fits"))
    refuses("nside = 16, but the model was trained at 8; train one with", "big.fits")
    refuses("every pixel is UNSEEN or NaN", "none.fits")
    refuses("observed pixels spread by .*e-05 µK", "kelvin.fits", mask=str(files / "mask.fits"))
    refuses("no column '7'", column="7")
    refuses("expected one of .fits", output="out.npz")


def test_a_failing_model_leaves_no_file(files, predict_params):
    class Broken:
        def fill(self, maps, mask):
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        predict(Broken(), files / "map.fits", files / "o.fits", **with_mask(predict_params, files))
    assert sorted(path.name for path in files.iterdir()) == ["map.fits", "mask.fits"]


def test_foregrounds_outside_the_mask_are_warned_of(files, predict_params, sky, caplog):
    healpy.write_map(files / "bright.fits", sky * 12, column_units="uK", dtype=np.float32)
    with caplog.at_level(logging.WARNING):
        predict(
            Diffusive(), files / "bright.fits", files / "o.fits", **with_mask(predict_params, files)
        )
    assert "foregrounds outside the mask" in caplog.text


def test_a_map_that_is_not_what_the_model_knows_is_warned_of(
    files, predict_params, sky, universe, caplog
):
    """White noise of 30 µK: the optimum for a smooth sky does worse than diffusion."""
    params, optimum = with_mask(predict_params, files), Optimum(universe)
    predict(optimum, files / "map.fits", files / "good.fits", **params)
    assert caplog.text == ""
    noisy = sky + np.random.default_rng(0).normal(0, 30, len(sky)).astype(np.float32)
    healpy.write_map(files / "noisy.fits", noisy, column_units="uK", dtype=np.float32)
    predict(optimum, files / "noisy.fits", files / "bad.fits", **params)
    assert "trained for a beam of 880′ and noise of 1 µK: smooth the map" in caplog.text
    with fits.open(files / "good.fits") as file:
        filled, tested = file[1].header["HISTORY"]
    assert filled == "convoy cmb_inpainting: 115 masked pixels of T filled"
    found = re.fullmatch(r"(\d+) observed .*: RMSE (.*) uK, diffusive (.*) uK", tested)
    assert int(found[1]) > 20
    assert float(found[2]) < 0.8 * float(found[3])


def test_inference_fills_the_example_and_leaves_the_observed_sky():
    arrays = example_input(Diffusive())
    assert {key: value.shape for key, value in arrays.items()} == {
        "map": (12288,), "mask": (12288,),
    }  # fmt: skip
    assert arrays["map"].std() == pytest.approx(50, abs=15)
    (filled,) = infer(Diffusive(), arrays).values()
    mask = arrays["mask"] > 0
    assert filled.dtype == np.float32
    np.testing.assert_array_equal(filled[mask], arrays["map"][mask])
    assert (filled[~mask] != arrays["map"][~mask]).any()
    np.testing.assert_array_equal(arrays["map"], example_input(Diffusive())["map"])
    assert example_input(SimpleNamespace(config={"nside": 16}))["mask"].shape == (3072,)


def test_inference_refuses_what_it_cannot_use():
    arrays = example_input(Diffusive())
    spoilt = np.where(arrays["mask"] > 0, np.nan, arrays["map"])
    for change, message in [
        ({"mask": None}, "mask missing, expected map"),
        ({"mask": arrays["mask"][:5]}, r"map \(12288,\) and mask \(5,\)"),
        ({"map": np.zeros(700), "mask": np.ones(700)}, "700 pixels: expected 12·nside²"),
        ({"map": spoilt}, "UNSEEN or not finite where the mask says observed"),
        ({"map": arrays["map"] / 1e6}, "give µK"),
    ]:
        given = {k: v for k, v in {**arrays, **change}.items() if v is not None}
        with pytest.raises(DataError, match=message):
            infer(Diffusive(), given)


def test_nothing_that_downloads_is_reached(files, predict_params, universe, monkeypatch):
    """Pixel windows and pixel weights are not in healpy's wheel: it would look on the network."""
    import socket

    def refuse(*_, **__):
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    params = with_mask(predict_params, files, realisations=1)
    predict(Diffusive(), files / "map.fits", files / "out.fits", **params)  # with CAMB itself
    assert (files / "out.fits").exists()
