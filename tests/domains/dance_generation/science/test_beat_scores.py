"""Scores of synchrony against mir_eval, brute force and closed forms."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from domains.dance_generation.science import beat_scores
from domains.dance_generation.science.skeleton import joint_positions
from domains.dance_generation.sources.dancer import SKELETON


def random_beats(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return np.sort(rng.uniform(0, 10, 20)), np.sort(rng.uniform(0, 10, 25))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("window_s", [0.02, 0.07, 0.3])
def test_as_many_beats_are_matched_as_any_matching_can(seed, window_s):
    music, motion = random_beats(seed)
    near = csr_array(np.abs(music[:, None] - motion) <= window_s)
    hits = int((maximum_bipartite_matching(near) >= 0).sum())
    assert beat_scores.f_measure(music, motion, window_s) == pytest.approx(2 * hits / 45)


@pytest.mark.parametrize("seed", range(3))
def test_strict_f_is_that_of_mir_eval(seed):
    mir_eval = pytest.importorskip("mir_eval")
    music, motion = random_beats(seed)
    assert beat_scores.f_measure(music, motion) == pytest.approx(
        mir_eval.beat.f_measure(music, motion)
    )


def test_beat_alignment_of_a_constant_delay_is_the_gaussian_of_it():
    music = np.arange(20.0)
    found = beat_scores.beat_alignment(music, music + 0.05)
    assert found == pytest.approx(np.exp(-0.5))
    assert beat_scores.beat_alignment(music, music[:1], over="motion") == 1.0
    assert beat_scores.beat_alignment(music, music[:1], over="music") == pytest.approx(1 / 20)


def test_the_filtered_f_forgives_every_beat_that_is_far_and_the_strict_one_none():
    music = np.arange(10.0)
    motion = np.sort(np.r_[music + 0.01, music + 0.3, music + 0.5, music + 0.7])
    assert beat_scores.filtered_f_measure(music, motion) == 1.0
    assert beat_scores.f_measure(music, motion) == pytest.approx(2 * 10 / 50)


def test_no_motion_beats_score_zero():
    empty = np.empty(0)
    for score in (
        beat_scores.f_measure,
        beat_scores.beat_alignment,
        beat_scores.filtered_f_measure,
    ):
        assert score(np.arange(5.0), empty) == 0.0


def test_a_dancer_on_the_beat_scores_high_and_every_control_low(dance, beats_s):
    places = joint_positions(SKELETON, dance.root_position, dance.rotations)
    scores = beat_scores.synchrony(beats_s, places, 30.0)
    assert scores["strict_f"] > 0.95
    assert scores["beat_alignment"] > 0.8
    assert scores["strict_f_shifted"] == 0.0
    # two lists of equal tempo and no common phase: the windows cover 0.14 of 0.5 s
    assert scores["strict_f_unsynchronised"] == pytest.approx(0.28, abs=0.1)
    assert scores["strict_f_shuffled"] < 0.45
    assert scores["filtered_f_shuffled"] > scores["strict_f_shuffled"] + 0.1


def test_f_grows_with_the_tolerance():
    music = np.arange(10.0)
    found = beat_scores.f_by_tolerance(music, music + 0.06, [0.05, 0.07])
    np.testing.assert_array_equal(found, [0.0, 1.0])
