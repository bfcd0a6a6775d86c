"""Distances, directions and longitudes, against closed forms and PROJ's geodesics on a sphere."""

import numpy as np
import pytest
from pyproj import Geod

from domains.ais_trajectories.science import geodesy

SPHERE = Geod(a=1000 * geodesy.EARTH_RADIUS_KM, b=1000 * geodesy.EARTH_RADIUS_KM)


@pytest.fixture
def pairs():
    """Points all over the sphere, far apart, close together, and across 180°."""
    random = np.random.default_rng(0)
    lon, lat = random.uniform(-180, 180, 400), np.rad2deg(np.arcsin(random.uniform(-1, 1, 400)))
    near = random.normal(0, 1e-3, 200)
    lon_2 = np.concatenate([random.uniform(-180, 180, 200), lon[200:] + near])
    lat_2 = np.concatenate([random.uniform(-89, 89, 200), np.clip(lat[200:] + near, -90, 90)])
    return lon, lat, lon_2, lat_2


def test_distance_and_bearing_are_those_of_proj_on_the_same_sphere(pairs):
    course, _, metres = SPHERE.inv(*pairs)
    np.testing.assert_allclose(geodesy.haversine_km(*pairs), metres / 1000, rtol=1e-9, atol=1e-9)
    difference = (geodesy.bearing_deg(*pairs) - course + 180) % 360 - 180
    np.testing.assert_allclose(difference, 0, atol=1e-5)


def test_a_quarter_of_the_equator_and_half_a_meridian_have_their_lengths():
    quarter = np.pi / 2 * geodesy.EARTH_RADIUS_KM
    np.testing.assert_allclose(geodesy.haversine_km(170, 0, -100, 0), quarter)
    np.testing.assert_allclose(geodesy.haversine_km(20, -90, 77, 90), 2 * quarter)


def test_the_nautical_mile_is_a_minute_of_latitude_within_a_few_metres():
    minute = geodesy.haversine_km(0, 0, 0, 1 / 60)
    np.testing.assert_allclose(minute, geodesy.KM_PER_NAUTICAL_MILE, atol=0.002)


def test_travelling_the_distance_on_the_bearing_arrives(pairs):
    lon, lat, lon_2, lat_2 = pairs
    distance, course = geodesy.haversine_km(*pairs), geodesy.bearing_deg(*pairs)
    reached = geodesy.travel(lon, lat, course, distance)
    np.testing.assert_allclose(geodesy.haversine_km(*reached, lon_2, lat_2), 0, atol=1e-4)


def test_local_km_are_undone_and_keep_distance_and_direction_from_the_origin(pairs):
    lon, lat, lon_2, lat_2 = pairs
    east, north = geodesy.to_local_km(lon_2, lat_2, lon, lat)
    np.testing.assert_allclose(np.hypot(east, north), geodesy.haversine_km(*pairs))
    back = geodesy.from_local_km(east, north, lon, lat)
    np.testing.assert_allclose(geodesy.haversine_km(*back, lon_2, lat_2), 0, atol=1e-4)


def test_local_km_do_not_jump_at_the_antimeridian():
    east, north = geodesy.to_local_km([179.9, -179.9], [0.0, 0.0], 180.0, 0.0)
    np.testing.assert_allclose(east, [-11.1195, 11.1195], atol=1e-3)
    np.testing.assert_allclose(north, 0, atol=1e-9)


def test_wrapping_gives_the_same_meridian_in_one_turn_and_leaves_good_values_alone():
    np.testing.assert_allclose(
        geodesy.wrap_longitude([180, -180, 181, 540.5, -190]), [-180, -180, -179, -179.5, 170]
    )
    value = 12.345678901234567
    assert geodesy.wrap_longitude(value) == value
    assert geodesy.wrap_course(-1e-20) == 0.0
    np.testing.assert_allclose(geodesy.wrap_course([360, 725, -90]), [0, 5, 270])


def test_the_nearest_longitude_is_the_same_meridian_and_a_near_one_stays():
    near = geodesy.nearest_longitude([179.0, -179.0, 10.0, 170.0], [-179.5, 179.5, -170.0, 10.0])
    assert near.tolist() == [-181.0, 181.0, 10.0, 170.0]
    value = 12.345678901234567
    assert geodesy.nearest_longitude(value, -100.0) == value


def test_an_unrolled_track_has_small_steps_and_the_same_meridians():
    lon = geodesy.wrap_longitude(np.linspace(170, 560, 400))
    unrolled = geodesy.unwrap_longitude(lon)
    assert np.abs(np.diff(lon)).max() > 300
    np.testing.assert_allclose(unrolled, np.linspace(170, 560, 400))
