"""Recordings unlike the training data get VQF's answer, and it is said."""

import numpy as np
import pytest
import torch

from domains.imu_attitude.models.guard import Guard, next_share, running_share
from domains.imu_attitude.science import quaternions as Q
from domains.imu_attitude.science.filters import offline_vqf, vqf


@pytest.fixture
def guard():
    guard = Guard()
    torch.manual_seed(0)
    guard.set_statistics(torch.randn(4000, 28), 0.01 * torch.randn(4000, 2))
    return guard


def test_training_data_is_inside_and_far_values_are_outside(guard):
    inside = torch.randn(500, 28).numpy()
    assert guard.is_outside(inside).mean() == 0.0
    inside[7, 13] = 40.0
    assert guard.is_outside(inside).nonzero()[0].tolist() == [7]


def test_corrections_are_no_longer_than_any_seen_in_training(guard):
    held = guard.held(np.array([[3.0, 4.0], [1e-4, 0.0]]), np.zeros(2))
    assert np.linalg.norm(held[0]) == pytest.approx(float(guard.max_up))
    np.testing.assert_allclose(held[1], [1e-4, 0.0])


def test_trust_goes_as_the_share_out_of_range_grows(guard):
    up = np.full((3, 2), 1e-3)
    held = guard.held(up, np.array([0.2, 0.375, 0.6]))
    np.testing.assert_allclose(held[:, 0] / up[:, 0], [1.0, 0.5, 0.0])


def test_the_running_share_is_the_same_step_by_step():
    flags = (np.arange(300) % 3 == 0).astype(float)
    share, steps = 0.0, []
    for flag in flags:
        share = next_share(share, flag)
        steps.append(share)
    np.testing.assert_allclose(running_share(flags), steps, atol=1e-12)


def test_a_foreign_recording_gets_vqf_and_a_note(task, trial):
    task.guard.low.fill_(5.0)  # everything is out of range
    task.guard.high.fill_(6.0)
    task.latency_s.fill_(0.005)  # half a step: nothing to move
    for mode, filter_ in (("offline", offline_vqf), ("causal", vqf)):
        estimate = task.estimate(trial.gyr, trial.acc, trial.rate_hz, mode, "lab sensor")
        expected = filter_(trial.gyr, trial.acc, trial.rate_hz)
        late = slice(1000, None)  # the share needs some seconds to build up
        error = Q.total_error(estimate.attitude[late], expected[late])
        assert np.rad2deg(error.max()) < 1e-5
        assert "VQF's answer" in estimate.notes[0]


def test_a_rate_too_low_for_the_network_gets_vqf_and_a_note(task, trial):
    slow = trial.resampled(20.0)
    task.latency_s.fill_(0.025)
    estimate = task.estimate(slow.gyr, slow.acc, slow.rate_hz, "offline", "lab sensor")
    np.testing.assert_allclose(estimate.attitude, offline_vqf(slow.gyr, slow.acc, slow.rate_hz))
    assert "at least 28.6 Hz" in estimate.notes[0]


def test_a_device_that_was_not_trained_on_gets_vqf_and_a_note(task, trial):
    arguments = (trial.gyr, trial.acc, trial.rate_hz)
    for mode, filter_ in (("offline", offline_vqf), ("causal", vqf)):
        estimate = task.estimate(*arguments, mode, "another sensor")
        np.testing.assert_array_equal(estimate.attitude, filter_(*arguments))
        assert "another sensor at 100 Hz is none of those trained on" in estimate.notes[0]
    stream = task.stream(trial.rate_hz, "another sensor")
    found = [stream.update(g, a) for g, a in zip(trial.gyr[:300], trial.acc[:300], strict=True)]
    np.testing.assert_allclose(found, vqf(*arguments)[:300], atol=1e-9)


def test_a_device_without_a_name_is_taken_for_the_trained_one_of_its_rate_with_a_note(
    task, trial, caplog
):
    arguments = (trial.gyr, trial.acc, trial.rate_hz, "causal")
    named = task.estimate(*arguments, "lab sensor")
    for name in (None, "unknown"):
        estimate = task.estimate(*arguments, name)
        np.testing.assert_array_equal(estimate.attitude, named.attitude)
        note, *others = estimate.notes
        expected = "taken for lab sensor by its rate of 100 Hz; name the sensor in ingest.files"
        assert note.startswith(expected)
        assert tuple(others) == named.notes
    task.stream(trial.rate_hz)
    assert "taken for lab sensor" in caplog.text


def test_latency_is_made_up_for_on_the_device_it_was_measured_on(task):
    at_100 = 0.004 - 0.005
    assert task.advance_s(100.0, "lab sensor") == pytest.approx(at_100)
    assert task.advance_s(200.0, "lab sensor") == pytest.approx(0.004 - 0.0025)
    assert task.advance_s(100.2) == task.advance_s(100.2, "unknown") != 0.0
    assert task.advance_s(120.0) is None
    assert task.advance_s(100.0, "another sensor") is None
    # what a simulator was given says nothing about a file without a name
    assert task.advance_s(50.0) is None
    assert task.advance_s(50.0, "simulated A") == pytest.approx(0.003 - 0.01)
