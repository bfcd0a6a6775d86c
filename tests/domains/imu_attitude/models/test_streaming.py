"""Sample by sample equals all at once, and a saved stream goes on where it was."""

import json

import numpy as np
import pytest

from domains.errors import DataError


def streamed(stream, trial, dt=None):
    return np.array([stream.update(g, a, dt) for g, a in zip(trial.gyr, trial.acc, strict=True)])


def test_the_stream_equals_the_batch(task, trial):
    part = trial.cut(0, 1200)
    batch = task.attitude(part.gyr, part.acc, part.rate_hz, "causal")
    found = streamed(task.stream(part.rate_hz), part, 1 / part.rate_hz)
    np.testing.assert_allclose(found, batch, atol=1e-5)


def test_the_stream_equals_the_batch_at_a_rate_that_blocks_do_not_divide(task, trial):
    part = trial.resampled(47.0).cut(0, 500)
    batch = task.attitude(part.gyr, part.acc, part.rate_hz, "causal", "lab sensor")
    found = streamed(task.stream(part.rate_hz, "lab sensor"), part)
    np.testing.assert_allclose(found, batch, atol=1e-5)


def test_the_stream_equals_the_batch_where_a_rate_is_too_low_for_the_network(task, trial):
    part = trial.resampled(20.0)
    batch = task.attitude(part.gyr, part.acc, part.rate_hz, "causal", "lab sensor")
    found = streamed(task.stream(part.rate_hz, "lab sensor"), part)
    np.testing.assert_allclose(found, batch, atol=1e-9)


def test_a_saved_stream_goes_on_as_if_nothing_had_happened(task, trial):
    part, rest = trial.cut(0, 333), trial.cut(333, 500)
    stream = task.stream(100.0)
    streamed(stream, part)
    saved = json.loads(json.dumps(stream.state()))
    expected = streamed(stream, rest)
    other = task.stream(100.0)
    other.load_state(saved)
    np.testing.assert_array_equal(streamed(other, rest), expected)


def test_reset_forgets_everything(task, trial):
    part = trial.cut(0, 200)
    stream = task.stream(100.0)
    first = streamed(stream, part)
    stream.reset()
    np.testing.assert_array_equal(streamed(stream, part), first)


def test_a_longer_step_turns_by_the_whole_angle(untrained):
    untrained.latency_s.fill_(0.005)  # half a step: nothing to move
    stream = untrained.stream(100.0)
    for _ in range(200):
        stream.update([0.0, 0.0, 0.0], [0.0, 0.0, 9.81])
    before = stream.update([0.0, 0.0, 0.0], [0.0, 0.0, 9.81])
    after = stream.update([0.0, 0.0, 1.0], [0.0, 0.0, 9.81], dt=0.03)
    angle = 2 * np.arccos(min(1.0, abs(float(before @ after))))
    assert angle == pytest.approx(0.03, rel=0.02)


def test_a_lost_sample_does_not_make_the_sensor_later(task):
    """At a steady rate, whatever the step, an attitude is moved by the same angle."""
    task.latency_s.fill_(0.025)  # 20 ms beyond half a step
    task.networks["causal"].trust.fill_(0.0)
    stream, alone = task.stream(100.0, "lab sensor"), task.stream(100.0, "another sensor")
    ahead = []
    for step in [0.01] * 300 + [0.03]:
        sample = [0.0, 0.0, 1.0], [0.0, 0.0, 9.81], step
        between = np.abs(stream.update(*sample) @ alone.update(*sample))
        ahead.append(2 * np.arccos(min(1.0, between)))
    assert ahead[-2] == pytest.approx(0.02, rel=0.05)
    assert ahead[-1] == pytest.approx(ahead[-2], rel=1e-3)
    np.testing.assert_allclose(stream._total[13] / stream._count, 1.0, rtol=0.05)  # rad/s


def test_a_sample_that_is_not_finite_is_refused(task):
    with pytest.raises(DataError, match="expected finite"):
        task.stream(100.0).update([np.nan, 0, 0], [0, 0, 9.81])
    with pytest.raises(DataError, match="dt > 0"):
        task.stream(100.0).update([0, 0, 0], [0, 0, 9.81], dt=0.0)
