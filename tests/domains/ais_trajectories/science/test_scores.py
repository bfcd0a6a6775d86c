"""Scores against numbers worked out by hand."""

import numpy as np
import pytest

from domains.ais_trajectories.science import scores


def test_relative_percentage_difference_by_hand() -> None:
    found = scores.relative_percentage_difference(
        np.array([10.0, -1.0, 0.0, 2.0, 5.0]), np.array([10.0, 1.0, 0.0, 0.0, 15.0])
    )
    np.testing.assert_allclose(found, [0, 200, 0, 200, 100])


def test_r_squared_is_one_for_truth_and_zero_for_the_mean() -> None:
    y = np.array([1.0, 2.0, 6.0])
    assert scores.r_squared(y, y) == 1
    assert scores.r_squared(y, np.full(3, 3.0)) == 0
    assert np.isnan(scores.r_squared(np.ones(3), y))


def test_weighted_f1_by_hand() -> None:
    # class 0: 2 true, 1 hit, 1 claim: 2/3; class 1: 1 true, 1 hit, 2 claims: 2/3
    assert scores.weighted_f1(np.array([0, 0, 1]), np.array([0, 1, 1])) == pytest.approx(2 / 3)
    # a class that is claimed and never true has no weight but costs the others their hits
    assert scores.weighted_f1(np.array([0, 0]), np.array([0, 7])) == pytest.approx(2 / 3)


def test_calibration_counts_each_bin() -> None:
    said, was, count = scores.calibration(
        np.array([0.05, 0.15, 0.95, 1.0]), np.array([False, False, True, False]), 10
    )
    np.testing.assert_allclose(said, [0.05, 0.15, 0.975])
    np.testing.assert_allclose(was, [0, 0, 0.5])
    assert count.tolist() == [1, 1, 2]
