"""Time stamps to one sampling rate and stretches without gaps.

Legend: N rows of a file.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from domains.errors import DataError

SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}

RATES_HZ = (5.0, 20_000.0)
"""Hz, what inertial sensors are sampled at: a step counter's 12.5 Hz to a vibration sensor's 8 kHz,
with room to spare.  Two units are a factor of 1000 apart, so a wrong one mostly falls outside."""

_GAP = 2.5  # sampling intervals; one lost sample is bridged, two are a gap
_FEW_LOST = 0.05  # share of double intervals up to which they are lost samples
_RATE_CHANGE = 1.15  # the logger's clock may wander, its rate may not
_BLOCKS = 20  # pieces of a recording whose rates are compared
_MAX_DUPLICATES = 0.05  # share of repeated stamps above which the clock itself is too coarse


@dataclass
class TimeAxis:
    """Where a file can be taken as evenly sampled.

    Args:
        rate_hz: samples per second.
        time_s: (N,) seconds since the first row.
        segments: rows (indices) of each stretch without gaps.
        warnings: what was found on the way, counted.
    """

    rate_hz: float
    time_s: NDArray[np.float64]
    segments: list[NDArray[np.int64]]
    warnings: list[str] = field(default_factory=list)


def read_time_axis(
    stamps: NDArray | None,
    is_good: NDArray[np.bool_],
    where: str,
    unit: str = "s",
    rate_hz: float | None = None,
) -> TimeAxis:
    """The sampling rate and the stretches without gaps of one file.

    Args:
        stamps: (N,) time stamps in ``unit``; ``None`` = evenly sampled at ``rate_hz``.
        is_good: (N,) rows whose sensor values are all finite numbers.
        where: file, for messages.
        unit: key of ``SECONDS``.
        rate_hz: overrules the rate of the stamps.

    Raises:
        DataError: time runs backwards, stands still, has two rates or one that no sensor has, or
            is unknown.
    """
    rows = np.arange(len(is_good))
    warnings: list[str] = []
    if stamps is None:
        if rate_hz is None:
            raise DataError(
                f"{where}: no time stamps and no rate; set ingest.files.columns.time to the "
                "column that has them, or ingest.files.rate_hz"
            )
        low, high = RATES_HZ
        if not low <= rate_hz <= high:
            raise DataError(
                f"{where}: the declared rate is {rate_hz:.4g} Hz, expected about {low:g} to "
                f"{high:,.0f} Hz; correct ingest.files.rate_hz or ingest.files.columns.rate"
            )
        time_s = rows / rate_hz
    else:
        time_s = _seconds(stamps, where, unit)
        rows = _without_duplicates(time_s, where, warnings)
        found = _steady_rate(time_s[rows], where, unit)
        rate_hz = rate_hz or found
        if abs(rate_hz / found - 1) > _RATE_CHANGE - 1:
            raise DataError(
                f"{where}: time stamps say {found:.4g} Hz, ingest.files.rate_hz says "
                f"{rate_hz:.4g} Hz; set it to null or correct ingest.files.time_unit"
            )
    is_kept = is_good[rows]
    if lost := int(np.sum(~is_kept)):
        warnings.append(f"{where}: {lost} of {len(rows)} samples have no number and were cut out")
    rows = rows[is_kept]
    breaks = np.flatnonzero(np.diff(time_s[rows]) > _GAP / rate_hz) + 1
    segments = [part for part in np.split(rows, breaks) if len(part)]
    if len(segments) > 1:
        warnings.append(f"{where}: gaps split it into {len(segments)} segments")
    return TimeAxis(rate_hz, time_s, segments, warnings)


def _seconds(stamps: NDArray, where: str, unit: str) -> NDArray[np.float64]:
    # subtract first: nanoseconds since 1970 do not fit in a float64
    time_s = (stamps - stamps[0]).astype(np.float64) * SECONDS[unit]
    if not np.all(np.isfinite(time_s)):
        row = int(np.flatnonzero(~np.isfinite(time_s))[0])
        raise DataError(f"{where}: sample {row} has no time stamp, expected one for each sample")
    backwards = np.flatnonzero(np.diff(time_s) < 0)
    if len(backwards):
        row = int(backwards[0]) + 1
        raise DataError(
            f"{where}: time runs backwards {len(backwards)} times, first at sample {row} "
            f"({time_s[row - 1]:.6g} s → {time_s[row]:.6g} s), expected rising time stamps; "
            "sort the rows, or split the file there"
        )
    return time_s


def _without_duplicates(
    time_s: NDArray[np.float64], where: str, warnings: list[str]
) -> NDArray[np.int64]:
    """Rows that are the first with their time stamp."""
    is_first = np.r_[True, np.diff(time_s) > 0]
    count = int(np.sum(~is_first))
    if count > _MAX_DUPLICATES * len(time_s):
        raise DataError(
            f"{where}: {count} of {len(time_s)} time stamps repeat the one before, expected "
            "rising ones; if the clock is too coarse, set ingest.files.columns.time: null and "
            "ingest.files.rate_hz"
        )
    if count:
        warnings.append(
            f"{where}: dropped {count} of {len(time_s)} samples: time stamp repeats the one before"
        )
    return np.flatnonzero(is_first)


def _steady_rate(time_s: NDArray[np.float64], where: str, unit: str) -> float:
    """Samples per second; refuses a recording whose parts differ in it, and a wrong unit."""
    if len(time_s) < 3:
        raise DataError(f"{where}: {len(time_s)} samples, expected a recording of some seconds")
    interval = np.diff(time_s)
    blocks = [b for b in np.array_split(interval, min(_BLOCKS, len(interval) // 25 or 1)) if len(b)]
    # the mean of what is not a gap: a median jumps where 3.5 ms is stamped as 3, 4, 3, 4 ms
    typical = np.array([b[b <= _GAP * np.median(b)].mean() for b in blocks])
    first = typical[0]
    changed = np.flatnonzero(np.maximum(typical / first, first / typical) > _RATE_CHANGE)
    if len(changed):
        start = int(sum(len(b) for b in blocks[: changed[0]]))
        raise DataError(
            f"{where}: the rate changes from {1 / first:.4g} Hz to "
            f"{1 / typical[changed[-1]]:.4g} Hz near {time_s[start]:.4g} s, expected one rate; "
            "split the file there"
        )
    is_step = interval <= _GAP * np.median(interval)
    is_lost = is_step & (interval > 1.5 * np.median(interval))
    if np.mean(is_lost) < _FEW_LOST:  # else 1.5 ms is stamped as 1, 2, 1, 2 ms
        is_step &= ~is_lost
    rate_hz = float(1 / interval[is_step].mean())
    _check_rate(rate_hz, where, unit)
    return rate_hz


def _check_rate(rate_hz: float, where: str, unit: str) -> None:
    """Refuse a rate that no sensor has; names the unit of time that would make it a usual one."""
    low, high = RATES_HZ
    if low <= rate_hz <= high:
        return
    rates = {other: rate_hz * SECONDS[unit] / SECONDS[other] for other in SECONDS}
    fitting = {other: rate for other, rate in rates.items() if low <= rate <= high}
    remedy = "name the column of the time stamps in ingest.files.columns.time"
    if fitting:
        # 100 Hz is the middle of what inertial sensors are sampled at
        best = min(fitting, key=lambda other: abs(np.log(fitting[other] / 100)))
        remedy = f"set ingest.files.time_unit: {best}"
    raise DataError(
        f"{where}: the time stamps, taken for {unit}, give {rate_hz:.4g} Hz, expected about "
        f"{low:g} to {high:,.0f} Hz; {remedy}"
    )
