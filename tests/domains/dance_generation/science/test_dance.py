"""A pair at rest is the pair that was saved, in the same bytes."""

from dataclasses import replace

import numpy as np
import pytest

from domains.dance_generation.science import dance as at_rest
from domains.dance_generation.science.rotations import to_6d
from domains.dance_generation.sources.dancer import SKELETON
from domains.errors import DataError


@pytest.fixture
def pair(dance, song):
    return at_rest.Pair(
        name="a", song="song", take="t", performance="p",
        audio=song.audio, root_position=dance.root_position.astype(np.float32),
        rotations=to_6d(dance.rotations).astype(np.float32), step=dance.step,
        beats_s=song.beats_s, count=song.count, beats_per_bar=song.beats_per_bar,
        audio_rate_hz=16000, fps=30.0, is_simulated=True,
    )  # fmt: skip


def test_what_is_loaded_is_what_was_saved_and_two_savings_are_the_same_bytes(tmp_path, pair):
    first = at_rest.save_pair(tmp_path / "a", pair, "test")
    second = at_rest.save_pair(tmp_path / "b", pair, "test")
    assert first.read_bytes() == second.read_bytes()
    (found,) = at_rest.load_pairs(tmp_path / "a", "test")
    for key, value in vars(pair).items():
        np.testing.assert_array_equal(getattr(found, key), value)
    assert at_rest.load_pairs(tmp_path / "a", "train") == []


def test_positions_of_a_pair_are_those_of_the_motion(pair, take):
    np.testing.assert_allclose(pair.positions(SKELETON), take.positions(), atol=1e-5)
    assert pair.tempo_bpm == pytest.approx(60 / np.diff(pair.beats_s)[0])
    assert pair.times_s[30] == 1.0


def test_the_facts_survive_and_their_absence_is_told(tmp_path):
    facts = at_rest.Facts(SKELETON, ("side", "basic"), 30.0, 16000)
    facts.save(tmp_path)
    assert at_rest.Facts.load(tmp_path) == facts
    with pytest.raises(DataError, match=r"dataset.json: no such file; run the ingest step"):
        at_rest.Facts.load(tmp_path / "none")
    with pytest.raises(DataError, match="run the ingest step of dance_generation first"):
        at_rest.load_pairs(tmp_path / "none", "test")


def test_arrays_of_different_length_are_refused(pair):
    with pytest.raises(ValueError, match="differ in length"):
        replace(pair, step=pair.step[:-1])


def test_joints_that_stand_still_throughout_are_found(pair):
    moving = at_rest.moving_joints([pair])
    names = {SKELETON.names[joint] for joint in np.flatnonzero(~moving)}
    assert "left_collar" in names
    assert "left_thigh" not in names
