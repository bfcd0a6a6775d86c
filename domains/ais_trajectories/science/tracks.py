"""Messages to tracks: cut where a vessel was silent, resampled to even steps.

Legend: N messages sorted by vessel and time, P resampled points.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domains.ais_trajectories.science.geodesy import (
    KM_PER_NAUTICAL_MILE,
    bearing_deg,
    haversine_km,
    unwrap_longitude,
    wrap_course,
    wrap_longitude,
)

Columns = Mapping[str, NDArray[Any]]


def segment(group: NDArray, time_s: NDArray, gap_min: float) -> NDArray[np.int64]:
    """Track number (N,) of each message, from 0: a new one after a silence and for a new group.

    Args:
        group: whatever may not share a track (vessel, or vessel and split), sorted.
        time_s: ascending within a group.
        gap_min: a longer silence begins a new track, minutes.
    """
    is_new = np.zeros(len(group), dtype=bool)
    is_new[1:] = (group[1:] != group[:-1]) | (np.diff(time_s) > 60 * gap_min)
    return np.cumsum(is_new)


def resample(track: NDArray, columns: Columns, step_min: float) -> dict[str, NDArray]:
    """Points of each track at the multiples of ``step_min`` since 1970 that it spans.

    Positions are interpolated along the unrolled longitude; speed and course as the vector that
    the messages report, or, where they report none, as the motion between the points.  A track
    that spans no multiple has no point.

    Args:
        track: (N,) ascending.
        columns: time_s, longitude, latitude, sog_kn, cog_deg (NaN = not available).
        step_min: spacing in minutes.

    Returns:
        track, time_s, longitude, latitude, sog_kn, cog_deg, each (P,).
    """
    time_s, step = columns["time_s"], 60.0 * step_min
    first = np.flatnonzero(np.diff(track, prepend=track[:1] - 1))
    last = np.append(first[1:], len(track)) - 1
    low = np.ceil(time_s[first] / step).astype(np.int64)
    num = np.maximum(np.floor(time_s[last] / step).astype(np.int64) - low + 1, 0)
    which = np.repeat(np.arange(len(first)), num)  # (P,)
    offset = np.arange(num.sum()) - np.repeat(np.cumsum(num) - num, num)
    grid_s = (low[which] + offset) * step
    left, weight = _neighbours(time_s, first, last, which, grid_s)

    def between(values: NDArray) -> NDArray:
        right = np.minimum(left + 1, len(values) - 1)
        mixed = (1 - weight) * values[left] + weight * values[right]
        return np.where(weight == 0, values[left], mixed)

    unrolled = _unroll(columns["longitude"], first)
    lon, lat = wrap_longitude(between(unrolled)), between(columns["latitude"])
    course = np.deg2rad(columns["cog_deg"])
    east = between(columns["sog_kn"] * np.sin(course))
    north = between(columns["sog_kn"] * np.cos(course))
    sog, cog = np.hypot(east, north), wrap_course(np.rad2deg(np.arctan2(east, north)))
    is_unknown = np.isnan(sog)
    if is_unknown.any():
        sog_seen, cog_seen = _motion(which, grid_s, lon, lat)
        sog, cog = np.where(is_unknown, sog_seen, sog), np.where(is_unknown, cog_seen, cog)
    return {
        "track": track[first][which],
        "time_s": grid_s,
        "longitude": lon,
        "latitude": lat,
        "sog_kn": sog,
        "cog_deg": cog,
    }


def _neighbours(
    time_s: NDArray, first: NDArray, last: NDArray, which: NDArray, grid_s: NDArray
) -> tuple[NDArray, NDArray]:
    """The message at or before each point, in its own track, and the share of the next one."""
    if len(grid_s) == 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    origin, span = time_s.min(), np.ptp(time_s) + 1.0
    row_track = np.repeat(np.arange(len(first)), last - first + 1)
    # times of all tracks on one line, a span apart: one search serves all
    line = row_track * span + (time_s - origin)
    left = np.searchsorted(line, which * span + (grid_s - origin), side="right") - 1
    left = np.clip(left, first[which], last[which])
    right = np.minimum(left + 1, last[which])
    length = time_s[right] - time_s[left]
    weight = np.where(length > 0, (grid_s - time_s[left]) / np.where(length > 0, length, 1), 0.0)
    return left, np.clip(weight, 0.0, 1.0)


def _unroll(longitude: NDArray, first: NDArray) -> NDArray:
    """Longitude without jumps at 180° inside tracks; what happens between tracks is no matter."""
    if len(longitude) == 0 or np.abs(np.diff(longitude)).max(initial=0) <= 180:
        return longitude
    return np.concatenate([unwrap_longitude(part) for part in np.split(longitude, first[1:])])


def _motion(which: NDArray, time_s: NDArray, lon: NDArray, lat: NDArray) -> tuple[NDArray, NDArray]:
    """Knots and course from the point before (the first: to the point after); 0 for a lone one."""
    sog, cog = np.zeros(len(lon)), np.zeros(len(lon))
    if len(lon) < 2:
        return sog, cog
    distance = haversine_km(lon[:-1], lat[:-1], lon[1:], lat[1:])
    knots = distance / KM_PER_NAUTICAL_MILE / (np.diff(time_s) / 3600)
    course = bearing_deg(lon[:-1], lat[:-1], lon[1:], lat[1:])
    is_same = which[1:] == which[:-1]
    starts = np.flatnonzero(np.append(True, ~is_same) & np.append(is_same, False))
    sog[starts], cog[starts] = knots[starts], course[starts]
    later = np.flatnonzero(is_same) + 1
    sog[later], cog[later] = knots[later - 1], course[later - 1]
    return sog, cog


def cut_at_antimeridian(longitude: NDArray, latitude: NDArray) -> list[NDArray]:
    """A line (N,) in pieces (K, 2) of longitude, latitude that do not cross 180°.

    Where the line crosses, both pieces end on the meridian at the interpolated latitude
    (RFC 7946, section 3.1.9).
    """
    lon = unwrap_longitude(longitude)
    pieces: list[NDArray] = []
    start = 0
    points = np.column_stack([lon, np.asarray(latitude, dtype=np.float64)])
    sheet = np.floor((lon + 180) / 360)  # which turn of the globe
    head: list[NDArray] = []
    for row in np.flatnonzero(np.diff(sheet)).tolist():
        turn, after = sheet[row], sheet[row + 1]
        edge = 360 * max(turn, after) - 180
        share = (edge - lon[row]) / (lon[row + 1] - lon[row])
        crossing = np.array([edge, points[row, 1] + share * (points[row + 1, 1] - points[row, 1])])
        pieces.append(_piece([*head, *points[start : row + 1], crossing], turn))
        head, start = [crossing], row + 1
    pieces.append(_piece([*head, *points[start:]], sheet[-1]))
    return [piece for piece in pieces if len(np.unique(piece, axis=0)) > 1] or pieces[:1]


def _piece(points: list[NDArray], turn: float) -> NDArray:
    piece = np.array(points)
    piece[:, 0] -= 360 * turn
    return piece
