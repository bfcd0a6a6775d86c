"""Each fault is set aside for its own reason, and what is good stays."""

import numpy as np
import pytest

from domains.ais_trajectories.science import cleaning
from domains.ais_trajectories.science.geodesy import travel

REASONS = cleaning.REASONS


def rows(num: int = 12, step_s: float = 600.0, knots: float = 12.0, **changed) -> dict:
    """A ship that goes north-east at an even speed; single columns are replaced."""
    time_s = 1.7e9 + step_s * np.arange(num)
    lon, lat = travel(-60.0, 48.0, 45.0, knots * 1.852 * step_s / 3600 * np.arange(num))
    columns = {
        "vessel": np.full(num, 316_000_001),
        "time_s": time_s,
        "longitude": lon,
        "latitude": lat,
        "sog_kn": np.full(num, knots),
        "cog_deg": np.full(num, 45.0),
        "heading_deg": np.full(num, 44.0),
        "rot_deg_min": np.zeros(num),
        "message_type": np.ones(num, dtype=int),
    }
    return {**columns, **{name: np.asarray(value) for name, value in changed.items()}}


def with_row(row: int, **values) -> dict:
    columns = rows()
    for name, value in values.items():
        columns[name] = columns[name].copy()
        columns[name][row] = value
    return columns


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"longitude": 181.0, "latitude": 91.0}, "position not available"),
        ({"longitude": 0.0, "latitude": 91.0}, "position not available"),  # as Danish CSV has it
        ({"latitude": np.nan}, "position not available"),
        ({"latitude": 90.5}, "position out of range"),
        ({"time_s": np.nan}, "no receive time"),
        ({"time_s": np.inf}, "no receive time"),
        ({"time_s": -1.0}, "no receive time"),
        ({"vessel": 11388}, "not a ship"),
        ({"vessel": 2190045}, "not a ship"),
        ({"vessel": 992191234}, "not a ship"),
        ({"vessel": 111219501}, "not a ship"),
        ({"message_type": 4}, "not a ship"),
        ({"message_type": 21}, "not a ship"),
        ({"longitude": -75.0}, "outside the region"),
    ],
)
def test_a_row_that_shows_its_fault_is_set_aside_for_it_alone(values, reason):
    found = cleaning.flag_rows(with_row(5, **values), region=(-70.0, 40.0, -50.0, 60.0))
    assert REASONS[found[5]] == reason
    assert np.delete(found, 5).sum() == 0


def test_a_region_may_cross_the_antimeridian():
    columns = rows(3, longitude=[179.0, -179.0, 0.0], latitude=[0.0, 0.0, 0.0])
    found = cleaning.flag_rows(columns, region=(170.0, -10.0, -170.0, 10.0))
    assert [REASONS[code] for code in found] == ["", "", "outside the region"]


@pytest.mark.parametrize(
    ("name", "value", "label"),
    [
        ("sog_kn", 102.3, "speed not available (102.3)"),
        ("sog_kn", np.float32(102.3), "speed not available (102.3)"),
        ("sog_kn", 1023.0, "speed not available (102.3)"),
        ("sog_kn", -1.0, "speed out of range"),
        ("cog_deg", 360.0, "course not available (360)"),
        ("cog_deg", 3600.0, "course not available (360)"),
        ("cog_deg", 400.0, "course out of range"),
        ("heading_deg", 511.0, "heading not available (511)"),
        ("heading_deg", 360.0, "heading out of range"),
        ("rot_deg_min", -128.0, "rate of turn not available (-128)"),
        ("rot_deg_min", 127.0, "rate of turn without instrument (127)"),
    ],
)
def test_a_sentinel_becomes_nan_and_is_counted_but_costs_no_row(name, value, label):
    columns, counts = cleaning.blank_sentinels(with_row(3, **{name: value}))
    assert {key: num for key, num in counts.items() if num} == {label: 1}
    assert np.isnan(columns[name][3])
    assert np.isfinite(np.delete(columns[name], 3)).all()
    assert cleaning.flag_rows(columns).sum() == 0


def test_an_even_track_is_kept_whole():
    assert cleaning.flag_tracks(rows(), 40.0, 1.0).sum() == 0


def test_repeated_rows_keep_the_first_and_say_whether_they_agree():
    columns = rows(4, time_s=1.7e9 + np.array([0.0, 0.0, 0.0, 600.0]))
    columns["longitude"] = columns["longitude"][[0, 0, 1, 1]]
    columns["latitude"] = columns["latitude"][[0, 0, 1, 1]]
    found = [REASONS[code] for code in cleaning.flag_tracks(columns, 40.0, 1.0)]
    assert found == ["", "duplicate", "another position at the same time", ""]


def test_equal_times_of_two_vessels_are_no_duplicates():
    columns = rows(2, time_s=[1.7e9, 1.7e9], vessel=[316_000_001, 316_000_002])
    assert cleaning.flag_tracks(columns, 40.0, 1.0).sum() == 0


def test_a_position_frozen_under_way_is_stale_but_a_moored_ship_is_not():
    frozen = rows(longitude=np.full(12, -60.0), latitude=np.full(12, 48.0))
    found = cleaning.flag_tracks(frozen, 40.0, stale_h=1.0)
    assert [REASONS[code] for code in found] == ["", *["stale position"] * 11]
    assert cleaning.flag_tracks(frozen, 40.0, stale_h=2.0).sum() == 0
    moored = {**frozen, "sog_kn": np.zeros(12)}
    assert cleaning.flag_tracks(moored, 40.0, stale_h=1.0).sum() == 0


@pytest.mark.parametrize("bad", [[0], [5], [11], [0, 11], [4, 5, 6], [2, 7, 9], [0, 1, 10, 11]])
def test_teleports_are_found_wherever_they_are_and_nothing_else(bad):
    columns = rows()
    columns["longitude"] = columns["longitude"].copy()
    columns["longitude"][bad] = -119.9
    found = cleaning.flag_tracks(columns, 40.0, 1.0)
    assert np.flatnonzero(found).tolist() == bad
    assert {REASONS[code] for code in found[bad]} == {"teleport"}


def test_two_ships_under_one_mmsi_leave_one_that_never_exceeds_the_gate():
    columns = rows(40, step_s=300.0)
    columns["longitude"] = np.where(np.arange(40) % 3 == 0, 10.0, columns["longitude"])
    found = cleaning.flag_tracks(columns, 40.0, 1.0)
    assert np.flatnonzero(found == 0).tolist() == [row for row in range(40) if row % 3]


def test_noise_of_a_ship_at_anchor_is_no_teleport():
    noise = np.random.default_rng(0).normal(0, 5e-4, (2, 200))  # about 50 m, every second
    columns = rows(200, step_s=1.0, longitude=-60 + noise[0], latitude=48 + noise[1])
    assert cleaning.flag_tracks(columns, 40.0, 1.0).sum() == 0


def test_crossing_the_antimeridian_is_no_teleport():
    lon, lat = travel(179.8, 0.0, 90.0, 4.0 * np.arange(12))
    assert lon.min() < -179
    assert cleaning.flag_tracks(rows(longitude=lon, latitude=lat), 40.0, 1.0).sum() == 0


def test_late_rows_are_counted_by_vessel():
    vessel = np.array([1, 2, 1, 2, 1, 1])
    time_s = np.array([10.0, 50.0, 30.0, 60.0, 20.0, 40.0])
    assert cleaning.count_out_of_order(vessel, time_s) == 1
    assert cleaning.count_out_of_order(vessel[:0], time_s[:0]) == 0
