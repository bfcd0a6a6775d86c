"""Spectra against closed forms, healpy and simulations."""

import healpy
import numpy as np
import pytest

from domains.cmb_inpainting.science import spectra
from tests.domains.cmb_inpainting.conftest import plateau


def test_cambs_planck_spectrum_is_the_known_one(test_data):
    known = np.loadtxt(test_data / "cmb" / "camb_planck2018_lensed_raw_cl_muK2.txt")[:192, 1]
    found = spectra.lensed_spectrum(191)
    assert (found[:2] == 0).all()
    np.testing.assert_allclose(found[2:], known[2:], rtol=2e-3)


def test_drawn_cosmologies_stay_within_two_deviations():
    drawn = [spectra.draw_cosmology(seed) for seed in range(200)]
    for name, (value, deviation) in spectra.PLANCK_2018.items():
        steps = (np.array([one[name] for one in drawn]) - value) / deviation
        assert 1.8 < np.abs(steps).max() <= 2
        assert abs(steps.mean()) < 0.3
    assert spectra.draw_cosmology(3) == spectra.draw_cosmology(3)


def test_the_beam_is_healpys():
    found = spectra.gaussian_beam(220.0, 95)
    np.testing.assert_allclose(found, healpy.gauss_beam(np.deg2rad(220 / 60), 95), rtol=1e-12)


def test_a_simulated_sky_has_the_spectrum_it_was_drawn_from():
    spectrum = plateau(31, 220.0)
    skies = np.stack([spectra.synthesize(spectrum, 16, seed) for seed in range(60)])
    measured = spectra.measure(skies, 31).mean(axis=0)
    ell = np.arange(2, 31)
    scatter = np.sqrt(2 / (2 * ell + 1) / 60)
    assert np.abs((measured[2:31] / spectrum[2:31] - 1) / scatter).max() < 4
    np.testing.assert_array_equal(skies[7], spectra.synthesize(spectrum, 16, 7))


def test_simulating_leaves_numpys_global_generator_alone():
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    spectra.synthesize(plateau(8, 220.0), 4, 0)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_bands_cover_every_multipole_from_two_once():
    assert spectra.standard_bands(95) == [(2, 10), (11, 30), (31, 60), (61, 95)]
    for lmax in (23, 191, 767):
        covered = np.concatenate([np.arange(a, b + 1) for a, b in spectra.standard_bands(lmax)])
        np.testing.assert_array_equal(covered, np.arange(2, lmax + 1))


def test_band_power_of_a_plateau_is_its_height():
    spectrum = plateau(60, 1e-6)
    np.testing.assert_allclose(
        spectra.band_powers(spectrum, spectra.standard_bands(60)), 1000, rtol=1e-9
    )


def test_band_powers_scatter_by_cosmic_variance():
    spectrum, bands = plateau(60, 220.0), [(2, 10), (11, 30), (31, 60)]
    rng = np.random.default_rng(0)
    ell = np.arange(61)
    drawn = spectrum * rng.chisquare(2 * ell + 1, (4000, 61)) / (2 * ell + 1)
    powers = spectra.band_powers(drawn, bands)
    expected = spectra.cosmic_variance(spectrum, bands)
    np.testing.assert_allclose(powers.std(axis=0) / powers.mean(axis=0), expected, rtol=0.05)


def test_a_sky_with_holes_has_no_spectrum():
    for hole in (np.nan, healpy.UNSEEN):
        sky = np.zeros(768)
        sky[3] = hole
        with pytest.raises(ValueError, match="NaN or UNSEEN"):
            spectra.measure(sky, 10)


def test_a_wider_beam_is_the_ratio_of_beams():
    spectrum = plateau(31, 300.0)
    sky = spectra.synthesize(spectrum, 32, 0)
    smooth = spectra.change_resolution(sky, 16, 31, 300.0, 600.0)
    ratio = spectra.measure(smooth, 20)[2:] / spectra.measure(sky, 20)[2:]
    expected = (spectra.gaussian_beam(600.0, 20) / spectra.gaussian_beam(300.0, 20))[2:] ** 2
    np.testing.assert_allclose(ratio, expected, rtol=5e-3)
