"""Steps, feet and drift in closed form."""

import numpy as np
import pytest

from domains.dance_generation.science import motion_scores
from domains.dance_generation.science.skeleton import foot_joints, joint_positions
from domains.dance_generation.sources.dancer import SKELETON


def test_a_foot_slides_at_the_speed_it_has_while_it_is_down():
    t = np.arange(60) / 30.0
    low, high = t < 1.0, t >= 1.0
    foot = np.stack([np.where(low, 0.2 * t, 5.0 * t), 0.5 * high, 0 * t], -1)
    assert motion_scores.foot_sliding(foot[:, None], [0], 30.0) == pytest.approx(0.2)


def test_feet_of_the_dancer_that_stand_do_not_slide(dance):
    places = joint_positions(SKELETON, dance.root_position, dance.rotations)
    feet = places[:, list(foot_joints(SKELETON))]
    moved = np.linalg.norm(np.diff(feet[..., [0, 2]], axis=0), axis=-1)
    assert np.mean(moved < 1e-12) > 0.4
    assert feet[..., 1].min() == pytest.approx(0.08)


def test_drift_tells_place_and_pose_and_a_dance_that_freezes():
    t = np.arange(3000) / 30.0
    root = np.stack([0.1 * t, 0 * t, 0 * t], -1)
    hand = root + np.stack([0 * t, np.where(t < 50, np.sin(9 * t), 0.4), 0 * t], -1)
    found = motion_scores.drift(np.stack([root, hand], 1), 30.0, stretch_s=30.0)
    assert found.root_m == pytest.approx(7.0)
    assert found.pose_m == pytest.approx(0.2, abs=0.02)
    assert found.speed_ratio < 0.1


def test_the_same_step_has_no_entropy_even_three_beats_late_and_another_has():
    rng = np.random.default_rng(0)
    step = rng.uniform(size=(4, 8, 3))
    dance = np.tile(step, (6, 1, 1))
    assert motion_scores.step_entropy(dance, step) == pytest.approx(0.0, abs=1e-12)
    assert motion_scores.step_entropy(np.roll(dance, 3, axis=0), step) == pytest.approx(
        0, abs=1e-12
    )
    assert motion_scores.step_entropy(rng.uniform(size=dance.shape), step) > 0.05
    with pytest.raises(ValueError, match="2 beats generated, the reference step has 4"):
        motion_scores.step_entropy(dance[:2], step)


def test_the_entropy_of_two_samples_is_the_kullback_leibler_sum():
    from scipy.stats import entropy

    p, q = np.array([[[0.0], [1.0]]]), np.array([[[1.0], [0.5]]])
    found = motion_scores.step_entropy(p, q, offsets=1)
    assert found == pytest.approx(entropy([0.1, 1.1], [1.1, 0.6]))


def test_poses_are_taken_at_eighths_of_each_beat():
    poses = np.arange(100.0)[:, None]
    found = motion_scores.on_beats(poses, 10.0, np.array([1.0, 2.0, 4.0]))
    np.testing.assert_allclose(found[0, :, 0], 10 + 10 * np.arange(8) / 8)
    np.testing.assert_allclose(found[1, :, 0], 20 + 20 * np.arange(8) / 8)
