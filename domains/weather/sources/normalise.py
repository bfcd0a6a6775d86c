"""Any CF, ECMWF or NCEP spelling of fields to pieces: a channel in SI units on a plain grid.

What differs between files and is undone here: names of variables, coordinates and units; latitude
from the south; longitude from −180°, from the middle, or before latitude; a level dimension;
pressure levels in Pa; height in place of geopotential; calendars; dimensions of length one.

Legend: T times, H latitudes north → south, W longitudes ascending.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from domains.errors import DataError
from domains.weather.params import FilesParams
from domains.weather.science import channels as names
from domains.weather.science.calendars import TimeAxis
from domains.weather.science.grid import Grid
from domains.weather.sources.axes import (
    LEVELS,
    MODEL_LEVELS,
    Levels,
    find_axes,
    find_levels,
    find_times,
    listed,
    plain_grid,
)

UNKNOWN = "not a channel that is known"


@dataclass(frozen=True)
class Piece:
    """One channel of one file.

    Args:
        channel: its name.
        times: (T,) in the file's order.
        grid: sorted.
        array: the whole variable as it is in the file, not read.
        time_dim: name of its time dimension, ``None`` = a single time.
        level: name of the level dimension and index there, ``None`` = no such dimension.
        rows: order of latitudes that makes them north → south.
        columns: order of longitudes that makes them ascending.
        axes: names of the latitude and longitude dimension.
        quantity: what the numbers are in the file's sense (``gh`` is a height).
        unit: as written in the file, ``None`` = not said.
        where: file and variable, for messages.
    """

    channel: str
    times: TimeAxis
    grid: Grid
    array: xr.DataArray
    time_dim: str | None
    level: tuple[str, int] | None
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    axes: tuple[str, str]
    quantity: str
    unit: str | None
    where: str

    def arranged(self, loaded: xr.DataArray) -> NDArray[np.float32]:
        """(n, H, W) in SI units of what was read of ``array``, its level chosen.

        Raises:
            DataError: a unit that the quantity does not have.
        """
        if self.time_dim is None:
            loaded = loaded.expand_dims("time")
        values = loaded.transpose(self.time_dim or "time", *self.axes).to_numpy()
        values = values[:, self.rows][:, :, self.columns].astype(np.float32)
        # a height without a unit is in metres: taken as it is, it would pass for geopotential
        unit = "m" if self.unit is None and self.quantity == "gh" else self.unit
        if unit is None:
            return values
        if (converted := names.to_si(self.quantity, values, unit)) is None:
            factors = names.QUANTITIES[self.quantity].factors
            raise DataError(
                f"{self.where}: unit {unit!r}, expected one of {', '.join(factors)}; mend the "
                "attribute, or name the variable for what it is in ingest.files.rename"
            )
        return converted.astype(np.float32)


def pieces_of(
    dataset: xr.Dataset, where: str, settings: FilesParams
) -> tuple[list[Piece], dict[str, str]]:
    """Its channels, those that are wanted, and why other variables were left out.

    Args:
        dataset: opened with ``decode_times=False``.
        where: file, for messages.
        settings: ``ingest.files``.

    Raises:
        DataError: something that cannot be put on a plain grid with a time axis.
    """
    dataset = choose(_by_channel(dataset), settings.select, where)
    left_out: dict[str, str] = {}
    pieces: list[Piece] = []
    shared: dict[str, tuple] = {}
    for name, array in dataset.data_vars.items():
        found = _quantity(str(name), array, settings.rename)
        if found is None:
            left_out[str(name)] = UNKNOWN
            continue
        quantity, level_hpa = found
        if reason := _accumulated(quantity, array):
            if settings.channels and {str(name), quantity} & set(settings.channels):
                raise DataError(
                    f"{where}: {name} is {reason}, expected a state at each time; take its "
                    "differences first, e.g. with `cdo deltat`"
                )
            left_out[str(name)] = reason
            continue
        if settings.channels and not _is_wanted(quantity, settings.channels):
            continue
        where_name = f"{where}: {name}"
        if isinstance(levels := find_levels(dataset, array, quantity, level_hpa), str):
            left_out[str(name)] = levels
            continue
        pieces += _of_variable(dataset, array, quantity, levels, where_name, settings, shared)
    return pieces, left_out


def _by_channel(dataset: xr.Dataset) -> xr.Dataset:
    """A dataset of our own, ``field(time, channel, …)``, as a variable for each channel."""
    if "field" not in dataset or "channel" not in dataset["field"].dims:
        return dataset
    channels = [str(name) for name in dataset["channel"].to_numpy()]
    variables = {
        name: dataset["field"]
        .isel(channel=index, drop=True)
        .assign_attrs(units=names.channel_unit(name))
        for index, name in enumerate(channels)
    }
    return xr.Dataset(variables)


def choose(dataset: xr.Dataset, select: Mapping[str, int | float | str], where: str) -> xr.Dataset:
    """``dataset`` at one value of each further dimension that ``select`` names.

    What is all at another value is left empty.

    Raises:
        DataError: the dimension does not have that value.
    """
    for key, value in select.items():
        if key in dataset.coords and dataset[key].ndim == 0 and dataset[key].item() != value:
            return dataset.drop_vars(list(dataset.data_vars))  # another member, say
        if key not in dataset.dims:
            continue
        known = dataset[key].to_numpy() if key in dataset.coords else np.arange(dataset.sizes[key])
        place = np.flatnonzero(known == value)
        if len(place) != 1:
            raise DataError(
                f"{where}: ingest.files.select.{key}: {value!r} is not in the file, expected one "
                f"of {listed(known)}"
            )
        dataset = dataset.isel({key: int(place[0])})
    return dataset


def _quantity(
    name: str, array: xr.DataArray, rename: Mapping[str, str]
) -> tuple[str, float | None] | None:
    """Quantity and level of a variable by its new name, name, GRIB or short name, CF name."""
    candidates = [rename.get(name, name)]
    if name not in rename:
        candidates += [str(array.attrs.get(key, "")) for key in ("GRIB_shortName", "short_name")]
    for candidate in candidates:
        if found := names.split_channel(candidate):
            return found
        if quantity := names.find_quantity(candidate) or (
            candidate.lower() if candidate.lower() in names.ACCUMULATED else None
        ):
            return quantity, None
    on_levels = any(str(dim).lower() in LEVELS + MODEL_LEVELS for dim in array.dims)
    standard = array.attrs.get("standard_name")
    for key in names.ON_LEVELS if on_levels and name not in rename else ():
        if names.QUANTITIES[key].standard_name == standard:
            return key, None
    return None


def _accumulated(quantity: str, array: xr.DataArray) -> str | None:
    """Why the numbers are sums over time, if they are."""
    if quantity in names.ACCUMULATED:
        return "accumulated over time"
    if array.attrs.get("GRIB_stepType") in ("accum", "avg", "max", "min"):
        return f"accumulated over time (stepType {array.attrs['GRIB_stepType']})"
    if "time: sum" in str(array.attrs.get("cell_methods", "")):
        return "accumulated over time (cell_methods)"
    return None


def _is_wanted(quantity: str, wanted: Sequence[str]) -> bool:
    """Whether a wanted channel is of this quantity, on whatever level."""
    quantity = "z" if quantity == "gh" else quantity
    return any((names.split_channel(name) or ("", None))[0] == quantity for name in wanted)


def _of_variable(
    dataset: xr.Dataset,
    array: xr.DataArray,
    quantity: str,
    on: Levels,
    where: str,
    settings: FilesParams,
    shared: dict[str, tuple],
) -> list[Piece]:
    """The channels of one variable: one, or one for each level."""
    level_dim, levels = on
    wanted = [
        (names.channel_name(quantity, level), index)
        for index, level in enumerate(levels)
        if settings.channels is None or names.channel_name(quantity, level) in settings.channels
    ]
    if not wanted:
        return []
    axes = find_axes(array, where)
    key = str((axes, array.sizes[axes[0]], array.sizes[axes[1]]))
    if key not in shared:
        shared[key] = plain_grid(dataset, axes, where)
    grid, rows, columns = shared[key]
    time_dim, times = find_times(dataset, array, where)
    known = {level_dim, time_dim, *axes}
    for dim in [dim for dim in array.dims if dim not in known]:
        if array.sizes[dim] > 1:
            values = array[dim].to_numpy() if dim in array.coords else np.arange(array.sizes[dim])
            raise DataError(
                f"{where}: dimension {dim} has {array.sizes[dim]} values, expected one; choose it "
                f"with ingest.files.select: {{{dim}: …}} among {listed(values)}"
            )
        array = array.isel({dim: 0})
    unit = array.attrs.get("units")
    if (
        quantity == "z"
        and unit is not None
        and names.plain_unit(unit) in names.QUANTITIES["gh"].factors
    ):
        quantity = "gh"
    return [
        Piece(
            channel, times, grid, array, time_dim,
            None if level_dim is None else (level_dim, index),
            rows, columns, axes, quantity, unit, where,
        )
        for channel, index in wanted
    ]  # fmt: skip
