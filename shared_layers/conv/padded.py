"""Convolution with one padding mode for each axis.

The layer of `torch.nn.Conv1d/2d/3d`, for grids whose axes end differently: longitude wraps while
latitude stops, a ring of sensors closes while time does not.
"""

# B batch, C channels, S a spatial axis

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .arguments import check_divisible, check_feature_map, check_positive
from .padding import pad_axes, padding_modes, padding_sizes, per_axis


def padded_conv(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    modes: Sequence[str],
    groups: int = 1,
) -> Tensor:
    """Return the 1-, 2- or 3-d convolution of `x` padded as by `pad_axes`.

    Axes padded with zeros are left to the convolution itself, which needs no copy for them.

    Args:
        x: (B, C_in, S…)
        weight: (C_out, C_in / groups, k…)
        bias: (C_out), or None.
        stride, padding, dilation, modes: one per spatial axis.
        groups: as in `torch.nn.functional.conv2d`.

    Returns:
        (B, C_out, S'…)
    """
    inside = tuple(p if mode == "zeros" else 0 for p, mode in zip(padding, modes, strict=True))
    outside = tuple(p - i for p, i in zip(padding, inside, strict=True))
    x = pad_axes(x, outside, modes) if any(outside) else x
    convolve = (F.conv1d, F.conv2d, F.conv3d)[weight.dim() - 3]
    return convolve(x, weight, bias, tuple(stride), inside, tuple(dilation), groups)


def draw_conv_parameters(weight: Tensor, bias: Tensor | None, fan_in: int) -> None:
    """Fill `weight` and `bias` uniformly in ±1/√fan_in, as `torch.nn.Conv2d` does."""
    bound = 1 / math.sqrt(fan_in)
    nn.init.uniform_(weight, -bound, bound)
    if bias is not None:
        nn.init.uniform_(bias, -bound, bound)


class _PaddedConvNd(nn.Module):
    """Convolution whose axes may be padded each in its own mode.

    Args:
        in_channels, out_channels: channels of the input and of the result.
        kernel_size: one size or one per axis; odd for ``padding="same"``.
        stride, dilation: one or one per axis.
        padding: "same" (the size is kept at stride 1), "valid" (none) or elements per side, one or
            one per axis.
        padding_mode: zeros, circular, replicate or reflect, one or one per axis.
        groups, bias: as in `torch.nn.Conv2d`.

    Shape:
        (B, in_channels, S…) → (B, out_channels, S'…)

    Raises:
        ValueError: even kernel for "same", channels that `groups` does not divide, unknown mode;
            input of another rank, channel count or type.

    Example:
        >>> conv = PaddedConv2d(1, 1, 3, padding_mode=("replicate", "circular"))
        >>> conv(torch.zeros(1, 1, 4, 8)).shape
        torch.Size([1, 1, 4, 8])
    """

    spatial_dims: int

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        *,
        stride: int | Sequence[int] = 1,
        padding: str | int | Sequence[int] = "same",
        dilation: int | Sequence[int] = 1,
        padding_mode: str | Sequence[str] = "zeros",
        groups: int = 1,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        dims = self.spatial_dims
        check_positive(in_channels=in_channels, out_channels=out_channels, groups=groups)
        check_divisible("in_channels", in_channels, "groups", groups)
        check_divisible("out_channels", out_channels, "groups", groups)
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = per_axis(kernel_size, dims, "kernel_size")
        self.stride = per_axis(stride, dims, "stride")
        self.dilation = per_axis(dilation, dims, "dilation")
        self.modes = padding_modes(padding_mode, dims)
        self.padding = padding_sizes(padding, self.kernel_size, self.dilation)
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        self.weight = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
        self.bias = (
            nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype)) if bias else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw kernel and bias as `torch.nn.Conv2d` does."""
        draw_conv_parameters(self.weight, self.bias, self.weight[0].numel())

    def forward(self, x: Tensor) -> Tensor:
        check_feature_map(x, self.in_channels, self.spatial_dims, self.weight.dtype)
        return padded_conv(
            x,
            self.weight,
            self.bias,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            modes=self.modes,
            groups=self.groups,
        )

    def extra_repr(self) -> str:
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}, padding={self.padding}, dilation={self.dilation}, "
            f"padding_mode={self.modes}, groups={self.groups}, bias={self.bias is not None}"
        )


class PaddedConv1d(_PaddedConvNd):
    __doc__ = _PaddedConvNd.__doc__
    spatial_dims = 1


class PaddedConv2d(_PaddedConvNd):
    __doc__ = _PaddedConvNd.__doc__
    spatial_dims = 2


class PaddedConv3d(_PaddedConvNd):
    __doc__ = _PaddedConvNd.__doc__
    spatial_dims = 3
