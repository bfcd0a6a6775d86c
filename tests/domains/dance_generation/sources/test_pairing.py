"""Warping a take to a song: the take's own beats land on the song's, without jumps."""

from dataclasses import replace

import numpy as np
import pytest

from domains.dance_generation.science.beat_scores import f_measure
from domains.dance_generation.science.motion_beats import joint_speed, motion_beats
from domains.dance_generation.science.rotations import about
from domains.dance_generation.sources import pairing
from domains.dance_generation.sources.pairing import Motion
from domains.dance_generation.sources.takes import Take
from domains.errors import DataError


def danced(take: Take, motion: Motion, fps: float = 30.0) -> np.ndarray:
    return replace(
        take, fps=fps, root_position=motion.root_position, rotations=motion.rotations
    ).positions()


@pytest.fixture(scope="module")
def travelling(take):
    """The dance, drifting 2 cm and turning 1° a beat of half a second."""
    t = np.arange(len(take)) / take.fps
    turn = about("Y", np.deg2rad(2.0) * t)
    rotations = take.rotations.copy()
    rotations[:, 0] = turn @ rotations[:, 0]
    root = (turn @ take.root_position[..., None])[..., 0] + t[:, None] * [0.04, 0.0, 0.0]
    return Take("travel", take.skeleton, take.fps, root, rotations)


def test_sampling_at_the_frames_gives_the_frames_and_holds_the_ends(take):
    found = pairing.sampled(take, np.arange(len(take)) / take.fps)
    np.testing.assert_allclose(found.rotations, take.rotations, atol=1e-9)
    ends = pairing.sampled(take, np.array([-5.0, 99.0]))
    np.testing.assert_allclose(ends.root_position, take.root_position[[0, -1]], atol=1e-9)


def test_between_two_frames_the_turn_is_half_way(take):
    found = pairing.sampled(take, np.array([10.5, 11.5]) / take.fps)
    for half, frame in zip(found.rotations, (10, 11), strict=True):
        # chords: of equal angles they are equal
        both = np.linalg.norm(half - take.rotations[frame : frame + 2], axis=(-2, -1))
        np.testing.assert_allclose(both[0], both[1], atol=1e-4)


def test_the_beats_of_a_dance_are_found_without_its_music(take, beats_s):
    found = pairing.dance_beats(take)
    assert np.abs(found[:, None] - beats_s).min(axis=1).max() < 0.05
    assert len(found) == pytest.approx(len(beats_s), abs=2)


def test_a_body_that_stands_has_no_beats(take):
    still = replace(
        take,
        root_position=take.root_position[:1].repeat(90, 0),
        rotations=take.rotations[:1].repeat(90, 0),
    )
    with pytest.raises(DataError, match="side: too few steps to find a beat in 3 s"):
        pairing.dance_beats(still)


def test_a_warped_dance_rests_on_the_beats_of_a_slower_song(take, beats_s):
    song = np.arange(0.1, 20.0, 60 / 100)
    motion = pairing.warped(take, beats_s, song, 540, 30.0)
    assert f_measure(song[song < 18], motion_beats(danced(take, motion), 30.0)) > 0.93
    unwarped = motion_beats(take.positions(), 30.0)
    assert f_measure(song, unwarped) < 0.5


def test_a_loop_stays_in_place_keeps_time_and_has_no_seam(travelling):
    loop = pairing.best_loop(travelling)
    assert loop.strict_f > 0.9
    song = np.arange(0.2, 60.0, 60 / 95)
    motion = pairing.repeated(loop, song, 1800, 30.0)
    places = danced(travelling, motion)
    assert f_measure(song, motion_beats(places, 30.0)) > 0.9
    assert np.abs(motion.root_position[:, [0, 2]]).max() < 0.7
    speed = joint_speed(places, 30.0)
    assert speed.max() < 2.0 * joint_speed(travelling.positions(), 30.0).max()
    # the same count of another round is the same pose
    first, later = (
        pairing.repeated(loop, song, 1800, 30.0).root_position[
            np.round((song[n] + np.arange(0, 3)) * 30).astype(int)
        ]
        for n in (0, 8 * 3)
    )
    np.testing.assert_allclose(first, later, atol=0.06)


def test_a_take_that_only_walks_away_has_no_loop(take):
    t = np.arange(len(take))[:, None] / take.fps
    leaving = replace(take, root_position=take.root_position + t * [1.5, 0.0, 0.0])
    with pytest.raises(
        DataError, match=r"ends near where it began; set ingest.pairing.form: whole"
    ):
        pairing.best_loop(leaving)


def test_the_best_loops_of_real_takes_keep_time(test_data):
    from domains.dance_generation.sources.takes import read_take

    take = read_take(test_data / "dance" / "bvh" / "salsa_12.bvh", fps=60.0)
    loop = pairing.best_loop(take)
    assert loop.strict_f > 0.7
    song = np.arange(0.3, 30.0, 60 / 135)
    places = replace(
        take, fps=30.0, **vars(pairing.repeated(loop, song, 900, 30.0))
    ).body_positions()
    assert f_measure(song, motion_beats(places, 30.0)) > 0.65
