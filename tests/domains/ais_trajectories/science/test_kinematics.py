"""Forecasts without training against straight lines and least squares."""

import numpy as np
import pytest

from domains.ais_trajectories.science import kinematics


def line(num: int) -> np.ndarray:
    """A straight track (1, num, 2) at (3, −1) km per step that ends at the origin."""
    return (np.arange(num) - num + 1)[None, :, None] * np.array([3.0, -1.0])


@pytest.mark.parametrize("num", [2, 3, 18])
def test_a_straight_track_goes_on_straight(num: int) -> None:
    expected = np.arange(1, 6)[:, None] * np.array([3.0, -1.0])
    np.testing.assert_allclose(kinematics.constant_velocity(line(num), 5)[0], expected, atol=1e-12)
    np.testing.assert_allclose(kinematics.kalman(line(num), 5, 0.1)[0], expected, atol=1e-9)


def test_persistence_stays() -> None:
    assert not kinematics.persistence(line(4), 5).any()


def test_constant_velocity_is_that_of_the_last_two_steps() -> None:
    track = line(6)
    track[0, :3] += 50.0
    np.testing.assert_allclose(kinematics.constant_velocity(track, 1)[0, 0], [3.0, -1.0])


def test_a_kalman_filter_without_acceleration_is_least_squares() -> None:
    track = line(18) + np.random.default_rng(0).normal(0, 0.5, (4, 18, 2))
    steps = np.arange(18)
    fit = np.polyfit(steps, track[:, :, 0].T, 1)  # (2, 4)
    ahead = np.arange(18, 23)[:, None] * fit[0] + fit[1]
    np.testing.assert_allclose(kinematics.kalman(track, 5, 0.0)[..., 0], ahead.T, atol=1e-9)


def test_a_kalman_filter_with_free_acceleration_trusts_the_last_fix() -> None:
    track = line(18)
    track[0, -1] = [10.0, 10.0]
    start = kinematics.kalman(track, 1, 1e9) - kinematics.kalman(track, 2, 1e9)[:, 1:]
    # position at step 0 = 2·p(1) − p(2)
    first = kinematics.kalman(track, 1, 1e9) + start
    np.testing.assert_allclose(first[0, 0], [10.0, 10.0], atol=1e-6)
