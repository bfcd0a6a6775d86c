"""The shipped simulation against what a Held–Suarez atmosphere is known for."""

import numpy as np
import pytest
import xarray as xr

from domains.weather.science.grid import latitude_weights
from domains.weather.sources.held_suarez import RECORD, collect_sample


@pytest.fixture(scope="module")
def sample():
    return collect_sample()


@pytest.fixture(scope="module")
def climate(sample):
    """Channel -> (H,) mean over every fifth day and longitude."""
    fields = sample.read(np.arange(0, len(sample), 20))
    assert np.isfinite(fields).all()
    return dict(zip(sample.channels, fields.mean(axis=(0, 3)), strict=True))


def test_it_is_called_a_simulation_and_is_small(sample):
    assert "simulation" in sample.title
    assert "not observations" in sample.title
    assert sample.is_simulated
    assert sample.times.calendar == "noleap"
    assert len(sample) == 1200
    assert sample.channels == ["z500", "t850", "t925", "u250", "u850", "v850", "msl"]
    assert RECORD.stat().st_size < 6e6


def test_frames_are_the_same_however_they_are_asked_for(sample):
    some = sample.read(np.array([700, 3, 30]))
    np.testing.assert_array_equal(some[1], sample.read(np.array([3]))[0])
    np.testing.assert_array_equal(some[0], sample.read(np.arange(699, 702))[1])


def test_a_westerly_jet_of_about_thirty_metres_per_second_blows_in_each_hemisphere(sample, climate):
    # Held & Suarez 1994, figure 2: maxima of about 30 m/s near 250 hPa and 45 degrees
    wind, latitude = climate["u250"], sample.grid.latitude
    for half in (latitude > 0, latitude < 0):
        place = np.argmax(np.where(half, wind, -np.inf))
        assert 20 < wind[place] < 40
        assert 30 < abs(latitude[place]) < 55
    assert climate["u850"][np.abs(latitude) < 15].mean() < 0  # trade winds


def test_both_hemispheres_and_the_ground_have_the_same_climate(sample, climate):
    np.testing.assert_allclose(climate["z500"], climate["z500"][::-1], atol=600)
    weights = latitude_weights(sample.grid.latitude)
    assert np.mean(climate["msl"] * weights) == pytest.approx(1e5, rel=2e-3)  # mass is kept
    assert np.abs(climate["v850"]).max() < 2


def test_winds_are_near_geostrophic_balance(sample, climate):
    # f u = -dΦ/dy, between 850 and 250 hPa, in the mean over time and longitude at middle latitudes
    phi = np.deg2rad(sample.grid.latitude)
    balanced = -np.gradient(climate["z500"], phi) / 6.371e6 / (2 * 7.292e-5 * np.sin(phi))
    middle = (np.abs(np.rad2deg(phi)) > 25) & (np.abs(np.rad2deg(phi)) < 65)
    between = 0.5 * (climate["u850"] + climate["u250"])
    assert np.corrcoef(balanced[middle], between[middle])[0, 1] > 0.9


def test_its_climate_is_that_of_another_run_of_the_same_core(test_data, sample, climate):
    with xr.open_dataset(test_data / "weather" / "hs_t21l8_6h_480.nc", decode_times=False) as other:
        for ours, theirs, scale in (
            ("z500", "z500", 400),
            ("t850", "t850", 2),
            ("u250", "u250", 4),
        ):
            mean = other[theirs].mean(("time", "longitude")).to_numpy()
            np.testing.assert_allclose(climate[ours], mean, atol=2 * scale)
            assert np.sqrt(np.mean((climate[ours] - mean) ** 2)) < scale
