"""Depthwise convolution layers with a padding mode for each axis.

y[c] = b[c] + w[c] * x[c]: one kernel per channel, as ``torch.nn.ConvNd(C, C, k, groups=C)`` whose
parameters have the same names and shapes, so that a checkpoint of either loads into the other.
What differs: every axis has its own padding mode (a globe wraps in longitude only), and the
arithmetic goes through ``shared_layers.ops.depthwise_conv``.

Legend: N batch, C channel, D H W space.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from shared_layers.conv.arguments import check_feature_map, check_positive
from shared_layers.conv.padding import pad_axes, padding_modes, padding_sizes, per_axis
from shared_layers.ops.depthwise_conv import depthwise_conv


class _DepthwiseConvNd(nn.Module):
    """Each channel convolved with its own kernel.

    Args:
        channels: C, of input and output.
        kernel_size, stride, dilation: one integer, or one for each axis of space.
        padding: "same" (odd kernels; keeps the size at stride 1), "valid", an integer, or one for
            each axis.
        bias: whether a constant per channel is added.
        padding_mode: "zeros", "circular", "replicate" or "reflect", or one for each axis.
        device, dtype: of the parameters.

    Shape:
        (N, C, *space) -> (N, C, *out), in the memory format of the input.

    Raises:
        ValueError: an even kernel with padding="same", an unknown mode, or counts and sizes that do
            not fit; in ``forward`` another rank, number of channels or type.

    Example::

        >>> globe = DepthwiseConv2d(8, 7, padding_mode=("replicate", "circular"))
        >>> globe(torch.zeros(1, 8, 32, 64)).shape
        torch.Size([1, 8, 32, 64])
    """

    spatial_dims: int

    def __init__(
        self,
        channels: int,
        kernel_size: int | Sequence[int],
        *,
        stride: int | Sequence[int] = 1,
        padding: str | int | Sequence[int] = "same",
        dilation: int | Sequence[int] = 1,
        bias: bool = True,
        padding_mode: str | Sequence[str] = "zeros",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        num_axes = self.spatial_dims
        check_positive(channels=channels)
        self.channels = channels
        self.kernel_size = per_axis(kernel_size, num_axes, "kernel_size")
        self.stride = per_axis(stride, num_axes, "stride")
        self.dilation = per_axis(dilation, num_axes, "dilation")
        self.padding_mode = padding_modes(padding_mode, num_axes)
        self.padding = padding_sizes(padding, self.kernel_size, self.dilation)
        modes = list(zip(self.padding, self.padding_mode, strict=True))
        # Zeros are free inside the kernel; the other modes are laid out in memory first.
        self._inside = tuple(p if mode == "zeros" else 0 for p, mode in modes)
        self._outside = tuple(0 if mode == "zeros" else p for p, mode in modes)
        self.weight = nn.Parameter(
            torch.empty(channels, 1, *self.kernel_size, device=device, dtype=dtype)
        )
        self.bias = (
            nn.Parameter(torch.empty(channels, device=device, dtype=dtype)) if bias else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters as ``torch.nn.ConvNd`` does: uniform within 1/√(kernel volume)."""
        bound = 1 / math.sqrt(math.prod(self.kernel_size))
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        """The convolution of ``x`` (N, C, *space)."""
        check_feature_map(x, self.channels, self.spatial_dims, self.weight.dtype)
        if any(self._outside):
            x = pad_axes(x, self._outside, self.padding_mode)
        return depthwise_conv(
            x,
            self.weight,
            self.bias,
            stride=self.stride,
            padding=self._inside,
            dilation=self.dilation,
        )

    def extra_repr(self) -> str:
        """What print shows."""
        return (
            f"{self.channels}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"padding={self.padding}, dilation={self.dilation}, bias={self.bias is not None}, "
            f"padding_mode={self.padding_mode}"
        )


class DepthwiseConv1d(_DepthwiseConvNd):
    __doc__ = _DepthwiseConvNd.__doc__
    spatial_dims = 1


class DepthwiseConv2d(_DepthwiseConvNd):
    __doc__ = _DepthwiseConvNd.__doc__
    spatial_dims = 2


class DepthwiseConv3d(_DepthwiseConvNd):
    __doc__ = _DepthwiseConvNd.__doc__
    spatial_dims = 3
