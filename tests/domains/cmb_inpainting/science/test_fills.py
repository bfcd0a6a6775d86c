"""Classical fills against their defining equations, and the optimum against everything else."""

import healpy
import numpy as np
import pytest

from domains.cmb_inpainting.science import fills
from domains.cmb_inpainting.science.covariance import Covariance, unit_vectors
from domains.cmb_inpainting.science.masks import draw_masks
from domains.cmb_inpainting.science.offsets import offset
from tests.domains.cmb_inpainting.conftest import plateau


@pytest.fixture(scope="module")
def mask():
    return draw_masks("gal15", 8, 0)[0]


@pytest.fixture(scope="module")
def skies(universe):
    return np.stack([universe.draw(seed) for seed in range(300)]).astype(np.float64)


@pytest.fixture(scope="module")
def covariance(universe):
    return Covariance(universe.spectra[0], universe.noise_uk)


def test_covariance_at_zero_angle_is_the_variance_of_the_sky(covariance, skies):
    assert covariance.at(1.0) == pytest.approx(covariance.variance, rel=1e-12)
    assert skies.var() == pytest.approx(covariance.variance + 1.0, rel=0.03)


def test_covariance_is_the_sum_over_harmonics():
    spectrum = plateau(6, 600.0)
    vectors = unit_vectors(4)
    expected = np.zeros((192, 192))
    ell, m = healpy.Alm.getlm(6)
    for number in range(len(ell)):  # Σ C_ℓ Y_ℓm(a) Y_ℓm(b), real and imaginary parts
        for part in (1, 1j) if m[number] else (1,):
            alm = np.zeros(len(ell), dtype=complex)
            alm[number] = part * (1 if m[number] == 0 else np.sqrt(0.5))
            harmonic = healpy.alm2map(alm, 4)
            expected += spectrum[ell[number]] * np.outer(harmonic, harmonic)
    found = Covariance(spectrum, 1.0).between(vectors, vectors)
    np.testing.assert_allclose(found, expected, atol=1e-3 * expected.max())


def test_each_diffusive_pixel_is_the_mean_of_its_neighbours(mask, skies):
    filled = fills.diffusive_fill(skies[:3], mask)
    np.testing.assert_array_equal(filled[:, mask], skies[:3][:, mask])
    neighbours = healpy.get_all_neighbours(8, np.flatnonzero(~mask))
    values = np.where(neighbours >= 0, filled[:, neighbours], np.nan)
    np.testing.assert_allclose(filled[:, ~mask], np.nanmean(values, axis=1), rtol=1e-9)


def test_diffusion_keeps_a_constant_and_obeys_the_maximum_principle(mask, skies):
    np.testing.assert_allclose(fills.diffusive_fill(np.full(768, 7.0), mask), 7.0, rtol=1e-12)
    filled = fills.diffusive_fill(skies[0], mask)
    assert filled[~mask].max() <= skies[0][mask].max()
    assert filled[~mask].min() >= skies[0][mask].min()


def test_what_is_behind_the_mask_is_never_read(mask, skies, covariance):
    spoilt = np.where(mask, skies[0], np.nan)
    for fill in (fills.DiffusiveFill(mask), fills.ConstrainedMean(mask, covariance)):
        np.testing.assert_array_equal(fill(spoilt), fill(skies[0]))
    np.testing.assert_array_equal(fills.zero_fill(spoilt, mask), np.where(mask, skies[0], 0))


def test_the_constrained_mean_is_regression_on_the_observed_pixels(mask, covariance, skies):
    vectors = unit_vectors(8)
    matrix = covariance.between(vectors, vectors)
    total = matrix + np.eye(768)
    weights = matrix[np.ix_(~mask, mask)] @ np.linalg.inv(total[np.ix_(mask, mask)])
    found = fills.ConstrainedMean(mask, covariance)
    np.testing.assert_allclose(found(skies[0])[~mask], weights @ skies[0][mask], atol=1e-5)
    remaining = total[np.ix_(~mask, ~mask)] - weights @ matrix[np.ix_(mask, ~mask)]
    np.testing.assert_allclose(found.sigma()[~mask], np.sqrt(np.diag(remaining)), rtol=1e-6)
    assert (found.sigma()[mask] == 0).all()


def test_no_fill_beats_the_constrained_mean_and_its_error_is_the_predicted_one(
    mask, covariance, skies
):
    optimum = fills.ConstrainedMean(mask, covariance)
    local = fills.ConstrainedMean(mask, covariance, 300)
    assert optimum.is_exact
    assert not local.is_exact

    def rmse(filled):
        return np.sqrt(((filled - skies)[:, ~mask] ** 2).mean())

    best = rmse(optimum(skies))
    assert best == pytest.approx(np.sqrt((optimum.sigma()[~mask] ** 2).mean()), rel=0.02)
    assert best <= rmse(local(skies)) <= 1.25 * best
    assert rmse(fills.diffusive_fill(skies, mask)) > 1.1 * best
    assert rmse(fills.zero_fill(skies, mask)) > 1.3 * best


def test_a_constrained_realisation_has_the_sky_s_power_and_root_two_of_the_error(
    mask, covariance, skies, universe
):
    simulated = np.stack([universe.draw(10_000 + seed) for seed in range(300)])
    optimum = fills.ConstrainedMean(mask, covariance)
    drawn = fills.constrained_realisation(skies, simulated, optimum, mask)
    np.testing.assert_array_equal(drawn[:, mask], skies[:, mask])
    assert drawn[:, ~mask].var() == pytest.approx(skies[:, ~mask].var(), rel=0.06)
    error = np.sqrt(((drawn - skies)[:, ~mask] ** 2).mean())
    best = np.sqrt(((optimum(skies) - skies)[:, ~mask] ** 2).mean())
    assert error == pytest.approx(np.sqrt(2) * best, rel=0.03)


def test_a_mask_that_leaves_nothing_and_skies_without_noise_are_refused():
    with pytest.raises(ValueError, match="nothing to fill from"):
        fills.DiffusiveFill(np.zeros(768))
    with pytest.raises(ValueError, match="noise_uk = 0"):
        Covariance(plateau(8, 600.0), 0)


def test_a_mask_without_holes_changes_nothing(skies):
    np.testing.assert_array_equal(fills.diffusive_fill(skies[0], np.ones(768)), skies[0])


def test_monopole_and_dipole_are_found_on_the_observed_sky(mask):
    vectors = unit_vectors(8)
    truth = 80.0 + vectors @ [3000.0, -200.0, 50.0]
    sky = np.where(mask, truth, 1e6)
    np.testing.assert_allclose(offset(sky, mask, dipole=True), truth, atol=1e-6)
    np.testing.assert_allclose(offset(sky, mask), truth[mask].mean(), rtol=1e-9)
