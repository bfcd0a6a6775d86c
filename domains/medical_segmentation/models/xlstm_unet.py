"""xLSTM-UNet: a residual U-Net whose deep features are scanned by Vision-LSTM layers.

T. Chen et al., "xLSTM-UNet can be an Effective 2D & 3D Medical Image Segmentation Backbone with
Vision-LSTM (ViL) better than its Mamba Counterpart", 2024, arXiv:2407.01530.

``bot`` puts one ViL layer on the coarsest map.  ``enc`` in 3-D puts a residual block behind each of
the first three stages and a ViL layer behind each later one; in 2-D a ViL layer behind every second
stage beyond the first two, counted so that the last one has it, and a residual block behind the
second stage.

Differs from the authors' code: the mLSTM is the chunkwise form (memory linear in the tokens, the
published one is quadratic), written from the equations; the branch of that code that makes channels
the tokens where the map is smaller than its channels, and so ties the weights to one patch size, is
left out; the decoder has one block at each resolution (theirs more in its finer half);
``directions=2`` scans the map from both ends (the published layer from one); in 2-D ``enc`` the
finest skip is kept.

Legend: B batch, C channel, K classes, *n space.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn

from domains.medical_segmentation.models.residual import Decoder, ResidualBlock, initialise
from domains.medical_segmentation.models.stages import Stage, widths
from shared_layers import ViLBlock

Variant = Literal["bot", "enc"]


class XLSTMUNet(nn.Module):
    """Residual U-Net with Vision-LSTM layers.

    Args:
        in_channels: channels of the image.
        num_classes: channels K of the answer.
        stages: resolutions, finest first.
        base_channels: of the finest stage; doubled at each coarser one.
        max_channels: at most so many.
        blocks: residual blocks of a stage in the encoder's finer half; the coarser ones have one,
            as the authors'.
        variant: where the ViL layers are.
        directions: 1 = scan from the first voxel to the last, 2 = also back.

    Shape:
        (B, in_channels, *n) -> [(B, K, *n), (B, K, *coarser), ...], finest first
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        stages: Sequence[Stage],
        *,
        base_channels: int = 32,
        max_channels: int = 320,
        blocks: int = 2,
        variant: Variant = "bot",
        directions: int = 1,
    ) -> None:
        super().__init__()
        dims, count = len(stages[0].kernel), len(stages)
        channels = widths(base_channels, max_channels, count)
        self.stages, self.mixers = nn.ModuleList(), nn.ModuleList()
        before = in_channels
        for number, (width, stage) in enumerate(zip(channels, stages, strict=True)):
            plain = Stage((1,) * dims, stage.kernel)
            extra = blocks - 1 if number < math.ceil(count / 2) else 0
            self.stages.append(
                nn.Sequential(
                    ResidualBlock(before, width, stage),
                    *(ResidualBlock(width, width, plain) for _ in range(extra)),
                )
            )
            kind = mixer_kind(variant, dims, number, count)
            mixers: list[nn.Module] = []
            if kind == "residual":
                mixers.append(ResidualBlock(width, width, plain))
            if kind == "vil":
                mixers += [
                    ViLBlock(
                        width, spatial_dims=dims, is_reversed=turn == 1, num_heads=heads(width)
                    )
                    for turn in range(directions)
                ]
            self.mixers.append(nn.Sequential(*mixers))
            before = width
        self.decoder = Decoder(channels, stages, num_classes)
        initialise(self)

    def forward(self, x: Tensor) -> list[Tensor]:
        skips = []
        for stage, mixer in zip(self.stages, self.mixers, strict=True):
            x = mixer(stage(x))  # (B, C, *coarser)
            skips.append(x)
        return self.decoder(skips)


def mixer_kind(variant: Variant, dims: int, number: int, count: int) -> str:
    """What follows stage ``number`` of ``count``: ``vil``, ``residual`` or ``none``."""
    if variant == "bot":
        return "vil" if number == count - 1 else "none"
    if dims == 3:
        return "vil" if number >= 3 else "residual"
    if number > 1 and number % 2 != count % 2:
        return "vil"
    return "residual" if number == 1 else "none"


def heads(width: int) -> int:
    """Heads of the mLSTM, four as the authors', two where four do not divide the width."""
    return 4 if width % 4 == 0 else 2
