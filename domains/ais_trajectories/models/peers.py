"""Plain recurrent networks of the same size, to compare with: Elman, GRU, LSTM.

Each has one layer that reads the past and one that writes what is asked for, in one direction, on
the same inputs but for the probabilities of the hexagonal grid.  Elman 1990 ("Finding structure in
time"); Cho et al. 2014, arXiv:1406.1078; Hochreiter, Schmidhuber 1997.

Legend: B batch, L steps in, Q knots out, D width, S static features.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from domains.ais_trajectories.models.inputs import TRACK, Inputs, PathHead

CELLS: Mapping[str, Callable[..., nn.RNNBase]] = {"elman": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


class PeerPath(nn.Module):
    """An encoder and a decoder of one kind of cell.

    Args:
        cell: ``elman``, ``gru`` or ``lstm``.
        horizon, decode_every: as in ``Multipath``.
        hidden: D.
    """

    def __init__(self, cell: str, horizon: int, hidden: int, decode_every: int) -> None:
        super().__init__()
        self.inputs = Inputs(0)
        width = TRACK + self.inputs.num_static
        self.encoder = CELLS[cell](width, hidden, batch_first=True)
        self.tell = nn.Linear(hidden, hidden)
        self.ahead = nn.Parameter(torch.randn(horizon // decode_every, hidden) * hidden**-0.5)
        self.decoder = CELLS[cell](hidden, hidden, batch_first=True)
        self.head = PathHead(hidden, decode_every)

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Path (B, H, 2) in km east and north of the last fix."""
        steps, static = self.inputs(batch)
        static = static[:, None].expand(-1, steps.shape[1], -1)
        seen, state = self.encoder(torch.cat([steps, static], dim=-1))
        # an Elman cell forgets its first state long before the last knot
        knots = self.ahead + self.tell(seen[:, -1])[:, None]  # (B, Q, D)
        decoded, _ = self.decoder(knots, state)  # (B, Q, D)
        return self.head(decoded, batch["track"], self.inputs.step_km)


def same_size(make: Callable[[int], nn.Module], num_parameters: int) -> nn.Module:
    """The network ``make(hidden)`` whose number of parameters is nearest to ``num_parameters``."""
    low, high = 2, 4
    while size_of(make(high)) < num_parameters:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if size_of(make(middle)) < num_parameters else (low, middle)
    return make(min((low, high), key=lambda hidden: abs(size_of(make(hidden)) - num_parameters)))


def size_of(network: nn.Module) -> int:
    """Number of trainable numbers."""
    return sum(parameter.numel() for parameter in network.parameters())
