"""The simulated traffic: ships behave, the log has the faults that are told, nothing else."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from domains.ais_trajectories.science.geodesy import haversine_km
from domains.ais_trajectories.sources.nmea.reader import read_nmea
from domains.ais_trajectories.sources.simulator import (
    FIRST_VESSEL,
    main,
    simulate_ships,
    write_log,
)
from domains.ais_trajectories.sources.waterways import gulf_of_st_lawrence


@pytest.fixture(scope="module")
def ships():
    return simulate_ships(seed=3, vessels=6, days=5.0)


def test_a_ship_does_not_depend_on_how_many_others_there_are(ships):
    alone = simulate_ships(seed=3, vessels=1, days=5.0)[0]
    np.testing.assert_array_equal(alone.longitude, ships[0].longitude)
    assert not np.array_equal(alone.longitude, ships[1].longitude)


def test_every_port_can_be_reached_from_every_other_without_passing_through_a_third():
    waters = gulf_of_st_lawrence()
    even = np.ones(len(waters.lanes))
    for origin in waters.ports:
        for destination in waters.ports:
            if origin != destination:
                way = waters.route(origin, destination, even)
                assert (way[0], way[-1]) == (origin, destination)
                assert not set(way[1:-1]) & set(waters.ports)


def test_a_course_is_smooth_evenly_marked_and_little_shorter_than_its_lanes():
    waters = gulf_of_st_lawrence()
    way = waters.route("Québec", "Atlantic east", np.ones(len(waters.lanes)))
    course = waters.course(way)
    ends = np.array([waters.places[name] for name in way]).T
    lanes = haversine_km(ends[0, :-1], ends[1, :-1], ends[0, 1:], ends[1, 1:]).sum()
    assert 0.98 * lanes < course.length_km < lanes
    lon, lat = course.at(np.array([100.0, 200.0]), np.array([2.0, -2.0]))
    on_line = course.at(np.array([100.0, 200.0]), np.zeros(2))
    np.testing.assert_allclose(haversine_km(lon, lat, *on_line), 2.0, rtol=1e-6)
    # going east, starboard is south
    assert lat[0] < on_line[1][0]
    assert lat[1] > on_line[1][1]


def test_ships_sail_at_the_speed_they_report_and_reach_the_ports_they_steer_for(ships):
    waters = gulf_of_st_lawrence()
    for ship in ships:
        step_km = haversine_km(
            ship.longitude[:-1], ship.latitude[:-1], ship.longitude[1:], ship.latitude[1:]
        )
        assert step_km.max() < 40 * 1.852 / 60
        sailing = ~ship.is_moored[1:]
        knots = step_km / 1.852 * 60
        assert np.abs(knots - ship.sog_kn[1:])[sailing].mean() < 0.1
        assert knots[~sailing].mean() < 2.0
        for voyage in ship.voyages:
            row = np.searchsorted(ship.time_s, voyage.arrival_s)
            if row < len(ship.time_s):
                port = waters.places[voyage.destination]
                assert haversine_km(ship.longitude[row], ship.latitude[row], *port) < 3.0


def test_the_log_has_the_faults_that_are_told_and_is_the_same_each_time(tmp_path):
    voyages, faults = write_log(tmp_path / "a", seed=5, vessels=12, days=4.0, report_s=120.0)
    assert write_log(tmp_path / "b", 5, 12, 4.0, 120.0) == (voyages, faults)
    text = (tmp_path / "a").read_bytes()
    assert (tmp_path / "b").read_bytes() == text
    rejected: Counter[str] = Counter()
    blocks = list(read_nmea(tmp_path / "a", rejected))
    names = ("checksum", "message with fragments missing")
    assert {k: v for k, v in rejected.items() if v} == {name: faults[name] for name in names}
    vessel = np.concatenate([block["vessel"] for block in blocks])
    assert set(vessel[vessel < 990_000_000]) - {3_160_011} == {FIRST_VESSEL + n for n in range(12)}
    lines = Counter(line for line in text.split(b"\r\n") if b"AIVDM,1,1," in line)
    assert sum(num - 1 for num in lines.values()) == faults["duplicate"] > 100
    assert min(faults[name] for name in ("late", "teleport", "position not available")) > 0


def test_the_command_line_writes_a_log_and_says_that_it_is_simulated(tmp_path, capsys):
    main([str(tmp_path / "log.nmea"), "--vessels", "2", "--days", "2"])
    assert (tmp_path / "log.nmea").stat().st_size > 10_000
    assert "simulated, " in capsys.readouterr().out
