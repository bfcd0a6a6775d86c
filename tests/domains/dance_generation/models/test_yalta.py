"""The paper's networks."""

import numpy as np
import pytest
import torch
from torch import nn

from domains.dance_generation.models.yalta import (
    FrontEnd,
    YaltaDancer,
    contrastive_cost,
    direction_labels,
)


@pytest.mark.parametrize("is_residual", [False, True])
def test_the_front_end_at_paper_size_has_the_papers_layers(is_residual):
    front_end = FrontEnd(16, is_residual=is_residual)
    shapes = [tuple(m.weight.shape) for m in front_end.modules() if isinstance(m, nn.Conv2d)]
    pair = [(32, 1, 15, 3), (1, 32, 15, 3)] if is_residual else []
    assert shapes == [*pair, (16, 1, 33, 2), (32, 16, 33, 2), (64, 32, 33, 2), (65, 64, 33, 2)]
    assert front_end(torch.zeros(2, 3, 129, 5)).shape == (2, 3, 65)


@pytest.mark.parametrize("size", [(129, 2), (65, 7), (354, 5), (65, 1)])
def test_spectra_of_other_rates_are_averaged_to_the_papers_size(size):
    torch.manual_seed(0)
    front_end = FrontEnd(1, is_residual=False).eval()
    assert front_end(torch.randn(2, 3, *size)).shape == (2, 3, 65)
    even = front_end(torch.full((1, 1, *size), 0.3))
    torch.testing.assert_close(even, front_end(torch.full((1, 1, 129, 5), 0.3)))


def test_the_whole_network_at_paper_size():
    net = YaltaDancer(71, 500, 16, is_residual=False, is_contrastive=True)
    assert (net.encoder.num_layers, net.encoder.hidden_size) == (3, 500)
    assert (net.decoder.lstm.num_layers, net.decoder.lstm.input_size) == (3, 71 + 65)


def test_weak_labels_are_zero_where_the_motion_turns():
    spread = torch.tensor([1.0, 2.0, 3.0, 2.0, 1.0, 2.0])  # turns at frames 3 and 5
    frames = torch.stack([spread, -spread], -1)[None]
    assert direction_labels(frames).tolist() == [[1.0, 1.0, 0.0, 1.0, 0.0]]


def test_the_contrastive_cost_by_hand():
    spread = torch.tensor([1.0, 2.0, 1.0])
    frames = torch.stack([spread, -spread], -1)[None]  # labels 1, 0
    features = torch.tensor([[[0.0, 0.0], [0.6, 0.8], [0.6, 2.8]]])  # distances 1, 2
    expected = 0.5 * np.mean([1.0, (3.0 - 2.0) ** 2]) / 3
    assert float(contrastive_cost(features, frames)) == pytest.approx(expected, rel=1e-5)


def test_the_decoder_hears_no_true_frame_after_the_first():
    torch.manual_seed(0)
    net = YaltaDancer(4, 8, 1, is_residual=False, is_contrastive=False).eval()
    spectrum = torch.randn(1, 6, 129, 5)
    frames = torch.randn(1, 6, 4)
    cues = {"spectrum": spectrum}
    features, _ = net.signal(cues)
    other = torch.cat([frames[:, :1], torch.randn(1, 4, 4)], 1)
    made = net.decoder(frames[:, :-1], features[:, 1:])
    torch.testing.assert_close(made, net.decoder(other, features[:, 1:]))
    assert set(net.losses(frames, cues)) == {"loss_pose"}
