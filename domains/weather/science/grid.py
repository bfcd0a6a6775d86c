"""Latitude–longitude grids: what a point weighs, and whether the grid goes round the world.

Legend: H latitudes north → south, W longitudes ascending.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domains.errors import DataError

_POLE = 1e-6
"""Degrees from ±90 within which a latitude is the pole: cos 90° is 6e-17, not zero."""


@dataclass(frozen=True)
class Grid:
    """A rectangular grid in degrees.

    Args:
        latitude: (H,) north → south.
        longitude: (W,) ascending, evenly spaced.
    """

    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]

    @property
    def is_global(self) -> bool:
        """Whether the last longitude has the first as its neighbour."""
        return is_periodic(self.longitude)

    @property
    def has_poles(self) -> bool:
        """Whether a row lies on a pole."""
        return bool(np.any(90 - np.abs(self.latitude) < _POLE))


def is_periodic(longitude: NDArray) -> bool:
    """Whether ``longitude`` (W,), ascending, goes round: W steps make 360°."""
    if len(longitude) < 3:
        return False
    step = np.diff(longitude).mean()
    return bool(abs(len(longitude) * step - 360) < 0.5 * step)


def latitude_weights(latitude: NDArray) -> NDArray[np.float64]:
    """(H,) what a row counts in a mean over the grid: cos φ over its mean, zero at a pole.

    So PuYun, FuXi and GraphCast score.  WeatherBench 2 takes the area between the parallels halfway
    to the neighbours, which differs where a row lies on a pole.

    Args:
        latitude: (H,) degrees.

    Raises:
        ValueError: latitudes outside ±90.
    """
    latitude = np.asarray(latitude, np.float64)
    if np.any(np.abs(latitude) > 90 + _POLE):
        raise ValueError(f"latitude reaches {latitude[np.argmax(np.abs(latitude))]:g} degrees")
    weights = np.cos(np.deg2rad(latitude))
    weights[90 - np.abs(latitude) < _POLE] = 0.0
    return weights / weights.mean()


def sort_longitude(longitude: NDArray, where: str) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Order of the columns and their longitudes, ascending and evenly spaced.

    A global grid starts in [0, 360); a region that crosses 0° starts in [-180, 0), so that it
    stays in one piece.

    Args:
        longitude: (W,) degrees east, any range and order.
        where: file, for messages.

    Raises:
        DataError: spacing that is not even, or a longitude that is there twice.
    """
    turned = np.asarray(longitude, np.float64) % 360
    turned[np.isclose(turned, 360)] = 0.0
    order = np.argsort(turned, kind="stable")
    ascending = turned[order]
    if len(ascending) > 1 and np.isclose(np.diff(ascending), 0).any():
        raise DataError(
            f"{where}: longitude {ascending[1:][np.isclose(np.diff(ascending), 0)][0]:g} is there "
            "twice (0 and 360 are the same); leave the last column out"
        )
    if not is_periodic(ascending) and len(ascending) > 1:
        gaps = np.diff(np.append(ascending, ascending[0] + 360))
        first = (int(np.argmax(gaps)) + 1) % len(
            ascending
        )  # the region begins after the widest gap
        order = np.roll(order, -first)
        ascending = np.roll(ascending, -first)
        ascending = np.where(ascending < ascending[0], ascending + 360, ascending)
        if ascending[-1] >= 360:
            ascending = ascending - 360
    check_even(ascending, "longitude", where)
    return order, ascending


def check_even(values: NDArray, name: str, where: str) -> None:
    """Refuse an axis whose steps differ by more than 1 %.

    Raises:
        DataError: names the axis and two steps.
    """
    steps = np.diff(values)
    if len(steps) and np.ptp(steps) > 0.01 * abs(steps.mean()):
        raise DataError(
            f"{where}: {name} is not evenly spaced (steps {steps.min():.4g} to {steps.max():.4g}); "
            "regrid the file to a regular grid first, e.g. with `cdo remapbil`"
        )


def columns_between(longitude: NDArray, west: float, east: float) -> NDArray[np.bool_]:
    """(W,) which columns lie from ``west`` eastwards to ``east``, across 0° if need be."""
    width = (east - west) % 360 or 360.0
    return (np.asarray(longitude) - west + 1e-9) % 360 <= width + 2e-9
