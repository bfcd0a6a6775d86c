"""The state that a forecast starts from: two frames of the user's file on the model's grid.

Legend: C channels, H latitudes north → south, W longitudes ascending.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from domains.errors import DataError
from domains.weather.params import FilesParams
from domains.weather.science.calendars import TimeAxis, parse_time
from domains.weather.science.channels import check_mean
from domains.weather.science.grid import Grid
from domains.weather.sources.collection import Collection
from domains.weather.sources.files import collect_files
from domains.weather.sources.quality import fill_nearest

_log = logging.getLogger(__name__)

_DEGREES = 1e-3
"""Within which a grid point of the file is that of the model."""


class World(Protocol):
    """What a model's fields are."""

    @property
    def channels(self) -> Sequence[str]: ...
    @property
    def latitude(self) -> Sequence[float]: ...
    @property
    def longitude(self) -> Sequence[float]: ...
    @property
    def step_h(self) -> float: ...


def initial_state(
    model: World, input: str, files: FilesParams, start: str | None
) -> tuple[NDArray[np.float32], TimeAxis]:
    """Two frames (2, C, H, W) on the model's grid, and the time of the second (1,).

    Raises:
        DataError: a channel, a time, grid points or cells are missing.
    """
    files = files.model_copy(update={"channels": list(model.channels)})
    collection = _on_grid(collect_files(input, files), model)
    minutes, calendar = collection.times.minutes, collection.times.calendar
    last = int(minutes[-1]) if start is None else parse_time(
        start, calendar, "evaluate.predict.start"
    )  # fmt: skip
    needed = np.array([last - round(60 * model.step_h), last])
    if not np.isin(needed, minutes).all():
        labels = TimeAxis(needed, calendar).labels()
        raise DataError(
            f"{input}: the model needs frames at {labels[0]} and {labels[1]}, {model.step_h:g} h "
            f"apart; {collection.span()}, {len(minutes)} frames; set evaluate.predict.start"
        )
    frames = collection.read(np.searchsorted(minutes, needed))
    valid: NDArray[np.bool_] = np.asarray(np.isfinite(frames).all(axis=0))
    if not valid.all():
        if files.missing == "refuse" or not valid.reshape(len(valid), -1).any(axis=1).all():
            raise DataError(
                f"{input}: {int((~valid).sum())} of {valid.size} cells have no value at the start; "
                "fill them, or set ingest.files.missing: nearest"
            )
        _log.warning(
            "weather: %d of %d cells of the state have no value and were filled from the nearest",
            int((~valid).sum()),
            valid.size,
        )
        frames = fill_nearest(frames, valid)
    for name, mean in zip(model.channels, frames[1].mean(axis=(1, 2)), strict=True):
        check_mean(name, float(mean), input)
    return frames, TimeAxis(needed[1:], calendar)


def _on_grid(collection: Collection, model: World) -> Collection:
    """The model's rows and columns of the file."""
    grid = collection.grid
    rows = _places(grid.latitude, np.array(model.latitude))
    columns = _places(grid.longitude % 360, np.array(model.longitude) % 360)
    if rows is None or columns is None:
        ours = Grid(np.array(model.latitude), np.array(model.longitude))
        raise DataError(
            f"{collection.source}: grid {_describe(grid)}, expected that of the model, "
            f"{_describe(ours)}; regrid the file first, e.g. with `cdo remapbil`"
        )
    return collection.at_cells(rows, columns, Grid(grid.latitude[rows], np.array(model.longitude)))


def _places(theirs: NDArray, ours: NDArray) -> NDArray[np.intp] | None:
    """Where each of ``ours`` is in ``theirs``, ``None`` if one is not."""
    away = np.abs(ours[:, None] - theirs[None])
    nearest = away.argmin(axis=1)
    return nearest if (away.min(axis=1) < _DEGREES).all() else None


def _describe(grid: Grid) -> str:
    return " × ".join(
        f"{len(axis)} from {axis[0]:g} to {axis[-1]:g} degrees"
        for axis in (grid.latitude, grid.longitude)
    )
