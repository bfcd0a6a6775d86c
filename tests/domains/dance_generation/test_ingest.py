"""Every source to a dataset with a card; the same parameters give the same bytes."""

import subprocess
import sys

import numpy as np
import pytest
import soundfile

from domains.contract import Card
from domains.dance_generation.ingest import ingest
from domains.dance_generation.params import Params
from domains.dance_generation.science.beat_scores import f_measure
from domains.dance_generation.science.dance import SPLITS, Facts, load_pairs
from domains.dance_generation.science.motion_beats import motion_beats
from domains.dance_generation.sources.bvh import write_bvh
from domains.dance_generation.sources.dancer import SKELETON
from domains.dance_generation.sources.files import song_of, step_of
from domains.dance_generation.sources.music import click_track
from domains.errors import DataError
from domains.files import hash_folder


def test_the_shipped_block_is_valid(whole_block):
    assert Params.model_validate(whole_block).ingest.fps == 30.0


def test_ingest_loads_neither_torch_nor_librosa():
    code = (
        "import sys, domains.dance_generation.ingest as i, domains.dance_generation.sources.cmu;"
        "assert not {'torch', 'lightning', 'librosa', 'av'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """The small sample, made twice: folder and card of the first."""
    from tests.domains.dance_generation.conftest import INGEST

    root = tmp_path_factory.mktemp("sample")
    card = ingest("sample", root / "a", ingest=INGEST)
    ingest("sample", root / "b", ingest=INGEST)
    return root, card


def test_the_sample_is_simulated_and_says_so(sample):
    root, card = sample
    assert "simulated, no recording" in card.title
    assert card.counts["pairs"] == 6
    assert card.counts["seconds"] == 60
    for split in SPLITS:
        pairs = load_pairs(root / "a", split)
        assert [pair.name for pair in pairs] == card.splits[split]
        assert all(pair.is_simulated for pair in pairs)


def test_the_same_parameters_give_the_same_bytes_and_another_seed_others(sample, tmp_path, params):
    root, _ = sample
    assert hash_folder(root / "a") == hash_folder(root / "b")
    assert Card.load(root / "a") == Card.load(root / "b")
    params["sample"]["seed"] = 1
    ingest("sample", tmp_path / "c", ingest=params)
    assert hash_folder(tmp_path / "c") != hash_folder(root / "a")


def test_no_song_and_no_performance_is_in_two_splits(sample):
    root, _ = sample
    for kind in ("song", "performance"):
        names = [{getattr(p, kind) for p in load_pairs(root / "a", split)} for split in SPLITS]
        assert not names[0] & names[1]
        assert not (names[0] | names[1]) & names[2]


def test_the_dancer_of_the_sample_keeps_time_with_the_music(sample):
    root, _ = sample
    facts = Facts.load(root / "a")
    for pair in load_pairs(root / "a", "test"):
        beats = motion_beats(pair.positions(facts.skeleton), pair.fps)
        assert f_measure(pair.beats_s, beats) > 0.9
        assert len(pair.audio) == len(pair.root_position) * 16000 // 30
        assert set(pair.step) <= set(range(len(facts.steps)))


def test_real_takes_come_from_the_mirror_and_the_card_says_that_they_were_warped(
    test_data, tmp_path, params, monkeypatch
):
    monkeypatch.setenv("CONVOY_MIRROR", str(test_data))
    params["public"]["validate_takes"] = [5, 20, 14]
    card = ingest("public", tmp_path / "out", ingest=params)
    assert "warped to synthetic songs; never recorded together" in card.title
    assert card.counts["takes"] == 5
    assert (
        "1 of 6 takes are absent from dance of CONVOY_MIRROR and were left out: 14" in card.warnings
    )
    assert any("are danced over and over" in line for line in card.warnings)
    facts = Facts.load(tmp_path / "out")
    assert len(facts.skeleton.names) == 43
    assert len(facts.skeleton.end_sites) > 10
    (pair,) = load_pairs(tmp_path / "out", "test")
    assert pair.performance == "performance_10"
    assert not pair.name.startswith("take")
    beats = motion_beats(pair.positions(facts.skeleton), pair.fps)
    assert f_measure(pair.beats_s, beats) > 0.5


def test_partners_in_two_splits_are_refused(params):
    params["public"] |= {"train_takes": [5], "test_takes": [20], "validate_takes": []}
    with pytest.raises(DataError, match=r"take 20 is in .*test_takes and take 5 in train_takes"):
        ingest("public", "/nowhere", ingest=params)


@pytest.fixture
def folder(tmp_path, take):
    """Five dances with music of their names."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for n, name in enumerate("abcde"):
        write_bvh(folder / f"{name}.bvh", SKELETON, take.root_position, take.rotations, 30.0)
        audio, beats = click_track(120.0, 0.3, 18.0 + n, 16000)
        soundfile.write(folder / f"{name}.wav", audio, 16000)
        (folder / f"{name}_beats.txt").write_text("\n".join(f"{beat:.3f}" for beat in beats))
    return folder


def test_motions_and_music_of_one_name_are_paired_as_they_are(folder, tmp_path, params, take):
    (folder / "notes.md").write_text("no dance")
    card = ingest(str(folder), tmp_path / "out", ingest=params)
    assert card.splits == {"train": ["a", "b", "c"], "validate": ["d"], "test": ["e"]}
    assert card.counts["songs"] == 5
    assert "warped" not in card.title
    assert any("a: motion and music differ by 2.0 s in length" in line for line in card.warnings)
    (pair,) = load_pairs(tmp_path / "out", "test")
    np.testing.assert_allclose(pair.positions(SKELETON), take.positions(), atol=1e-4)
    assert not pair.is_simulated


def test_declared_lists_split_the_files_and_the_rest_is_counted(folder, tmp_path, params):
    params["files"] |= {"train_files": ["b"], "test_files": ["a"]}
    (folder / "f.bvh").write_bytes((folder / "a.bvh").read_bytes())
    card = ingest(str(folder), tmp_path / "out", ingest=params)
    assert card.splits == {"train": ["b"], "validate": [], "test": ["a"]}
    assert card.rejected == {"motion without music of its name": 1, "pair in no split": 3}
    params["files"]["test_files"] = ["walz"]
    with pytest.raises(
        DataError, match=r"ingest.files.test_files names walz, expected one of a, b"
    ):
        ingest(str(folder), tmp_path / "out", ingest=params)
    params["files"]["test_files"] = ["b"]
    with pytest.raises(DataError, match=r"b is in ingest.files.train_files and in test_files"):
        ingest(str(folder), tmp_path / "out", ingest=params)


@pytest.mark.parametrize("form", ["loop", "whole"])
def test_motions_and_music_of_other_names_are_warped_and_the_card_says_so(
    folder, tmp_path, params, form
):
    for path in folder.glob("*.bvh"):
        path.rename(path.with_name(f"take_{path.name}"))
    params["pairing"]["form"] = form
    card = ingest(str(folder), tmp_path / "out", ingest=params)
    assert "warped to one another; never recorded together" in card.title
    assert card.splits["test"] == ["take_e-e"]
    (pair,) = load_pairs(tmp_path / "out", "test")
    assert f_measure(pair.beats_s, motion_beats(pair.positions(SKELETON), 30.0)) > 0.85


def test_lists_name_takes_and_songs_where_they_are_warped(folder, tmp_path, params):
    for path in folder.glob("*.bvh"):
        path.rename(path.with_name(f"take_{path.name}"))
    params["files"] |= {"train_files": ["take_b", "c"], "test_files": ["a", "take_d", "take_e"]}
    params["pairing"] |= {"form": "whole"}
    card = ingest(str(folder), tmp_path / "out", ingest=params)
    assert card.splits == {
        "train": ["take_b-c"], "validate": [], "test": ["take_d-a", "take_e-a"],
    }  # fmt: skip
    params["files"]["train_files"] = ["take_b", "cc"]
    with pytest.raises(DataError, match="train_files names cc, expected one of"):
        ingest(str(folder), tmp_path / "out", ingest=params)


def test_a_song_whose_beats_begin_beyond_the_longest_pair_is_counted(folder, tmp_path, params):
    for path in folder.glob("*.bvh"):
        path.rename(path.with_name(f"take_{path.name}"))
    (folder / "a_beats.txt").write_text("11.0\n11.5\n12.0\n")
    params["files"] |= {"train_files": ["take_b", "c"], "test_files": ["a", "take_d"]}
    params["pairing"] |= {"form": "whole", "length_s": 10.0}
    card = ingest(str(folder), tmp_path / "out", ingest=params)
    assert card.splits["test"] == []
    assert card.rejected["take without a usable loop or beat"] == 1
    assert any("a: 0 beats in its first 10 s, expected two" in line for line in card.warnings)


def test_a_skeleton_that_does_not_match_and_a_folder_without_music_are_refused(
    folder, tmp_path, params
):
    path = folder / "c.bvh"
    path.write_text(path.read_text().replace("JOINT left_hand", "JOINT left_paw"))
    with pytest.raises(DataError, match=r"c.bvh: joints do not match .*1 missing \(left_hand\)"):
        ingest(str(folder), tmp_path / "out", ingest=params)
    for file in folder.glob("*.wav"):
        file.unlink()
    with pytest.raises(DataError, match="5 motions and 0 songs, expected both"):
        ingest(str(folder), tmp_path / "out", ingest=params)
    with pytest.raises(DataError, match="no such folder"):
        ingest(str(tmp_path / "none"), tmp_path / "out", ingest=params)


def test_a_refused_source_leaves_the_old_dataset_untouched(folder, tmp_path, params):
    ingest(str(folder), tmp_path / "out", ingest=params)
    before = hash_folder(tmp_path / "out")
    (folder / "b.bvh").write_text((folder / "b.bvh").read_text()[:-5000])
    with pytest.raises(DataError, match=r"b.bvh: .* the file is cut short after frame"):
        ingest(str(folder), tmp_path / "out", ingest=params)
    assert hash_folder(tmp_path / "out") == before


def test_names_of_aist_say_their_music_and_genre():
    name = "gBR_sBM_cAll_d04_mBR0_ch01"
    assert song_of(name, ["mBR1", "mBR0"]) == "mBR0"
    assert song_of("waltz", ["polka"]) is None
    assert step_of(name) == "gBR"
    assert step_of("waltz") == "waltz"
