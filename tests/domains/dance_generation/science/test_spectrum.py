"""The paper's spectra against the formula written out, and in a stream."""

import numpy as np
import pytest
import torch

from domains.dance_generation.science.spectrum import (
    frame_starts,
    num_bins,
    num_sub_frames,
    power_frames,
)


def written_out(audio: np.ndarray, frame: int) -> np.ndarray:
    """python_speech_features.logpowspec with norm=1 of one video frame, by its definition."""
    start = int(np.floor(frame * 16000 / 30))
    part = np.pad(audio[start : start + 534], (0, 600))
    windows = [part[80 * n : 80 * n + 256].copy() for n in range(5)]
    last = windows[4]
    last[534 - 320 :] = 0.0
    power = np.abs(np.fft.rfft(np.array(windows) * np.hamming(256), 256)) ** 2 / 256
    level = 10 * np.log10(np.maximum(power, 1e-30))
    level -= level.max()
    return (-0.9 + 1.8 * (level + 230) / 235).T


def test_a_frame_is_five_windows_of_129_bins_as_the_authors_compute_them():
    audio = np.random.default_rng(0).normal(0, 0.1, 16000)
    found = power_frames(torch.from_numpy(audio), 30)
    assert found.shape == (30, 129, 5)
    for frame in (0, 1, 17, 29):
        np.testing.assert_allclose(found[frame], written_out(audio, frame), atol=2e-4)


@pytest.mark.parametrize(
    ("rate_hz", "fps", "windows"), [(16000, 30, 5), (16000, 60, 2), (44100, 24, 7), (8000, 120, 1)]
)
def test_windows_cover_a_frame_at_every_rate(rate_hz, fps, windows):
    assert num_sub_frames(rate_hz, fps) == windows
    found = power_frames(torch.ones(rate_hz), 4, rate_hz, fps)
    assert found.shape == (4, num_bins(rate_hz), windows)


def test_the_authors_frames_do_not_hear_loudness_and_global_ones_do():
    t = torch.arange(16000) / 16000
    sine = torch.sin(2 * torch.pi * 1000 * t)
    for loudness, drop in (("frame", 0.0), ("global", 1.8 * 20 / 80)):
        loud, soft = (power_frames(x, 30, loudness=loudness) for x in (sine, 0.1 * sine))
        assert abs(float(loud.max() - soft.max()) - drop) < 1e-3


def test_a_sine_of_full_scale_is_the_top_of_the_global_range_in_its_own_bin():
    t = torch.arange(16000) / 16000
    frames = power_frames(torch.sin(2 * torch.pi * 1000 * t), 3, loudness="global")
    assert int(frames[1, :, 0].argmax()) == 1000 // 62.5
    assert abs(float(frames[1, 16, 0]) - 0.9) < 0.01


def test_chunks_of_three_frames_give_what_the_whole_song_gives():
    audio = torch.randn(16000, generator=torch.Generator().manual_seed(0))
    whole = power_frames(audio, 30)
    parts = [power_frames(audio[at * 1600 : at * 1600 + 1600], 3) for at in range(10)]
    torch.testing.assert_close(torch.cat(parts), whole)
    assert frame_starts(4, 16000, 30.0).tolist() == [0, 533, 1066, 1600]


def test_what_comes_later_does_not_change_a_frame():
    audio = torch.randn(16000, generator=torch.Generator().manual_seed(1))
    changed = audio.clone()
    changed[533 + 534 :] = 0.0
    torch.testing.assert_close(power_frames(audio, 2), power_frames(changed, 2))
