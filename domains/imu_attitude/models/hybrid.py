"""The tilt error of VQF, learned: our own network, in the paper's family (CNN, LSTM, dense).

Legend: B batch, T blocks in time, C channels of ``science.earth_frame``, n vectors, s scalars.

VQF (Laidig & Seel 2023) does most of the work; the network tells where in VQF's earth frame the
true vertical is.  Nothing in physics prefers a heading, so neither does the network: its layers
see scalars only (vertical components, lengths, and products with one of the vectors) and answer
with weights, a turn and a gain for each of the n horizontal vectors among the channels (earth
acceleration, turn rates, and the verticals that other filter horizons would give).  Their
weighted sum is the correction.  Turning the frame about the vertical turns the answer with it,
exactly, and the last layer starts at zero: an untrained network is VQF.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from domains.imu_attitude.models.trunk import State, Trunk
from domains.imu_attitude.science.earth_frame import HORIZONS_S, Mode, num_channels

_SCALARS = [2, 5, 8, 11, 12, 13, 14, 15]
_SIZE = 0.02  # rad, what a weight of one on a vector of usual length corrects


class TiltNetwork(nn.Module):
    """Channels (B, T, C) in, true vertical (B, T, 2) out.

    Args:
        mode: ``causal`` or ``offline``, which has more channels and looks both ways.
        hidden: width of all layers.
        dropout: share of activations dropped in training, 0 to 1.
    """

    scalar_mean: Tensor
    scalar_std: Tensor
    vector_size: Tensor
    trust: Tensor

    def __init__(self, mode: Mode, hidden: int, dropout: float) -> None:
        super().__init__()
        self.mode = mode
        self.num_channels = num_channels(mode)
        self.vectors = [0, 3, 6, 9, *range(16, self.num_channels, 2)]
        # The 2 s horizon, past side: longer than a step, shorter than VQF's own 3 s
        place = 4 + HORIZONS_S.index(2.0) * (2 if mode == "offline" else 1)
        self.guide = place
        self.others = [i for i in range(len(self.vectors)) if i != place]
        n = len(self.vectors)
        num_scalars = len(_SCALARS) + n + 2 * (n - 1)
        self.trunk = Trunk(num_scalars, hidden, mode == "causal", dropout)
        self.head = nn.Linear(hidden, 2 * n)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        self.register_buffer("scalar_mean", torch.zeros(len(_SCALARS)))
        self.register_buffer("scalar_std", torch.ones(len(_SCALARS)))
        self.register_buffer("vector_size", torch.ones(n))
        self.register_buffer("trust", torch.ones(()))

    def set_statistics(self, x: Tensor) -> None:
        """Take means and spreads from the training channels ``x`` (K, C)."""
        self.scalar_mean.copy_(x[:, _SCALARS].mean(0))
        self.scalar_std.copy_(x[:, _SCALARS].std(0).clamp(min=1e-3))
        horizontal = self._horizontal(x)
        self.vector_size.copy_(horizontal.square().sum(-1).mean(0).sqrt().clamp(min=1e-4))

    def forward(self, x: Tensor) -> Tensor:
        """x and y (B, T, 2) of the true vertical in VQF's earth frame."""
        return self.trust * self.untempered(x)

    def untempered(self, x: Tensor) -> Tensor:
        """``forward`` at full trust, which is what is trained."""
        scalars, vectors = self._seen(x)
        return self._answer(self.trunk(scalars), vectors)

    def initial_state(self, batch: int = 1) -> State:
        """State of ``step`` before the first block."""
        return self.trunk.initial_state(batch)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """``forward`` for the next block ``x`` (B, C) of a causal network: (B, 2), new state."""
        scalars, vectors = self._seen(x)
        features, state = self.trunk.step(scalars, state)
        return self.trust * self._answer(features, vectors), state

    def _horizontal(self, x: Tensor) -> Tensor:
        return torch.stack([x[..., i : i + 2] for i in self.vectors], dim=-2)  # (..., n, 2)

    def _seen(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What the layers see (..., s) and the vectors (..., n, 2), lengths brought below one."""
        vectors = self._horizontal(x) / self.vector_size[:, None]
        vectors = vectors / torch.sqrt(1 + vectors.square().sum(-1, keepdim=True))
        guide = vectors[..., self.guide : self.guide + 1, :]
        others = vectors[..., self.others, :]
        along = (others * guide).sum(-1)
        across = others[..., 1] * guide[..., 0] - others[..., 0] * guide[..., 1]
        length = torch.sqrt(vectors.square().sum(-1) + 1e-12)
        levels = (x[..., _SCALARS] - self.scalar_mean) / self.scalar_std
        return torch.cat([levels.clamp(-5, 5), length, along, across], dim=-1), vectors

    def _answer(self, features: Tensor, vectors: Tensor) -> Tensor:
        gain, turn = self.head(features).chunk(2, dim=-1)  # (..., n) each
        across = torch.stack([-vectors[..., 1], vectors[..., 0]], dim=-1)
        total = (gain[..., None] * vectors + turn[..., None] * across).sum(-2)
        return _SIZE * total


def tilt_loss(up: Tensor, true_up: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean distance in degrees between ``up`` and ``true_up`` (B, T, 2 each).

    Args:
        up: the network's vertical.
        true_up: x, y of the true vertical.
        weight: (B, T), zero where the reference is missing.
    """
    distance = torch.sqrt((up - true_up).square().sum(-1) + 1e-12)
    return torch.rad2deg((distance * weight).sum() / weight.sum().clamp(min=1e-6))
