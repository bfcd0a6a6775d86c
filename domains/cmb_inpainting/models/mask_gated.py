"""A convolutional network whose answer is linear in the sky and free in the mask. Ours.

The optimal fill of a Gaussian sky is linear in what is observed, odd under a change of sign, and
depends on the mask in no simple way.  So the sky goes through convolutions without bias, and what
an activation would do is done by gates that see the mask alone:

    x ← x + W · (2σ(g(mask, distance)) ⊙ [C₁ * x, C_d * x]).

Hybrid convolutions (1 and d side by side) as in SkyReconNet, arXiv:2501.06139.

Legend: S skies, C channel, n = nside.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from domains.cmb_inpainting.models.faces import SphereConv, faces, images, lattice, on_sphere
from shared_layers import DilatedConvBranch2d

_HIDDEN = 16  # width of a gate


class Gate(nn.Module):
    """Factors between 0 and 2 for each channel and pixel, from what is known of the mask."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(2, _HIDDEN, 1), nn.GELU(), nn.Conv2d(_HIDDEN, channels, 1)
        )

    def forward(self, mask: Tensor) -> Tensor:
        return faces(2 * torch.sigmoid(self.net(images(mask))))


class GatedBlock(nn.Module):
    """Hybrid convolution, gate, and a residual connection."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        rates = (1,) if dilation == 1 else (1, dilation)
        self.hybrid = DilatedConvBranch2d(
            channels,
            channels,
            dilations=rates,
            branch_channels=channels // len(rates),
            padding="valid",
            bias=False,
        )
        self.gate = Gate(channels)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return x + self.gate(mask) * on_sphere(self.hybrid, x, self.hybrid.margin[0])


class MaskGatedNetwork(nn.Module):
    """A correction of the starting fill, linear in it.

    Args:
        channels: width.
        dilations: one block for each; a block pads by its dilation, at most nside.
    """

    def __init__(self, channels: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.lift = SphereConv(1, channels, bias=False)
        self.first = Gate(channels)
        self.blocks = nn.ModuleList(GatedBlock(channels, rate) for rate in dilations)
        self.head = SphereConv(channels, 1, bias=False).zeroed()

    def forward(self, start: Tensor, observed: Tensor, distance: Tensor) -> Tensor:
        """Filled skies (S, 12, n, n) from a starting fill of the same shape, both over σ."""
        mask = lattice(observed, distance)
        x = self.first(mask) * self.lift(start[:, None])  # (S, C, 12, n, n)
        for block in self.blocks:
            x = block(x, mask)
        return torch.where(observed, start, start + self.head(x)[:, 0])
