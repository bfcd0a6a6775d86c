"""Simulated ships: where they sail, how fast, and what they do in port.

Speed and the offset from the lane are Ornstein–Uhlenbeck processes (G. E. Uhlenbeck,
L. S. Ornstein, Physical Review 36, 1930), as vessel motion is often modelled (L. M. Millefiori and
others, IEEE Transactions on Aerospace and Electronic Systems 52, 2016).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import lfilter

from domains.ais_trajectories.science.geodesy import (
    KM_PER_NAUTICAL_MILE,
    bearing_deg,
    haversine_km,
    travel,
    wrap_course,
)
from domains.ais_trajectories.sources.waterways import Waterways

_STEP_S = 60.0
_SPEED_SPREAD, _SPEED_TIME_S = 0.04, 7200.0
_OFFSET_KM, _OFFSET_SPREAD_KM, _OFFSET_TIME_S = 1.2, 0.7, 5400.0  # keeps to starboard
_HELM_S = 600.0  # steering is smooth: an Ornstein–Uhlenbeck path has a corner at every moment
_LANE_SPREAD = 0.12  # of the length that a voyage sees in each lane
_PORT_KM, _PORT_KNOTS = 18.0, 6.0  # slow steaming near ports
_MARK_KM = 0.25  # along the course, where the speed is drawn
_BERTH_KM = 0.03
_SWING_TIME_S = 3600.0


@dataclass(frozen=True)
class Voyage:
    """What a ship steers for."""

    vessel: int
    departure_s: float
    arrival_s: float
    origin: str
    destination: str


@dataclass(frozen=True)
class Ship:
    """One vessel's true motion, a sample (N,) a minute."""

    vessel: int
    kind: str
    ship_type: int
    time_s: NDArray
    longitude: NDArray
    latitude: NDArray
    sog_kn: NDArray
    cog_deg: NDArray
    is_moored: NDArray
    voyages: list[Voyage]


def simulate_ship(
    waters: Waterways, vessel: int, start_s: float, days: float, random: np.random.Generator
) -> Ship:
    """A ship that sails between the ports of its service until ``days`` have passed.

    Args:
        waters: where.
        vessel: its MMSI.
        start_s: s since 1970.
        days: simulated time.
        random: source of everything drawn.
    """
    kinds = list(waters.kinds)
    shares = np.array([waters.kinds[kind]["share"] for kind in kinds])
    kind = kinds[random.choice(len(kinds), p=shares / shares.sum())]
    traits = waters.kinds[kind]
    knots = random.uniform(*traits["knots"])
    service = _service(traits["ports"], random)
    end_s, now_s = start_s + 86400 * days, start_s
    place = int(random.integers(len(service)))
    legs: list[tuple[NDArray, NDArray, bool]] = []  # longitude, latitude, moored
    voyages = []
    stay_s = random.uniform(0, 3600 * traits["stay_h"][1])  # the first one has begun before
    while now_s < end_s:
        berth = waters.places[service[place]]
        stay = _stay(berth, stay_s, random)
        legs.append((*stay, True))
        now_s += _STEP_S * len(stay[0])
        target = (place + int(random.integers(1, len(service)))) % len(service)
        sailed = _sail(waters, service[place], service[target], knots, random)
        legs.append((*sailed, False))
        arrival_s = now_s + _STEP_S * len(sailed[0])
        voyages.append(Voyage(vessel, now_s, arrival_s, service[place], service[target]))
        now_s, place = arrival_s, target
        stay_s = 3600 * random.uniform(*traits["stay_h"])
    return _join(vessel, kind, traits["ship_type"], start_s, end_s, legs, voyages)


def _service(weights: dict[str, float], random: np.random.Generator) -> list[str]:
    """Two or three ports, the heavy ones of the kind more often."""
    names = list(weights)
    chance = np.array(list(weights.values()))
    num = int(random.integers(2, min(3, len(names)) + 1))
    chosen = random.choice(len(names), size=num, replace=False, p=chance / chance.sum())
    return [names[place] for place in chosen]


def _stay(
    berth: tuple[float, float], stay_s: float, random: np.random.Generator
) -> tuple[NDArray, NDArray]:
    num = max(int(stay_s / _STEP_S), 1)
    distance = _BERTH_KM * np.abs(1 + 0.3 * _wander(num, _SWING_TIME_S / _STEP_S, random))
    return travel(*berth, np.cumsum(random.normal(0, 1.0, num)), distance)


def _sail(
    waters: Waterways, origin: str, destination: str, knots: float, random: np.random.Generator
) -> tuple[NDArray, NDArray]:
    """Longitude and latitude, a sample a minute, from port to port."""
    factors = np.exp(random.normal(0, _LANE_SPREAD, len(waters.lanes)))
    course = waters.course(waters.route(origin, destination, factors))
    places = np.linspace(0, course.length_km, int(course.length_km / _MARK_KM) + 2)
    mark_s = 3600 * _MARK_KM / (knots * KM_PER_NAUTICAL_MILE)
    speed = knots * (1 + _SPEED_SPREAD * _wander(len(places), _SPEED_TIME_S / mark_s, random))
    near = np.clip(np.minimum(places, course.length_km - places) / _PORT_KM, 0, 1)
    speed = (_PORT_KNOTS + (speed - _PORT_KNOTS) * near) * KM_PER_NAUTICAL_MILE  # km/h
    hours = np.append(0.0, np.cumsum(np.diff(places) / (0.5 * (speed[1:] + speed[:-1]))))
    along = np.interp(np.arange(0, 3600 * hours[-1], _STEP_S) / 3600, hours, places)
    wander = gaussian_filter1d(
        _wander(len(along), _OFFSET_TIME_S / _STEP_S, random), _HELM_S / _STEP_S
    )
    offset = _OFFSET_KM + _OFFSET_SPREAD_KM * wander
    ends = np.minimum(along, course.length_km - along)
    return course.at(along, offset * np.clip(ends / _PORT_KM, 0, 1))


def _wander(num: int, memory: float, random: np.random.Generator) -> NDArray:
    """Ornstein–Uhlenbeck process (N,) of unit variance that forgets in ``memory`` steps."""
    keep = np.exp(-1 / memory)
    noise = random.normal(0, np.sqrt(1 - keep**2), num)
    noise[0] = random.normal()
    return lfilter([1.0], [1.0, -keep], noise)


def _join(
    vessel: int,
    kind: str,
    ship_type: int,
    start_s: float,
    end_s: float,
    legs: list[tuple[NDArray, NDArray, bool]],
    voyages: list[Voyage],
) -> Ship:
    lon, lat = np.concatenate([leg[0] for leg in legs]), np.concatenate([leg[1] for leg in legs])
    moored = np.repeat([leg[2] for leg in legs], [len(leg[0]) for leg in legs])
    num = min(len(lon), int((end_s - start_s) / _STEP_S))
    lon, lat, moored = lon[:num], lat[:num], moored[:num]
    after = np.minimum(np.arange(num) + 1, num - 1)
    before = np.maximum(after - 2, 0)
    distance = haversine_km(lon[before], lat[before], lon[after], lat[after])
    hours = np.maximum(after - before, 1) * _STEP_S / 3600
    return Ship(
        vessel=vessel,
        kind=kind,
        ship_type=ship_type,
        time_s=start_s + _STEP_S * np.arange(num),
        longitude=lon,
        latitude=lat,
        sog_kn=distance / KM_PER_NAUTICAL_MILE / hours,
        cog_deg=wrap_course(bearing_deg(lon[before], lat[before], lon[after], lat[after])),
        is_moored=moored,
        voyages=[voyage for voyage in voyages if voyage.departure_s < end_s],
    )
