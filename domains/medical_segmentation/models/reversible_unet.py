"""3-D U-Net of reversible mobile inverted bottlenecks: deep, and hardly any activation is kept.

M. Pendse, V. Thangarasa, V. Chiley, R. Holmdahl, J. Hestness, D. DeCoste, "Memory Efficient 3D
U-Net with Reversible Mobile Inverted Bottlenecks for Brain Tumor Segmentation", BrainLes 2020,
arXiv:2104.09648.  On each resolution a sequence of pairs on halves of the channels,

    y1 = x1 + F(x2),   y2 = x2 + G(y1),   F, G: expand 1³, depthwise 3³, project 1³

is undone in the backward pass instead of being kept; resolutions are joined by ordinary layers.
Each pair that is undone adds float32 rounding to what the pairs before it are given, so the stream
is kept behind every fourth pair: gradients stay within 1e-5 of the plain network's at eight pairs
on each of five resolutions (1.4e-5 otherwise), for one tensor more.

Our reading, for the inner sizes were not at hand: pairs on both ways, down by a strided 3³
convolution, up by nearest neighbour after a pointwise convolution, the skip joined by concatenation
and a pointwise convolution, group normalisation, no squeeze and excitation.

Legend: B batch, C channel, K classes, *n space.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from domains.medical_segmentation.models.residual import Upsample, conv, initialise, pointwise
from domains.medical_segmentation.models.stages import Stage, widths
from shared_layers import MBConv2d, MBConv3d, ReversibleBlock, ReversibleSequence

_MBCONV = {2: MBConv2d, 3: MBConv3d}

_UNDONE = 4  # pairs in a row, from one kept tensor


class ReversibleUNet(nn.Module):
    """U-Net of reversible MBConv pairs.

    Args:
        in_channels: channels of the image.
        num_classes: channels K of the answer.
        stages: resolutions, finest first.
        base_channels: of the finest stage, even; doubled at each coarser one.
        max_channels: at most so many, even.
        blocks: pairs on each resolution of the way down and of the way up.
        expansion: width of a bottleneck's middle over its channels.
        is_reversible: whether activations are recomputed; the weights are the same either way.

    Shape:
        (B, in_channels, *n) -> [(B, K, *n), (B, K, *coarser), ...], finest first

    Raises:
        ValueError: a stage with an odd number of channels.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        stages: Sequence[Stage],
        *,
        base_channels: int = 32,
        max_channels: int = 320,
        blocks: int = 1,
        expansion: int = 4,
        is_reversible: bool = True,
    ) -> None:
        super().__init__()
        dims = len(stages[0].kernel)
        channels = widths(base_channels, max_channels, len(stages))
        if any(width % 2 for width in channels):
            raise ValueError(
                f"base_channels={base_channels}, max_channels={max_channels}: expected even ones, "
                "a reversible pair works on halves of them"
            )

        def pairs(width: int, stage: Stage) -> nn.Module:
            def branch() -> nn.Module:
                half = width // 2
                return _MBCONV[dims](
                    half,
                    half,
                    expansion=expansion,
                    kernel_size=stage.kernel,
                    num_groups=_groups(half),
                    has_skip=False,
                )

            made = [ReversibleBlock(branch(), branch()) for _ in range(blocks)]
            if not is_reversible:
                return nn.Sequential(*made)
            runs = [made[begin : begin + _UNDONE] for begin in range(0, blocks, _UNDONE)]
            return nn.Sequential(*(ReversibleSequence(run) for run in runs))

        self.downs, self.encoder = nn.ModuleList(), nn.ModuleList()
        self.ups, self.joins, self.decoder = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        self.heads = nn.ModuleList()
        before = in_channels
        for width, stage in zip(channels, stages, strict=True):
            self.downs.append(
                nn.Sequential(
                    conv(before, width, stage.kernel, stage.stride),
                    nn.GroupNorm(_groups(width), width),
                )
            )
            self.encoder.append(pairs(width, stage))
            before = width
        for number in range(len(stages) - 1):
            width, coarser = channels[number], channels[number + 1]
            self.ups.append(Upsample(coarser, width, stages[number + 1].stride))
            self.joins.append(pointwise(2 * width, width, dims))
            self.decoder.append(pairs(width, stages[number]))
            self.heads.append(
                nn.Sequential(
                    nn.GroupNorm(_groups(width), width), pointwise(width, num_classes, dims)
                )
            )
        for module in (self.downs, self.ups, self.joins):
            initialise(module)

    def forward(self, x: Tensor) -> list[Tensor]:
        skips = []
        for down, pairs in zip(self.downs, self.encoder, strict=True):
            x = pairs(F.silu(down(x)))  # (B, C, *coarser)
            skips.append(x)
        logits: list[Tensor] = []
        for number in reversed(range(len(self.ups))):
            x = torch.cat([self.ups[number](x), skips[number]], 1)
            x = self.decoder[number](self.joins[number](x))  # (B, C, *finer)
            logits.insert(0, self.heads[number](x))
        return logits


def _groups(width: int) -> int:
    """Groups of a normalisation: four, or as many as divide a narrow width."""
    return next(count for count in (4, 2, 1) if width % count == 0)
