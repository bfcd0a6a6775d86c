"""Causal depthwise convolution layer for sequences (B, T, C).

y[t] = b + Σ_j w[j] x[t - (K-1) + j], the short convolution before a recurrent mixer (xLSTM,
Vision-LSTM, Mamba).  What differs from the usual code: no transposes to (B, C, T) and back, and
a direction, so that a layer which scans backwards needs no flips.

Legend: B batch, T time, C channel, K kernel.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from shared_layers.conv.arguments import check_positive, check_sequence
from shared_layers.ops.causal_conv1d import causal_depthwise_conv1d


class CausalDepthwiseConv1d(nn.Module):
    """Each channel filtered over its own past (or future) of ``kernel_size`` steps.

    Args:
        channels: C.
        kernel_size: K, >= 1; the last weight acts on the present step.
        bias: whether a constant per channel is added.
        is_reversed: filter over the future instead.
        device, dtype: of the parameters.

    Shape:
        (B, T, C) -> (B, T, C)

    Raises:
        ValueError: ``channels`` or ``kernel_size`` < 1; in ``forward`` another rank, width
            or type.

    Example::

        >>> CausalDepthwiseConv1d(16, 4)(torch.zeros(2, 100, 16)).shape
        torch.Size([2, 100, 16])
    """

    def __init__(
        self,
        channels: int,
        kernel_size: int,
        *,
        bias: bool = True,
        is_reversed: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_positive(channels=channels, kernel_size=kernel_size)
        self.channels, self.kernel_size, self.is_reversed = channels, kernel_size, is_reversed
        self.weight = nn.Parameter(torch.empty(channels, kernel_size, device=device, dtype=dtype))
        self.bias = (
            nn.Parameter(torch.empty(channels, device=device, dtype=dtype)) if bias else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters as ``torch.nn.Conv1d`` does: uniform within 1/√K."""
        bound = 1 / math.sqrt(self.kernel_size)
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        """The filtered sequence of ``x`` (B, T, C)."""
        check_sequence(x, self.channels, self.weight.dtype)
        return causal_depthwise_conv1d(x, self.weight, self.bias, is_reversed=self.is_reversed)

    def extra_repr(self) -> str:
        """What print shows."""
        return (
            f"{self.channels}, kernel_size={self.kernel_size}, bias={self.bias is not None}, "
            f"is_reversed={self.is_reversed}"
        )
