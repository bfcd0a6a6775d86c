"""The peer: a plain residual network of PuYun's size, between the same patches.

After S. Rasp, N. Thuerey, "Data-driven medium-range weather prediction with a ResNet pretrained on
climate simulations" (2021, arXiv:2008.08626): residual blocks of two 3 × 3 convolutions, longitude
periodic.  Differs: patches in and out as PuYun's, so that only the blocks differ and one forecast
costs the same; group normalisation, as batches are small; no dropout.
"""

# B batch, F input channels, C field channels, D width, E time features, H latitude, W longitude

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from domains.weather.models.puyun import PatchNetwork
from shared_layers import PaddedConv2d


class ResidualBlock(nn.Module):
    """x + W₂ GELU(norm(W₁ * GELU(norm(x)))), with 3 × 3 convolutions and a learnt scale.

    Shape:
        (B, D, h, w) → (B, D, h, w)
    """

    def __init__(self, dim: int, padding_modes: Sequence[str], *, layer_scale: float = 0.1) -> None:
        super().__init__()
        modes = tuple(padding_modes)
        self.layers = nn.Sequential(
            nn.GroupNorm(1, dim),
            nn.GELU(),
            PaddedConv2d(dim, dim, 3, padding_mode=modes),
            nn.GroupNorm(1, dim),
            nn.GELU(),
            PaddedConv2d(dim, dim, 3, padding_mode=modes),
        )
        self.scale = nn.Parameter(torch.full((dim, 1, 1), layer_scale))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.scale * self.layers(x)


def resnet(
    in_channels: int,
    out_channels: int,
    time_features: int,
    *,
    dim: int,
    stages: int,
    blocks: int,
    patch: int,
    padding_modes: Sequence[str],
    recompute: bool = False,
) -> PatchNetwork:
    """The plain residual network of that size, not yet trained."""
    return PatchNetwork(
        in_channels,
        out_channels,
        time_features,
        dim=dim,
        stages=stages,
        blocks=blocks,
        patch=patch,
        padding_modes=padding_modes,
        recompute=recompute,
        make_block=lambda width: ResidualBlock(width, padding_modes),
    )


def resnet_of_size(
    num_parameters: int,
    in_channels: int,
    out_channels: int,
    time_features: int,
    *,
    stages: int,
    blocks: int,
    patch: int,
    padding_modes: Sequence[str],
    recompute: bool = False,
) -> PatchNetwork:
    """The residual network whose width brings it nearest to ``num_parameters``."""

    def build(dim: int) -> PatchNetwork:
        return resnet(
            in_channels,
            out_channels,
            time_features,
            dim=dim,
            stages=stages,
            blocks=blocks,
            patch=patch,
            padding_modes=padding_modes,
            recompute=recompute,
        )

    def size(dim: int) -> int:
        with torch.device("meta"):  # counted without memory
            return count_parameters(build(dim))

    low, high = 1, 2
    while size(high) < num_parameters:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if size(middle) < num_parameters else (low, middle)
    dim = min((low, high), key=lambda one: abs(size(one) - num_parameters))
    return build(dim)


def count_parameters(module: nn.Module) -> int:
    """Number of learnt values."""
    return sum(parameter.numel() for parameter in module.parameters())
