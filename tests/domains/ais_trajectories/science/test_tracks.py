"""Cut and resampled tracks: nothing is lost, and even motion stays what it is."""

import numpy as np
import pytest

from domains.ais_trajectories.science import tracks
from domains.ais_trajectories.science.geodesy import haversine_km, travel, wrap_longitude


def messages(time_s, knots: float = 12.0, course: float = 90.0, start=(-60.0, 0.0)) -> dict:
    """An even motion along a great circle, seen at the times given."""
    time_s = np.asarray(time_s, dtype=float)
    km = knots * 1.852 * (time_s - time_s[0]) / 3600
    lon, lat = travel(*start, course, km)
    num = len(time_s)
    return {
        "time_s": time_s,
        "longitude": lon,
        "latitude": lat,
        "sog_kn": np.full(num, knots),
        "cog_deg": np.full(num, course),
    }


def test_a_silence_or_another_vessel_begins_a_track_and_every_message_has_one():
    vessel = np.array([7, 7, 7, 7, 9, 9])
    time_s = np.array([0.0, 600.0, 4200.0, 7801.0, 7900.0, 8000.0])
    assert tracks.segment(vessel, time_s, gap_min=60).tolist() == [0, 0, 0, 1, 2, 2]


def test_points_are_all_even_steps_that_a_track_spans_its_borders_too():
    times = np.array([1200.0, 1500.0, 2500.0, 3000.0])
    points = tracks.resample(np.zeros(4, dtype=int), messages(times), 10.0)
    assert points["time_s"].tolist() == [1200, 1800, 2400, 3000]
    whole = messages(times)
    assert points["longitude"][[0, 3]].tolist() == whole["longitude"][[0, 3]].tolist()


def test_even_motion_seen_at_odd_times_is_resampled_to_itself():
    random = np.random.default_rng(0)
    times = np.cumsum(random.uniform(30, 900, 400))
    seen = messages(times)
    points = tracks.resample(np.zeros(400, dtype=int), seen, 10.0)
    truth = travel(-60.0, 0.0, 90.0, 12 * 1.852 * (points["time_s"] - times[0]) / 3600)
    assert haversine_km(points["longitude"], points["latitude"], *truth).max() < 1e-6
    np.testing.assert_allclose(points["sog_kn"], 12.0)
    np.testing.assert_allclose(points["cog_deg"], 90.0)


def test_tracks_do_not_bleed_into_each_other():
    first, second = messages([0.0, 1300.0]), messages([100.0, 1400.0], start=(100.0, 50.0))
    joined = {name: np.concatenate([first[name], second[name]]) for name in first}
    points = tracks.resample(np.array([4, 4, 9, 9]), joined, 10.0)
    assert points["track"].tolist() == [4, 4, 4, 9, 9]
    assert points["longitude"][:3].max() < -59 < 99 < points["longitude"][3:].min()


def test_a_track_across_the_antimeridian_stays_on_its_line():
    points = tracks.resample(
        np.zeros(9, dtype=int), messages(np.arange(9) * 3000.0, start=(179.0, 0.0)), 10.0
    )
    truth = travel(179.0, 0.0, 90.0, 12 * 1.852 * points["time_s"] / 3600)[0]
    np.testing.assert_allclose(points["longitude"], truth, atol=1e-9)
    assert points["longitude"].min() < -179 < 179 <= points["longitude"].max()


def test_speed_and_course_that_nobody_reports_come_from_the_motion():
    seen = messages(np.arange(20) * 500.0, course=90.0)
    seen["sog_kn"] = np.full(20, np.nan)
    points = tracks.resample(np.zeros(20, dtype=int), seen, 10.0)
    np.testing.assert_allclose(points["sog_kn"], 12.0, rtol=1e-6)
    np.testing.assert_allclose(points["cog_deg"], 90.0, atol=1e-6)


def test_courses_around_north_average_to_north():
    seen = messages([0.0, 1200.0])
    seen["cog_deg"] = np.array([350.0, 10.0])
    points = tracks.resample(np.zeros(2, dtype=int), seen, 10.0)
    np.testing.assert_allclose((points["cog_deg"] + 180) % 360, [170, 180, 190], atol=1e-6)


def test_a_track_between_two_steps_has_no_point():
    assert (
        len(tracks.resample(np.zeros(2, dtype=int), messages([610.0, 1190.0]), 10.0)["time_s"]) == 0
    )


@pytest.mark.parametrize("direction", [1, -1])
def test_a_line_is_cut_on_the_meridian_at_the_latitude_where_it_crosses(direction):
    lon = wrap_longitude(direction * np.array([178.0, 179.0, 181.0, 182.0]))
    east, west = tracks.cut_at_antimeridian(lon, np.array([0.0, 1.0, 3.0, 4.0]))
    np.testing.assert_allclose(
        east, [[178 * direction, 0], [179 * direction, 1], [180 * direction, 2]]
    )
    np.testing.assert_allclose(
        west, [[-180 * direction, 2], [-179 * direction, 3], [-178 * direction, 4]]
    )


def test_a_line_that_stays_on_one_side_is_one_piece_and_two_crossings_make_three():
    (whole,) = tracks.cut_at_antimeridian(np.array([10.0, 11.0]), np.array([0.0, 1.0]))
    assert whole.tolist() == [[10, 0], [11, 1]]
    lon = np.array([179.0, -179.0, 179.0])
    pieces = tracks.cut_at_antimeridian(lon, np.zeros(3))
    assert [np.sign(piece[:, 0]).tolist() for piece in pieces] == [[1, 1], [-1, -1, -1], [1, 1]]
