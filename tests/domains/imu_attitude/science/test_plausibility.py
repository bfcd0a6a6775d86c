"""Units are recognised from physics, on simulated and on real recordings."""

from dataclasses import replace

import numpy as np
import pytest

from domains.errors import DataError
from domains.imu_attitude.science.plausibility import (
    check_units,
    gyroscope_slope,
    saturated_samples,
)
from domains.imu_attitude.science.recording import Recording
from domains.imu_attitude.sources.motion import KINDS
from domains.imu_attitude.sources.simulator import simulate_trial

BROAD = (1, 3, 4, 6, 8, 10, 15, 24, 26, 28, 32, 36)


def swaying(frequency_hz: float, size_rad: float) -> Recording:
    """A sensor that sways about its x axis for 40 s, in closed form."""
    time_s = np.arange(4000) / 100.0
    phase = 2 * np.pi * frequency_hz * time_s
    angle, zero = size_rad * np.sin(phase), np.zeros(4000)
    rate = size_rad * 2 * np.pi * frequency_hz * np.cos(phase)
    acc = 9.81 * np.stack([zero, np.sin(angle), np.cos(angle)], -1)
    return Recording("swaying", 100.0, np.stack([rate, zero, zero], -1), acc)


def test_gravity_turns_exactly_as_fast_as_a_true_gyroscope_says():
    true = swaying(0.5, 1.0)
    for factor in (1.0, 0.5, 3.0):
        slope, error = gyroscope_slope(replace(true, gyr=true.gyr * factor))
        assert slope == pytest.approx(1 / factor, rel=0.02)
        assert error < 0.01


@pytest.mark.parametrize("number", BROAD)
def test_real_trials_pass_and_degrees_taken_for_radians_do_not(broad_trial, number):
    trial = broad_trial(number)
    check_units(trial)
    with pytest.raises(DataError, match=r"set ingest.files.gyr_unit: deg/s"):
        check_units(replace(trial, gyr=np.rad2deg(trial.gyr)))
    assert saturated_samples(trial) == 0


@pytest.mark.parametrize("number", [1, 8, 28])
def test_radians_declared_as_degrees_are_refused(broad_trial, number):
    trial = broad_trial(number)
    with pytest.raises(DataError, match=r"set ingest.files.gyr_unit: rad/s"):
        check_units(replace(trial, gyr=np.deg2rad(trial.gyr)))


@pytest.mark.parametrize("kind", KINDS)
def test_simulated_movements_of_every_kind_pass(kind):
    check_units(simulate_trial(3, kind, "simulated B", 30.0, seed=1))


def test_slow_turning_in_degrees_is_caught_below_the_rate_limit():
    slow = swaying(0.05, 0.6)  # at most 0.19 rad/s
    check_units(slow)
    degrees = replace(slow, gyr=np.rad2deg(slow.gyr))
    assert np.abs(degrees.gyr).max() < 11
    with pytest.raises(DataError, match=r"set ingest.files.gyr_unit: deg/s"):
        check_units(degrees)


@pytest.mark.parametrize(
    ("factor", "remedy"), [(1 / 9.80665, "set ingest.files.acc_unit: g"), (9.80665, "m/s2")]
)
def test_the_accelerometers_unit_is_named(trial, factor, remedy):
    with pytest.raises(DataError, match=remedy):
        check_units(replace(trial, acc=trial.acc * factor))


def test_specific_force_without_gravity_is_refused(trial):
    with pytest.raises(DataError, match="gravity taken out"):
        check_units(replace(trial, acc=trial.acc - [0, 0, 9.81]).cut(0, 400))


def test_a_clipped_gyroscope_is_counted(trial):
    assert saturated_samples(trial) == 0
    clipped = np.clip(trial.gyr, -1.5, 1.5)
    found = saturated_samples(replace(trial, gyr=clipped))
    truth = (np.abs(clipped) == 1.5).any(axis=1).sum()
    assert 0.9 * truth < found <= truth
