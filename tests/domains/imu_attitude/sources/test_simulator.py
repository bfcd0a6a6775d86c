"""The simulated sensor: exact where it must be, wrong by what it says, the same for a seed."""

from dataclasses import replace

import numpy as np
import pytest

from domains.imu_attitude.science import quaternions as Q
from domains.imu_attitude.science.filters import FILTERS, strapdown
from domains.imu_attitude.sources.motion import KINDS, simulate_motion
from domains.imu_attitude.sources.simulator import (
    DEVICES,
    Device,
    mean_rate,
    measure,
    simulate_sample,
    simulate_trial,
)


def test_a_perfect_gyroscope_integrates_to_the_true_attitude():
    rate_hz = 100.0
    time_s = np.arange(-1, 3000) / rate_hz
    truth = simulate_motion(KINDS["fast_combined"], time_s, 30.0, np.random.default_rng(1))
    gyr = mean_rate(truth.attitude, rate_hz)
    # at rest in the beginning, so the first specific force shows the tilt exactly
    found = strapdown(gyr, truth.force[1:], rate_hz)
    assert Q.inclination_error(found, truth.attitude[1:]).max() < 1e-6


def test_a_perfect_device_reads_the_truth():
    perfect = Device(100.0, 0, 0, 0, 0, 0, 0)
    gyr, acc = np.ones((50, 3)), np.full((50, 3), 2.0)
    found = measure(gyr, acc, perfect, "any", np.random.default_rng(0))
    np.testing.assert_array_equal(found[0], gyr)
    np.testing.assert_array_equal(found[1], acc)


@pytest.mark.parametrize("rate_hz", [50.0, 400.0])
def test_noise_and_walk_have_the_declared_density_at_any_rate(rate_hz):
    device = Device(rate_hz, 2e-3, 0.0, 1e-3, 5e-3, 0.0, 0.0)
    num = int(2000 * rate_hz)
    zero = np.zeros((num, 3))
    gyr, acc = measure(zero, zero, device, "x", np.random.default_rng(2))
    # standard deviation of one-second means: density for white noise
    seconds = acc.reshape(2000, -1, 3).mean(axis=1)
    assert seconds.std() == pytest.approx(5e-3, rel=0.05)
    # differences of one-second means: twice the white part, two thirds of the walk's step
    change = np.diff(gyr.reshape(2000, -1, 3).mean(axis=1), axis=0)
    expected = np.sqrt(2 * (2e-3) ** 2 + 2 / 3 * (1e-3) ** 2)
    assert change.std() == pytest.approx(expected, rel=0.05)


def test_a_device_keeps_its_misfit_from_trial_to_trial():
    device = replace(DEVICES["simulated A"], gyr_noise=0, gyr_bias=0, gyr_walk=0)
    ones = np.ones((1, 3))
    first, second, other = (
        measure(ones, ones, device, name, np.random.default_rng(seed))[0]
        for name, seed in (("A", 1), ("A", 2), ("B", 1))
    )
    np.testing.assert_array_equal(first, second)
    assert np.abs(first - other).max() > 1e-4


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others():
    first, again, other = (
        simulate_trial(3, "tapping", "simulated B", 20.0, seed) for seed in (4, 4, 5)
    )
    for key in ("gyr", "acc", "reference", "moving"):
        np.testing.assert_array_equal(getattr(first, key), getattr(again, key))
    assert np.abs(first.gyr - other.gyr).max() > 0.1


def test_trials_are_called_simulated_and_no_motion_is_in_two_splits():
    sample = simulate_sample(0, 20.0, 4, 1, 4)
    assert [len(sample[split]) for split in ("train", "validate", "test")] == [4, 1, 4]
    trials = [trial for split in sample.values() for trial in split]
    assert all(trial.is_simulated and "simulated" in trial.device for trial in trials)
    assert len({trial.name for trial in trials}) == 9
    assert len({trial.rate_hz for trial in sample["test"]}) == 4
    devices = {trial.device for trial in sample["train"] + sample["validate"]}
    assert "simulated D" in {trial.device for trial in sample["test"]} - devices


def test_the_reference_is_lost_now_and_then_and_otherwise_close_to_the_truth():
    trial = simulate_trial(1, "slow_combined", "simulated A", 40.0, seed=0)
    lost = np.isnan(trial.reference[:, 0])
    assert 50 <= lost.sum() <= 100  # two gaps of half a second at 100 Hz, which may overlap
    assert (trial.reference[~lost, 0] >= 0).all()
    np.testing.assert_allclose(np.linalg.norm(trial.reference[~lost], axis=1), 1, atol=1e-6)


def test_published_filters_err_on_the_sample_as_they_do_on_real_trials():
    trials = simulate_sample(0, 60.0, 3, 1, 3)
    means = {}
    for name in ("vqf", "offline_vqf"):
        errors = [
            Q.rms_over_movement(
                Q.inclination_error(FILTERS[name](t.gyr, t.acc, t.rate_hz), t.reference), t.moving
            )
            for split in trials.values()
            for t in split
        ]
        means[name] = np.rad2deg(np.mean(errors))
    # BROAD's twelve: 0.75 and 0.53
    assert 0.5 < means["vqf"] < 1.5
    assert 0.3 < means["offline_vqf"] < 1.0


def test_readings_describe_the_motion_as_late_as_the_device_is(monkeypatch):
    late = Device(1000.0, 0, 0, 0, 0, 0, 0, latency_s=5e-3)  # five samples
    monkeypatch.setitem(DEVICES, "late", late)
    monkeypatch.setitem(DEVICES, "prompt", replace(late, latency_s=0.0))
    delayed, prompt = (
        simulate_trial(3, "slow_rotation", name, 20.0, seed=1) for name in ("late", "prompt")
    )
    np.testing.assert_allclose(delayed.gyr[5:], prompt.gyr[:-5], atol=1e-5)
    np.testing.assert_allclose(delayed.acc[5:], prompt.acc[:-5], atol=1e-4)
    np.testing.assert_array_equal(delayed.reference, prompt.reference)
