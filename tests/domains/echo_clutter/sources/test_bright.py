"""Bright structures: where they lie, how bright they are, and that they hardly move."""

import numpy as np
import pytest

from domains.echo_clutter.sources.anatomy import build_heart
from domains.echo_clutter.sources.bright import draw_bright
from domains.echo_clutter.sources.motion import draw_ventricle

ANNULUS = np.array([[-20.0, 105.0], [20.0, 100.0]])


def drawn(seeds=40):
    return [draw_bright(np.random.default_rng(seed), ANNULUS, 150.0, 0.58) for seed in range(seeds)]


def test_they_are_brighter_than_the_wall_and_follow_it_little_or_as_the_annulus():
    for bright in drawn():
        assert len(bright.places) == len(bright.level_db) == len(bright.share)
        assert (bright.level_db >= 3).all()
        still = bright.share <= 0.25
        beside = np.linalg.norm(bright.places[:, None] - ANNULUS, axis=2).min(axis=1)
        assert (bright.share[~still] == 1).all()
        assert (beside[~still] < 15).all()  # calcium sits on the annulus


def test_some_hearts_have_none_and_most_have_a_sheet_below_the_heart():
    counts = [len(bright.places) for bright in drawn(100)]
    assert 3 < sum(count == 0 for count in counts) < 30
    deep = [(bright.places[:, 1] > 110).any() for bright in drawn(100)]
    assert np.mean(deep) > 0.4


@pytest.mark.parametrize("seed", range(3))
def test_a_heart_holds_them_nearly_still_while_its_wall_moves(seed):
    ventricle = draw_ventricle(np.random.default_rng(seed), "normal")
    heart = build_heart(np.random.default_rng(seed), ventricle, 150.0, 0.58, -25.0)
    rest, systole = heart.places(0.0), heart.places(0.38)
    level_db = 20 * np.log10(np.abs(heart.amplitude))
    first = len(heart.wall)
    around = slice(first, first + len(heart.around))
    travel = np.linalg.norm(systole - rest, axis=1)
    wall_travel = travel[:first].max()
    sheets = (heart.share <= 0.25) & (level_db[around] > 3)
    assert not heart.is_blood[around][sheets].any()
    if sheets.any():
        assert travel[around][sheets].max() <= 0.25 * wall_travel + 1e-9
