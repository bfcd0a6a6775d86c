"""Files of beats beside a song, and songs without one."""

import numpy as np
import pytest
import soundfile

from domains.dance_generation.sources.music import click_track
from domains.dance_generation.sources.songs import beats_beside, read_beats, read_song
from domains.errors import DataError


def test_beats_beside_a_song_are_taken_as_they_are(tmp_path):
    audio, beats = click_track(100.0, 0.2, 10.0, 16000)
    soundfile.write(tmp_path / "a.wav", audio, 16000)
    lines = [f"{beat:.4f}\t{n % 3 + 1}" for n, beat in enumerate(beats)]
    (tmp_path / "a_beats.txt").write_text("\n".join(lines))
    song = read_song(tmp_path / "a.wav", 16000)
    np.testing.assert_allclose(song.beats_s, beats, atol=1e-4)
    assert song.beats_per_bar == 3
    assert song.count[:4].tolist() == [1, 2, 3, 1]
    assert song.warnings == ()


def test_a_part_of_a_song_takes_the_beats_of_the_whole_unless_it_has_its_own(tmp_path):
    (tmp_path / "waltz_beats.txt").touch()
    assert beats_beside(tmp_path / "waltz_90s.ogg") == tmp_path / "waltz_beats.txt"
    (tmp_path / "waltz_90s_beats.txt").touch()
    assert beats_beside(tmp_path / "waltz_90s.ogg") == tmp_path / "waltz_90s_beats.txt"
    assert beats_beside(tmp_path / "waltzer.ogg") is None


def test_without_them_they_are_tracked_and_the_card_says_so(tmp_path):
    audio, beats = click_track(100.0, 0.2, 20.0, 16000)
    soundfile.write(tmp_path / "a.wav", audio, 16000)
    song = read_song(tmp_path / "a.wav", 16000)
    assert np.abs(song.beats_s[:30, None] - beats).min(axis=1).max() < 0.01
    assert song.warnings[-1] == (
        "a.wav: no a_beats.txt beside it: beats tracked, 100.0 BPM, even; bars of four assumed"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1.0\n", "1 beats, expected two or more"),
        ("1.0\n0.5\n2.0\n", "line 2 does not come after the line before; sort the beats"),
        ("1.0\nnan\n2.0\n", "line 2 does not come after"),
        ("bar one\n", "expected a time in s per line"),
        ("1000\n1500\n2000\n", "beats 500 s apart, .* are the times in seconds?"),
        ("60.0\n60.5\n61.0\n", "the music has 10.0 s; is it of another song?"),
        ("9.5\n10.5\n11.5\n", "1 of 3 beats lie within the 10.0 s of music, expected two or more"),
        ("1.0 0\n1.5 1\n", "places in the bar from 0 to 1, expected 1 to 16"),
    ],
)
def test_files_of_beats_that_cannot_be_are_refused_in_one_line(tmp_path, text, message):
    (tmp_path / "b.txt").write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        read_beats(tmp_path / "b.txt", 10.0)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "declared", "count", "metre"),
    [
        ("1\n2\n3\n", 4, [1, 2, 3], 4),
        ("1\n2\n3\n4\n5\n", 3, [1, 2, 3, 1, 2], 3),
        ("-1 4\n0 1\n1 2\n2 3\n", 3, [1, 2, 3], 4),
    ],
)
def test_the_metre_is_that_of_the_whole_file_or_declared(tmp_path, text, declared, count, metre):
    (tmp_path / "b.txt").write_text(text)
    _, found, beats_per_bar = read_beats(tmp_path / "b.txt", 10.0, declared)
    assert (found.tolist(), beats_per_bar) == (count, metre)


def test_real_charts_are_read_with_their_counts(test_data):
    beats, count, metre = read_beats(test_data / "dance/music/feelings_beats.txt", 90.0)
    assert 60 / np.median(np.diff(beats)) == pytest.approx(95.0, abs=0.01)
    assert count.max() == metre == 4
