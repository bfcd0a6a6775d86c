"""The network that hears."""

import math

import pytest
import torch

from domains.dance_generation.models.audio_dancer import BANDS, AudioDancer, beat_phase
from domains.dance_generation.science.spectrum import power_frames
from domains.dance_generation.sources.music import click_track


def test_every_band_hears_something_and_all_weigh_alike():
    bands = AudioDancer(4, 1, 8, 129, 5).bands
    assert bands.shape == (129, BANDS)
    torch.testing.assert_close(bands.sum(0), torch.ones(BANDS))


def test_the_phase_of_a_beat_and_of_half_a_beat():
    found = beat_phase(torch.tensor([0.0, 0.25, 1.5]))
    assert found[0].tolist() == pytest.approx([1, 1, 0, 0], abs=1e-6)
    assert found[1].tolist() == pytest.approx([0, -1, 1, 0], abs=1e-6)
    assert found[2].tolist() == pytest.approx([-1, 1, math.sin(3 * math.pi), 0], abs=1e-5)


def test_it_hears_in_pieces_what_it_hears_at_once_and_nothing_later():
    torch.manual_seed(0)
    net = AudioDancer(4, 1, 8, 129, 5)
    spectrum = torch.rand(1, 9, 129, 5)
    whole, _ = net.hear(spectrum)
    first, state = net.hear(spectrum[:, :4])
    second, _ = net.hear(spectrum[:, 4:], state)
    torch.testing.assert_close(torch.cat([first, second], 1), whole)


def test_it_learns_where_the_clicks_of_one_song_are():
    torch.manual_seed(0)
    audio, beats = click_track(120.0, 0.2, 6.0, 16000)
    passed = ((torch.arange(180) / 30 - beats[0]) * 2.0)[None].float()
    cues = {
        "spectrum": power_frames(torch.from_numpy(audio), 180, loudness="global")[None],
        "passed": passed,
        "step": torch.zeros(1, 180, dtype=int),
    }
    net = AudioDancer(2, 1, 16, 129, 5)
    frames = torch.zeros(1, 180, 2)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
    for _ in range(50):
        optimizer.zero_grad()
        phase, _ = net.hear(cues["spectrum"])
        torch.nn.functional.mse_loss(phase[:, 60:], beat_phase(passed)[:, 60:]).backward()
        optimizer.step()
    with torch.no_grad():
        losses = net.losses(frames, cues)
    assert set(losses) == {"loss_phase", "loss_pose", "loss_speed"}
    assert float(losses["loss_phase"]) < 0.1  # 0.5 knows nothing
