"""Motion beats where a body is known to rest."""

import numpy as np
import pytest

from domains.dance_generation.science import motion_beats
from domains.dance_generation.science.skeleton import foot_joints, joint_positions
from domains.dance_generation.sources.dancer import SKELETON
from domains.errors import DataError


def swing(period_s: float, fps: float, duration_s: float = 10.0) -> np.ndarray:
    """One joint to and fro: at rest every half period."""
    t = np.arange(int(duration_s * fps)) / fps
    return np.stack([np.cos(2 * np.pi * t / period_s), 0 * t, 0 * t], -1)[:, None]


@pytest.mark.parametrize("fps", [30.0, 60.0])
def test_a_pendulum_beats_at_its_turning_points(fps):
    found = motion_beats.motion_beats(swing(1.0, fps), fps)
    np.testing.assert_allclose(found, 0.5 * np.arange(1, 20), atol=0.5 / fps + 1e-9)


def test_speed_is_the_mean_over_joints_in_metres_per_second():
    t = np.arange(60)[:, None] / 30.0
    still, walking = np.zeros((60, 3)), t * [3.0, 0.0, 4.0]
    speed = motion_beats.joint_speed(np.stack([still, walking], 1), 30.0)
    np.testing.assert_allclose(speed, 2.5)


def test_a_still_body_and_an_even_glide_have_no_beats():
    assert len(motion_beats.motion_beats(np.zeros((90, 4, 3)), 30.0)) == 0
    glide = np.arange(90)[:, None, None] * np.ones((1, 2, 3))
    assert len(motion_beats.motion_beats(glide, 30.0)) == 0


def test_the_dancer_beats_on_the_music(dance, beats_s):
    places = joint_positions(SKELETON, dance.root_position, dance.rotations)
    found = motion_beats.motion_beats(places, 30.0)
    gap = np.abs(found[:, None] - beats_s).min(axis=1)
    assert len(found) == pytest.approx(len(beats_s), abs=2)
    assert gap.max() < 0.035


def test_side_steps_at_120_bpm_come_every_fifteen_frames_whatever_the_header_says(dance):
    feet = joint_positions(SKELETON, dance.root_position, dance.rotations)[
        :, list(foot_joints(SKELETON))
    ]
    assert motion_beats.step_period(feet) == pytest.approx(15, abs=1)
    motion_beats.check_frame_rate(feet, 30.0, "a.bvh", "ingest.files.fps")
    with pytest.raises(
        DataError, match=r"a.bvh: its header says 60 .* 2[3-6]. times a minute.*perhaps 30"
    ):
        motion_beats.check_frame_rate(feet, 60.0, "a.bvh", "ingest.files.fps")
