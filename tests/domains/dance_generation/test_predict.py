"""A song to a dance: as long as the music, in three formats."""

import copy
import logging

import av
import numpy as np
import pytest
import soundfile

from domains.dance_generation.params import PredictParams
from domains.dance_generation.predict import beats_of, example_input, infer, predict
from domains.dance_generation.sources.audio import Music, read_music
from domains.dance_generation.sources.music import click_track
from domains.dance_generation.sources.takes import read_take
from domains.errors import DataError
from tests.domains.dance_generation.conftest import PREDICT


@pytest.fixture
def params():
    return {"evaluate": {"predict": copy.deepcopy(PREDICT) | {"bpm": 120.0, "offset_s": 0.3}}}


@pytest.fixture
def song(tmp_path):
    """4.01 s of clicks at 120 BPM from 0.3 s on, stereo, 22.05 kHz."""
    audio, _ = click_track(120.0, 0.3, 4.01, 22050)
    path = tmp_path / "song.wav"
    soundfile.write(path, np.stack([audio, 0.5 * audio], -1), 22050)
    return path


def test_bvh_has_the_skeleton_of_the_source_and_the_length_of_the_music(
    song, task, tmp_path, params
):
    predict(task, song, tmp_path / "dance.bvh", **params)
    take = read_take(tmp_path / "dance.bvh", 30.0)
    assert take.skeleton.names == task.facts.skeleton.names
    np.testing.assert_allclose(take.skeleton.offsets_m, task.facts.skeleton.offsets_m, atol=1e-6)
    text = (tmp_path / "dance.bvh").read_text()
    assert "Frames: 121" in text  # 4.01 s · 30, rounded up
    assert "Frame Time: 0.03333333" in text


def test_an_archive_holds_the_same_dance_and_its_beats(song, task, tmp_path, params):
    predict(task, song, tmp_path / "dance.bvh", **params)
    predict(task, song, tmp_path / "dance.npz", **params)
    one, other = read_take(tmp_path / "dance.bvh", 30.0), read_take(tmp_path / "dance.npz", 30.0)
    np.testing.assert_allclose(one.rotations, other.rotations, atol=1e-5)
    with np.load(tmp_path / "dance.npz", allow_pickle=False) as archive:
        np.testing.assert_allclose(archive["beats_s"], np.arange(0.3, 4.01, 0.5))


def test_a_film_has_every_frame_and_the_music(song, task, tmp_path, params):
    predict(task, song, tmp_path / "dance.mp4", **params)
    with av.open(str(tmp_path / "dance.mp4")) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.frames, video.average_rate, audio.rate, audio.channels) == (121, 30, 22050, 2)


def test_the_same_song_is_the_same_bytes(song, task, tmp_path, params):
    for ending in ("bvh", "mp4", "npz"):
        predict(task, song, tmp_path / f"a.{ending}", **params)
        predict(task, song, tmp_path / f"b.{ending}", **params)
        assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()


def music(seconds=12.0, offset_s=0.3):
    audio, beats_s = click_track(120.0, offset_s, seconds, 16000)
    return Music(audio, 16000, ()), beats_s


def test_beats_are_tracked_or_declared_in_part_or_whole(tmp_path, caplog):
    track, true = music()
    wanted = PredictParams.model_validate(PREDICT)
    with caplog.at_level(logging.INFO):
        beats_s, count, metre = beats_of(track, wanted)
    assert "beats tracked: 120" in caplog.text
    np.testing.assert_allclose(beats_s[:10], true[:10], atol=0.02)
    assert (count[:5].tolist(), metre) == ([1, 2, 3, 4, 1], 4)
    declared = wanted.model_copy(update={"bpm": 90.0, "offset_s": 1.0, "beats_per_bar": 3})
    beats_s, count, metre = beats_of(track, declared)
    assert np.diff(beats_s) == pytest.approx(60 / 90)
    assert int(count[np.abs(beats_s - 1.0).argmin()]) == 1
    assert int(count.max()) == metre == 3
    shifted, *_ = beats_of(track, wanted.model_copy(update={"offset_s": 0.1}))
    assert shifted[0] == pytest.approx(0.1, abs=1e-3)
    (tmp_path / "beats.txt").write_text("0.5\t2\n1.0\t3\n1.5\t1\n")
    listed = wanted.model_copy(update={"beats": str(tmp_path / "beats.txt"), "beats_per_bar": 5})
    beats_s, count, metre = beats_of(track, listed)
    assert (beats_s.tolist(), count.tolist(), metre) == ([0.5, 1.0, 1.5], [2, 3, 1], 3)
    (tmp_path / "beats.txt").write_text("0.5\n1.0\n1.5\n")
    assert beats_of(track, listed)[2] == 5


def test_what_cannot_be_danced_to_is_refused_in_a_line(song, task, tmp_path, params):
    with pytest.raises(DataError, match=r"expected .bvh, .mp4 or .npz"):
        predict(task, song, tmp_path / "dance.fbx", **params)
    with pytest.raises(DataError, match="is a folder, expected one song"):
        predict(task, tmp_path, tmp_path / "dance.bvh", **params)
    same = tmp_path / "take.mp4"
    same.write_bytes(b"x")
    with pytest.raises(DataError, match="is the input itself"):
        predict(task, same, same, **params)
    with pytest.raises(DataError, match="no sound that libsndfile or FFmpeg can read"):
        predict(task, same, tmp_path / "dance.bvh", **params)
    soundfile.write(tmp_path / "silence.wav", np.zeros(32000), 16000)
    with pytest.raises(DataError, match="silence"):
        predict(task, tmp_path / "silence.wav", tmp_path / "dance.bvh", **params)
    params["evaluate"]["predict"]["beats"] = "beats.txt"
    with pytest.raises(DataError, match=r"has beats: beats.txt and bpm or offset_s"):
        predict(task, song, tmp_path / "dance.bvh", **params)
    params["evaluate"]["predict"] |= {"beats": None, "step": "waltz"}
    with pytest.raises(DataError, match="no step waltz was trained"):
        predict(task, song, tmp_path / "dance.bvh", **params)
    assert not (tmp_path / "dance.bvh").exists()


def test_a_loud_mix_is_told(task, tmp_path, params, caplog):
    audio, _ = click_track(120.0, 0.3, 3.0, 16000)
    soundfile.write(tmp_path / "loud.wav", 1.6 * audio, 16000, subtype="FLOAT")
    predict(task, tmp_path / "loud.wav", tmp_path / "dance.npz", **params)
    assert any("the mix peaks at 1." in line for line in caplog.messages)
    assert np.abs(read_music(tmp_path / "loud.wav", 16000).audio).max() == pytest.approx(1.0)


def test_inference_dances_to_named_arrays(task):
    arrays, known = example_input(task), task.table.known_steps
    found = infer(task, arrays)
    assert {name: value.shape for name, value in found.items()} == {
        "root_position": (60, 3), "rotations": (60, 19, 6), "positions": (60, 19, 3),
    }  # fmt: skip
    named = infer(task, {**arrays, "step": np.array([task.facts.steps[known[0]]])})
    other = infer(task, {**arrays, "step": np.array([task.facts.steps[known[1]]])})
    assert not np.allclose(named["positions"], other["positions"])


def test_inference_tracks_beats_where_none_are_given(task):
    track, _ = music()
    found = infer(task, {"audio": track.audio, "beats_s": np.zeros(0)})
    assert found["positions"].shape == (360, 19, 3)


def test_three_beats_of_four_four_are_no_waltz(task):
    audio, beats_s = click_track(120.0, 0.25, 1.7, 16000)
    short, longer = (
        infer(task, {"audio": audio, "beats_s": beats})["positions"]
        for beats in (beats_s, np.append(beats_s, beats_s[-1] + 0.5))
    )
    assert len(beats_s) == 3
    np.testing.assert_allclose(short, longer, atol=1e-6)


def test_inference_refuses_what_it_cannot_use(task):
    arrays = example_input(task)
    for wrong in ({}, {"audio": np.zeros((2, 32000))}, {"audio": np.full(32000, np.nan)}):
        with pytest.raises(DataError, match=r"expected \(samples,\) of a second or more"):
            infer(task, wrong)
    for beats in ([1.0, 0.5], [0.5, np.nan, 1.5], [1.0], [[0.5, 1.0]], 1.0):
        with pytest.raises(DataError, match="two or more rising times in s, all finite"):
            infer(task, {**arrays, "beats_s": np.array(beats)})
