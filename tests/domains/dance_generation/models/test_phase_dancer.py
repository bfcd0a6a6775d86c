"""The decoder that is driven by the place in the step."""

import math

import pytest
import torch

from domains.dance_generation.models.decoding import decode
from domains.dance_generation.models.phase_dancer import PhaseDancer, step_signal


def test_the_signal_is_the_same_a_step_later_and_says_the_metre():
    passed = torch.tensor([[0.0, 0.7, 3.2], [0.0, 0.7, 3.2]])
    cycle = torch.tensor([8, 6])
    signal = step_signal(passed, cycle)
    assert signal.shape == (2, 3, 13)
    torch.testing.assert_close(
        step_signal(passed + cycle[:, None], cycle), signal, atol=1e-5, rtol=0
    )
    assert signal[:, 0, -1].tolist() == [0.0, 1.0]


def test_the_signal_knows_the_beat_the_bar_and_the_step():
    signal = step_signal(torch.tensor([[1.0, 2.5]]), torch.tensor([8]))[0]
    cosines = [math.cos(2 * math.pi * 1.0 / period) for period in (0.25, 0.5, 1, 2, 4, 8)]
    assert signal[0, :6].tolist() == pytest.approx(cosines, abs=1e-5)
    sines = [math.sin(2 * math.pi * 2.5 / period) for period in (0.25, 0.5, 1, 2, 4, 8)]
    assert signal[1, 6:12].tolist() == pytest.approx(sines, abs=1e-5)


def test_a_batch_can_be_learned_by_heart():
    torch.manual_seed(0)
    passed = torch.arange(13.0)[None] * 0.07 + torch.tensor([[0.0], [4.0]])
    frames = torch.stack([torch.sin(passed), torch.cos(2 * passed)], -1)
    cues = {"passed": passed, "cycle": torch.tensor([8, 8]), "step": torch.zeros(2, 13, dtype=int)}
    dancer = PhaseDancer(2, 1, 24)
    optimizer = torch.optim.Adam(dancer.parameters(), lr=0.02)
    for _ in range(60):
        optimizer.zero_grad()
        losses = dancer.losses(frames, cues)
        torch.stack(list(losses.values())).sum().backward()
        optimizer.step()
    signal, _ = dancer.signal(cues)
    made, _ = decode(dancer.decoder, frames[:, :1], signal[:, 1:])
    assert float((made - frames[:, 1:]).square().mean().detach()) < 0.02


def test_another_step_is_danced_otherwise():
    torch.manual_seed(0)
    dancer = PhaseDancer(2, 2, 8)
    cues = {"passed": torch.zeros(1, 1), "cycle": torch.tensor([8])}
    one, other = (dancer.signal({**cues, "step": torch.full((1, 1), step)})[0] for step in (0, 1))
    assert not torch.equal(one, other)
