"""A sensor made late on purpose is found to be that late, at any rate."""

from dataclasses import replace

import numpy as np
import pytest

from domains.imu_attitude.science import latency
from domains.imu_attitude.science import quaternions as Q
from domains.imu_attitude.science.filters import offline_vqf
from domains.imu_attitude.sources.simulator import DEVICES, simulate_trial


@pytest.fixture(scope="module")
def fast():
    return simulate_trial(2, "fast_combined", "simulated B", 40.0, seed=3)


def found(recording):
    attitude = offline_vqf(recording.gyr, recording.acc, recording.rate_hz)
    return latency.latency_s([recording], [attitude])


def test_a_delay_of_the_readings_is_found(fast):
    samples = 2  # 10 ms at 200 Hz
    late = replace(fast.cut(samples, len(fast)), gyr=fast.gyr[:-samples], acc=fast.acc[:-samples])
    assert found(late) - found(fast) == pytest.approx(0.010, abs=3e-4)


def test_what_is_left_to_move_is_the_delay_of_the_simulated_filter(fast):
    delay_s = DEVICES[fast.device].latency_s  # beyond the half step of integrating
    assert latency.advance_s(found(fast), fast.rate_hz) == pytest.approx(delay_s, abs=3e-4)


def test_moving_an_attitude_is_turning_on_at_the_same_rate():
    rate = np.array([0.3, -0.2, 0.9])
    time_s = np.array([0.0, 0.5, 0.504])
    q = Q.from_rotation_vector(time_s[:, None] * rate)
    moved = latency.moved(q[1:2], rate[None], 0.004)
    np.testing.assert_allclose(moved[0], q[2], atol=1e-12)


@pytest.mark.parametrize("number", [6, 24])
def test_broads_sensor_is_four_milliseconds_late_whatever_the_rate(broad_trial, number):
    recording = broad_trial(number).cut(0, 30000)
    assert found(recording) == pytest.approx(0.0040, abs=5e-4)
    slow = recording.resampled(recording.rate_hz / 3)
    assert found(slow) == pytest.approx(found(recording), abs=1e-4)
