"""SkyReconNet: standard and dilated convolutions side by side, on the whole sphere.

V. Sudevan, P. Chen, "SkyReconNet: A Cross-Resolution Contextual Integration Framework for
Inpainting with Application to Enhanced CMB Map Reconstruction", 2025, arXiv:2501.06139.

Our reading: of the paper we know the abstract (hybrid convolutions, full-sky temperature maps,
loss SSIM + MSE), not the table of layers, so widths, rates, residual connections and the GELU are
our choice.  The sky is taken whole, by exact padding between HEALPix faces, not in regions.

Legend: S skies, C channel, n = nside.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from domains.cmb_inpainting.models.faces import SphereConv, lattice, on_sphere
from shared_layers import DilatedConvBranch2d


class HybridBlock(nn.Module):
    """Convolutions of rate 1 and d, concatenated, GELU, mixed pixel by pixel; residual."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        rates = (1,) if dilation == 1 else (1, dilation)
        self.hybrid = DilatedConvBranch2d(
            channels,
            channels,
            dilations=rates,
            branch_channels=channels // len(rates),
            padding="valid",
            activation=nn.GELU(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + on_sphere(self.hybrid, x, self.hybrid.margin[0])


class SkyReconNet(nn.Module):
    """A correction of the starting fill.

    Args:
        channels: width.
        dilations: one hybrid block for each.
    """

    def __init__(self, channels: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.lift = SphereConv(3, channels)
        self.blocks = nn.ModuleList(HybridBlock(channels, rate) for rate in dilations)
        self.head = SphereConv(channels, 1).zeroed()

    def forward(self, start: Tensor, observed: Tensor, distance: Tensor) -> Tensor:
        """Filled skies (S, 12, n, n) from a starting fill of the same shape, both over σ."""
        mask = lattice(observed, distance).expand(len(start), -1, -1, -1, -1)
        x = self.lift(torch.cat([start[:, None], mask], dim=1))  # (S, C, 12, n, n)
        for block in self.blocks:
            x = block(x)
        return torch.where(observed, start, start + self.head(x)[:, 0])
