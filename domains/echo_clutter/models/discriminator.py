"""Tells clean clutter zones from filtered ones: the second player of the adversarial variant.

Tabassian et al. 2024, arXiv:2401.13147 and code: a 3-D residual network like ResNet-34 (16 to 128
channels, 3, 4, 6, 3 blocks, dense layers of 64, 32, 16), which sees only the pixels that clutter
has changed by a tenth of the grey scale.  The filter minimises 0.999 MSE + 0.001 BCE.  Here with
group instead of batch normalisation, and both players take their step at the same time, with Adam's
β₁ of 0.9 instead of 0.5.

Legend: B batch, T time, H depth, W width, C channels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from domains.echo_clutter.models.clutter_filter import WHITE, FrameGroupNorm

_ZONE = 0.1 * WHITE


class Discriminator(nn.Module):
    """Logit that the zone of a clip is clean.

    Args:
        width: channels of the first stage, 16 in the paper.
        blocks: residual blocks of each stage; time and space are halved between stages.
    """

    def __init__(self, width: int = 16, blocks: Sequence[int] = (3, 4, 6, 3)) -> None:
        super().__init__()
        self.stem = nn.Conv3d(1, width, (3, 7, 7), stride=(1, 2, 2), padding=(1, 3, 3))
        stages: list[nn.Module] = []
        channels = width
        for stage, count in enumerate(blocks):
            for number in range(count):
                stride = 2 if stage and not number else 1
                outputs = width * 2**stage
                stages.append(_Residual(channels, outputs, stride))
                channels = outputs
        self.stages = nn.Sequential(*stages)
        dense: list[nn.Module] = []
        for inputs, outputs in zip((channels, 64, 32), (64, 32, 16), strict=True):
            dense += [nn.Linear(inputs, outputs), nn.LeakyReLU(0.1)]
        self.head = nn.Sequential(*dense, nn.Linear(16, 1))

    def forward(self, clip: Tensor, zone: Tensor) -> Tensor:
        """Logits (B,) of clips (B, T, H, W) in grey levels, seen where ``zone`` is true."""
        h = self.stem((clip * zone)[:, None] / WHITE)  # (B, C, T, H/2, W/2)
        h = self.stages(F.max_pool3d(h, (1, 2, 2)))
        return self.head(h.mean(dim=(2, 3, 4)))[:, 0]


class _Residual(nn.Module):
    """Two convolutions with a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv3d(inputs, outputs, 3, stride, 1),
            FrameGroupNorm(outputs),
            nn.LeakyReLU(0.1),
            nn.Conv3d(outputs, outputs, 3, 1, 1),
            FrameGroupNorm(outputs),
        )
        same = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same else nn.Conv3d(inputs, outputs, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(self.body(x) + self.shortcut(x), 0.1)


def adversarial_losses(
    discriminator: Discriminator, filtered: Tensor, clean: Tensor, cluttered: Tensor
) -> tuple[Tensor, Tensor]:
    """What the filter pays for being seen through, and what the discriminator pays for errors.

    The first has gradients for the filter alone, the second for the discriminator alone, so that
    one optimiser can hold both.

    Args:
        discriminator: judges.
        filtered, clean, cluttered: clips (B, T, H, W) in grey levels.
    """
    zone = (cluttered - clean).abs() >= _ZONE
    frozen: Mapping[str, Any] = {
        name: value.detach() for name, value in discriminator.named_parameters()
    }
    seen = functional_call(discriminator, dict(frozen), (filtered, zone))
    real, false = discriminator(clean, zone), discriminator(filtered.detach(), zone)
    fooled = F.binary_cross_entropy_with_logits(seen, torch.ones_like(seen))
    judged = F.binary_cross_entropy_with_logits(real, torch.ones_like(real))
    judged = judged + F.binary_cross_entropy_with_logits(false, torch.zeros_like(false))
    return fooled, judged / 2
