"""Truth: SciPy's Rotation, and angles known in closed form."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation, Slerp

from domains.imu_attitude.science import quaternions as Q

P = Q.random(50, np.random.default_rng(1))
R = Q.random(50, np.random.default_rng(2))


def scipy(q):
    return Rotation.from_quat(q, scalar_first=True)


def about(axis, degrees):
    return Q.from_rotation_vector(np.deg2rad(degrees) * np.eye(3)[axis])


def test_product_rotation_and_vectors_agree_with_scipy():
    v = np.random.default_rng(3).standard_normal((50, 3))
    np.testing.assert_allclose(
        Q.canonical(Q.multiply(P, R)),
        (scipy(P) * scipy(R)).as_quat(scalar_first=True, canonical=True),
        atol=1e-14,
    )
    np.testing.assert_allclose(Q.rotate(P, v), scipy(P).apply(v), atol=1e-13)
    np.testing.assert_allclose(Q.rotate(Q.conjugate(P), v), scipy(P).inv().apply(v), atol=1e-13)
    np.testing.assert_allclose(Q.to_rotation_vector(P), scipy(P).as_rotvec(), atol=1e-12)
    np.testing.assert_allclose(
        Q.canonical(Q.from_rotation_vector(v)),
        Rotation.from_rotvec(v).as_quat(scalar_first=True, canonical=True),
        atol=1e-14,
    )


def test_roll_and_pitch_are_those_of_scipy_zyx():
    _, pitch, roll = scipy(P).as_euler("ZYX").T
    np.testing.assert_allclose(Q.roll_pitch(P), (roll, pitch), atol=1e-12)


def test_tiny_rotation_vectors_survive_the_round_trip():
    for size in (0.0, 1e-15, 1e-9, 1e-4):
        vector = np.array([size, -size, 0.5 * size])
        np.testing.assert_allclose(
            Q.to_rotation_vector(Q.from_rotation_vector(vector)), vector, rtol=1e-9, atol=1e-20
        )


def test_slerp_agrees_with_scipy_and_takes_the_short_way():
    for p, q in zip(P[:10], R[:10], strict=True):
        truth = Slerp([0, 1], Rotation.concatenate([scipy(p), scipy(q)]))(0.3)
        ours = Q.slerp(p, -q, np.array(0.3))
        assert Q.total_error(ours, truth.as_quat(scalar_first=True)) < 1e-12


def test_resampling_keeps_samples_and_spreads_nan_only_to_neighbours():
    time = np.arange(10.0)
    q = Q.from_rotation_vector(np.outer(time, [0, 0, 0.1]))
    q[5] = np.nan
    new = np.array([0.0, 2.5, 4.0, 4.5, 5.0, 5.5, 6.0, 9.0, 20.0])
    found = Q.resample(q, time, new)
    assert np.isnan(found[:, 0]).tolist() == [0, 0, 0, 1, 1, 1, 0, 0, 0]
    angle = Q.to_rotation_vector(found)[:, 2]
    np.testing.assert_allclose(angle[[0, 1, 2, 6, 7, 8]], [0, 0.25, 0.4, 0.6, 0.9, 0.9], atol=1e-12)


def test_specific_force_is_turned_straight_up_by_the_shortest_rotation():
    acc = np.random.default_rng(4).standard_normal((50, 3)) * 9.8
    acc[0] = [0, 0, -9.8]
    q = Q.from_acceleration(acc)
    up = np.linalg.norm(acc, axis=1)[:, None] * [0, 0, 1]
    np.testing.assert_allclose(Q.rotate(q, acc), up, atol=1e-12)
    tilt = np.arccos(acc[:, 2] / up[:, 2])
    np.testing.assert_allclose(Q.total_error(q, Q.identity()), tilt, atol=1e-7)


def test_an_all_zero_quaternion_is_no_attitude():
    assert np.isnan(Q.normalize(np.zeros(4))).all()


def test_sensor_to_earth_turns_the_lifted_axis_up():
    # the sensor is turned by +90° about east: its y axis (north before) now points up
    np.testing.assert_allclose(Q.rotate(about(0, 90), [0, 1, 0]), [0, 0, 1], atol=1e-15)


@pytest.mark.parametrize(
    ("frame", "east", "north", "up"),
    [
        ("ENU", [1, 0, 0], [0, 1, 0], [0, 0, 1]),
        ("NED", [0, 1, 0], [1, 0, 0], [0, 0, -1]),
        ("NWU", [0, -1, 0], [1, 0, 0], [0, 0, 1]),
    ],
)
def test_each_frame_gives_east_north_and_up_their_coordinates(frame, east, north, up):
    # a sensor whose axes are those of ENU: its x looks east, y north, z up
    q = Q.convert(Q.identity(), frame=frame)
    for axis, expected in zip(np.eye(3), (east, north, up), strict=True):
        np.testing.assert_allclose(Q.rotate(q, axis), expected, atol=1e-15)


def test_order_and_direction_rearrange_and_invert():
    q = Q.canonical(P)
    np.testing.assert_array_equal(Q.convert(q, order="xyzw"), q[:, [1, 2, 3, 0]])
    np.testing.assert_array_equal(Q.convert(q, direction="earth_to_sensor"), Q.conjugate(q))


@pytest.mark.parametrize("order", ["wxyz", "xyzw"])
@pytest.mark.parametrize("frame", ["ENU", "NED", "NWU"])
@pytest.mark.parametrize("direction", ["sensor_to_earth", "earth_to_sensor"])
def test_every_convention_converts_back(order, frame, direction):
    there = Q.convert(P, order, frame, direction)
    assert (there[:, 3 if order == "xyzw" else 0] >= 0).all()
    np.testing.assert_allclose(
        Q.convert_back(there, order, frame, direction), Q.canonical(P), atol=1e-14
    )


def test_an_unknown_convention_is_refused():
    with pytest.raises(ValueError, match="'NWD' is none of"):
        Q.convert(P, frame="NWD")


def test_errors_split_a_known_error_into_heading_and_inclination():
    tilt, turn = about(0, 3.0), about(2, 40.0)
    estimate = Q.multiply(Q.multiply(turn, tilt), P)
    np.testing.assert_allclose(np.rad2deg(Q.inclination_error(estimate, P)), 3.0, atol=1e-10)
    np.testing.assert_allclose(np.rad2deg(Q.heading_error(estimate, P)), 40.0, atol=1e-10)
    total = scipy(Q.multiply(turn, tilt)).magnitude()
    np.testing.assert_allclose(Q.total_error(estimate, P), total, atol=1e-12)


def test_errors_agree_with_the_formulas_that_broad_publishes():
    e = Q.multiply(P, Q.conjugate(R))
    total = 2 * np.arccos(np.abs(e[:, 0]))
    heading = 2 * np.arctan(np.abs(e[:, 3] / e[:, 0]))
    inclination = 2 * np.arccos(np.sqrt(e[:, 0] ** 2 + e[:, 3] ** 2))
    np.testing.assert_allclose(Q.total_error(P, -R), total, atol=1e-9)
    np.testing.assert_allclose(Q.heading_error(P, R), heading, atol=1e-9)
    np.testing.assert_allclose(Q.inclination_error(P, R), inclination, atol=1e-9)


def test_heading_alone_does_not_count_as_inclination():
    assert Q.inclination_error(Q.multiply(about(2, 123.0), P), P).max() < 1e-12


def test_rms_counts_only_known_errors_in_movement():
    error = np.array([100.0, 3.0, 4.0, np.nan, 100.0])
    moving = np.array([0, 1, 1, 1, 0], dtype=bool)
    assert Q.rms_over_movement(error, moving) == pytest.approx(np.sqrt(12.5))
    assert np.isnan(Q.rms_over_movement(error, np.zeros(5, dtype=bool)))


def test_a_line_of_angles_is_broken_where_it_wraps():
    found = Q.without_jumps(np.array([170.0, 179.0, -179.0, -170.0, np.nan, 20.0]))
    np.testing.assert_array_equal(found, [170.0, 179.0, np.nan, -170.0, np.nan, 20.0])
    assert Q.without_jumps(np.array([])).shape == (0,)
