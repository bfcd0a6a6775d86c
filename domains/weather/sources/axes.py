"""Where a variable's latitude, longitude, level and time are, whatever they are called.

Legend: T times, H latitudes north → south, W longitudes ascending.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from domains.errors import DataError
from domains.weather.science import channels as names
from domains.weather.science.calendars import TimeAxis, decode, from_datetime64
from domains.weather.science.grid import Grid, sort_longitude

LATITUDES = ("latitude", "lat", "nav_lat")
LONGITUDES = ("longitude", "lon", "nav_lon")
LEVELS = ("isobaricinhpa", "isobaricinpa", "level", "lev", "plev", "pressure_level", "pressure")
MODEL_LEVELS = ("hybrid", "model_level", "generalvertical", "hybrid_level", "sigma", "eta")
_STEPS = ("step", "prediction_timedelta", "lead_time", "forecast_period")

Levels = tuple[str | None, list[float | None]]
"""Name of the level dimension, and the levels in hPa (``None`` at the surface)."""


def find_levels(
    dataset: xr.Dataset, array: xr.DataArray, quantity: str, level_hpa: float | None
) -> Levels | str:
    """The levels of a variable, or why it has none that can be used."""
    if level_hpa is not None or quantity not in names.ON_LEVELS:
        return None, [level_hpa]
    for dim in array.dims:
        if str(dim).lower() in MODEL_LEVELS and array.sizes[dim] > 1:
            return (
                f"on model levels ({dim}), expected pressure levels; interpolate first, e.g. with "
                "`cdo ml2pl`"
            )
    coordinate = next((str(key) for key in array.coords if str(key).lower() in LEVELS), None)
    if coordinate is None:
        return (
            f"{names.QUANTITIES[quantity].title} without a pressure level, expected a dimension "
            f"such as level or plev; if it lies on one level, say which in ingest.files.rename, "
            f"e.g. {{{array.name}: {quantity}500}}"
        )
    values = np.atleast_1d(dataset[coordinate].to_numpy()).astype(float)
    unit = names.plain_unit(str(dataset[coordinate].attrs.get("units", "")))
    if unit not in ("", "pa", "hpa", "mb", "mbar"):
        return (
            f"on levels {coordinate} in {unit!r}, expected pressure in hPa or Pa; interpolate "
            "first, e.g. with `cdo ml2pl`"
        )
    is_pascal = unit == "pa" or coordinate.lower() == "isobaricinpa"
    if is_pascal or (not unit and values.max() > 2000):
        values = values / 100
    dim = coordinate if coordinate in array.dims else None
    return dim, [float(value) for value in values]


def find_axes(array: xr.DataArray, where: str) -> tuple[str, str]:
    """Names of the latitude and the longitude dimension."""
    found = []
    for kind, known, unit in (
        ("latitude", LATITUDES, "degrees_north"),
        ("longitude", LONGITUDES, "degrees_east"),
    ):
        one = [
            str(dim)
            for dim in array.dims
            if str(dim).lower() in known
            or (dim in array.coords and str(array[dim].attrs.get("units", "")) == unit)
        ]
        if len(one) != 1:
            grid = array.attrs.get("GRIB_gridType")
            raise DataError(
                f"{where}: no {kind} dimension among {', '.join(map(str, array.dims))}"
                + (f" (grid type {grid})" if grid else "")
                + ", expected a regular latitude-longitude grid; regrid the file first, e.g. with "
                "`cdo remapbil` or MIR"
            )
        found.append(one[0])
    return found[0], found[1]


def plain_grid(
    dataset: xr.Dataset, axes: tuple[str, str], where: str
) -> tuple[Grid, NDArray[np.intp], NDArray[np.intp]]:
    """The sorted grid, and the order of rows and columns that sorts it."""
    for axis in axes:
        if axis not in dataset.coords:
            raise DataError(f"{where}: dimension {axis} has no values in degrees")
    latitude = dataset[axes[0]].to_numpy().astype(np.float64)
    if np.abs(latitude).max() > 90.01:
        raise DataError(
            f"{where}: {axes[0]} reaches {latitude[np.abs(latitude).argmax()]:g}, expected degrees "
            "from -90 to 90; are latitude and longitude swapped?"
        )
    rows = np.argsort(-latitude, kind="stable")
    if len(latitude) > 1 and np.isclose(np.diff(latitude[rows]), 0).any():
        raise DataError(f"{where}: a latitude is there twice; leave one of them out")
    columns, longitude = sort_longitude(dataset[axes[1]].to_numpy(), where)
    return Grid(latitude[rows], longitude), rows, columns


def find_times(dataset: xr.Dataset, array: xr.DataArray, where: str) -> tuple[str | None, TimeAxis]:
    """Name of the time dimension (``None`` = a single time) and the times."""
    long = [str(d) for d in array.dims if str(d) in ("time", *_STEPS) and array.sizes[d] > 1]
    if len(long) > 1:
        raise DataError(
            f"{where}: several times and several lead times ({', '.join(long)}), expected one time "
            f"axis; choose one lead with ingest.files.select: {{{long[-1]}: …}}"
        )
    if "month" in array.dims:
        raise DataError(
            f"{where}: dimension month is a month of any year, expected a time axis with dates; "
            "monthly means are not weather, take 6-hourly fields"
        )
    for name in ("valid_time", "time"):
        if name not in dataset.coords and name not in dataset.variables:
            continue
        coordinate = dataset[name]
        if coordinate.ndim > 1:
            coordinate = coordinate.squeeze()
        dim = str(coordinate.dims[0]) if coordinate.ndim == 1 else None
        if coordinate.ndim > 1 or (dim is not None and dim not in array.dims):
            continue
        return dim, _time_axis(coordinate, where)
    raise DataError(
        f"{where}: no time axis among {', '.join(map(str, dataset.variables))}, expected a "
        "coordinate time (or valid_time) with units such as 'hours since 1900-01-01'"
    )


def _time_axis(coordinate: xr.DataArray, where: str) -> TimeAxis:
    values = np.atleast_1d(coordinate.to_numpy())
    if np.issubdtype(values.dtype, np.datetime64):
        return from_datetime64(values, where)
    units = coordinate.attrs.get("units", coordinate.encoding.get("units"))
    if units is None:
        raise DataError(
            f"{where}: {coordinate.name} has no units, expected e.g. 'hours since 1900-01-01'"
        )
    calendar = coordinate.attrs.get("calendar", coordinate.encoding.get("calendar", "standard"))
    return decode(values, str(units), str(calendar), where)


def listed(values: NDArray) -> str:
    """The first eight of ``values`` in words."""
    shown = ", ".join(str(value) for value in values[:8])
    return shown + (f", … ({len(values)} in all)" if len(values) > 8 else "")
