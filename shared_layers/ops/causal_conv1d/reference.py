"""Causal depthwise convolution as shifted sums: the oracle, and the form without a compiler.

    y[t] = b + Σ_j w[:, j] x[t - (K-1) + j],     reversed:  x[t + (K-1) - j]

Legend: B batch, T time, C channel, K kernel.
"""

from __future__ import annotations

import torch
from torch import Tensor


def _shifts(steps: int, taps: int, is_reversed: bool) -> list[tuple[slice, slice]]:
    """For each kernel position the output steps it reaches and the input steps it reads."""
    pairs = []
    for j in range(taps):
        lag = min(taps - 1 - j, steps)
        late, early = slice(lag, steps), slice(0, steps - lag)
        pairs.append((early, late) if is_reversed else (late, early))
    return pairs


def forward(x: Tensor, weight: Tensor, bias: Tensor | None, is_reversed: bool) -> Tensor:
    """y (B, T, C) of ``x`` (B, T, C) and ``weight`` (C, K)."""
    out = torch.zeros_like(x) if bias is None else bias.expand_as(x).clone()
    for j, (to, source) in enumerate(_shifts(x.shape[1], weight.shape[1], is_reversed)):
        out[:, to].addcmul_(x[:, source], weight[:, j])
    return out


def grad_weight(x: Tensor, grad: Tensor, taps: int, is_reversed: bool) -> Tensor:
    """The gradient for the weight (C, K)."""
    pairs = _shifts(x.shape[1], taps, is_reversed)
    columns = [(grad[:, to] * x[:, source]).sum((0, 1)) for to, source in pairs]
    return torch.stack(columns, -1)
