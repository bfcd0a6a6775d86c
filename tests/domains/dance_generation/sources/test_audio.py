"""Music files of every kind to mono, and what is wrong with them."""

import numpy as np
import pytest
import soundfile

from domains.dance_generation.sources.audio import clipped_samples, read_music, silent_ends
from domains.errors import DataError

RATE = 44100


def tone(seconds: float = 2.0, hz: float = 440.0, rate: int = RATE) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate)


def test_a_tone_keeps_its_pitch_and_length_at_another_rate(tmp_path):
    for rate in (8000, 22050, 44100, 48000, 96000):
        soundfile.write(tmp_path / "a.wav", 0.3 * tone(rate=rate), rate)
        music = read_music(tmp_path / "a.wav", 16000)
        assert len(music.audio) == 32000
        assert np.abs(music.audio).max() == pytest.approx(1.0)
        assert int(np.abs(np.fft.rfft(music.audio)).argmax()) == 880
        middle = music.audio[4000:-4000]
        expected = np.sin(2 * np.pi * 440 * np.arange(4000, 28000) / 16000)
        np.testing.assert_allclose(middle, expected, atol=0.03)


def test_a_stereo_mix_beyond_full_scale_is_scaled_and_not_cut(tmp_path):
    mix = np.stack([1.6 * tone(), 1.2 * tone()], -1)
    soundfile.write(tmp_path / "mix.wav", mix, RATE, subtype="FLOAT")
    music = read_music(tmp_path / "mix.wav", 16000)
    assert music.warnings == (
        "mix.wav: the mix peaks at 1.40 of full scale, scaled to 1 (not cut)",
    )
    power = np.abs(np.fft.rfft(music.audio)) ** 2
    assert power[880] / power.sum() > 0.99  # a clipped sine has harmonics


def test_a_clipped_recording_is_counted(tmp_path):
    soundfile.write(tmp_path / "loud.wav", np.clip(2 * tone(), -1, 1), RATE, subtype="PCM_16")
    (warning,) = read_music(tmp_path / "loud.wav", 16000).warnings
    assert "samples stand at the largest value in runs: the recording is clipped" in warning
    assert clipped_samples(np.array([[0.0, 1.0, 1.0, 1.0, 0.5, -1.0, -1.0, 0.2]])) == 3
    assert clipped_samples(tone()[None]) == 0


def test_channels_that_cancel_out_are_refused(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.stack([tone(), -tone()], -1), RATE)
    with pytest.raises(DataError, match="its 2 channels cancel out when mixed to one"):
        read_music(tmp_path / "a.wav", 16000)


def test_silence_is_refused_and_silent_ends_are_told(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(RATE), RATE)
    with pytest.raises(DataError, match=r"silence \(1.0 s below −80 dB\), expected music"):
        read_music(tmp_path / "a.wav", 16000)
    padded = np.r_[np.zeros(RATE), tone(1.0), np.zeros(2 * RATE)]
    soundfile.write(tmp_path / "b.wav", padded, RATE)
    music = read_music(tmp_path / "b.wav", 16000)
    assert music.warnings == ("b.wav: 1.0 s of silence at the start, 2.0 s at the end",)
    assert silent_ends(music.audio, 16000) == (
        pytest.approx(1.0, abs=0.02),
        pytest.approx(2.0, abs=0.02),
    )


@pytest.mark.parametrize("ending", ["flac", "ogg", "mp3"])
def test_compressed_files_hold_the_same_tone(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    soundfile.write(path, 0.5 * tone(), RATE)
    music = read_music(path, 16000)
    assert music.duration_s == pytest.approx(2.0, abs=0.1)
    spectrum = np.abs(np.fft.rfft(music.audio))
    assert spectrum.argmax() * 16000 / len(music.audio) == pytest.approx(440, abs=1)


def test_the_sound_of_a_video_file_is_read(tmp_path):
    av = pytest.importorskip("av")
    path = tmp_path / "a.m4a"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=RATE, layout="mono")
        samples = (0.5 * tone()).astype(np.float32)
        for start in range(0, len(samples) - 1024, 1024):
            frame = av.AudioFrame.from_ndarray(samples[None, start : start + 1024], "fltp", "mono")
            frame.sample_rate, frame.pts = RATE, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    music = read_music(path, 16000)
    assert music.duration_s == pytest.approx(2.0, abs=0.15)
    spectrum = np.abs(np.fft.rfft(music.audio))
    assert spectrum.argmax() * 16000 / len(music.audio) == pytest.approx(440, abs=1)


def test_what_is_no_music_is_refused_in_one_line(tmp_path):
    (tmp_path / "a.mp3").write_bytes(b"this is a text, not a song\n" * 50)
    (tmp_path / "empty.wav").write_bytes(b"")
    for name in ("a.mp3", "empty.wav"):
        with pytest.raises(
            DataError, match="no sound that libsndfile or FFmpeg can read"
        ) as caught:
            read_music(tmp_path / name, 16000)
        assert "\n" not in str(caught.value)
    (tmp_path / "a.raw").write_bytes(bytes(1000))
    with pytest.raises(DataError, match="holds no stream of sound, expected music"):
        read_music(tmp_path / "a.raw", 16000)
    with pytest.raises(DataError, match="no such file, expected music"):
        read_music(tmp_path / "none.wav", 16000)
