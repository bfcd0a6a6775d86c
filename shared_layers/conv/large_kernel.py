"""Large-kernel attention.

M.-H. Guo, C.-Z. Lu, Z.-N. Liu, M.-M. Cheng, S.-M. Hu, "Visual Attention Network" (2022,
arXiv:2202.09741); the weather model PuYun (2024, arXiv:2409.02123) stands on it:

    y = x ⊙ P · (D_d * (L * x)),

with a local depthwise kernel L of 2d − 1, a depthwise kernel D of ⌈K/d⌉ at dilation d and a
pointwise P. The product is not squashed: no sigmoid, as in the authors' code. Differs: one to
three dimensions, and a padding mode for each axis: on a globe longitude wraps and latitude does
not.
"""

# B batch, C channels, S a spatial axis

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .arguments import check_feature_map, check_positive
from .depthwise import DepthwiseConv1d, DepthwiseConv2d, DepthwiseConv3d
from .padded import PaddedConv1d, PaddedConv2d, PaddedConv3d


class _LargeKernelAttentionNd(nn.Module):
    """Product of a map with a linear view of its wide neighbourhood.

    Stands in for a K × K depthwise and a pointwise convolution, with (2d − 1)ⁿ + ⌈K/d⌉ⁿ weights
    per channel instead of Kⁿ (74 instead of 441 for K = 21, d = 3).

    Args:
        channels: channels C.
        kernel_size: size K to stand in for; ⌈K/d⌉ must be odd.
        dilation: d, of the second kernel.
        padding_mode: zeros, circular, replicate or reflect, one or one per axis.

    Shape:
        (B, C, S…) → (B, C, S…)

    Raises:
        ValueError: K and d whose ⌈K/d⌉ is even, unknown mode; input of another rank, channel
            count or type.

    Example:
        >>> globe = LargeKernelAttention2d(4, padding_mode=("replicate", "circular"))
        >>> globe(torch.zeros(1, 4, 19, 36)).shape  # latitude, longitude
        torch.Size([1, 4, 19, 36])
    """

    spatial_dims: int
    depthwise: type[DepthwiseConv1d] | type[DepthwiseConv2d] | type[DepthwiseConv3d]
    pointwise: type[PaddedConv1d] | type[PaddedConv2d] | type[PaddedConv3d]

    def __init__(
        self,
        channels: int,
        kernel_size: int = 21,
        *,
        dilation: int = 3,
        padding_mode: str | Sequence[str] = "zeros",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_positive(channels=channels, kernel_size=kernel_size, dilation=dilation)
        wide = -(-kernel_size // dilation)
        if wide % 2 == 0:
            raise ValueError(
                f"kernel_size={kernel_size} with dilation={dilation} gives a dilated kernel of "
                f"{wide}: expected an odd one, for example kernel_size={(wide + 1) * dilation}"
            )
        self.channels = channels
        self.local = self.depthwise(
            channels, 2 * dilation - 1, padding_mode=padding_mode, device=device, dtype=dtype
        )
        self.wide = self.depthwise(
            channels, wide, dilation=dilation, padding_mode=padding_mode, device=device, dtype=dtype
        )
        self.mixing = self.pointwise(channels, channels, 1, device=device, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        check_feature_map(x, self.channels, self.spatial_dims, self.mixing.weight.dtype)
        return x * self.mixing(self.wide(self.local(x)))


class LargeKernelAttention1d(_LargeKernelAttentionNd):
    __doc__ = _LargeKernelAttentionNd.__doc__
    spatial_dims = 1
    depthwise = DepthwiseConv1d
    pointwise = PaddedConv1d


class LargeKernelAttention2d(_LargeKernelAttentionNd):
    __doc__ = _LargeKernelAttentionNd.__doc__
    spatial_dims = 2
    depthwise = DepthwiseConv2d
    pointwise = PaddedConv2d


class LargeKernelAttention3d(_LargeKernelAttentionNd):
    __doc__ = _LargeKernelAttentionNd.__doc__
    spatial_dims = 3
    depthwise = DepthwiseConv3d
    pointwise = PaddedConv3d
