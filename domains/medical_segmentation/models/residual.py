"""Residual encoder stage, decoder and heads that the U-Nets share.

The blocks of xLSTM-UNet (T. Chen et al. 2024, arXiv:2407.01530), which are nnU-Net's residual ones:

    y = act(norm(conv(act(norm(conv(x))))) + shortcut(x))

    up = pointwise(nearest(x)),   y = block(concat(up, skip))

with instance normalisation (eps 1e-5, affine), leaky ReLU and a pointwise shortcut where stride or
channels change.

Legend: B batch, C channel, K classes, *n space.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from domains.medical_segmentation.models.stages import Stage

CONV: dict[int, Any] = {2: nn.Conv2d, 3: nn.Conv3d}
NORM: dict[int, Any] = {2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d}


def conv(
    in_channels: int, out_channels: int, kernel: Sequence[int], stride: Sequence[int] | int = 1
) -> nn.Module:
    """Convolution over as many axes as ``kernel`` has, padded to keep the size at stride 1."""
    padding = tuple(size // 2 for size in kernel)
    layer: nn.Module = CONV[len(kernel)](
        in_channels, out_channels, tuple(kernel), stride=stride, padding=padding
    )
    return layer


def pointwise(in_channels: int, out_channels: int, dims: int) -> nn.Module:
    """Convolution with kernel 1."""
    return conv(in_channels, out_channels, (1,) * dims)


class ResidualBlock(nn.Module):
    """Two convolutions beside a shortcut.

    Args:
        in_channels, out_channels: of input and output.
        stage: stride of the first convolution, kernel of both.

    Shape:
        (B, in_channels, *n) -> (B, out_channels, *ceil(n / stride))
    """

    def __init__(self, in_channels: int, out_channels: int, stage: Stage) -> None:
        super().__init__()
        dims = len(stage.kernel)
        self.conv1 = conv(in_channels, out_channels, stage.kernel, stage.stride)
        self.norm1 = NORM[dims](out_channels, affine=True)
        self.conv2 = conv(out_channels, out_channels, stage.kernel)
        self.norm2 = NORM[dims](out_channels, affine=True)
        is_same = in_channels == out_channels and max(stage.stride) == 1
        self.shortcut = (
            nn.Identity() if is_same else conv(in_channels, out_channels, (1,) * dims, stage.stride)
        )

    def forward(self, x: Tensor) -> Tensor:
        y = F.leaky_relu(self.norm1(self.conv1(x)), 0.01)
        return F.leaky_relu(self.norm2(self.conv2(y)) + self.shortcut(x), 0.01)


class Upsample(nn.Module):
    """Repeats each value ``stride`` times per axis, then changes the channels.

    Shape:
        (B, in_channels, *n) -> (B, out_channels, *(n · stride))
    """

    def __init__(self, in_channels: int, out_channels: int, stride: Sequence[int]) -> None:
        super().__init__()
        self.scale = tuple(float(step) for step in stride)
        self.pointwise = pointwise(in_channels, out_channels, len(stride))

    def forward(self, x: Tensor) -> Tensor:
        # The pointwise convolution commutes with repetition and is cheaper before it
        return F.interpolate(self.pointwise(x), scale_factor=self.scale, mode="nearest")


class Decoder(nn.Module):
    """Up, concatenate the skip, residual block; a pointwise head on every resolution.

    Args:
        channels: of the skips, finest first; the last one is the bottleneck.
        stages: of the encoder, finest first.
        num_classes: channels K of each head.
        widths: channels behind each of the blocks, finest first; those of the skips by default.

    Shape:
        skips, finest first -> logits [(B, K, *n), (B, K, *(n / stride)), ...], finest first, one
        for each stage but the coarsest
    """

    def __init__(
        self,
        channels: Sequence[int],
        stages: Sequence[Stage],
        num_classes: int,
        widths: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        widths = [*(widths or channels)[:-1], channels[-1]]
        self.ups, self.blocks, self.heads = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        dims = len(stages[0].kernel)
        for number in range(len(stages) - 1):
            width, plain = widths[number], Stage((1,) * dims, stages[number].kernel)
            self.ups.append(Upsample(widths[number + 1], width, stages[number + 1].stride))
            self.blocks.append(ResidualBlock(width + channels[number], width, plain))
            self.heads.append(pointwise(width, num_classes, dims))

    def forward(self, skips: Sequence[Tensor]) -> list[Tensor]:
        x = skips[-1]  # (B, C, *coarsest)
        logits: list[Tensor] = []
        for number in reversed(range(len(self.ups))):
            x = torch.cat([self.ups[number](x), skips[number]], 1)
            x = self.blocks[number](x)  # (B, C, *finer)
            logits.insert(0, self.heads[number](x))
        return logits


@torch.no_grad()
def initialise(module: nn.Module) -> None:
    """He's normal weights for leaky ReLU, zero biases, for every convolution inside."""
    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.Conv3d)):
            nn.init.kaiming_normal_(layer.weight, a=0.01)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
