"""Model calendars, and time as the networks see it: phases of the year and of the day.

Times are whole minutes since 1900-01-01 00:00 of their own calendar, so that no library of dates is
needed and years of 360 or 365 days stay what they are.  Calendars are those of the CF conventions,
section 4.4.1.

The paper's networks get twelve numbers of time (see ``embeddings``).  Its published code takes the
sine of the fraction itself, which jumps at midnight and at New Year; ours is 2π times the fraction.

Legend: T times.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domains.errors import DataError

MINUTES_PER_DAY = 1440
EPOCH_YEAR = 1900

CALENDARS = {
    "standard": "standard",
    "gregorian": "standard",
    "proleptic_gregorian": "proleptic_gregorian",
    "noleap": "noleap",
    "365_day": "noleap",
    "360_day": "360_day",
}
"""Name in a file -> ours; dates before 1582-10-15 are Julian in ``standard`` alone."""

DAYS_PER_YEAR = {
    "standard": 365.2425,
    "proleptic_gregorian": 365.2425,
    "noleap": 365.0,
    "360_day": 360.0,
}

_UNITS = {"second": 1 / 60, "minute": 1.0, "hour": 60.0, "day": 1440.0}
_ALIASES = {"s": "second", "sec": "second", "min": "minute", "h": "hour", "hr": "hour", "d": "day"}
_MONTH_STARTS = np.array([0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334])


@dataclass(frozen=True)
class TimeAxis:
    """Times of one calendar.

    Args:
        minutes: (T,) int64 since 1900-01-01 00:00.
        calendar: ``standard``, ``proleptic_gregorian``, ``noleap`` or ``360_day``.
    """

    minutes: NDArray[np.int64]
    calendar: str

    @property
    def units(self) -> str:
        """The CF units attribute of ``minutes``."""
        return f"minutes since {EPOCH_YEAR}-01-01 00:00:00"

    @property
    def day_phase(self) -> NDArray[np.float64]:
        """(T,) fraction of the day that has passed, UTC, in [0, 1)."""
        return (self.minutes % MINUTES_PER_DAY) / MINUTES_PER_DAY

    @property
    def year_phase(self) -> NDArray[np.float64]:
        """(T,) fraction of the year that has passed, in [0, 1)."""
        days = self.minutes / MINUTES_PER_DAY
        years = self.years
        starts = days_since_epoch(years, 1, 1, self.calendar)
        ends = days_since_epoch(years + 1, 1, 1, self.calendar)
        return (days - starts) / (ends - starts)

    @property
    def years(self) -> NDArray[np.int64]:
        """(T,) calendar year."""
        days = self.minutes // MINUTES_PER_DAY
        guess = EPOCH_YEAR + np.floor(days / DAYS_PER_YEAR[self.calendar]).astype(np.int64)
        guess -= days < days_since_epoch(guess, 1, 1, self.calendar)
        return guess + (days >= days_since_epoch(guess + 1, 1, 1, self.calendar))

    def labels(self) -> list[str]:
        """ISO dates and times, ``1996-01-05T06:00``."""
        return [format_time(int(minute), self.calendar) for minute in self.minutes]


def canonical_calendar(name: str, where: str) -> str:
    """Our name of a CF calendar.

    Raises:
        DataError: a calendar that is not known (``julian``, ``all_leap``, ``none``).
    """
    if (found := CALENDARS.get(name.lower())) is None:
        raise DataError(
            f"{where}: calendar {name!r}, expected one of {', '.join(CALENDARS)}; convert the "
            "time axis first, e.g. with `cdo setcalendar`"
        )
    return found


def days_since_epoch(
    year: NDArray | int, month: NDArray | int, day: NDArray | int, calendar: str
) -> NDArray[np.int64]:
    """Days from 1900-01-01 to a date of ``calendar``; arrays broadcast."""
    year, month, day = (np.asarray(part, np.int64) for part in (year, month, day))
    if calendar == "360_day":
        return (year - EPOCH_YEAR) * 360 + (month - 1) * 30 + day - 1
    plain = (year - EPOCH_YEAR) * 365 + _MONTH_STARTS[month - 1] + day - 1
    if calendar == "noleap":
        return plain
    before = year - (month <= 2)  # the last year whose 29 February can have passed
    gregorian = before // 4 - before // 100 + before // 400 - 460
    if calendar == "proleptic_gregorian":
        return plain + gregorian
    julian = before // 4 - 462
    is_julian = (year * 10_000 + month * 100 + day) < 15821015
    return plain + np.where(is_julian, julian, gregorian)


def decode(values: NDArray, units: str, calendar: str, where: str) -> TimeAxis:
    """The time axis that numbers with CF units stand for.

    Args:
        values: (T,) numbers.
        units: e.g. ``hours since 1996-01-05 00:00:00``.
        calendar: CF name.
        where: file, for messages.

    Raises:
        DataError: units that are not "... since ...", months (they have no fixed length) that are
            not whole, an unknown calendar, or a date that does not exist.
    """
    calendar = canonical_calendar(calendar, where)
    match = re.fullmatch(
        r"\s*(\w+)\s+since\s+(-?\d+)-(\d+)-(\d+)(?:[T\s]+(\d+):(\d+)(?::(\d+)(?:\.\d*)?)?)?"
        r"\s*(?:Z|UTC|\+00:?00)?\s*",
        units,
    )
    if match is None:
        raise DataError(
            f"{where}: time has units {units!r}, expected e.g. 'hours since 1900-01-01 00:00:00'"
        )
    unit = match[1].lower().removesuffix("s") if len(match[1]) > 1 else match[1].lower()
    unit = _ALIASES.get(unit, unit)
    year, month, day = (int(match[i]) for i in (2, 3, 4))
    minutes = 60 * int(match[5] or 0) + int(match[6] or 0) + round(int(match[7] or 0) / 60)
    if (first := existing_day(year, month, day, calendar)) is None:
        raise DataError(
            f"{where}: time has units {units!r}, but the {calendar} calendar has no such date; "
            "mend the attribute units or calendar"
        )
    if not np.isfinite(np.asarray(values, np.float64)).all():
        raise DataError(
            f"{where}: {int((~np.isfinite(np.asarray(values, np.float64))).sum())} of "
            f"{np.size(values)} times are missing, expected a number for each frame; leave those "
            "frames out"
        )
    if unit in ("month", "year"):
        return _months(np.asarray(values), unit, (year, month, day), calendar, where)
    if unit not in _UNITS:
        raise DataError(
            f"{where}: time counts {match[1]!r}, expected seconds, minutes, hours or days"
        )
    start = first * MINUTES_PER_DAY + minutes
    offsets = np.rint(np.asarray(values, np.float64) * _UNITS[unit]).astype(np.int64)
    return TimeAxis(start + offsets, calendar)


def _months(
    values: NDArray, unit: str, start: tuple[int, int, int], calendar: str, where: str
) -> TimeAxis:
    """Whole months or years from ``start``, on the same day of the month."""
    months = np.rint(values * (12 if unit == "year" else 1)).astype(np.int64)
    if not np.allclose(months, values * (12 if unit == "year" else 1)):
        raise DataError(
            f"{where}: time counts fractions of {unit}s, whose length is not defined; give it in "
            "hours or days"
        )
    year, month, day = start
    if day > 28:
        raise DataError(f"{where}: months since day {day}, expected a day that every month has")
    total = year * 12 + month - 1 + months
    days = days_since_epoch(total // 12, total % 12 + 1, day, calendar)
    return TimeAxis(days * MINUTES_PER_DAY, calendar)


def from_datetime64(times: NDArray, where: str = "time") -> TimeAxis:
    """NumPy's datetimes (T,), which follow the proleptic Gregorian calendar.

    Raises:
        DataError: some are not a time.
    """
    if missing := int(np.isnat(times).sum()):
        raise DataError(
            f"{where}: {missing} of {len(times)} times are missing, expected one for each frame; "
            "leave those frames out"
        )
    since = times.astype("datetime64[m]") - np.datetime64(f"{EPOCH_YEAR}-01-01", "m")
    return TimeAxis(since.astype(np.int64), "proleptic_gregorian")


def parse_time(text: str, calendar: str, key: str) -> int:
    """Minutes since the epoch of an ISO date, or date and time, of ``calendar``.

    Raises:
        DataError: not such a text; ``key`` of the parameters is named.
    """
    match = re.fullmatch(
        r"(\d{1,4})-(\d\d?)-(\d\d?)(?:[T ](\d\d?)(?::(\d\d)(?::00(?:\.0*)?)?)?\s*(?:Z|\+00:?00)?)?",
        text.strip(),
    )
    hour, minute = (int(match[4] or 0), int(match[5] or 0)) if match else (0, 0)
    if match is None or not (1 <= int(match[2]) <= 12 and 1 <= int(match[3]) <= 31) or (
        hour > 23 or minute > 59
    ):  # fmt: skip
        raise DataError(
            f"weather: {key}: {text!r}, expected an ISO date such as 2018-01-31T06 (UTC, whole "
            "minutes)"
        )
    year, month, day = (int(match[i]) for i in (1, 2, 3))
    if (days := existing_day(year, month, day, calendar)) is None:
        raise DataError(
            f"weather: {key}: {text!r} is no date of the {calendar} calendar, expected one that is"
        )
    return days * MINUTES_PER_DAY + 60 * hour + minute


def existing_day(year: int, month: int, day: int, calendar: str) -> int | None:
    """Days from 1900-01-01 to a date, ``None`` where ``calendar`` has no such date."""
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    if calendar == "standard" and (year, month) == (1582, 10):
        is_there = day <= 4 or day >= 15
    else:
        following = (year, month + 1) if month < 12 else (year + 1, 1)
        first, after = (days_since_epoch(*when, 1, calendar) for when in ((year, month), following))
        is_there = day <= int(after - first)
    return int(days_since_epoch(year, month, day, calendar)) if is_there else None


def format_time(minute: int, calendar: str) -> str:
    """ISO date and time of ``minute`` since the epoch."""
    days, rest = divmod(minute, MINUTES_PER_DAY)
    year = int(TimeAxis(np.array([minute]), calendar).years[0])
    starts = np.array([days_since_epoch(year, month, 1, calendar) for month in range(1, 13)])
    month = int(np.searchsorted(starts, days, side="right"))
    day = days - int(starts[month - 1]) + 1
    return f"{year:04d}-{month:02d}-{day:02d}T{rest // 60:02d}:{rest % 60:02d}"


def embeddings(
    year_phase: NDArray, day_phase: NDArray, step_h: float, calendar: str = "standard"
) -> NDArray[np.float64]:
    """The paper's twelve numbers of time for a step from t to t + ``step_h``.

    For the three times t − step, t, t + step: sin 2πy, sin 2πd, cos 2πy, cos 2πd with y the phase
    of the year and d that of the day.

    Args:
        year_phase: (...) of t.
        day_phase: (...) of t.
        step_h: hours between frames.
        calendar: whose year it is.

    Returns:
        (..., 12), time by time.
    """
    parts = []
    for offset in (-1, 0, 1):
        days = offset * step_h / 24
        year = 2 * np.pi * (np.asarray(year_phase) + days / DAYS_PER_YEAR[calendar])
        day = 2 * np.pi * (np.asarray(day_phase) + days)
        parts += [np.sin(year), np.sin(day), np.cos(year), np.cos(day)]
    return np.stack(parts, axis=-1)
