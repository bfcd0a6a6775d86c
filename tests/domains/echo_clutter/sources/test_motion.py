"""The simulated wall has exactly the strain that it was built from."""

from dataclasses import replace

import numpy as np
import pytest

from domains.echo_clutter.science.clips import NUM_SEGMENTS
from domains.echo_clutter.sources import motion
from domains.echo_clutter.sources.motion import TERRITORIES, Ventricle, beat, draw_ventricle

FINE = np.linspace(0, 1, 401)
PHASES = (0.1, 0.38, 0.6, 0.95)


def ventricle(**changes):
    strain = np.array([-0.15, -0.17, -0.2, -0.22, -0.1, -0.02, 0.03])
    heart = Ventricle(80.0, 22.0, 9.0, (2.0, 25.0), 0.1, strain, 0.25)
    return replace(heart, **changes)


def lengths(heart, phase):
    return np.linalg.norm(np.diff(heart.at(phase).place(FINE, 0.0), axis=0), axis=1)


def test_the_beat_is_zero_at_end_diastole_and_one_at_end_systole():
    assert beat(np.array([0.0, 0.38, 1.0])) == pytest.approx([0, 1, 0])
    values = beat(np.linspace(0, 1, 500))
    assert values.min() >= 0
    assert values.max() <= 1


@pytest.mark.parametrize("phase", PHASES)
def test_every_piece_of_the_wall_is_stretched_by_its_strain(phase):
    heart = ventricle()
    found = lengths(heart, phase) / lengths(heart, 0.0) - 1
    middle = (FINE[1:] + FINE[:-1]) / 2
    expected = heart.strain_at(middle) * float(beat(np.array(phase)))
    # the tables of the arc are interpolated linearly, hence not to the last digit
    away_from_apex = np.abs(middle - 0.5) > 0.01
    np.testing.assert_allclose(found[away_from_apex], expected[away_from_apex], atol=2e-3)
    whole = lengths(heart, phase).sum() / lengths(heart, 0.0).sum() - 1
    assert whole == pytest.approx(expected.mean(), abs=1e-4)


def test_segments_have_the_strain_they_were_given_at_their_middles():
    heart = ventricle()
    middles = (np.arange(NUM_SEGMENTS) + 0.5) / NUM_SEGMENTS
    np.testing.assert_allclose(heart.strain_at(middles), heart.peak_strain)


def test_the_annulus_descends_more_than_the_middle_and_the_apex_rests():
    heart = ventricle(peak_strain=np.full(7, -0.2), lean=0.0)
    rest, systole = (heart.at(phase).place(np.array([0, 0.25, 0.5]), 0.0) for phase in (0.0, 0.38))
    fall = rest[:, 1] - systole[:, 1]
    assert fall[2] == pytest.approx(0, abs=1e-9)
    assert fall[0] > 2 * fall[1] > 0


def test_an_ellipse_with_equal_axes_has_the_arc_of_a_circle():
    angle = np.array([0.0, 0.5, 1.5])
    np.testing.assert_allclose(motion.arc_length(angle, 30.0, 30.0), 30 * angle)
    # half the circumference of the 3:5 ellipse, by Ramanujan's second series
    h = (5 - 3) ** 2 / (5 + 3) ** 2
    half = np.pi / 2 * 8 * (1 + 3 * h / (10 + np.sqrt(4 - 3 * h)))
    assert motion.arc_length(np.pi, 3.0, 5.0) == pytest.approx(half, rel=1e-6)


def test_the_wall_thickens_as_it_shortens():
    heart = ventricle(peak_strain=np.full(7, -0.2))
    for phase, stretch in ((0.0, 1.0), (0.38, 0.8)):
        wall = heart.at(phase)
        inner, outer = (wall.place(FINE, depth) for depth in (0.0, 1.0))
        np.testing.assert_allclose(np.linalg.norm(outer - inner, axis=1), 9.0 / stretch, rtol=1e-6)


@pytest.mark.parametrize("name", TERRITORIES)
def test_infarcts_take_the_strain_of_their_territory_alone(name):
    ill = np.isin(np.arange(NUM_SEGMENTS), TERRITORIES[name])
    for seed in range(5):
        strain = draw_ventricle(np.random.default_rng(seed), name).peak_strain
        assert (strain[~ill] < -0.11).all()
        assert (strain[ill] > -0.09).all()
