"""Grids of songs whose beats are known exactly."""

import numpy as np
import pytest

from domains.dance_generation.science import beat_grid
from domains.dance_generation.science.beat_scores import f_measure
from domains.dance_generation.sources.audio import read_music
from domains.dance_generation.sources.music import click_track, compose
from domains.dance_generation.sources.songs import read_beats
from domains.errors import DataError


@pytest.mark.parametrize("bpm", [87.3, 120.0, 143.6])
def test_clicks_are_found_to_ten_milliseconds_and_a_fiftieth_of_a_beat_per_minute(bpm):
    audio, truth = click_track(bpm, 0.31, 30.0, 16000)
    found = beat_grid.track_beats(audio, 16000)
    assert found.is_steady
    assert found.bpm == pytest.approx(bpm, abs=0.02)
    assert np.abs(found.beats_s[:, None] - truth).min(axis=1).max() < 0.01


@pytest.mark.parametrize("seed", range(6))
def test_beats_of_synthetic_songs_are_found(seed):
    song = compose("song", (123, seed), 24.0, 16000)
    found = beat_grid.track_beats(song.audio, 16000)
    assert f_measure(song.beats_s, found.beats_s) > 0.95


def test_half_and_twice_the_tempo_can_be_declared():
    audio, truth = click_track(100.0, 0.25, 20.0, 16000)
    for bpm in (50.0, 200.0):
        found = beat_grid.track_beats(audio, 16000, bpm=bpm)
        assert found.bpm == bpm
        assert np.abs(np.diff(found.beats_s) - 60 / bpm).max() < 1e-9
        nearest = np.abs(found.beats_s[:, None] - truth).min(axis=1)
        assert nearest.max() < (0.02 if bpm == 50 else 0.32)
        assert nearest.min() < 0.02


def test_a_song_that_speeds_up_keeps_librosas_beats_and_says_so():
    truth = np.cumsum(60.0 / np.linspace(90, 150, 100))
    audio = np.zeros(int((truth[-1] + 1) * 16000), np.float32)
    click, _ = click_track(60.0, 0.0, 0.1, 16000)
    for beat in truth:
        start = int(beat * 16000)
        audio[start : start + len(click)] += click
    found = beat_grid.track_beats(audio, 16000)
    assert not found.is_steady
    even = beat_grid.even_grid(found.bpm, found.beats_s[0], truth[-1])
    assert f_measure(truth, found.beats_s) > f_measure(truth, even.beats_s) + 0.2


@pytest.mark.parametrize(("name", "bpm"), [("escape_from_chaosland", 135.0), ("feelings", 95.0)])
def test_the_tempo_of_real_songs_is_the_chart_s(test_data, name, bpm):
    folder = test_data / "dance" / "music"
    music = read_music(folder / f"{name}_90s.ogg", 16000)
    found = beat_grid.track_beats(music.audio, 16000)
    assert found.bpm == pytest.approx(bpm, abs=0.03)
    assert found.is_steady
    truth, *_ = read_beats(folder / f"{name}_beats.txt", music.duration_s)
    if name == "escape_from_chaosland":
        assert f_measure(truth, found.beats_s) > 0.98
    else:  # its off-beats are louder than its beats: the grid is half a beat out, a known limit
        half = beat_grid.even_grid(found.bpm, found.beats_s[0] + 30 / found.bpm, music.duration_s)
        assert f_measure(truth, half.beats_s) > 0.98


def test_the_position_counts_beats_and_goes_on_beyond_both_ends():
    beats = np.array([1.0, 2.0, 4.0])
    found = beat_grid.beat_position(beats, np.array([0.0, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0]))
    np.testing.assert_allclose(found, [-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0])


def test_silence_and_impossible_tempi_are_refused():
    with pytest.raises(DataError, match=r"no onsets at all \(silence\?\)"):
        beat_grid.track_beats(np.zeros(16000, np.float32), 16000)
    with pytest.raises(DataError, match="the tempo is 1000 BPM, expected 20 to 400"):
        beat_grid.even_grid(1000.0, 0.0, 10.0)
    with pytest.raises(DataError, match=r"0.50 s of music hold 1 beats"):
        beat_grid.even_grid(60.0, 0.0, 0.5)
