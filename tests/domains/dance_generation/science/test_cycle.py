"""Where in a step a dancer is."""

import numpy as np
import pytest

from domains.dance_generation.science.cycle import cycle_of, passed_beats


def test_a_step_has_two_bars_of_three_or_four():
    assert [cycle_of(metre) for metre in (2, 3, 4, 6)] == [8, 6, 8, 6]


def test_the_position_counts_from_the_first_beat_of_a_bar():
    beats_s, count = np.array([0.5, 1.0, 1.5, 2.0]), np.array([3, 4, 1, 2])
    found = passed_beats(beats_s, count, np.array([0.5, 0.75, 1.5, 0.0]))
    assert found == pytest.approx([2.0, 2.5, 4.0, 1.0])
