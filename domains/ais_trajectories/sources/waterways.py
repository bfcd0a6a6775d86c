"""The network of sea lanes that simulated ships follow, and smooth courses along it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from domains.ais_trajectories.science.geodesy import (
    bearing_deg,
    haversine_km,
    travel,
    unwrap_longitude,
)

_SPACING_KM = 1.0
_TURN_KM = 3.0  # width of the Gaussian that rounds corners


@dataclass(frozen=True)
class Course:
    """A smooth line (K points, about 1 km apart) from port to port."""

    along_km: NDArray
    longitude: NDArray
    latitude: NDArray

    @property
    def length_km(self) -> float:
        """From the first point to the last."""
        return float(self.along_km[-1])

    def at(self, along_km: NDArray, right_km: NDArray) -> tuple[NDArray, NDArray]:
        """Longitude and latitude at a distance along the line and to starboard of it."""
        lon = np.interp(along_km, self.along_km, self.longitude)
        lat = np.interp(along_km, self.along_km, self.latitude)
        ahead = np.clip(along_km + 0.5, 0, self.length_km)
        behind = np.clip(along_km - 0.5, 0, self.length_km)
        course = bearing_deg(
            np.interp(behind, self.along_km, self.longitude),
            np.interp(behind, self.along_km, self.latitude),
            np.interp(ahead, self.along_km, self.longitude),
            np.interp(ahead, self.along_km, self.latitude),
        )
        return travel(lon, lat, course + 90.0, right_km)


@dataclass(frozen=True)
class Waterways:
    """Ports, waypoints and the lanes between them.

    Args:
        places: name -> (longitude, latitude) in degrees.
        ports: names of those where voyages begin and end.
        lanes: pairs of names; traffic goes both ways.
        kinds: of vessels: share, speed, stays and the weight of each port.
    """

    places: dict[str, tuple[float, float]]
    ports: tuple[str, ...]
    lanes: tuple[tuple[str, str], ...]
    kinds: dict[str, dict[str, Any]]

    @cached_property
    def _lane_km(self) -> NDArray:
        ends = np.array([[*self.places[a], *self.places[b]] for a, b in self.lanes])
        return haversine_km(*ends.T)

    def route(self, origin: str, destination: str, lane_factors: NDArray) -> list[str]:
        """Places from port to port on the shortest way.

        Args:
            origin: a port.
            destination: another one.
            lane_factors: (lanes,) each lane counts as that many times its length; drawn at
                random for each voyage, ways of nearly equal length are both taken.
        """
        names = list(self.places)
        start, end = np.array([[names.index(a), names.index(b)] for a, b in self.lanes]).T
        is_port = np.array([name in self.ports for name in names])
        passing = is_port.astype(float)
        passing[[names.index(origin), names.index(destination)]] = 0
        # no way leads through a third port
        cost = self._lane_km * lane_factors + 1e4 * (passing[start] + passing[end])
        graph = coo_array((cost, (start, end)), shape=(len(names), len(names)))
        _, before = dijkstra(
            graph.tocsr(), directed=False, indices=names.index(origin), return_predecessors=True
        )
        way = [names.index(destination)]
        while way[-1] != names.index(origin):
            way.append(int(before[way[-1]]))
        return [names[place] for place in reversed(way)]

    def course(self, way: list[str]) -> Course:
        """The smooth line through the places of ``way``."""
        points = np.array([self.places[name] for name in way])
        pieces = [_great_circle(*start, *end) for start, end in pairwise(points)]
        lon, lat = np.concatenate([piece[:-1] for piece in pieces[:-1]] + [pieces[-1]]).T
        smooth_lon, smooth_lat = _rounded(unwrap_longitude(lon)), _rounded(lat)
        step = haversine_km(smooth_lon[:-1], smooth_lat[:-1], smooth_lon[1:], smooth_lat[1:])
        return Course(np.append(0.0, np.cumsum(step)), smooth_lon, smooth_lat)


def _rounded(values: NDArray) -> NDArray:
    """Values along the line (K,) without corners; the ends stay where they are."""
    width = _TURN_KM / _SPACING_KM
    margin = min(int(4 * width), len(values) - 1)
    wide = np.pad(values, margin, mode="reflect", reflect_type="odd")
    return gaussian_filter1d(wide, width, mode="nearest")[margin : len(wide) - margin]


def _great_circle(lon_1: float, lat_1: float, lon_2: float, lat_2: float) -> NDArray:
    """Points (K, 2) from one place to the other, about ``_SPACING_KM`` apart."""
    length = float(haversine_km(lon_1, lat_1, lon_2, lat_2))
    share = np.linspace(0, 1, max(int(length / _SPACING_KM), 2) + 1)
    lon, lat = travel(lon_1, lat_1, bearing_deg(lon_1, lat_1, lon_2, lat_2), share * length)
    return np.column_stack([lon, lat])


def gulf_of_st_lawrence() -> Waterways:
    """Lanes and ports that come with the package."""
    text = files(__package__).joinpath("gulf_of_st_lawrence.json").read_text(encoding="utf-8")
    drawn = json.loads(text)
    places = {name: (p[0], p[1]) for name, p in {**drawn["ports"], **drawn["waypoints"]}.items()}
    lanes = tuple((a, b) for a, b in drawn["lanes"])
    return Waterways(places, tuple(drawn["ports"]), lanes, drawn["kinds"])
