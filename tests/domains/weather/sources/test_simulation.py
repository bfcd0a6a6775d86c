"""The steps from the core's layers to pressure levels; the core itself is an optional extra."""

import numpy as np
import pytest

from domains.weather.sources.simulation import GAS_CONSTANT, geopotential, interpolate

SIGMA = (np.arange(8) + 0.5) / 8
WHERE = np.log(np.array([[0.25, 0.5], [0.85, 0.97]]))


def columns(profile):
    """A profile (8,) at each of 2 × 2 places."""
    return np.broadcast_to(np.asarray(profile)[:, None, None], (8, 2, 2))


def test_a_profile_linear_in_log_pressure_is_interpolated_exactly():
    found = interpolate(columns(200 + 30 * np.log(SIGMA)), SIGMA, WHERE)
    np.testing.assert_allclose(found, 200 + 30 * WHERE)


def test_the_geopotential_of_an_isothermal_atmosphere_is_barometric():
    found = geopotential(columns(np.full(8, 260.0)), SIGMA, WHERE)
    np.testing.assert_allclose(found, -GAS_CONSTANT * 260 * WHERE)


def test_the_geopotential_is_exact_for_temperature_linear_in_log_pressure():
    found = geopotential(columns(300 + 20 * np.log(SIGMA)), SIGMA, WHERE)
    np.testing.assert_allclose(found, -GAS_CONSTANT * (300 * WHERE + 10 * WHERE**2))


def test_the_ground_has_no_geopotential():
    found = geopotential(columns(np.linspace(210, 300, 8)), SIGMA, np.zeros((2, 2)))
    assert np.abs(found).max() == pytest.approx(0.0, abs=1e-9)
