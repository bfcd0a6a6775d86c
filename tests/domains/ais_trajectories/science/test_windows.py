"""Windows of tracks and the ends of voyages, against tracks small enough to count by hand."""

import numpy as np
import pytest

from domains.ais_trajectories.science import windows
from domains.ais_trajectories.science.geodesy import haversine_km


def table_of(*lengths: int, moving: str | None = None, start_lon: float = 10.0) -> dict:
    """Tracks of some lengths that go east at 57° N by 0.02° in 10 minutes, 3.9 knots."""
    track = np.repeat(np.arange(len(lengths)), lengths)
    number = np.concatenate([np.arange(length) for length in lengths])
    size = len(track)
    is_moving = np.array([c == "m" for c in moving]) if moving else np.ones(size, bool)
    return {
        "track_id": track,
        "vessel": 100 + track,
        "time_s": 600.0 * number,
        "longitude": (start_lon + 0.02 * number + 180) % 360 - 180,
        "latitude": np.full(size, 57.0),
        "sog_kn": np.full(size, 3.9, np.float32),
        "cog_deg": np.full(size, 90.0, np.float32),
        "ship_type": np.full(size, 70),
        "is_moving": is_moving,
    }


def test_windows_stay_within_a_track_and_lose_none() -> None:
    cut = windows.cut(table_of(10, 5, 12), context=3, horizon=4, stride=1)
    # a track of n points has n − 3 windows with three fixes behind and one ahead
    assert np.bincount(cut.track_id).tolist() == [7, 2, 9]
    assert cut.longitude.shape == (18, 3)
    np.testing.assert_allclose(np.diff(cut.longitude, axis=1), 0.02, atol=1e-9)


def test_the_future_ends_with_the_track() -> None:
    cut = windows.cut(table_of(8), context=3, horizon=4, stride=1)
    known = np.isfinite(cut.future_longitude)
    assert known.sum(1).tolist() == [4, 4, 3, 2, 1]
    assert cut.future_longitude[0].tolist() == pytest.approx([10.06, 10.08, 10.10, 10.12])


def test_min_future_and_stride_choose_windows() -> None:
    cut = windows.cut(table_of(12), context=3, horizon=4, stride=3, min_future=4)
    assert (cut.time_s / 600).tolist() == [2, 5]


def test_the_way_ahead_is_whole_across_180_degrees() -> None:
    cut = windows.cut(table_of(12, start_lon=179.9), context=3, horizon=6, stride=1, min_future=6)
    ahead = cut.future_km()[..., 0]
    np.testing.assert_allclose(np.diff(ahead, axis=1), haversine_km(0, 57, 0.02, 57), rtol=1e-4)
    np.testing.assert_allclose(cut.context_km()[:, -1], 0, atol=1e-9)


def test_a_ship_is_under_way_from_half_a_knot_made_good() -> None:
    table = table_of(8)
    assert windows.cut(table, 3, 2, 1).is_moving.all()
    table["longitude"] = 10 + 0.002 * np.arange(8)  # 0.4 knots
    cut = windows.cut(table, 3, 2, 1)
    assert not cut.is_moving.any()
    assert np.isnan(cut.course_deg()).all()


def test_a_voyage_ends_with_a_stop_of_an_hour_or_with_the_track() -> None:
    # a halt of 3 points (half an hour) is passed; a stop of 7 ends the voyage; then the track ends
    table = table_of(20, 4, moving="mmmsssmmsssssssmmmmm" + "mmmm")
    end, voyage = windows.voyage_ends(table)
    assert end.tolist() == [8] * 15 + [19] * 5 + [23] * 4
    assert voyage.tolist() == [0] * 15 + [1] * 5 + [2] * 4


def test_a_ship_at_rest_has_arrived() -> None:
    end, _ = windows.voyage_ends(table_of(8, 3, moving="ssssssssmmm"))
    assert end.tolist() == [0] * 8 + [10] * 3


def test_a_voyage_that_the_data_cut_off_is_known_as_such() -> None:
    # the first track ends an hour and a half before the second, which is still under way
    table = table_of(20, 29)
    end, _ = windows.voyage_ends(table)
    assert windows.is_cut_off(table, end).tolist() == [False] * 20 + [True] * 29
    moored = table_of(9, moving="mm" + "sssssss")
    assert not windows.is_cut_off(moored, windows.voyage_ends(moored)[0]).any()


def test_points_ahead_do_not_leave_the_track() -> None:
    assert windows.points_ahead(table_of(4, 3), 2).tolist() == [2, 3, -1, -1, 6, -1, -1]


def test_codes_of_ship_types_fall_into_groups() -> None:
    codes = np.array([0, 30, 31, 52, 36, 37, 49, 60, 70, 79, 89, 99, 35, 20])
    names = [windows.SHIP_TYPES[number] for number in windows.ship_group(codes)]
    assert names == [
        "other", "fishing", "service", "service", "leisure", "leisure", "fast", "passenger",
        "cargo", "cargo", "tanker", "other", "service", "other",
    ]  # fmt: skip


def test_no_point_gives_no_window() -> None:
    empty = {name: column[:0] for name, column in table_of(4).items()}
    assert len(windows.cut(empty, 3, 2, 1)) == 0
