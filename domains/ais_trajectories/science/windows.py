"""Tracks cut into a context that is seen and a future that is asked for, and where ships went.

Legend: P points of all tracks, N windows, L fixes of the context, H steps ahead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from domains.ais_trajectories.science import geodesy

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

SHIP_TYPES = ("other", "fishing", "service", "leisure", "fast", "passenger", "cargo", "tanker")
"""Groups of the codes of ITU-R M.1371, table 53."""

_MIN_STOP_H = 1.0
"""A shorter halt (a lock, a pilot) is not the end of a voyage."""

_SLOW_KM_H = 0.9
"""Below it, half a knot, a drift between fixes has no course worth the name."""


def ship_group(code: NDArray) -> Ints:
    """Place in ``SHIP_TYPES`` of each AIS code (N,)."""
    code = np.asarray(code, np.int64)
    group = np.zeros_like(code)
    for number, which in (
        (1, code == 30),
        (2, np.isin(code, (31, 32, 33, 34, 35)) | (code // 10 == 5)),
        (3, np.isin(code, (36, 37))),
        (4, code // 10 == 4),
        (5, code // 10 == 6),
        (6, code // 10 == 7),
        (7, code // 10 == 8),
    ):
        group[which] = number
    return group


@dataclass(frozen=True)
class Windows:
    """Contexts and futures in even steps.

    Args:
        point: (N,) row of the last fix in the table of tracks.
        track_id, vessel: (N,).
        time_s: (N,) of the last fix.
        longitude, latitude: (N, L) degrees.
        sog_kn, cog_deg: (N, L) as reported, NaN where unknown.
        future_longitude, future_latitude: (N, H) degrees, NaN after the track's end.
        ship_type: (N,) place in ``SHIP_TYPES``.
        step_min: minutes between fixes.
    """

    point: Ints
    track_id: Ints
    vessel: Ints
    time_s: Array
    longitude: Array
    latitude: Array
    sog_kn: Array
    cog_deg: Array
    future_longitude: Array
    future_latitude: Array
    ship_type: Ints
    step_min: float

    def __len__(self) -> int:
        return len(self.point)

    def take(self, which: NDArray) -> Windows:
        """The windows at ``which`` (numbers or booleans)."""
        names = [field.name for field in fields(self) if field.name != "step_min"]
        return replace(self, **{name: getattr(self, name)[which] for name in names})

    def context_km(self) -> Array:
        """(N, L, 2) km east and north of the last fix."""
        return self._local(self.longitude, self.latitude)

    def future_km(self) -> Array:
        """(N, H, 2) km east and north of the last fix, NaN after the track's end."""
        return self._local(self.future_longitude, self.future_latitude)

    def course_deg(self) -> Array:
        """(N,) made good over the last two steps, NaN below half a knot."""
        return made_good(self.longitude[:, -3:], self.latitude[:, -3:], self.step_min)

    @property
    def is_moving(self) -> NDArray[np.bool_]:
        """(N,) whether half a knot or more was made good over the last two steps."""
        return np.isfinite(self.course_deg())

    def _local(self, longitude: Array, latitude: Array) -> Array:
        origin = self.longitude[:, -1:], self.latitude[:, -1:]
        return np.stack(geodesy.to_local_km(longitude, latitude, *origin), axis=-1)


def made_good(longitude: Array, latitude: Array, step_min: float) -> Array:
    """Course (N,) from the first to the last of some fixes (N, ≥ 2), NaN below half a knot."""
    ends = longitude[:, 0], latitude[:, 0], longitude[:, -1], latitude[:, -1]
    hours = (longitude.shape[1] - 1) * step_min / 60
    return np.where(
        geodesy.haversine_km(*ends) / hours >= _SLOW_KM_H, geodesy.bearing_deg(*ends), np.nan
    )


def step_min_of(table: Mapping[str, NDArray]) -> float:
    """Minutes between the points of a table of tracks; 0 where no track has two points."""
    same = np.diff(table["track_id"]) == 0
    steps = np.diff(table["time_s"])[same]
    return float(np.median(steps)) / 60 if len(steps) else 0.0


def cut(
    table: Mapping[str, NDArray], context: int, horizon: int, stride: int, min_future: int = 1
) -> Windows:
    """All windows of the tracks in ``table``.

    Args:
        table: columns of ``tracks.parquet``, sorted by track and time.
        context: L.
        horizon: H; a track may end before.
        stride: steps between the last fixes of neighbouring windows of a track.
        min_future: steps of the future that must be known.
    """
    first, stop = track_bounds(table["track_id"])
    last = [
        np.arange(a + context - 1, b - min_future, stride) for a, b in zip(first, stop, strict=True)
    ]
    count = [len(part) for part in last]
    point = np.concatenate([np.zeros(0, np.int64), *last]).astype(np.int64)
    end = np.repeat(stop, count)[:, None]
    past = point[:, None] + np.arange(1 - context, 1)
    ahead = point[:, None] + np.arange(1, horizon + 1)
    is_known, ahead = ahead < end, np.minimum(ahead, len(table["time_s"]) - 1)
    future = {
        name: np.where(is_known, table[name][ahead], np.nan) for name in ("longitude", "latitude")
    }
    return Windows(
        point=point,
        track_id=table["track_id"][point].astype(np.int64),
        vessel=table["vessel"][point],
        time_s=table["time_s"][point],
        longitude=table["longitude"][past],
        latitude=table["latitude"][past],
        sog_kn=table["sog_kn"][past].astype(np.float64),
        cog_deg=table["cog_deg"][past].astype(np.float64),
        future_longitude=future["longitude"],
        future_latitude=future["latitude"],
        ship_type=ship_group(table["ship_type"][point]),
        step_min=step_min_of(table),
    )


def asked(
    longitude: NDArray,
    latitude: NDArray,
    sog_kn: NDArray,
    cog_deg: NDArray,
    ship_type: NDArray,
    horizon: int,
    step_min: float,
) -> Windows:
    """Windows with a past and no known future.

    Args:
        longitude, latitude, sog_kn, cog_deg: (N, L).
        ship_type: (N,) code of the AIS standard.
        horizon: H.
        step_min: minutes between fixes.
    """
    size = len(longitude)
    numbers, nothing = np.arange(size), np.full((size, horizon), np.nan)
    return Windows(
        point=numbers,
        track_id=numbers,
        vessel=numbers,
        time_s=np.zeros(size),
        longitude=np.asarray(longitude, np.float64),
        latitude=np.asarray(latitude, np.float64),
        sog_kn=np.asarray(sog_kn, np.float64),
        cog_deg=np.asarray(cog_deg, np.float64),
        future_longitude=nothing,
        future_latitude=nothing,
        ship_type=ship_group(ship_type),
        step_min=step_min,
    )


def track_bounds(track_id: NDArray) -> tuple[Ints, Ints]:
    """First row of each track and the row after its last, from ids (P,) in order of tracks."""
    first = np.flatnonzero(np.diff(track_id, prepend=track_id[:1] - 1))
    return first, np.append(first[1:], len(track_id)) if len(first) else first


def voyage_ends(table: Mapping[str, NDArray]) -> tuple[Ints, Ints]:
    """Where each point's voyage ends, and which voyage it belongs to, (P,) each.

    A voyage ends with the first stop of at least an hour, or where the track does.  The points of
    the stop belong to it too, so that a ship at rest has arrived.

    Returns:
        Row of the point at which the voyage ends, and number of the voyage.
    """
    num = len(table["track_id"])
    first, stop = track_bounds(table["track_id"])
    track = np.repeat(np.arange(len(first)), stop - first)
    moving = np.asarray(table["is_moving"], bool)
    changes = (np.diff(moving, prepend=not moving[:1].any()) != 0) | (
        np.diff(track, prepend=-1) != 0
    )
    begin = np.flatnonzero(changes)  # of each run of one state within one track
    length = np.diff(np.append(begin, num))
    long_enough = length * step_min_of(table) / 60 >= _MIN_STOP_H
    is_stop = ~moving[begin] & long_enough
    end_of_track = stop[track] - 1
    marks = np.full(num, num, np.int64)
    marks[begin[is_stop]] = begin[is_stop]
    ahead = np.minimum.accumulate(marks[::-1])[::-1]  # next stop at or after each point
    inside = np.repeat(is_stop, length)
    own = np.repeat(begin, length)
    end = np.where(inside, own, np.minimum(ahead, end_of_track))
    _, voyage = np.unique(end, return_inverse=True)
    return end.astype(np.int64), voyage.astype(np.int64)


def is_cut_off(table: Mapping[str, NDArray], end: Ints) -> NDArray[np.bool_]:
    """Whether a voyage had not ended when the data did, (P,): under way in their last hour.

    Args:
        table: tracks of one split.
        end: (P,) row at which each point's voyage ends, of ``voyage_ends``.
    """
    last_s = table["time_s"].max() - 3600
    return np.asarray(table["is_moving"], bool)[end] & (table["time_s"][end] >= last_s)


def points_ahead(table: Mapping[str, NDArray], steps: int) -> Ints:
    """Row ``steps`` later in the same track, −1 where the track has ended, (P,)."""
    _, stop = track_bounds(table["track_id"])
    first, _ = track_bounds(table["track_id"])
    end = np.repeat(stop, stop - first)
    ahead = np.arange(len(end)) + steps
    return np.where(ahead < end, ahead, -1)
