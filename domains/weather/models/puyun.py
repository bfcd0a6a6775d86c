"""PuYun: two frames in, large-kernel-attention blocks at one resolution, the change out.

S. Zhu, Y. Chen, W. Yu et al., "PuYun: Medium-Range Global Weather Forecasting Using Large Kernel
Attention Convolutional Networks" (2024, arXiv:2409.02123).  Known of it: patch embedding of two
frames, a fully convolutional backbone of large kernel attention (LKA-FCN) at one resolution, patch
merging back to the grid, a second input of time embeddings.  Our reading, where the paper's tables
could not be had: the block is that of the Visual Attention Network (Guo et al. 2022,
arXiv:2202.09741), pre-normalised and with learnt layer scales; outputs of all stages are joined;
time enters as an offset of the embedded patches; a grid that the patch does not divide is padded
and cropped instead of interpolated; the head starts at zero, so that training starts at
persistence.
"""

# B batch, F input channels, C field channels, D width, S stages, E time features,
# H latitude, W longitude, p patch, h = ⌈H/p⌉, w = ⌈W/p⌉

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from shared_layers import LargeKernelAttention2d


def pad_to_multiple(x: Tensor, patch: int, modes: Sequence[str]) -> Tensor:
    """Return the map x (B, F, H, W) with H and W brought up to multiples of ``patch``.

    Rows are added at the end of latitude, columns at the end of longitude, each in its axis's
    padding mode: ``replicate`` or ``circular``.
    """
    below, right = (-x.shape[2]) % patch, (-x.shape[3]) % patch
    if below:
        x = F.pad(x, (0, 0, 0, below), mode=modes[0])
    if right:
        x = F.pad(x, (0, right, 0, 0), mode=modes[1])
    return x


class PatchNetwork(nn.Module):
    """Patch embedding, stages of blocks, their outputs joined, and patches back to a map.

    What PuYun and its peer of plain convolutions share.

    Args:
        in_channels: F, maps that go in.
        out_channels: C, maps that come out.
        time_features: E, length of the time embedding; 0 = none.
        dim: D, width.
        stages, blocks: number of stages, and of blocks in each.
        patch: p, grid points along the side of a patch.
        padding_modes: of latitude and longitude.
        make_block: takes the width, gives a block (B, D, h, w) → (B, D, h, w).
        recompute: whether the blocks' activations are computed again in the backward pass.

    Shape:
        x (B, F, H, W), time (B, E) → (B, C, H, W); zeros before training
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        time_features: int,
        *,
        dim: int,
        stages: int,
        blocks: int,
        patch: int,
        padding_modes: Sequence[str],
        make_block: Callable[[int], nn.Module],
        recompute: bool = False,
    ) -> None:
        super().__init__()
        self.patch, self.padding_modes = patch, tuple(padding_modes)
        self.recompute = recompute
        self.embed = nn.Conv2d(in_channels, dim, patch, stride=patch)
        self.time = nn.Linear(time_features, dim) if time_features else None
        self.stages = nn.ModuleList(
            nn.Sequential(*(make_block(dim) for _ in range(blocks))) for _ in range(stages)
        )
        self.norm = nn.GroupNorm(1, stages * dim)
        self.head = nn.Conv2d(stages * dim, out_channels * patch * patch, 1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, time: Tensor | None = None) -> Tensor:
        height, width = x.shape[2:]
        x = self.embed(pad_to_multiple(x, self.patch, self.padding_modes))  # (B, D, h, w)
        if self.time is not None:
            x = x + self.time(time)[:, :, None, None]
        outputs = []
        for stage in self.stages:
            for block in stage:  # type: ignore[attr-defined]
                if self.recompute and torch.is_grad_enabled():
                    x = checkpoint(block, x, use_reentrant=False)
                else:
                    x = block(x)
            outputs.append(x)
        x = self.head(self.norm(torch.cat(outputs, dim=1)))  # (B, C·p², h, w)
        return F.pixel_shuffle(x, self.patch)[:, :, :height, :width]  # (B, C, H, W)


class LkaBlock(nn.Module):
    """Large kernel attention, then a pointwise MLP, each a residual with a learnt scale.

    Args:
        dim: D, width.
        kernel_size, dilation: of the attention, see ``LargeKernelAttention2d``.
        expansion: width of the MLP over D.
        padding_modes: of latitude and longitude.

    Shape:
        (B, D, h, w) → (B, D, h, w)
    """

    def __init__(
        self,
        dim: int,
        *,
        kernel_size: int,
        dilation: int,
        expansion: int,
        padding_modes: Sequence[str],
        layer_scale: float = 0.1,
    ) -> None:
        super().__init__()
        self.attention = nn.Sequential(
            nn.GroupNorm(1, dim),
            nn.Conv2d(dim, dim, 1),
            nn.GELU(),
            LargeKernelAttention2d(
                dim, kernel_size, dilation=dilation, padding_mode=tuple(padding_modes)
            ),
            nn.Conv2d(dim, dim, 1),
        )
        self.mlp = nn.Sequential(
            nn.GroupNorm(1, dim),
            nn.Conv2d(dim, expansion * dim, 1),
            nn.GELU(),
            nn.Conv2d(expansion * dim, dim, 1),
        )
        self.scales = nn.Parameter(torch.full((2, dim, 1, 1), layer_scale))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.scales[0] * self.attention(x)
        return x + self.scales[1] * self.mlp(x)


def puyun(
    in_channels: int,
    out_channels: int,
    time_features: int,
    *,
    dim: int,
    stages: int,
    blocks: int,
    patch: int,
    kernel_size: int,
    dilation: int,
    expansion: int,
    padding_modes: Sequence[str],
    recompute: bool = False,
) -> PatchNetwork:
    """The LKA-FCN network of that size, not yet trained."""
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
        make_block=lambda width: LkaBlock(
            width,
            kernel_size=kernel_size,
            dilation=dilation,
            expansion=expansion,
            padding_modes=padding_modes,
        ),
    )
