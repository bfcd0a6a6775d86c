"""Convolutions over a padded sequence: padding is set to zero before each of them."""

# B batch, T time, F feature of a step, C channel of the convolutions

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from shared_layers.conv.arguments import check_positive, check_sequence


class MaskedConvStack(nn.Module):
    """Convolutions over time, each with an activation, that never see what stands at padding.

    Args:
        in_features: channels F of a step.
        channels: channels C of every convolution.
        kernel_size: steps one convolution sees; odd unless causal.
        num_convs: number of convolutions.
        activation: module put behind each of them.
        causal: whether an output may depend on past steps only.

    Shape:
        - input: (B, T, F), mask: (B, T) bool or None
        - output: (B, T, C)

    Raises:
        ValueError: a size below 1, an even kernel that is not causal, an input of another
            shape or type.
    """

    def __init__(
        self,
        in_features: int,
        channels: int,
        kernel_size: int,
        num_convs: int,
        activation: nn.Module,
        *,
        causal: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        factory: dict[str, Any] = {"device": device, "dtype": dtype}
        check_positive(in_features=in_features, conv_channels=channels, num_convs=num_convs)
        if kernel_size < 1 or (kernel_size % 2 == 0 and not causal):
            raise ValueError(
                f"kernel_size={kernel_size}: expected an odd positive integer "
                "(an even one has no middle step; it is taken only with causal=True)"
            )
        self.in_features = in_features
        before = kernel_size - 1 if causal else kernel_size // 2
        self.margins = (before, kernel_size - 1 - before)
        widths = [in_features] + [channels] * num_convs
        self.convs = nn.ModuleList(
            nn.Conv1d(a, b, kernel_size, **factory) for a, b in pairwise(widths)
        )
        self.activation = activation

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        check_sequence(x, self.in_features, next(self.parameters()).dtype)
        x = x.mT  # (B, F, T)
        for conv in self.convs:
            if mask is not None:
                x = x.masked_fill(~mask.unsqueeze(1), 0)
            x = self.activation(conv(F.pad(x, self.margins)))
        return x.mT
