"""Time stamps: rates, gaps, duplicates and clocks that cannot be used."""

import numpy as np
import pytest

from domains.errors import DataError
from domains.imu_attitude.sources.time_axis import SECONDS, read_time_axis


def read(stamps, **kwargs):
    good = kwargs.pop("is_good", np.ones(len(stamps), dtype=bool))
    return read_time_axis(np.asarray(stamps), good, "log.csv", **kwargs)


@pytest.mark.parametrize(("unit", "factor"), [("s", 1), ("ms", 1e3), ("us", 1e6), ("ns", 1e9)])
def test_the_rate_comes_from_the_stamps_in_any_unit(unit, factor):
    axis = read(np.arange(500) / 128.0 * factor, unit=unit)
    assert axis.rate_hz == pytest.approx(128.0)
    assert axis.time_s[-1] == pytest.approx(499 / 128)
    assert len(axis.segments) == 1
    assert axis.warnings == []


def test_nanoseconds_since_1970_keep_their_digits():
    start = 1_700_000_000_000_000_000
    axis = read(start + np.arange(400, dtype=np.int64) * 2_500_000, unit="ns")
    np.testing.assert_allclose(axis.time_s, np.arange(400) * 0.0025, atol=1e-12)


def test_stamps_in_whole_milliseconds_give_the_true_mean_rate():
    axis = read(np.round(np.arange(3000) / 285.714 * 1000), unit="ms")
    assert axis.rate_hz == pytest.approx(285.714, rel=1e-3)
    assert len(axis.segments) == 1


def test_a_gap_and_rows_without_numbers_split_the_recording():
    time = np.arange(1000) / 100.0
    time[400:] += 3.0
    good = np.ones(1000, dtype=bool)
    good[700:710] = False
    axis = read(time, is_good=good)
    assert [(s[0], s[-1]) for s in axis.segments] == [(0, 399), (400, 699), (710, 999)]
    assert axis.rate_hz == pytest.approx(100.0)
    assert "10 of 1000 samples have no number and were cut out" in axis.warnings[0]
    assert "gaps split it into 3 segments" in axis.warnings[1]


def test_one_lost_sample_is_no_gap():
    time = np.delete(np.arange(1000) / 100.0, 500)
    axis = read(time)
    assert len(axis.segments) == 1
    assert axis.rate_hz == pytest.approx(100.0)


def test_667_hz_stamped_in_whole_milliseconds_is_667_hz():
    assert read(np.floor(np.arange(3000) * 1.5), unit="ms").rate_hz == pytest.approx(666.7, abs=1)


def test_repeated_stamps_are_dropped_and_counted():
    time = np.arange(1000) / 100.0
    time[[10, 500]] = time[[9, 499]]
    axis = read(time)
    assert "dropped 2 of 1000 samples: time stamp repeats" in axis.warnings[0]
    assert sum(map(len, axis.segments)) == 998
    assert axis.rate_hz == pytest.approx(100.0, rel=5e-3)


def test_a_clock_too_coarse_for_the_rate_is_refused():
    with pytest.raises(DataError, match=r"too coarse, set ingest.files.columns.time: null"):
        read(np.floor(np.arange(1000) / 4))


def test_time_that_runs_backwards_is_refused_with_its_place():
    time = np.arange(100) / 100.0
    time[[40, 41]] = time[[41, 40]]
    with pytest.raises(DataError, match=r"backwards 1 times, first at sample 41 .* sort the rows"):
        read(time)


@pytest.mark.parametrize("second", [50.0, 25.0, 300.0])
def test_a_rate_that_changes_midway_is_refused_with_both_rates(second):
    time = np.cumsum(np.r_[np.full(2000, 0.01), np.full(2000, 1 / second)])
    with pytest.raises(DataError, match=f"changes from 100 Hz to {second:g} Hz near (20|19.9)"):
        read(time)


def test_a_jittering_clock_is_no_change_of_rate():
    rng = np.random.default_rng(0)
    time = np.cumsum(rng.uniform(0.006, 0.014, 5000))
    assert read(time).rate_hz == pytest.approx(100.0, rel=0.02)


def test_a_declared_rate_that_contradicts_the_stamps_is_refused():
    with pytest.raises(DataError, match=r"stamps say 100 Hz, ingest.files.rate_hz says 286"):
        read(np.arange(500) / 100.0, rate_hz=286.0)


def test_no_stamps_and_no_rate_are_refused():
    with pytest.raises(DataError, match="no time stamps and no rate"):
        read_time_axis(None, np.ones(5, dtype=bool), "log.csv")
    assert read_time_axis(None, np.ones(5, dtype=bool), "x", rate_hz=50.0).time_s[-1] == 0.08


def test_a_missing_stamp_is_refused():
    with pytest.raises(DataError, match="sample 3 has no time stamp"):
        read([0, 0.01, 0.02, np.nan, 0.04])


@pytest.mark.parametrize(
    ("is_in", "taken_for", "hz", "found"),
    [
        ("ms", "s", 100, "0.1"),
        ("s", "ms", 100, "1e+05"),
        ("us", "ms", 286, "0.286"),
        ("ns", "s", 50, "5e-08"),
        ("s", "us", 1000, "1e+09"),
    ],
)
def test_a_wrong_unit_of_time_is_refused_and_the_right_one_named(is_in, taken_for, hz, found):
    stamps = np.arange(500) / hz / SECONDS[is_in]
    with pytest.raises(DataError) as caught:
        read(stamps, unit=taken_for)
    line = str(caught.value)
    assert f"taken for {taken_for}, give {found} Hz, expected about 5 to 20,000 Hz" in line
    assert line.endswith(f"set ingest.files.time_unit: {is_in}")


def test_a_column_that_is_no_time_at_all_is_refused():
    with pytest.raises(DataError, match=r"give 5e-15 Hz.*columns.time"):
        read(np.arange(500) * 2e14)


def test_a_declared_rate_that_no_sensor_has_is_refused():
    with pytest.raises(DataError, match=r"declared rate is 0.01 Hz.*correct ingest.files.rate_hz"):
        read_time_axis(None, np.ones(500, dtype=bool), "log.csv", rate_hz=0.01)
