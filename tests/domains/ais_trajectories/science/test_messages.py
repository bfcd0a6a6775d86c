"""Windows of irregular messages and how a forecast message is compared with the true one."""

import numpy as np
import pytest

from domains.ais_trajectories.models.message_data import to_batch
from domains.ais_trajectories.science import message_errors
from domains.ais_trajectories.science.geodesy import haversine_km
from domains.ais_trajectories.science.messages import MessageWindows, cut_messages
from domains.ais_trajectories.science.storage import read_table
from domains.errors import DataError


def window_of(**changes: list[float]) -> MessageWindows:
    """Two messages and the next one, 10 minutes apart, eastward at 6 knots on 10° N."""
    step = 1.852 / 111.1949 / np.cos(np.deg2rad(10))
    columns = {
        "time_s": [0.0, 600.0, 1200.0],
        "longitude": [0.0, step, 2 * step],
        "latitude": [10.0, 10.0, 10.0],
        "sog_kn": [6.0, 6.0, 6.0],
        "cog_deg": [90.0, 90.0, 90.0],
        "interval_min": [10.0, 10.0, 10.0],
        **changes,
    }
    parts = {name: np.array([values]) for name, values in columns.items()}
    return MessageWindows(np.array([0]), **parts)


def test_dead_reckoning_is_right_about_a_steady_ship() -> None:
    cut = window_of()
    answers = {
        name: message_errors.described(content, cut)
        for name, content in message_errors.plain_contents(cut).items()
    }
    found = message_errors.errors(answers, cut)
    assert found["dead_reckoning"]["distance_km"][0] == pytest.approx(0, abs=1e-3)
    assert found["dead_reckoning"]["all"][0] == pytest.approx(0, abs=0.01)
    assert found["persistence"]["distance_km"][0] == pytest.approx(1.852, rel=1e-4)
    # longitude 1 step instead of 2: 200·1/3; the other four variables are right
    assert found["persistence"]["longitude"][0] == pytest.approx(200 / 3, rel=1e-6)
    assert found["persistence"]["all"][0] == pytest.approx(200 / 15, rel=1e-6)


def test_courses_are_compared_across_north() -> None:
    cut = window_of(cog_deg=[359.0, 359.0, 1.0])
    content = message_errors.plain_contents(cut)["persistence"]
    found = message_errors.errors({"ours": message_errors.described(content, cut)}, cut)
    assert found["ours"]["course"][0] == pytest.approx(200 * 2 / (359 + 361))


def test_longitudes_are_compared_across_180() -> None:
    cut = window_of(longitude=[179.97, 179.99, -179.99])
    content = message_errors.plain_contents(cut)["persistence"]
    found = message_errors.errors({"ours": message_errors.described(content, cut)}, cut)["ours"]
    assert found["longitude"][0] == pytest.approx(200 * 0.02 / 360)
    assert found["all"][0] == pytest.approx(200 * 0.02 / 360 / 5)


def test_what_was_not_reported_does_not_count() -> None:
    cut = window_of(sog_kn=[6.0, 6.0, np.nan])
    content = message_errors.plain_contents(cut)["dead_reckoning"]
    found = message_errors.errors({"ours": message_errors.described(content, cut)}, cut)["ours"]
    assert np.isnan(found["speed"][0])
    assert found["all"][0] == pytest.approx(0, abs=0.01)
    batch = to_batch(cut)
    assert not batch["next_known"][0]
    assert batch["is_known"][0].all()


def test_a_batch_is_in_km_around_the_last_message_seen() -> None:
    batch = to_batch(window_of())
    np.testing.assert_allclose(batch["messages"][0, :, 0], [-1.852, 0.0], atol=1e-3)
    np.testing.assert_allclose(batch["next"][0], [1.852, 0, 6, 1, 0, 10], atol=1e-3)


def test_windows_keep_to_one_track_and_to_the_gap(tiny_dataset) -> None:
    cut = cut_messages(tiny_dataset, "test", 5, 60.0, 1)
    table = read_table(tiny_dataset, "messages", split="test")
    tracks, counts = np.unique(table["track_id"], return_counts=True)
    # the first message has no interval, six in a row are needed
    assert dict(zip(*np.unique(cut.track_id, return_counts=True), strict=True)) == dict(
        zip(tracks, counts - 6, strict=True)
    )
    np.testing.assert_allclose(cut.interval_min[:, 1:], np.diff(cut.time_s) / 60)
    gap = float(np.median(cut.interval_min))
    shorter = cut_messages(tiny_dataset, "test", 1, gap, 1)
    assert 0 < len(shorter) < len(cut)
    assert shorter.interval_min.max() <= gap


def test_distances_are_those_of_the_sphere() -> None:
    cut = window_of()
    content = np.array([[3.0, 4.0, 0.0, 0.0, 1.0, 0.0]])
    said = message_errors.described(content, cut)
    away = haversine_km(
        cut.longitude[:, 1], cut.latitude[:, 1], said["longitude"], said["latitude"]
    )
    assert away[0] == pytest.approx(5, rel=1e-9)


def test_too_long_a_window_is_refused_with_the_remedy(tiny_dataset) -> None:
    with pytest.raises(DataError, match=r"lower model.messages.length"):
        cut_messages(tiny_dataset, "test", 500, 30.0, 1)
