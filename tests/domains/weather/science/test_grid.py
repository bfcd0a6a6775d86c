"""Weights of latitudes, and grids put in order."""

import numpy as np
import pytest

from domains.errors import DataError
from domains.weather.science.grid import (
    Grid,
    columns_between,
    is_periodic,
    latitude_weights,
    sort_longitude,
)

GAUSS, QUADRATURE = (part[::-1] for part in np.polynomial.legendre.leggauss(32))
GAUSSIAN = np.rad2deg(np.arcsin(GAUSS))
WITH_POLES = np.linspace(90, -90, 61)


@pytest.mark.parametrize("latitude", [GAUSSIAN, WITH_POLES, np.linspace(58, 50, 33)])
def test_weights_average_to_one(latitude):
    assert latitude_weights(latitude).mean() == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("latitude", [GAUSSIAN, WITH_POLES])
def test_the_mean_of_the_squared_sine_over_the_globe_is_a_third(latitude):
    weights = latitude_weights(latitude)
    assert np.mean(weights * np.sin(np.deg2rad(latitude)) ** 2) == pytest.approx(1 / 3, rel=3e-3)


def test_weights_of_a_gaussian_grid_are_its_quadrature_weights():
    ours, exact = latitude_weights(GAUSSIAN), QUADRATURE / QUADRATURE.mean()
    np.testing.assert_allclose(ours[2:-2], exact[2:-2], rtol=2e-3)
    np.testing.assert_allclose(ours, exact, rtol=0.02)  # least so beside the poles


def test_a_pole_has_no_weight():
    assert latitude_weights(WITH_POLES)[[0, -1]].tolist() == [0.0, 0.0]


def test_the_weight_of_60_degrees_is_half_that_of_the_equator():
    weights = latitude_weights(np.array([60.0, 0.0, -60.0]))
    assert weights.tolist() == pytest.approx([0.75, 1.5, 0.75])


def test_weights_of_latitudes_beyond_the_poles_are_refused():
    with pytest.raises(ValueError, match="latitude reaches 91"):
        latitude_weights(np.array([91.0, 0.0]))


@pytest.mark.parametrize(
    ("longitude", "first", "last", "is_global"),
    [
        (np.arange(0, 360, 3.0), 0, 357, True),
        (np.arange(-180, 180, 0.75), 0, 359.25, True),
        (np.arange(180, -180, -1.0), 0, 359, True),
        (np.arange(-140, -50, 2.5), 220, 307.5, False),
        (np.arange(-10, 2.1, 0.25), -10, 2, False),
        (np.append(np.arange(350, 360), np.arange(0, 5)), -10, 4, False),
    ],
)
def test_longitudes_are_put_in_order_and_regions_stay_in_one_piece(
    longitude, first, last, is_global
):
    order, found = sort_longitude(longitude, "")
    assert (found[0], found[-1]) == (first, last)
    assert is_periodic(found) == is_global
    np.testing.assert_allclose(longitude[order] % 360, found % 360)
    assert (np.diff(found) > 0).all()


def test_longitudes_that_repeat_or_are_uneven_are_refused():
    with pytest.raises(DataError, match=r"a.nc: longitude 0 is there twice \(0 and 360"):
        sort_longitude(np.linspace(0, 360, 13), "a.nc")
    with pytest.raises(DataError, match="longitude is not evenly spaced"):
        sort_longitude(np.array([0, 1, 2, 4.0]), "a.nc")


def test_a_grid_knows_its_poles():
    longitude = np.arange(0, 360, 10.0)
    assert Grid(WITH_POLES, longitude).has_poles
    assert not Grid(GAUSSIAN, longitude).has_poles
    assert Grid(GAUSSIAN, longitude).is_global
    assert not Grid(GAUSSIAN, longitude[:20]).is_global


@pytest.mark.parametrize(
    ("west", "east", "expected"),
    [(350, 10, [0, 10, 350]), (-10, 10, [0, 10, 350]), (20, 40, [20, 30, 40]), (0, 360, None)],
)
def test_boxes_may_cross_the_meridian(west, east, expected):
    longitude = np.arange(0, 360, 10.0)
    found = longitude[columns_between(longitude, west, east)]
    assert found.tolist() == (longitude.tolist() if expected is None else expected)
