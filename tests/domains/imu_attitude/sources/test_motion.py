"""The simulated motion: every derivative against finite differences of the thing itself."""

import numpy as np
import pytest

from domains.imu_attitude.science import quaternions as Q
from domains.imu_attitude.sources.motion import GRAVITY, KINDS, simulate_motion

STEP = 1e-3


def motion(kind, duration_s=20.0):
    time_s = np.arange(0, duration_s, STEP)
    return time_s, simulate_motion(KINDS[kind], time_s, duration_s, np.random.default_rng(7))


@pytest.mark.parametrize("kind", KINDS)
def test_specific_force_is_acceleration_plus_gravity_in_the_sensor_frame(kind):
    _, truth = motion(kind)
    second = np.diff(truth.position, 2, axis=0) / STEP**2
    force = Q.rotate(Q.conjugate(truth.attitude[1:-1]), second + np.array([0, 0, GRAVITY]))
    # a spline's third derivative jumps at its knots, where a difference of 2 ms straddles them
    assert np.quantile(np.abs(force - truth.force[1:-1]), 0.99) < 0.02
    np.testing.assert_allclose(force, truth.force[1:-1], atol=0.6)


@pytest.mark.parametrize("kind", KINDS)
def test_angular_rate_is_the_derivative_of_the_attitude(kind):
    _, truth = motion(kind)
    change = Q.multiply(Q.conjugate(truth.attitude[:-2]), truth.attitude[2:])
    rate = Q.to_rotation_vector(change) / (2 * STEP)
    np.testing.assert_allclose(rate, truth.rate[1:-1], atol=2e-3)


def test_rest_is_rest():
    time_s, truth = motion("fast_rotation_with_breaks", 40.0)
    is_still = (time_s < 5) | (time_s > 37) | ((time_s > 13.1) & (time_s < 18.2))
    assert not truth.moving[is_still].any()
    assert np.abs(truth.rate[is_still]).max() == 0
    np.testing.assert_allclose(np.linalg.norm(truth.force[is_still], axis=1), GRAVITY, atol=1e-12)
    assert truth.moving[(time_s > 5.1) & (time_s < 12.5)].all()


def test_the_hand_stays_within_reach():
    _, truth = motion("fast_combined", 60.0)
    assert np.linalg.norm(truth.position, axis=1).max() < 1.5
