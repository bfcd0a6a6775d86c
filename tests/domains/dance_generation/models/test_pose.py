"""Poses to vectors and back."""

import numpy as np
import torch

from domains.dance_generation.models.pose import PoseCodec
from domains.dance_generation.science.rotations import from_6d


def test_both_scalings_can_be_undone_and_have_the_promised_range():
    rng = np.random.default_rng(0)
    vectors = torch.from_numpy(rng.normal(2.0, 3.0, (500, 9)).astype(np.float32))
    codec = PoseCodec(2, [1])
    codec.set_statistics(vectors, torch.zeros(2, 6))
    standard, bounded = codec.standard(vectors), codec.bounded(vectors)
    torch.testing.assert_close(standard.mean(0), torch.zeros(9), atol=1e-5, rtol=0)
    torch.testing.assert_close(standard.std(0), torch.ones(9), atol=1e-5, rtol=0)
    torch.testing.assert_close(bounded.amin(0), torch.full((9,), -0.9))
    torch.testing.assert_close(bounded.amax(0), torch.full((9,), 0.9))
    torch.testing.assert_close(codec.from_standard(standard), vectors, atol=1e-5, rtol=0)
    torch.testing.assert_close(codec.from_bounded(bounded), vectors, atol=1e-5, rtol=0)


def test_what_does_not_move_is_not_blown_up():
    codec = PoseCodec(1, [0])
    codec.set_statistics(torch.zeros(10, 9), torch.zeros(1, 6))
    assert float(codec.standard(torch.full((1, 9), 0.001)).max()) < 0.2
    assert torch.isfinite(codec.bounded(torch.zeros(1, 9))).all()


def test_joints_that_stand_still_keep_their_rotation():
    still = torch.tensor([[1.0, 0, 0, 0, 1, 0], [0.0, 1, 0, -1, 0, 0], [1.0, 0, 0, 0, 0, 1]])
    codec = PoseCodec(3, [0])
    codec.set_statistics(torch.zeros(4, 9), still)
    vector = torch.tensor([[0.1, 0.9, -0.1, 0, 0, 1, 0, 1, 0]])
    root, rotations = codec.motion(vector)
    torch.testing.assert_close(root, vector[:, :3])
    torch.testing.assert_close(rotations[0, 1:], from_6d(still)[1:])
    torch.testing.assert_close(rotations[0, 0], from_6d(vector[0, 3:]))
