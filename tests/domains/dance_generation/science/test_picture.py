"""Stick figures and the lamp."""

import numpy as np
import pytest

from domains.dance_generation.science.picture import BLUE, WHITE, Stage, bones_of, film, glow
from domains.dance_generation.sources.dancer import SKELETON


def test_the_lamp_is_brightest_on_the_beat_and_dark_before_the_first():
    found = glow(np.array([1.0, 2.0]), np.array([0.5, 1.0, 1.06, 1.5, 2.0]))
    assert found == pytest.approx([0.0, 1.0, 0.5, 0.0, 1.0])


def test_every_point_of_a_dance_is_inside_its_picture(dance):
    positions = dance_positions(dance)
    stage = Stage.around([positions], 120)
    places = stage.place(positions)
    assert (places >= 0).all()
    assert (places <= [stage.width, stage.height]).all()
    assert stage.width % 2 == stage.height % 2 == 0
    higher, lower = stage.place(np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]))
    assert higher[1] < lower[1]


def test_a_film_shows_the_dancer_in_its_colour_and_the_lamp_on_the_beat(dance):
    positions = dance_positions(dance)[:2]
    stage = Stage.around([positions], 120)
    pictures = list(film(stage, SKELETON, [(positions, BLUE)], np.array([0.0, 1.0])))
    assert {picture.shape for picture in pictures} == {(120, stage.width, 3)}
    assert (pictures[0] == BLUE).all(-1).sum() > 100
    lamp = pictures[0][10, 10], pictures[1][10, 10]
    assert tuple(lamp[0]) == WHITE
    assert tuple(lamp[1]) != WHITE


def test_bones_join_the_body_without_fingers():
    assert len(bones_of(SKELETON)) == len(SKELETON) - 1


def dance_positions(dance):
    """(F, J, 3) m."""
    from domains.dance_generation.science.skeleton import joint_positions

    return joint_positions(SKELETON, dance.root_position, dance.rotations)
