"""Blocks: complete, of the right samples, and physical."""

import numpy as np
import pytest

from domains.imu_attitude.science import quaternions as Q
from domains.imu_attitude.science.earth_frame import (
    BLOCK_RATE_HZ,
    GRAVITY,
    anchor,
    block_edges,
    blocks,
    matrices,
    num_channels,
)
from domains.imu_attitude.science.filters import offline_vqf, vqf


@pytest.mark.parametrize("rate_hz", [30.0, 47.3, 100.0, 128.0, 2000 / 7])
def test_blocks_follow_one_another_and_hold_the_samples_of_their_time(rate_hz):
    start, stop = block_edges(1000, rate_hz)
    assert start[0] == 0
    assert (start[1:] == stop[:-1]).all()
    end_s = stop / rate_hz  # a sample ends at (n + 1) / rate
    limit_s = np.arange(1, len(stop) + 1) / BLOCK_RATE_HZ
    assert (end_s <= limit_s + 1e-9).all()
    assert (end_s > limit_s - 1 / rate_hz).all()


def test_a_block_at_100_hz_is_seven_samples_and_at_286_hz_twenty():
    for rate_hz, size in ((100.0, 7), (2000 / 7, 20)):
        start, stop = block_edges(10 * size, rate_hz)
        assert (stop - start == size).all()
        assert len(start) == 10


def test_the_anchor_is_vqf(trial):
    for mode, filter_ in (("causal", vqf), ("offline", offline_vqf)):
        found = anchor(trial.gyr, trial.acc, trial.rate_hz, mode)
        expected = filter_(trial.gyr, trial.acc, trial.rate_hz)
        np.testing.assert_allclose(found.attitude, expected, atol=1e-12)


def test_strapdown_moves_by_the_unbiased_rate_alone(trial):
    for mode in ("causal", "offline"):
        found = anchor(trial.gyr, trial.acc, trial.rate_hz, mode)
        step = Q.multiply(Q.conjugate(found.strapdown[:-1]), found.strapdown[1:])
        rate = Q.to_rotation_vector(step) * trial.rate_hz
        # causal VQF takes off the bias it knew before the sample
        bias = found.bias[1:] if mode == "offline" else found.bias[:-1]
        np.testing.assert_allclose(rate, trial.gyr[1:] - bias, atol=1e-6)


def test_at_rest_the_channels_are_zero_where_they_should_be():
    acc = np.tile([0.0, 3.0, 9.0], (2000, 1))
    acc *= GRAVITY / np.linalg.norm(acc[0])
    gyr = np.zeros((2000, 3))
    for mode in ("causal", "offline"):
        seen = blocks(anchor(gyr, acc, 100.0, mode), gyr, acc, 100.0, mode).channels
        assert seen.shape == (285, num_channels(mode))
        late = seen[140:]  # ten seconds, for VQF's start to settle
        np.testing.assert_allclose(late[:, :14], 0.0, atol=1e-4)
        assert (late[:, 14] == 1).all()  # rest is detected
        np.testing.assert_allclose(late[:, 16:], 0.0, atol=1e-4)


def test_every_horizon_sees_the_vertical_that_vqf_has_wrong(trial):
    found = anchor(trial.gyr, trial.acc, trial.rate_hz, "offline")
    tilted = Q.multiply(Q.from_rotation_vector([0.02, 0.0, 0.0]), found.attitude)
    wrong = type(found)(tilted, found.strapdown, found.bias, found.is_resting)
    right, seen = (
        blocks(one, trial.gyr, trial.acc, trial.rate_hz, "offline").channels[:, 16:]
        for one in (found, wrong)
    )
    # Turned by 0.02 rad about x, up goes to (0, -0.02)
    np.testing.assert_allclose((seen - right)[:, 1::2], -0.02, atol=2e-3)
    np.testing.assert_allclose((seen - right)[:, 0::2], 0.0, atol=2e-3)


def test_matrices_turn_as_quaternions_do():
    rng = np.random.default_rng(0)
    q, v = Q.random(20, rng), rng.normal(size=(20, 3))
    np.testing.assert_allclose((matrices(q) @ v[:, :, None])[:, :, 0], Q.rotate(q, v), atol=1e-12)
