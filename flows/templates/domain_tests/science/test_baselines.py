"""The baselines against their closed forms."""

from __future__ import annotations

import numpy as np

from domains.template_domain.science.baselines import straight_line, training_mean


def test_the_line_goes_through_points_of_a_line() -> None:
    x = np.array([0.0, 1.0, 4.0])
    np.testing.assert_allclose(straight_line(x, 3 * x - 2, np.array([10.0, -1.0])), [28, -5])


def test_the_mean_does_not_look_at_x() -> None:
    y = np.array([1.0, 2.0, 6.0])
    np.testing.assert_array_equal(training_mean(y, y, np.array([0.0, 9.0])), [3, 3])
