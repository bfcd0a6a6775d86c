"""Zonal spectra against Parseval's theorem and single waves."""

import numpy as np
import pytest

from domains.weather.science.spectrum import mean_zonal_power, zonal_power


@pytest.mark.parametrize("width", [12, 13])
def test_power_sums_to_the_mean_square(width):
    field = np.random.default_rng(0).normal(size=(3, width))
    np.testing.assert_allclose(zonal_power(field).sum(-1), (field**2).mean(-1))


def test_a_wave_of_amplitude_a_has_half_its_square_at_its_number():
    longitude = np.deg2rad(np.arange(0, 360, 15))
    power = zonal_power(4.0 * np.cos(5 * longitude + 0.3))
    assert power[5] == pytest.approx(8.0)
    np.testing.assert_allclose(np.delete(power, 5), 0, atol=1e-12)


def test_only_the_band_counts_and_both_hemispheres_do():
    latitude = np.array([75.0, 45.0, 0.0, -45.0, -75.0])
    longitude = np.deg2rad(np.arange(0, 360, 15))
    field = np.cos(3 * longitude) * np.array([9.0, 2.0, 9.0, 4.0, 9.0])[:, None]
    power = mean_zonal_power(field, latitude, np.cos(np.deg2rad(latitude)))
    assert power[3] == pytest.approx((2.0**2 + 4.0**2) / 2 / 2)


def test_a_grid_outside_the_band_counts_whole():
    field = np.ones((2, 8))
    assert mean_zonal_power(field, np.array([10.0, -10.0]), np.ones(2))[0] == pytest.approx(1.0)
