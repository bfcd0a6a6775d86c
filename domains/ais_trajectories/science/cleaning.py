"""What is wrong with a message: a reason for each row, nothing deleted.

Rows are arrays (N,) by column: vessel (MMSI), time_s, longitude, latitude, sog_kn, cog_deg,
heading_deg, rot_deg_min, message_type.  A row's reason is an index into ``REASONS``, 0 = keep.
The sentinels are those of Rec. ITU-R M.1371-5, also in the raw form (1023, 3600) that some
exports have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domains.ais_trajectories.science.geodesy import KM_PER_NAUTICAL_MILE, haversine_km

Columns = Mapping[str, NDArray[Any]]

REASONS = (
    "",
    "no receive time",
    "not a ship",
    "position not available",
    "position out of range",
    "outside the region",
    "duplicate",
    "another position at the same time",
    "stale position",
    "teleport",
)
"""Why a row is set aside; index 0 = it is kept."""

# ITU-R M.585-9: nine digits that begin with 2 to 7 are ships; 111… are aircraft, 00… coast
# stations, 97… beacons, 98… boats of a mother ship, 99… aids to navigation
_SHIPS = (200_000_000, 799_999_999)
_NOT_SHIPS = (4, 9, 21)  # message types of base stations, aircraft, aids to navigation
# two fixes a moment apart: positions are good to 0.1 km, receive times late by up to 10 s
_SLACK_KM = 0.3
_LATEST_S = 4_102_444_800.0  # the year 2100: what lies beyond, or before 1970, is no time
_STALE_KN = 3.0  # slower ones may really lie still


def flag_rows(columns: Columns, region: Sequence[float] | None = None) -> NDArray[np.uint8]:
    """Reasons that a row shows by itself.

    Args:
        columns: rows in any order.
        region: west, south, east, north in degrees; west > east crosses 180°.
    """
    lon, lat, vessel = columns["longitude"], columns["latitude"], columns["vessel"]
    is_missing = np.isnan(lon) | np.isnan(lat) | (np.abs(lon) == 181) | (np.abs(lat) == 91)
    outside = np.zeros(len(lon), dtype=bool)
    if region is not None:
        west, south, east, north = region
        is_between = (lon >= west) & (lon <= east)
        if west > east:
            is_between = (lon >= west) | (lon <= east)
        outside = ~(is_between & (lat >= south) & (lat <= north))
    tests = {
        "no receive time": ~((columns["time_s"] > 0) & (columns["time_s"] < _LATEST_S)),
        "not a ship": (vessel < _SHIPS[0])
        | (vessel > _SHIPS[1])
        | np.isin(columns["message_type"], _NOT_SHIPS),
        "position not available": is_missing,
        "position out of range": (np.abs(lon) > 180) | (np.abs(lat) > 90),
        "outside the region": outside,
    }
    reason = np.zeros(len(lon), dtype=np.uint8)
    for name, is_bad in tests.items():
        reason[(reason == 0) & is_bad] = REASONS.index(name)
    return reason


def blank_sentinels(columns: Columns) -> tuple[dict[str, NDArray], dict[str, int]]:
    """The columns with NaN where a value means "not available", and how many there were."""
    sog, cog = columns["sog_kn"], columns["cog_deg"]
    heading, rot = columns["heading_deg"], columns["rot_deg_min"]
    bad = {
        "speed not available (102.3)": ("sog_kn", np.isclose(sog, 102.3) | (sog == 1023)),
        "speed out of range": (
            "sog_kn",
            (sog < 0) | ((sog > 102.25) & ~np.isclose(sog, 102.3) & (sog != 1023)),
        ),
        "course not available (360)": ("cog_deg", (cog == 360) | (cog == 3600)),
        "course out of range": ("cog_deg", (cog < 0) | ((cog > 360) & (cog != 3600))),
        "heading not available (511)": ("heading_deg", heading == 511),
        "heading out of range": (
            "heading_deg",
            (heading < 0) | ((heading >= 360) & (heading != 511)),
        ),
        "rate of turn not available (-128)": ("rot_deg_min", rot == -128),
        "rate of turn without instrument (127)": ("rot_deg_min", np.abs(rot) == 127),
    }
    blanked = dict(columns)
    counts = {}
    for name, (column, is_bad) in bad.items():
        counts[name] = int(is_bad.sum())
        blanked[column] = np.where(is_bad, np.nan, blanked[column])
    return blanked, counts


def count_out_of_order(vessel: NDArray, time_s: NDArray) -> int:
    """Rows, in the order they came, that are older than an earlier row of the same vessel."""
    order = np.argsort(vessel, kind="stable")
    vessel, time_s = vessel[order], time_s[order]
    rank = np.cumsum(np.diff(vessel, prepend=vessel[:1]) != 0)
    low = np.nanmin(time_s) if len(time_s) else 0.0
    span = (np.nanmax(time_s) - low + 1.0) if len(time_s) else 1.0
    latest = np.maximum.accumulate(rank * span + time_s - low)
    return int((rank * span + time_s - low < latest).sum())


def flag_tracks(columns: Columns, max_speed_kn: float, stale_h: float) -> NDArray[np.uint8]:
    """Reasons that a row shows among the others of its vessel.

    Args:
        columns: rows sorted by vessel and time, none of which ``flag_rows`` set aside.
        max_speed_kn: a fix that needs more speed from the ones before and after is a teleport.
        stale_h: the same fix for longer, at a reported speed above 3 knots, is stale.
    """
    reason = np.zeros(len(columns["vessel"]), dtype=np.uint8)
    _flag_repeated(columns, reason)
    _flag_stale(columns, reason, stale_h)
    _flag_teleports(columns, reason, max_speed_kn)
    return reason


def _flag_repeated(columns: Columns, reason: NDArray[np.uint8]) -> None:
    """One row for each vessel and time: the first that came."""
    vessel, time_s = columns["vessel"], columns["time_s"]
    is_again = np.zeros(len(vessel), dtype=bool)
    is_again[1:] = (vessel[1:] == vessel[:-1]) & (time_s[1:] == time_s[:-1])
    first = np.maximum.accumulate(np.where(is_again, 0, np.arange(len(vessel))))
    lon, lat = columns["longitude"], columns["latitude"]
    is_same = (lon == lon[first]) & (lat == lat[first])
    reason[is_again & is_same] = REASONS.index("duplicate")
    reason[is_again & ~is_same] = REASONS.index("another position at the same time")


def _flag_stale(columns: Columns, reason: NDArray[np.uint8], stale_h: float) -> None:
    """All but the first of a run of equal positions that lasts too long for the speeds told."""
    rows = np.flatnonzero((reason == 0) & (columns["sog_kn"] > _STALE_KN))
    if len(rows) == 0:
        return
    vessel, lon, lat = (columns[name][rows] for name in ("vessel", "longitude", "latitude"))
    is_new = np.ones(len(rows), dtype=bool)
    is_new[1:] = (vessel[1:] != vessel[:-1]) | (lon[1:] != lon[:-1]) | (lat[1:] != lat[:-1])
    run = np.cumsum(is_new) - 1
    time_s = columns["time_s"][rows]
    first = np.flatnonzero(is_new)
    last = np.append(first[1:], len(rows)) - 1
    is_long = (time_s[last] - time_s[first]) > 3600 * stale_h
    reason[rows[is_long[run] & ~is_new]] = REASONS.index("stale position")


def _flag_teleports(columns: Columns, reason: NDArray[np.uint8], max_speed_kn: float) -> None:
    """Fixes that cannot be reached from the vessel's longest believable stretch."""
    rows = np.flatnonzero(reason == 0)
    vessel = columns["vessel"][rows]
    lon, lat, time_s = (columns[name][rows] for name in ("longitude", "latitude", "time_s"))
    speed = max_speed_kn * KM_PER_NAUTICAL_MILE / 3600  # km per s
    too_far = haversine_km(lon[:-1], lat[:-1], lon[1:], lat[1:]) > (
        speed * np.diff(time_s) + _SLACK_KM
    )
    too_far &= vessel[1:] == vessel[:-1]
    for bad in np.unique(vessel[1:][too_far]):
        first, end = np.searchsorted(vessel, [bad, bad + 1])
        part = slice(first, end)
        is_kept = _reachable(lon[part], lat[part], time_s[part], too_far[first : end - 1], speed)
        reason[rows[part][~is_kept]] = REASONS.index("teleport")


def _reachable(
    lon: NDArray, lat: NDArray, time_s: NDArray, too_far: NDArray, speed: float
) -> NDArray[np.bool_]:
    """Gate forward and backward from the longest stretch (K fixes) without a jump.

    Inside a stretch each fix can be reached from the one before, so a stretch is kept from its
    first fix on that can be reached from the fix kept last.
    """
    cuts = np.flatnonzero(too_far) + 1
    stretches = [np.arange(a, b) for a, b in pairwise([0, *cuts.tolist(), len(lon)])]
    longest = int(np.argmax([len(stretch) for stretch in stretches]))
    is_kept = np.zeros(len(lon), dtype=bool)
    is_kept[stretches[longest]] = True
    after = stretches[longest + 1 :]
    before = [stretch[::-1] for stretch in reversed(stretches[:longest])]
    for way, last in ((after, stretches[longest][-1]), (before, stretches[longest][0])):
        for rows in way:
            reach = speed * np.abs(time_s[rows] - time_s[last]) + _SLACK_KM
            is_near = haversine_km(lon[last], lat[last], lon[rows], lat[rows]) <= reach
            if is_near.any():
                rows = rows[np.argmax(is_near) :]
                is_kept[rows], last = True, rows[-1]
    return is_kept
