"""Fields of one origin on one grid: what every source gives to ``ingest``.

Legend: T times, C channels, H latitudes north → south, W longitudes ascending.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from domains.errors import DataError
from domains.weather.params import RegionParams
from domains.weather.science.calendars import TimeAxis, parse_time
from domains.weather.science.grid import Grid, columns_between


@dataclass
class Collection:
    """Frames that can be read a few at a time.

    Args:
        title: one line, says whether the data are simulated.
        source: where they came from.
        licence: of the raw data.
        channels: names (C).
        grid: (H, W).
        times: (T,) ascending, each once.
        read: indices (n,) on ``times`` -> (n, C, H, W) float32 in SI units, NaN where missing.
        is_zonally_symmetric: whether no longitude differs from another.
        is_simulated: whether it is known to be a model's world; of a user's files nobody says.
        warnings: counted warnings.
        rejected: reason -> number of frames or variables.
    """

    title: str
    source: str
    licence: str
    channels: list[str]
    grid: Grid
    times: TimeAxis
    read: Callable[[NDArray[np.int64]], NDArray[np.float32]]
    is_zonally_symmetric: bool = False
    is_simulated: bool = False
    warnings: list[str] = field(default_factory=list)
    rejected: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.times.minutes)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of a frame."""
        return len(self.channels), len(self.grid.latitude), len(self.grid.longitude)

    def at_times(self, indices: NDArray[np.int64]) -> Collection:
        """The same with these of its frames alone."""
        times = TimeAxis(self.times.minutes[indices], self.times.calendar)
        return replace(self, times=times, read=lambda rows: self.read(indices[rows]))

    def at_cells(self, rows: NDArray[np.intp], columns: NDArray[np.intp], grid: Grid) -> Collection:
        """The same with these rows and columns of its grid alone."""
        return replace(
            self, grid=grid, read=lambda times: self.read(times)[:, :, rows][:, :, :, columns]
        )

    def cut_region(self, region: RegionParams) -> Collection:
        """The part within ``region``.

        Raises:
            DataError: fewer than two rows or columns of the grid lie there.
        """
        if region.latitude is None and region.longitude is None:
            return self
        south, north = region.latitude or (-90.0, 90.0)
        is_row = (self.grid.latitude >= south - 1e-6) & (self.grid.latitude <= north + 1e-6)
        is_column = np.ones(len(self.grid.longitude), bool)
        if region.longitude is not None:
            is_column = columns_between(self.grid.longitude, *region.longitude)
        if is_row.sum() < 2 or is_column.sum() < 2:
            latitude, longitude = self.grid.latitude, self.grid.longitude
            raise DataError(
                f"weather: ingest.region holds {is_row.sum()} rows and {is_column.sum()} columns, "
                f"expected two or more; the data reach from {latitude.min():g} to "
                f"{latitude.max():g} degrees north and {longitude.min():g} to {longitude.max():g} "
                "degrees east"
            )
        rows, columns = np.flatnonzero(is_row), np.flatnonzero(is_column)
        chosen = self.grid.longitude[columns]
        jump = np.flatnonzero(np.diff(chosen) > 1.5 * np.diff(self.grid.longitude).min())
        if len(jump):  # the box crosses the edge of the grid: put its western part first
            columns = np.roll(columns, -(jump[0] + 1))
            chosen = self.grid.longitude[columns]
            chosen = np.where(chosen >= chosen[0], chosen - 360, chosen)
        return self.at_cells(rows, columns, Grid(self.grid.latitude[rows], chosen))

    def cut_times(self, start: str | None, end: str | None, step_h: float) -> Collection:
        """The frames from ``start`` to ``end``, every ``step_h`` hours.

        Raises:
            DataError: a date outside the record, or frames further apart than ``step_h``.
        """
        minutes, calendar = self.times.minutes, self.times.calendar
        first = self._bound(start, "ingest.start", int(minutes[0]))
        last = self._bound(end, "ingest.end", int(minutes[-1]))
        inside = np.flatnonzero((minutes >= first) & (minutes <= last))
        if len(inside) == 0:
            raise DataError(f"weather: no frame from {start} to {end}; {self.span()}")
        step = round(60 * step_h)
        kept = inside[(minutes[inside] - minutes[inside[0]]) % step == 0]
        gaps = np.diff(minutes[kept])
        if len(gaps) and np.median(gaps) != step:
            raise DataError(
                f"{self.source}: frames are {np.median(gaps) / 60:g} h apart, expected "
                f"ingest.step_h: {step_h:g}; set it to that, or take data with shorter steps"
            )
        found = self.at_times(kept)
        if missing := int(np.sum(gaps // step - 1)):
            found.warnings.append(
                f"{missing} frames are missing between {calendar} dates "
                f"{found.times.labels()[0]} and {found.times.labels()[-1]}; no sample crosses a gap"
            )
        return found

    def span(self) -> str:
        """Its first and last time in words."""
        ends = TimeAxis(self.times.minutes[[0, -1]], self.times.calendar).labels()
        return f"the data reach from {ends[0]} to {ends[1]} ({self.times.calendar} calendar)"

    def _bound(self, text: str | None, key: str, default: int) -> int:
        if text is None:
            return default
        minute = parse_time(text, self.times.calendar, key)
        if not self.times.minutes[0] <= minute <= self.times.minutes[-1]:
            raise DataError(f"weather: {key}: {text} lies outside the record; {self.span()}")
        return minute
