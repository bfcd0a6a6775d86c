"""Where in a step a dancer is: position in a cycle of two bars.

Legend: F frames, B beats.

A basic step lasts two bars: eight beats in common time, six in three-four.  The position in that
cycle is counted in beats from the first beat of a bar; its fraction is the beat phase.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from domains.dance_generation.science.beat_grid import beat_position

CYCLES = (8, 6)
"""Beats of a step in common time and in three-four."""


def cycle_of(beats_per_bar: int) -> int:
    """Beats of a step: 6 where a bar is counted in threes, else 8."""
    return 6 if beats_per_bar % 3 == 0 else 8


def passed_beats(beats_s: NDArray, count: NDArray, times_s: NDArray) -> NDArray[np.float64]:
    """Beats (F,) passed since the beginning of the bar in which the first beat lies.

    Args:
        beats_s: (B,) s.
        count: (B,) place in the bar, from 1.
        times_s: (F,) s.

    Returns:
        (F,), rising; modulo ``cycle_of`` it is the position in the step.
    """
    return beat_position(beats_s, times_s) + (int(count[0]) - 1)
