"""Films with music."""

import av
import numpy as np
import pytest

from domains.dance_generation.sources.video import write_film
from domains.errors import DataError


def pictures(num):
    for n in range(num):
        yield np.full((48, 64, 3), 40 + n, np.uint8)


def opened(path):
    """Frames, frame rate, and sound (K, S) of a film."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames, rate = sum(1 for _ in container.decode(stream)), float(stream.average_rate)
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        blocks = [frame.to_ndarray() for frame in container.decode(stream)]
        return frames, rate, np.concatenate(blocks, axis=-1), stream.rate


def test_a_film_has_its_frames_its_rate_and_its_music(tmp_path):
    path = tmp_path / "film.mp4"
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(44100) / 44100)
    write_film(path, pictures(30), 30.0, np.stack([tone, tone]), 44100)
    frames, rate, sound, rate_hz = opened(path)
    assert (frames, rate, rate_hz, len(sound)) == (30, 30.0, 44100, 2)
    assert abs(sound.shape[1] - 44100) <= 2048
    spectrum = np.abs(np.fft.rfft(sound[0]))
    assert spectrum.argmax() * 44100 / sound.shape[1] == pytest.approx(440, abs=2)


def test_the_same_film_is_the_same_bytes(tmp_path):
    sound = np.random.default_rng(0).normal(0.0, 0.1, (1, 16000))
    for name in ("a.mp4", "b.mp4"):
        write_film(tmp_path / name, pictures(10), 25.0, sound, 16000)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_odd_rates_many_channels_and_loud_mixes_are_made_playable(tmp_path):
    sound = 3.0 * np.random.default_rng(0).normal(0.0, 0.5, (6, 37000))
    write_film(tmp_path / "film.mp4", pictures(30), 30.0, sound, 37000)
    _, _, found, rate_hz = opened(tmp_path / "film.mp4")
    assert (rate_hz, len(found)) == (48000, 1)
    assert np.abs(found).max() < 1.2


def test_a_film_without_a_picture_is_refused_and_nothing_is_left(tmp_path):
    with pytest.raises(DataError, match="no picture to show"):
        write_film(tmp_path / "film.mp4", iter(()), 30.0, np.zeros((1, 100)), 16000)
    assert list(tmp_path.iterdir()) == []
