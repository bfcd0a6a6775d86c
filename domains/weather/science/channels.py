"""Channels: a quantity on a level under one short name, with its unit and its names elsewhere.

A channel is called as ECMWF abbreviates it: ``z500`` is the geopotential on 500 hPa, ``2t`` the
temperature at two metres.  ``PAPER`` is PuYun's order of 69 channels, as its published inference
code stacks them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domains.errors import DataError

GRAVITY = 9.80665
"""m s⁻², standard gravity: geopotential = GRAVITY × geopotential height (WMO, ERA5)."""

PAPER_LEVELS = (50, 100, 150, 200, 250, 300, 400, 500, 600, 700, 850, 925, 1000)
PAPER = (
    *(f"{quantity}{level}" for quantity in "ztuvr" for level in PAPER_LEVELS),
    "2t",
    "10u",
    "10v",
    "msl",
)


@dataclass(frozen=True)
class Quantity:
    """What is measured.

    Args:
        title: in words.
        unit: SI unit, CF spelling.
        standard_name: of the CF conventions.
        factors: unit as written in files (see ``plain_unit``) -> factor and offset to ``unit``.
        names: other names of a variable that holds it.
        limits: a mean over the grid outside of these is another unit; ``None`` = depends on level.
    """

    title: str
    unit: str
    standard_name: str
    factors: Mapping[str, tuple[float, float]]
    names: tuple[str, ...]
    limits: tuple[float, float] | None = None


_SPEED = {
    "m s-1": (1.0, 0.0),
    "km h-1": (1 / 3.6, 0.0),
    "knots": (0.514444, 0.0),
    "kt": (0.514444, 0.0),
}
_HEIGHT = {"m": (GRAVITY, 0.0), "gpm": (GRAVITY, 0.0), "dam": (10 * GRAVITY, 0.0)}
_GEOPOTENTIAL = {"m2 s-2": (1.0, 0.0), "j kg-1": (1.0, 0.0)}
_KELVIN = {"k": (1.0, 0.0), "degc": (1.0, 273.15), "c": (1.0, 273.15)}
_PASCAL = {"pa": (1.0, 0.0), "hpa": (100.0, 0.0), "mbar": (100.0, 0.0), "mb": (100.0, 0.0)}
_SHARE = {"%": (1.0, 0.0), "1": (100.0, 0.0)}
_PRESSURE_LIMITS = (40_000.0, 110_000.0)
_T_LIMITS = (150.0, 350.0)
_WIND_LIMITS = (-150.0, 150.0)

QUANTITIES = {
    "z": Quantity(
        "geopotential", "m2 s-2", "geopotential", _GEOPOTENTIAL | _HEIGHT,
        ("geopotential", "phi"),
    ),
    "gh": Quantity(
        "geopotential height", "m2 s-2", "geopotential_height", _HEIGHT,
        ("zg", "hgt", "height", "geopotential_height"),
    ),
    "t": Quantity(
        "temperature", "K", "air_temperature", _KELVIN, ("ta", "temperature", "temp"), _T_LIMITS
    ),
    "u": Quantity(
        "eastward wind", "m s-1", "eastward_wind", _SPEED,
        ("ua", "u_component_of_wind", "uwnd"), _WIND_LIMITS,
    ),
    "v": Quantity(
        "northward wind", "m s-1", "northward_wind", _SPEED,
        ("va", "v_component_of_wind", "vwnd"), _WIND_LIMITS,
    ),
    "r": Quantity(
        "relative humidity", "%", "relative_humidity", _SHARE, ("hur", "rh", "relative_humidity"),
        (1.0, 150.0),
    ),
    "q": Quantity(
        "specific humidity", "kg kg-1", "specific_humidity",
        {"kg kg-1": (1.0, 0.0), "1": (1.0, 0.0), "g kg-1": (1e-3, 0.0)},
        ("hus", "specific_humidity"), (0.0, 0.05),
    ),
    "2t": Quantity(
        "temperature at 2 m", "K", "air_temperature", _KELVIN,
        ("t2m", "2m_temperature", "tas", "temperature_2m"), _T_LIMITS,
    ),
    "10u": Quantity(
        "eastward wind at 10 m", "m s-1", "eastward_wind", _SPEED,
        ("u10", "10m_u_component_of_wind", "uas"), _WIND_LIMITS,
    ),
    "10v": Quantity(
        "northward wind at 10 m", "m s-1", "northward_wind", _SPEED,
        ("v10", "10m_v_component_of_wind", "vas"), _WIND_LIMITS,
    ),
    "msl": Quantity(
        "mean sea level pressure", "Pa", "air_pressure_at_mean_sea_level", _PASCAL,
        ("mslp", "psl", "mean_sea_level_pressure", "prmsl"), (85_000.0, 110_000.0),
    ),
    "sp": Quantity(
        "surface pressure", "Pa", "surface_air_pressure", _PASCAL, ("ps", "surface_pressure"),
        _PRESSURE_LIMITS,
    ),
    "sst": Quantity(
        "sea surface temperature", "K", "sea_surface_temperature", _KELVIN,
        ("sea_surface_temperature", "tos"), _T_LIMITS,
    ),
}  # fmt: skip

ON_LEVELS = ("z", "gh", "t", "u", "v", "r", "q")

ACCUMULATED = (
    "tp", "total_precipitation", "cp", "lsp", "pr", "ssr", "str", "ssrd", "strd", "tisr", "slhf",
    "sshf", "e", "ro", "sf",
)  # fmt: skip
"""Sums since some time, not states: ERA5's precipitation and fluxes."""


def find_quantity(name: str) -> str | None:
    """Our name of the quantity that ``name`` (of a variable, GRIB or CF) stands for."""
    lower = name.lower()
    if lower in QUANTITIES:
        return lower
    return next((key for key, quantity in QUANTITIES.items() if lower in quantity.names), None)


def split_channel(name: str) -> tuple[str, float | None] | None:
    """Quantity and level in hPa of a channel such as ``z500`` (``None`` at the surface)."""
    lower = name.lower()
    if found := find_quantity(lower):
        return None if found in ON_LEVELS else (found, None)
    match = re.fullmatch(r"([a-z_]+?)_?(\d+(?:\.\d+)?)", lower)
    found = find_quantity(match[1]) if match else None
    return (found, float(match[2])) if match and found in ON_LEVELS else None


def channel_name(quantity: str, level_hpa: float | None) -> str:
    """``z500``, ``2t``; heights are kept as geopotential, so ``gh`` gives ``z``."""
    quantity = "z" if quantity == "gh" else quantity
    return quantity if level_hpa is None else f"{quantity}{level_hpa:g}"


def channel_unit(name: str) -> str:
    """SI unit of a channel.

    Raises:
        KeyError: no such channel.
    """
    return QUANTITIES[_known(name)[0]].unit


def channel_title(name: str) -> str:
    """Words for a figure: ``geopotential at 500 hPa``."""
    quantity, level = _known(name)
    title = QUANTITIES[quantity].title
    return title if level is None else f"{title} at {level:g} hPa"


def _known(name: str) -> tuple[str, float | None]:
    if (found := split_channel(name)) is None:
        raise KeyError(f"no channel {name!r}")
    return found


def plain_unit(text: str) -> str:
    """One spelling of a unit: ``m**2 s**-2``, ``m^2/s^2`` and ``m2 s-2`` are the last."""
    unit = text.strip().lower().replace("**", "").replace("^", "").replace("·", " ")
    unit = unit.replace("℃", "degc").replace("°", "deg")
    unit = re.sub(r"\s*/\s*([a-z]+)(\d*)", lambda m: f" {m[1]}-{m[2] or 1}", unit)
    unit = re.sub(r"\s+", " ", unit)
    words = {
        "meters": "m", "meter": "m", "metres": "m", "geopotential meters": "gpm",
        "kelvin": "k", "degk": "k", "deg k": "k", "degrees celsius": "degc", "celsius": "degc",
        "deg c": "degc",
        "degree_celsius": "degc", "pascals": "pa", "pascal": "pa", "millibars": "mb",
        "millibar": "mb", "meters s-1": "m s-1", "meter second-1": "m s-1",
        "meters second-1": "m s-1", "percent": "%", "(0 - 1)": "1", "m s-1 ": "m s-1",
        "geopotential meter": "gpm", "knot": "knots",
    }  # fmt: skip
    return words.get(unit, unit)


def plausible_limits(name: str) -> tuple[float, float]:
    """Between which a channel's mean over any grid must lie, in its SI unit."""
    quantity, level = _known(name)
    if limits := QUANTITIES[quantity].limits:
        return limits
    # geopotential: the standard atmosphere's, a fifth lower or higher
    height = GRAVITY * standard_height_m(level or 1000.0)
    return height - 0.2 * abs(height) - 3000.0, height + 0.2 * abs(height) + 3000.0


def standard_height_m(level_hpa: float) -> float:
    """Height of a pressure in the ICAO standard atmosphere, isothermal above 226.3 hPa."""
    if level_hpa >= 226.32:
        return float(44_330.77 * (1 - (level_hpa / 1013.25) ** 0.190263))
    return float(11_000 + 6341.62 * np.log(226.32 / level_hpa))


def to_si(name: str, values: NDArray, unit: str) -> NDArray | None:
    """``values`` in the channel's SI unit, or ``None`` where ``unit`` is not one of its units.

    Args:
        name: a channel or quantity, in the file's sense (``gh`` is a height).
        values: numbers.
        unit: as written in the file.
    """
    quantity = name if name in QUANTITIES else _known(name)[0]
    if (found := QUANTITIES[quantity].factors.get(plain_unit(unit))) is None:
        return None
    factor, offset = found
    if (factor, offset) == (1.0, 0.0):
        return values
    return values * np.float32(factor) + np.float32(offset)


def check_mean(name: str, mean: float, where: str) -> None:
    """Refuse a mean over the grid that no weather has: the numbers are in another unit.

    Raises:
        DataError: names the channel, its mean and its unit.
    """
    low, high = plausible_limits(name)
    if not low <= mean <= high:
        raise DataError(
            f"{where}: {name} is {mean:.6g} in the mean, expected {low:.6g} to {high:.6g} "
            f"{channel_unit(name)}: the numbers are in another unit; mend the attribute units"
            + (", or name a height gh" if _known(name)[0] == "z" else "")
        )
