"""A smooth curve through points: a plain multilayer perceptron.

Layers of papers are in ``shared_layers``; look there before writing one.

Legend: B points.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn


class Curve(nn.Module):
    """y of each point from its x, both in m; scaled inside by statistics that are buffers.

    Args:
        width: units of each hidden layer.
        depth: number of hidden layers.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(2))  # of x and y
        self.register_buffer("spread", torch.ones(2))
        sizes = [1, *[width] * depth]
        hidden = [nn.Sequential(nn.Linear(a, b), nn.GELU()) for a, b in pairwise(sizes)]
        self.layers = nn.Sequential(*hidden, nn.Linear(width, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(B,) in m -> (B,) in m."""
        scaled = (x - self.mean[0]) / self.spread[0]
        y = self.layers(scaled[:, None])[:, 0]  # (B, 1) -> (B,)
        return y * self.spread[1] + self.mean[1]

    def set_statistics(self, points: Tensor) -> None:
        """Take mean and spread of x and y from the training ``points`` (B, 2)."""
        self.mean.copy_(points.mean(0))
        self.spread.copy_(points.std(0).clamp_min(1e-6))
