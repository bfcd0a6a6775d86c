"""Explicit features on the scale of training articles, and normalisation of dense layers."""

# B articles, K features

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Standardise(nn.Module):
    """(c(x) − mean) / spread with c(x) = sign(x) · ln(1 + |x|); an unknown value (NaN) becomes 0.

    Args:
        num: features K.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, num: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(num))
        self.register_buffer("spread", torch.ones(num))

    def set_statistics(self, values: Tensor) -> None:
        """Take mean and spread of training features (N, K); one that never varies gives 0."""
        squeezed = compressed(values.double())
        known = squeezed.isfinite()
        count = known.sum(dim=0).clamp_min(1)
        mean = squeezed.nan_to_num(0.0).sum(dim=0) / count
        spread = ((squeezed - mean).square().nan_to_num(0.0).sum(dim=0) / count).sqrt()
        self.mean.copy_(mean)
        self.spread.copy_(torch.where(spread > 1e-6, spread, torch.inf))

    def forward(self, values: Tensor) -> Tensor:
        """Features (B, K) without unit."""
        return ((compressed(values) - self.mean) / self.spread).nan_to_num(0.0).clamp(-5, 5)


def compressed(values: Tensor) -> Tensor:
    """sign(x) · ln(1 + |x|): counts of long texts do not drown the others."""
    return values.sign() * values.abs().log1p()


class Normalise(nn.Module):
    """Over the features of each sample (``layer``), or over the batch (``batch``, the paper's).

    A training batch of one sample has no spread and takes the running statistics.
    """

    def __init__(self, width: int, kind: str) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(width) if kind == "batch" else nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, H)."""
        norm = self.norm
        if isinstance(norm, nn.BatchNorm1d) and self.training and len(x) < 2:
            return F.batch_norm(
                x, norm.running_mean, norm.running_var, norm.weight, norm.bias, False
            )
        return norm(x)
