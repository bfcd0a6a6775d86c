"""Rotations against SciPy and closed forms."""

import itertools

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from domains.dance_generation.science import rotations

ORDERS = ["".join(order) for order in itertools.permutations("XYZ")]
RNG = np.random.default_rng(0)


@pytest.mark.parametrize("order", ORDERS)
def test_euler_angles_of_every_order_are_those_of_scipy(order):
    angles = RNG.uniform(-1.5, 1.5, (50, 3))
    truth = Rotation.from_euler(order, angles)
    np.testing.assert_allclose(rotations.from_euler(angles, order), truth.as_matrix(), atol=1e-12)
    np.testing.assert_allclose(rotations.to_euler(truth.as_matrix(), order), angles, atol=1e-9)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("second", [np.pi / 2, -np.pi / 2])
def test_a_gimbal_lock_keeps_the_rotation(order, second):
    matrix = rotations.from_euler(np.array([0.7, second, -0.4]), order)
    angles = rotations.to_euler(matrix, order)
    np.testing.assert_allclose(rotations.from_euler(angles, order), matrix, atol=1e-7)


def test_continuous_angles_turn_on_where_plain_ones_jump():
    true = np.stack([np.linspace(0, 12, 200), np.linspace(-1, 3, 200), np.linspace(0, -8, 200)], -1)
    matrix = rotations.from_euler(true, "ZXY")
    plain = rotations.to_euler(matrix, "ZXY")
    assert np.abs(np.diff(plain, axis=0)).max() > 3
    np.testing.assert_allclose(rotations.continuous_euler(plain), true, atol=1e-6)


def test_six_numbers_are_the_first_two_columns_and_give_the_matrix_back():
    matrix = Rotation.random(20, rng=RNG).as_matrix()
    six = rotations.to_6d(matrix)
    np.testing.assert_array_equal(six[:, :3], matrix[:, :, 0])
    np.testing.assert_allclose(rotations.from_6d(six), matrix, atol=1e-12)


def test_any_six_numbers_give_a_rotation_the_same_in_numpy_and_torch():
    six = RNG.normal(size=(4, 5, 6))
    found = rotations.from_6d(six)
    np.testing.assert_allclose(
        found @ found.swapaxes(-1, -2), np.tile(np.eye(3), (4, 5, 1, 1)), atol=1e-12
    )
    np.testing.assert_allclose(np.linalg.det(found), 1.0)
    np.testing.assert_allclose(rotations.from_6d(torch.from_numpy(six)).numpy(), found, atol=1e-12)


def test_rotation_vectors_are_those_of_scipy_down_to_no_rotation():
    vectors = np.concatenate(
        [RNG.normal(size=(20, 3)), 1e-9 * RNG.normal(size=(3, 3)), np.zeros((1, 3))]
    )
    truth = Rotation.from_rotvec(vectors).as_matrix()
    np.testing.assert_allclose(rotations.from_rotation_vector(vectors), truth, atol=1e-12)


def test_the_heading_is_the_angle_about_the_vertical():
    for angle in (0.0, 1e-7, 0.3, np.pi - 1e-4):
        turn = rotations.about("Y", np.asarray(angle))
        assert rotations.heading(turn) == pytest.approx(angle, abs=1e-9)
