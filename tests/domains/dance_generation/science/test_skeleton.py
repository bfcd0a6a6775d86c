"""Forward kinematics by hand, and skeletons that do not match."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from domains.dance_generation.science import rotations, skeleton
from domains.dance_generation.science.skeleton import Skeleton, joint_positions
from domains.dance_generation.sources.dancer import SKELETON
from domains.errors import DataError

ARM = Skeleton(
    names=("root", "elbow", "hand"),
    parents=(-1, 0, 1),
    offsets_m=((0.0, 0.0, 0.0), (2.0, 0.0, 0.0), (1.0, 0.0, 0.0)),
    channels=((), (), ()),
)


def test_an_arm_of_two_bones_reaches_where_a_drawing_says():
    local = np.stack([rotations.about("Z", np.asarray(a)) for a in (np.pi / 2, -np.pi / 2, 0.0)])
    found = joint_positions(ARM, np.array([1.0, 1.0, 0.0]), local)
    np.testing.assert_allclose(found, [[1, 1, 0], [1, 3, 0], [2, 3, 0]], atol=1e-12)


def test_torch_gives_the_same_places_and_lets_gradients_through(dance):
    root, local = dance.root_position[:5], dance.rotations[:5]
    truth = joint_positions(SKELETON, root, local)
    turned = torch.from_numpy(local).requires_grad_()
    found = joint_positions(SKELETON, torch.from_numpy(root), turned)
    np.testing.assert_allclose(found.detach().numpy(), truth, atol=1e-12)
    found.sum().backward()
    assert turned.grad.abs().sum() > 0


def test_bones_keep_their_length_whatever_the_rotations(dance):
    places = joint_positions(SKELETON, dance.root_position, dance.rotations)
    for joint, parent in enumerate(SKELETON.parents[1:], 1):
        length = np.linalg.norm(places[:, joint] - places[:, parent], axis=-1)
        np.testing.assert_allclose(length, np.linalg.norm(SKELETON.offsets_m[joint]), atol=1e-9)


def test_a_skeleton_survives_json():
    assert Skeleton.from_json(SKELETON.to_json()) == SKELETON


def test_fingers_and_eyes_are_no_body_and_toes_come_before_feet():
    names = ("Hips", "LeftFoot", "LeftToeBase", "rThumb1", "leftEye")
    some = Skeleton(names, (-1, 0, 1, 0, 0), ((0.0, 0.0, 0.0),) * 5, ((),) * 5)
    assert skeleton.body_joints(some) == (0, 1, 2)
    assert skeleton.foot_joints(some) == (2,)
    names = ("SpineBase", "SpineMid", "rMid1", "L_Middle2", "right_jaw")
    assert skeleton.body_joints(replace(some, names=names)) == (0, 1)
    with pytest.raises(DataError, match="no joint is named toe, foot or ankle, found root, elbow"):
        skeleton.foot_joints(ARM)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"names": ("root", "elbow", "fist")}, r"1 missing \(hand\), 1 unknown \(fist\)"),
        ({"names": ("root", "hand", "elbow")}, "joint 1 is hand below root, expected elbow below"),
        ({"parents": (-1, 0, 0)}, "joint 2 is hand below root, expected hand below elbow"),
        ({"offsets_m": ((0.0,) * 3, (2.0, 0.0, 0.0), (1.0, 0.0, 0.05))}, "hand differs by 5.0 cm"),
    ],
)
def test_joints_that_do_not_match_are_refused_by_name(change, message):
    skeleton.check_same(ARM, ARM, "b.bvh")
    with pytest.raises(DataError, match=message):
        skeleton.check_same(ARM, replace(ARM, **change), "b.bvh")
