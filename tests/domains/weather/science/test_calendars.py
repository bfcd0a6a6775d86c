"""Times of model calendars, and what networks are told of them."""

from datetime import date, timedelta

import numpy as np
import pytest

from domains.errors import DataError
from domains.weather.science.calendars import (
    TimeAxis,
    canonical_calendar,
    days_since_epoch,
    decode,
    embeddings,
    from_datetime64,
    parse_time,
)


def test_gregorian_days_are_those_of_the_standard_library():
    random = np.random.default_rng(0)
    days = [date(1, 1, 1) + timedelta(days=int(n)) for n in random.integers(0, 1_000_000, 500)]
    found = days_since_epoch(
        np.array([d.year for d in days]),
        np.array([d.month for d in days]),
        np.array([d.day for d in days]),
        "proleptic_gregorian",
    )
    assert found.tolist() == [(d - date(1900, 1, 1)).days for d in days]


def test_the_standard_calendar_has_no_days_between_4_and_15_october_1582():
    before, after = (int(days_since_epoch(1582, 10, d, "standard")) for d in (4, 15))
    assert after - before == 1


def test_reference_dates_of_year_one_are_two_julian_days_earlier():
    # first time of NCEP's reanalysis 1: 17067072 hours since 1-1-1, which is 1948-01-01
    ours = decode(np.array([17_067_072.0]), "hours since 1-1-1 00:00:0.0", "standard", "hgt.nc")
    assert ours.labels() == ["1948-01-01T00:00"]
    other = decode(np.array([17_067_072.0]), "hours since 0001-01-01", "proleptic_gregorian", "")
    assert other.labels() == ["1948-01-03T00:00"]


@pytest.mark.parametrize(
    ("calendar", "last_of_february", "days_in_year"),
    [("noleap", "2000-02-28T18:00", 365), ("360_day", "2000-02-30T18:00", 360),
     ("gregorian", "2000-02-29T18:00", 366)],
)  # fmt: skip
def test_calendars_have_their_own_february_and_year(calendar, last_of_february, days_in_year):
    march = decode(np.array([0]), "days since 2000-03-01", calendar, "")
    before = TimeAxis(march.minutes - 360, march.calendar)
    assert before.labels() == [last_of_february]
    assert parse_time(last_of_february, march.calendar, "") == before.minutes[0]
    year = [int(days_since_epoch(y, 1, 1, march.calendar)) for y in (2000, 2001)]
    assert year[1] - year[0] == days_in_year


@pytest.mark.parametrize(
    ("values", "units", "expected"),
    [
        ([0, 6], "hours since 1996-01-05 00:00:00", ["1996-01-05T00:00", "1996-01-05T06:00"]),
        ([1551398400], "seconds since 1970-01-01", ["2019-03-01T00:00"]),
        ([0.25], "days since 2000-02-29T12:00:00Z", ["2000-02-29T18:00"]),
        ([13], "months since 1999-12-15", ["2001-01-15T00:00"]),
        ([90], "min since 2001-01-01", ["2001-01-01T01:30"]),
    ],
)
def test_cf_units_are_decoded(values, units, expected):
    assert decode(np.array(values), units, "standard", "").labels() == expected


def test_numpy_datetimes_are_the_same_times():
    times = np.array(["1959-01-02T00", "2023-12-31T18"], "datetime64[h]")
    assert from_datetime64(times).labels() == ["1959-01-02T00:00", "2023-12-31T18:00"]


@pytest.mark.parametrize(
    ("units", "calendar", "values", "message"),
    [
        ("hours", "standard", [0], "a.nc: time has units 'hours', expected e.g. 'hours since"),
        ("days since 2000-01-01", "all_leap", [0], "calendar 'all_leap', expected one of standard"),
        ("months since 2000-01-01", "standard", [0.5], "fractions of months"),
        ("months since 2000-01-31", "standard", [1], "months since day 31"),
        ("fortnights since 2000-01-01", "standard", [1], "time counts 'fortnights', expected sec"),
        (
            "hours since 2020-02-31",
            "standard",
            [0],
            "2020-02-31', but the standard calendar has no",
        ),
        ("hours since 2000-02-29", "noleap", [0], "2000-02-29', but the noleap calendar has no"),
        ("hours since 1582-10-10", "standard", [0], "the standard calendar has no such date"),
        ("days since 2000-13-01", "standard", [0], "the standard calendar has no such date"),
        ("hours since 2020-01-01", "standard", [0.0, np.nan], "1 of 2 times are missing"),
    ],
)
def test_times_that_mean_nothing_are_refused(units, calendar, values, message):
    with pytest.raises(DataError, match=message):
        decode(np.array(values), units, calendar, "a.nc")


def test_phases_run_from_zero_to_one_over_day_and_year():
    times = decode(np.arange(0, 366 * 24, 6), "hours since 2000-01-01", "standard", "")
    np.testing.assert_allclose(times.year_phase, np.arange(366 * 4) / (366 * 4), atol=1e-12)
    assert times.day_phase[:5].tolist() == [0, 0.25, 0.5, 0.75, 0]


def test_embeddings_are_the_sines_of_three_times_and_do_not_jump_at_new_year():
    found = embeddings(np.array([0.25]), np.array([0.5]), 6.0, "360_day")
    assert found.shape == (1, 12)
    quarter = 2 * np.pi * 0.25 / 360
    now = [1, 0, 0, -1]  # sin and cos of a quarter of a year and of noon
    after = [np.cos(quarter), -1, -np.sin(quarter), 0]
    before = [np.cos(quarter), 1, np.sin(quarter), 0]
    np.testing.assert_allclose(found[0], [*before, *now, *after], atol=1e-12)
    eve, day = (
        embeddings(np.array(y), np.array(d), 6.0) for y, d in ((1 - 1e-9, 1 - 1e-9), (0, 0))
    )
    np.testing.assert_allclose(eve, day, atol=1e-7)


@pytest.mark.parametrize(
    ("text", "calendar", "expected"),
    [
        ("2018-01-31T06:30:00", "standard", "2018-01-31T06:30"),
        ("2018-01-31T06:00:00Z", "standard", "2018-01-31T06:00"),
        ("2018-01-31 06:00:00+00:00", "standard", "2018-01-31T06:00"),
        ("2018-02-30T06Z", "360_day", "2018-02-30T06:00"),
    ],
)
def test_dates_may_have_seconds_and_a_zone(text, calendar, expected):
    minute = parse_time(text, calendar, "ingest.start")
    assert TimeAxis(np.array([minute]), calendar).labels() == [expected]


@pytest.mark.parametrize(
    ("text", "calendar"),
    [("2018-02-29", "standard"), ("2000-02-29", "noleap"), ("2018-01-31", "360_day"),
     ("1582-10-10", "standard")],
)  # fmt: skip
def test_dates_that_a_calendar_lacks_are_refused(text, calendar):
    with pytest.raises(
        DataError, match=rf"ingest.start: '{text}' is no date of the {calendar} cal"
    ):
        parse_time(text, calendar, "ingest.start")


def test_a_datetime_that_is_none_is_refused():
    times = np.array(["1959-01-02T00", "NaT"], "datetime64[h]")
    with pytest.raises(DataError, match=r"a\.nc: 1 of 2 times are missing"):
        from_datetime64(times, "a.nc")


@pytest.mark.parametrize(
    "text",
    ["yesterday", "2018-13-01", "2018-01-40", "2018", "2018-01-31T25", "2018-01-31T06:00:30"],
)
def test_dates_that_are_none_are_refused_with_the_key(text):
    with pytest.raises(DataError, match=r"ingest.start: .*expected an ISO date such as 2018-01-31"):
        parse_time(text, "standard", "ingest.start")


def test_calendars_are_known_by_their_other_names():
    assert canonical_calendar("365_day", "") == "noleap"
    assert canonical_calendar("Gregorian", "") == "standard"
