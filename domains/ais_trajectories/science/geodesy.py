"""Distances and directions on the sphere, and the unrolling of longitude at 180°.

Angles in degrees, distances in km; longitude east and latitude north, all arrays broadcast.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

# mean radius R1 of GRS 80 and WGS 84, H. Moritz, "Geodetic Reference System 1980", 2000
EARTH_RADIUS_KM = 6371.0088
KM_PER_NAUTICAL_MILE = 1.852


def haversine_km(
    longitude_1: ArrayLike, latitude_1: ArrayLike, longitude_2: ArrayLike, latitude_2: ArrayLike
) -> NDArray:
    """Great-circle distance in km; exact on the sphere, also near the poles and across 180°."""
    lon_1, lat_1, lon_2, lat_2 = _radians(longitude_1, latitude_1, longitude_2, latitude_2)
    half = (
        np.sin((lat_2 - lat_1) / 2) ** 2
        + np.cos(lat_1) * np.cos(lat_2) * np.sin((lon_2 - lon_1) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(half, 0, 1)))


def bearing_deg(
    longitude_1: ArrayLike, latitude_1: ArrayLike, longitude_2: ArrayLike, latitude_2: ArrayLike
) -> NDArray:
    """Course at point 1 along the great circle to point 2, clockwise from north, [0, 360)."""
    lon_1, lat_1, lon_2, lat_2 = _radians(longitude_1, latitude_1, longitude_2, latitude_2)
    east = np.sin(lon_2 - lon_1) * np.cos(lat_2)
    north = np.cos(lat_1) * np.sin(lat_2) - np.sin(lat_1) * np.cos(lat_2) * np.cos(lon_2 - lon_1)
    return wrap_course(np.rad2deg(np.arctan2(east, north)))


def travel(
    longitude: ArrayLike, latitude: ArrayLike, course_deg: ArrayLike, distance_km: ArrayLike
) -> tuple[NDArray, NDArray]:
    """Longitude and latitude reached along the great circle that starts on ``course_deg``."""
    lon, lat, course = _radians(longitude, latitude, course_deg)
    arc = np.asarray(distance_km, dtype=np.float64) / EARTH_RADIUS_KM
    sine = np.sin(lat) * np.cos(arc) + np.cos(lat) * np.sin(arc) * np.cos(course)
    reached = np.arcsin(np.clip(sine, -1, 1))
    east = np.sin(course) * np.sin(arc) * np.cos(lat)
    step = np.arctan2(east, np.cos(arc) - np.sin(lat) * sine)
    return wrap_longitude(np.rad2deg(lon + step)), np.rad2deg(reached)


def to_local_km(
    longitude: ArrayLike,
    latitude: ArrayLike,
    origin_longitude: ArrayLike,
    origin_latitude: ArrayLike,
) -> tuple[NDArray, NDArray]:
    """East and north in km seen from an origin: azimuthal equidistant on the sphere.

    Distance and direction from the origin are exact; between other points they are distorted by
    about (d/R)²/6, 0.6 % at 1,200 km.
    """
    distance = haversine_km(origin_longitude, origin_latitude, longitude, latitude)
    course = np.deg2rad(bearing_deg(origin_longitude, origin_latitude, longitude, latitude))
    return distance * np.sin(course), distance * np.cos(course)


def from_local_km(
    east_km: ArrayLike,
    north_km: ArrayLike,
    origin_longitude: ArrayLike,
    origin_latitude: ArrayLike,
) -> tuple[NDArray, NDArray]:
    """Longitude and latitude of a point given by ``to_local_km``: its inverse."""
    course = np.rad2deg(np.arctan2(east_km, north_km))
    return travel(origin_longitude, origin_latitude, course, np.hypot(east_km, north_km))


def wrap_longitude(longitude: ArrayLike) -> NDArray:
    """The same meridian in [-180, 180); values in that range stay as they are, bit for bit."""
    lon = np.asarray(longitude, dtype=np.float64)
    return np.where((lon >= -180) & (lon < 180), lon, (lon + 180) % 360 - 180)


def unwrap_longitude(longitude: ArrayLike) -> NDArray:
    """Longitudes (N,) of one track without the jump at 180°: neighbours differ by at most 180."""
    return np.unwrap(np.asarray(longitude, dtype=np.float64), period=360.0)


def nearest_longitude(longitude: ArrayLike, reference: ArrayLike) -> NDArray:
    """The same meridian within 180 of ``reference``; values that lie there stay, bit for bit."""
    lon = np.asarray(longitude, dtype=np.float64)
    east = lon - np.asarray(reference, dtype=np.float64)
    return np.where(np.abs(east) > 180, lon - 360 * np.sign(east), lon)


def wrap_course(course_deg: ArrayLike) -> NDArray:
    """The same direction in [0, 360)."""
    course = np.asarray(course_deg, dtype=np.float64) % 360.0
    return np.where(course == 360.0, 0.0, course)  # -1e-20 % 360 rounds to 360


def _radians(*angles: ArrayLike) -> list[NDArray]:
    return [np.deg2rad(np.asarray(angle, dtype=np.float64)) for angle in angles]
