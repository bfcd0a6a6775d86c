"""The correction mends the tilt, leaves the heading, and knows only the past."""

import numpy as np

from domains.imu_attitude.science import quaternions as Q
from domains.imu_attitude.science import tilt
from domains.imu_attitude.science.earth_frame import block_edges, reference_sample


def test_knowing_the_true_vertical_leaves_no_inclination_error():
    rng = np.random.default_rng(0)
    reference = Q.random(50, rng)
    estimate = Q.multiply(Q.from_rotation_vector(0.1 * rng.normal(size=(50, 3))), reference)
    mended = tilt.corrected(estimate, tilt.true_up(estimate, reference)[:, :2])
    np.testing.assert_allclose(Q.inclination_error(mended, reference), 0.0, atol=1e-9)


def test_no_correction_is_the_same_attitude_and_none_exceeds_thirty_degrees():
    q = Q.random(5, np.random.default_rng(1))
    np.testing.assert_allclose(tilt.corrected(q, np.zeros((5, 2))), q, atol=1e-12)
    far = tilt.corrected(q, np.full((5, 2), 9.0))
    np.testing.assert_allclose(Q.total_error(far, q), np.pi / 6, atol=1e-9)


def test_causal_spreading_uses_no_later_block_and_arrives_within_one():
    rate_hz, num = 100.0, 700
    _, stop = block_edges(num, rate_hz)
    up = np.random.default_rng(2).normal(size=(len(stop), 2))
    changed = up.copy()
    changed[50:] += 1.0
    before, after = (tilt.spread_causal(x, num, rate_hz) for x in (up, changed))
    first = stop[50]  # block 50 is known once its last sample is in
    np.testing.assert_array_equal(before[:first], after[:first])
    np.testing.assert_allclose(before[stop[51] - 1], up[50], atol=1e-9)
    np.testing.assert_array_equal(before[: stop[0]], 0.0)


def test_offline_spreading_passes_through_the_blocks():
    start, stop = block_edges(700, 100.0)
    at = reference_sample(start, stop, "offline")
    up = np.random.default_rng(3).normal(size=(len(at), 2))
    np.testing.assert_allclose(tilt.spread_offline(up, at, 700)[at], up)
    assert (tilt.spread_offline(np.zeros((0, 2)), at[:0], 9) == 0).all()
