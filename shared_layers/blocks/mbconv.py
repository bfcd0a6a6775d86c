"""Inverted residual block (MBConv) in one to three dimensions.

M. Sandler et al., "MobileNetV2", CVPR 2018, arXiv:1801.04381; in 3-D and reversible in
M. Pendse et al., "Memory Efficient 3D U-Net with Reversible Mobile Inverted Bottlenecks for Brain
Tumor Segmentation", BrainLes 2020, arXiv:2104.09648:

    y = project(act(norm(depthwise(act(norm(expand(x))))))) then norm, without an activation

What differs: group instead of batch normalisation (the batch statistics of a volume or of a
reversible block are no good), a padding mode for each axis, and the skip is an argument because
the reversible block brings its own.

Legend: N batch, C channel, D H W space.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from shared_layers.conv.arguments import check_divisible, check_feature_map, check_positive
from shared_layers.conv.depthwise import DepthwiseConv1d, DepthwiseConv2d, DepthwiseConv3d
from shared_layers.conv.padding import per_axis

_POINTWISE = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
_DEPTHWISE = {1: DepthwiseConv1d, 2: DepthwiseConv2d, 3: DepthwiseConv3d}


class _MBConvNd(nn.Sequential):
    """Expand, filter, project.

    Args:
        in_channels, out_channels: of input and output.
        expansion: width of the middle over ``in_channels``, >= 1.
        kernel_size: of the depthwise convolution, odd; one integer or one for each axis.
        stride: of the depthwise convolution.
        num_groups: of the group normalisations; divides the middle width and ``out_channels``.
        has_skip: whether the input is added to the output; none means wherever the shapes allow.
        activation: makes the activation module.
        padding_mode: of the depthwise convolution, one or one for each axis.
        device, dtype: of the parameters.

    Shape:
        (N, in_channels, *space) -> (N, out_channels, *ceil(space / stride))

    Raises:
        ValueError: channels that ``num_groups`` does not divide, a skip between unequal shapes, an
            even kernel; in ``forward`` another rank, number of channels or type.
    """

    spatial_dims: int

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        expansion: int = 4,
        kernel_size: int | Sequence[int] = 3,
        stride: int | Sequence[int] = 1,
        num_groups: int = 4,
        has_skip: bool | None = None,
        activation: Callable[[], nn.Module] = nn.SiLU,
        padding_mode: str | Sequence[str] = "zeros",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        check_positive(in_channels=in_channels, out_channels=out_channels, expansion=expansion)
        middle = expansion * in_channels
        check_divisible("expansion * in_channels", middle, "num_groups", num_groups)
        check_divisible("out_channels", out_channels, "num_groups", num_groups)
        strides = per_axis(stride, self.spatial_dims, "stride")
        is_equal = in_channels == out_channels and set(strides) == {1}
        if has_skip and not is_equal:
            raise ValueError(
                f"has_skip=True with in_channels={in_channels}, out_channels={out_channels}, "
                f"stride={stride}: expected equal channels and stride 1 for a skip"
            )
        pointwise, depthwise = _POINTWISE[self.spatial_dims], _DEPTHWISE[self.spatial_dims]
        where: dict[str, Any] = {"device": device, "dtype": dtype}
        super().__init__(
            pointwise(in_channels, middle, 1, bias=False, **where),
            nn.GroupNorm(num_groups, middle, **where),
            activation(),
            depthwise(
                middle, kernel_size, stride=stride, bias=False, padding_mode=padding_mode, **where
            ),
            nn.GroupNorm(num_groups, middle, **where),
            activation(),
            pointwise(middle, out_channels, 1, bias=False, **where),
            nn.GroupNorm(num_groups, out_channels, **where),
        )
        self.in_channels = in_channels
        self.has_skip = is_equal if has_skip is None else has_skip

    def forward(self, x: Tensor) -> Tensor:
        """The block's output."""
        dtype = next(self.parameters()).dtype
        check_feature_map(x, self.in_channels, self.spatial_dims, dtype)
        out = super().forward(x)
        return x + out if self.has_skip else out


class MBConv1d(_MBConvNd):
    __doc__ = (_MBConvNd.__doc__ or "").replace("Expand", "One axis: expand")
    spatial_dims = 1


class MBConv2d(_MBConvNd):
    __doc__ = (_MBConvNd.__doc__ or "").replace("Expand", "Two axes: expand")
    spatial_dims = 2


class MBConv3d(_MBConvNd):
    __doc__ = (_MBConvNd.__doc__ or "").replace("Expand", "Three axes: expand")
    spatial_dims = 3
