"""The mean step."""

import numpy as np
import pytest

from domains.dance_generation.models.step_table import SAMPLES, Danced, StepTable


def wave(passed, cycle, phase=0.0):
    """A pose of one number that goes round once a cycle."""
    return np.sin(2 * np.pi * passed / cycle + phase)[:, None]


def danced(cycle, start, step=0, seconds=40.0):
    passed = start + np.arange(0.0, seconds, 1 / 30) * 2.1
    return Danced(wave(passed, cycle), passed, cycle, np.full(len(passed), step))


@pytest.mark.parametrize("cycle", [8, 6])
def test_the_table_holds_what_was_danced_at_each_place(cycle):
    table = StepTable(1, 1)
    table.fill([danced(cycle, 0.3), danced(cycle, 5.1)])
    place = np.linspace(0.0, 3 * cycle, 200)
    found = table.at(np.zeros(200, int), cycle, place).numpy()
    np.testing.assert_allclose(found, wave(place, cycle), atol=3e-3)


def test_a_step_that_was_danced_in_one_metre_is_stretched_to_the_other():
    table = StepTable(2, 1)
    table.fill([danced(8, 0.0, step=1)])
    assert table.known_steps == [1]
    place = np.linspace(0.0, 6.0, 50)
    found = table.at(np.ones(50, int), 6, place).numpy()
    np.testing.assert_allclose(found, wave(place, 6), atol=3e-3)


def test_what_leads_over_to_another_step_is_left_out():
    first, second = danced(8, 0.0), danced(8, 0.0, step=1)
    half = len(first.passed) // 2
    vectors = np.concatenate([first.vectors[:half], second.vectors[half:] + 100.0])
    begins = np.flatnonzero(first.passed > first.passed[half] - 1.0)[0]
    vectors[begins:half] += 50.0  # on its way
    step = np.r_[np.zeros(half, int), np.ones(len(first.passed) - half, int)]
    table = StepTable(2, 1)
    table.fill([Danced(vectors, first.passed, 8, step)])
    assert float(table.poses[0].abs().max()) < 1.01
    assert float(table.poses[1, 0].min()) > 98.0


def test_places_that_nobody_danced_are_filled_from_both_sides():
    passed = np.arange(0.0, 6.5, 0.05)  # the last beats of eight are missing
    table = StepTable(1, 1)
    table.fill([Danced(np.ones((len(passed), 1)), passed, 8, np.zeros(len(passed), int))])
    assert table.poses.shape == (1, 2, SAMPLES, 1)
    np.testing.assert_allclose(table.poses[0, 0].numpy(), 1.0)
