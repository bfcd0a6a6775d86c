"""Pairs to sequences."""

import dataclasses

import numpy as np
import pytest
import torch

from domains.dance_generation.data import DanceData, cues_of, load_dances, pose_vectors
from domains.dance_generation.science.dance import Facts, Motion, load_pairs
from domains.dance_generation.science.rotations import about
from domains.errors import DataError
from tests.domains.dance_generation.conftest import TRAIN


def data(dataset, hears=True, **section):
    facts, pairs = load_dances(dataset)
    moving = range(len(facts.skeleton))
    return DanceData(
        pairs["train"], pairs["validate"], facts, moving, {**TRAIN, **section},
        hears=hears, pauses=hears,
    )  # fmt: skip


def test_a_sequence_is_a_function_of_its_seed(dataset):
    source = data(dataset)
    one, same, other = (source.train_sample(1, seed) for seed in (5, 5, 6))
    assert all(torch.equal(one[key], same[key]) for key in one)
    assert not torch.equal(one["pose"], other["pose"])
    assert one["pose"].shape == (21, 3 + 6 * 19)
    assert one["audio"].shape == (21 * 16000 // 30,)
    assert "audio" not in data(dataset, hears=False).train_sample(1, 5)


def test_at_the_songs_own_tempo_a_sequence_is_a_piece_of_the_pair(dataset):
    source = data(dataset, hears=False, tempo_range=1.0)
    pair = source.train[0]
    sample = source.train_sample(0, 3)
    per_frame = float(sample["passed"].diff().mean())
    assert per_frame * 30 * 60 == pytest.approx(pair.tempo_bpm, rel=1e-3)
    vectors = pose_vectors(pair.motion, range(19))
    gaps = np.abs(vectors - sample["pose"][0].numpy()).max(axis=1)
    assert gaps.min() < 0.05
    assert 0 <= float(sample["passed"][0]) < float(sample["cycle"])


def test_tempi_vary_within_the_declared_range(dataset):
    source = data(dataset, hears=False, tempo_range=1.2)
    own = source.train[0].tempo_bpm
    tempi = [
        float(source.train_sample(0, seed)["passed"].diff().mean()) * 1800 / own
        for seed in range(40)
    ]
    assert 1 / 1.2 - 1e-3 <= min(tempi) < 0.93
    assert 1.07 < max(tempi) <= 1.2 + 1e-3


def test_in_silence_the_dancer_holds_the_pose(dataset):
    source = data(dataset)
    for seed in range(200):
        sample = source.train_sample(0, seed)
        frame = 16000 // 30
        ends = sample["audio"][: frame // 2], sample["audio"][-frame // 2 :]
        if quiet := [n for n, part in enumerate(ends) if float(part.abs().max()) < 1e-3]:
            first, second = (0, 1) if quiet[0] == 0 else (-1, -2)
            assert torch.equal(sample["pose"][first], sample["pose"][second])
            return
    raise AssertionError("no silence in 200 sequences")


def test_a_dance_is_the_same_wherever_and_whichever_way_it_is_danced(dataset):
    motion = load_pairs(dataset, "test")[0].motion
    turn = about("Y", np.asarray(1.1))
    rotations = motion.rotations.copy()
    rotations[:, 0] = turn @ rotations[:, 0]
    moved = Motion(motion.root_position @ turn.T + [3.0, 0.0, -2.0], rotations)
    np.testing.assert_allclose(
        pose_vectors(moved, range(19)), pose_vectors(motion, range(19)), atol=1e-9
    )


def test_cues_can_come_from_another_grid(dataset):
    pair = load_pairs(dataset, "test")[0]
    own = cues_of(pair)
    later = cues_of(pair, pair.beats_s + 0.1, pair.count)
    frames = 3  # 0.1 s
    np.testing.assert_allclose(later.passed[frames:-1], own.passed[: -frames - 1], atol=1e-6)


def test_validation_is_one_batch_of_whole_beginnings(dataset):
    (batch,) = data(dataset).val_dataloader()
    # nobody trained on the step of the one validation pair: the training pairs choose
    assert batch["pose"].shape[0] == len(load_pairs(dataset, "train"))
    assert batch["audio"].shape[1] == batch["pose"].shape[1] * 16000 // 30


def test_dances_shorter_than_a_sequence_and_empty_datasets_are_refused(dataset, tmp_path):
    with pytest.raises(DataError, match=r"train.sequence_frames is 290, .* at most 270"):
        data(dataset, sequence_frames=290)
    Facts.load(dataset).save(tmp_path)
    (tmp_path / "pairs").mkdir()
    with pytest.raises(DataError, match="no training pair"):
        load_dances(tmp_path)


def test_without_validation_pairs_those_of_training_choose(dataset, tmp_path):
    from domains.dance_generation.science.dance import save_pair

    Facts.load(dataset).save(tmp_path)
    pair = load_pairs(dataset, "train")[0]
    save_pair(tmp_path, dataclasses.replace(pair, name="only"), "train")
    _, pairs = load_dances(tmp_path)
    assert [pair.name for pair in pairs["validate"]] == ["only"]
