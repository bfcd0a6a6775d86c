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

from shared_layers.conv.depthwise import DepthwiseConv1d, DepthwiseConv2d, DepthwiseConv3d

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
            even kernel.
    """

    def __init__(
        self,
        num_axes: int,
        in_channels: int,
        out_channels: int,
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
        if expansion < 1:
            raise ValueError(f"expansion is {expansion}; it takes an integer >= 1")
        middle = expansion * in_channels
        for name, width in (("expansion * in_channels", middle), ("out_channels", out_channels)):
            if width % num_groups:
                raise ValueError(
                    f"{name} is {width}; it takes a multiple of num_groups, {num_groups}"
                )
        is_equal = in_channels == out_channels and torch.tensor(stride).eq(1).all().item()
        if has_skip and not is_equal:
            raise ValueError(
                f"has_skip is True with in_channels {in_channels}, out_channels {out_channels}, "
                f"stride {stride}; a skip takes equal channels and stride 1"
            )
        pointwise, depthwise = _POINTWISE[num_axes], _DEPTHWISE[num_axes]
        where: dict[str, Any] = {"device": device, "dtype": dtype}
        super().__init__(
            pointwise(in_channels, middle, 1, bias=False, **where),
            nn.GroupNorm(num_groups, middle, **where),
            activation(),
            depthwise(middle, kernel_size, stride, bias=False, padding_mode=padding_mode, **where),
            nn.GroupNorm(num_groups, middle, **where),
            activation(),
            pointwise(middle, out_channels, 1, bias=False, **where),
            nn.GroupNorm(num_groups, out_channels, **where),
        )
        self.has_skip = is_equal if has_skip is None else has_skip

    def forward(self, x: Tensor) -> Tensor:
        """The block's output."""
        out = super().forward(x)
        return x + out if self.has_skip else out


class MBConv1d(_MBConvNd):
    __doc__ = (_MBConvNd.__doc__ or "").replace("Expand", "One axis: expand")

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
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
        super().__init__(
            1, in_channels, out_channels, expansion, kernel_size, stride, num_groups, has_skip,
            activation, padding_mode, device, dtype,
        )  # fmt: skip


class MBConv2d(_MBConvNd):
    __doc__ = (_MBConvNd.__doc__ or "").replace("Expand", "Two axes: expand")

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
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
        super().__init__(
            2, in_channels, out_channels, expansion, kernel_size, stride, num_groups, has_skip,
            activation, padding_mode, device, dtype,
        )  # fmt: skip


class MBConv3d(_MBConvNd):
    __doc__ = (_MBConvNd.__doc__ or "").replace("Expand", "Three axes: expand")

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
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
        super().__init__(
            3, in_channels, out_channels, expansion, kernel_size, stride, num_groups, has_skip,
            activation, padding_mode, device, dtype,
        )  # fmt: skip
