"""Frame after frame."""

import torch

from domains.dance_generation.models.decoding import NEVER, decode
from shared_layers import AutoConditionedLSTM


def decoder(residual):
    torch.manual_seed(1)
    return AutoConditionedLSTM(
        4, 8, num_layers=3, truth_length=1, condition_length=NEVER, signal_features=3,
        residual=residual,
    ).eval()  # fmt: skip


def test_it_makes_what_training_sees():
    first, signal = torch.randn(2, 1, 4), torch.randn(2, 12, 3)
    for residual in (False, True):
        net = decoder(residual)
        made, _ = decode(net, first, signal)
        frames = torch.cat([first, torch.full((2, 11, 4), 9.0)], 1)  # true frames it must not hear
        torch.testing.assert_close(made, net(frames, signal))


def test_pieces_of_any_length_give_the_whole():
    net, first, signal = decoder(True), torch.randn(1, 1, 4), torch.randn(1, 10, 3)
    whole, _ = decode(net, first, signal)
    pieces, frame, state = [], first, None
    for part in signal.split([3, 1, 0, 6], dim=1):
        made, state = decode(net, frame, part, state)
        pieces.append(made)
        frame = made[:, -1:] if made.shape[1] else frame
    torch.testing.assert_close(torch.cat(pieces, 1), whole)
