"""Parameterised hypercomplex convolutions: the multiplication table is learned.

E. Grassucci, A. Zhang, D. Comminiello, "PHNNs: Lightweight Neural Networks via Parameterized
Hypercomplex Convolutions" (2021, arXiv:2110.04176):

    W = Σᵢ Aᵢ ⊗ Fᵢ,   i = 1 … n,

with n × n matrices Aᵢ (the algebra) and n filter banks Fᵢ of 1/n² the size: n³ + |W|/n numbers
instead of |W|. n = 2 holds the complex, n = 4 the quaternion numbers. Differs from the authors'
code: the bias is used, its bound knows the kernel's size, stride, dilation and per-axis padding
work in all dimensions. Groups are not offered: they would cut through the algebra.
"""

# B batch, C channels, S a spatial axis, n dimension of the algebra

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .arguments import check_divisible, check_feature_map, check_features, check_positive
from .padded import draw_conv_parameters, padded_conv
from .padding import padding_modes, per_axis, same_padding


def quaternion_algebra(
    device: torch.device | str | None = None, dtype: torch.dtype | None = None
) -> Tensor:
    """Return the matrices (4, 4, 4) of left multiplication by 1, i, j, k.

    Σᵢ qᵢ Aᵢ applied to the components of p gives those of the Hamilton product q p.
    """
    one = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    i = [[0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 0, -1], [0, 0, 1, 0]]
    j = [[0, 0, -1, 0], [0, 0, 0, 1], [1, 0, 0, 0], [0, -1, 0, 0]]
    k = [[0, 0, 0, -1], [0, 0, -1, 0], [0, 1, 0, 0], [1, 0, 0, 0]]
    return torch.tensor([one, i, j, k], device=device, dtype=dtype or torch.get_default_dtype())


def hypercomplex_kernel(algebra: Tensor, filters: Tensor) -> Tensor:
    """Return W = Σᵢ Aᵢ ⊗ Fᵢ.

    Args:
        algebra: (n, n, n), one matrix per component.
        filters: (n, C_out / n, C_in / n, k…)

    Returns: (C_out, C_in, k…)
    """
    blocks = torch.einsum("nab,nij...->aibj...", algebra, filters)  # (n, C_out/n, n, C_in/n, k…)
    return blocks.flatten(2, 3).flatten(0, 1)


class PHLinear(nn.Module):
    """Linear map with the weight Σᵢ Aᵢ ⊗ Fᵢ.

    Args:
        n: dimension of the algebra; divides both feature counts.
        in_features, out_features: as in `torch.nn.Linear`.
        bias: whether a bias is added.
        algebra: (n, n, n) to start from, for example `quaternion_algebra()`; random unless given.
        learn_algebra: whether training may change the algebra.

    Shape:
        (…, in_features) → (…, out_features)

    Raises:
        ValueError: features that n does not divide, an algebra of another shape; input whose last
            axis is not `in_features`, or of another type than the weights.

    Example:
        >>> sum(p.numel() for p in PHLinear(4, 64, 64, bias=False).parameters())  # 4³ + 64²/4
        1088
    """

    def __init__(
        self,
        n: int,
        in_features: int,
        out_features: int,
        *,
        bias: bool = True,
        algebra: Tensor | None = None,
        learn_algebra: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_positive(n=n, in_features=in_features, out_features=out_features)
        check_divisible("in_features", in_features, "n", n)
        check_divisible("out_features", out_features, "n", n)
        self.n, self.in_features, self.out_features = n, in_features, out_features
        shape = (n, out_features // n, in_features // n)
        self.filters = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
        self.algebra = _algebra_parameter(n, algebra, learn_algebra, self.filters)
        self.bias = nn.Parameter(self.filters.new_empty(out_features)) if bias else None
        draw_conv_parameters(self.filters, self.bias, in_features)

    def forward(self, x: Tensor) -> Tensor:
        check_features(x, self.in_features, self.filters.dtype)
        return F.linear(x, hypercomplex_kernel(self.algebra, self.filters), self.bias)


class _PHConvNd(nn.Module):
    """Convolution with the kernel Σᵢ Aᵢ ⊗ Fᵢ.

    Args:
        n: dimension of the algebra; divides both channel counts.
        in_channels, out_channels: channels of the input and of the result.
        kernel_size: odd size, one or one per axis.
        stride, dilation: one or one per axis.
        padding_mode: zeros, circular, replicate or reflect, one or one per axis.
        bias: whether a bias is added.
        algebra: (n, n, n) to start from, for example `quaternion_algebra()`; random unless given.
        learn_algebra: whether training may change the algebra.

    Shape:
        (B, in_channels, S…) → (B, out_channels, ⌈S / stride⌉…); the channels are n consecutive
        blocks, one for each component.

    Raises:
        ValueError: channels that n does not divide, an even kernel, an algebra of another shape;
            input of another rank, channel count or type.

    Example:
        >>> PHConv2d(2, 4, 6, kernel_size=3)(torch.zeros(1, 4, 5, 5)).shape
        torch.Size([1, 6, 5, 5])
    """

    spatial_dims: int

    def __init__(
        self,
        n: int,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        *,
        stride: int | Sequence[int] = 1,
        dilation: int | Sequence[int] = 1,
        padding_mode: str | Sequence[str] = "zeros",
        bias: bool = True,
        algebra: Tensor | None = None,
        learn_algebra: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        dims = self.spatial_dims
        check_positive(n=n, in_channels=in_channels, out_channels=out_channels)
        check_divisible("in_channels", in_channels, "n", n)
        check_divisible("out_channels", out_channels, "n", n)
        self.n, self.in_channels, self.out_channels = n, in_channels, out_channels
        self.kernel_size = per_axis(kernel_size, dims, "kernel_size")
        self.stride = per_axis(stride, dims, "stride")
        self.dilation = per_axis(dilation, dims, "dilation")
        self.padding = same_padding(self.kernel_size, self.dilation)
        self.modes = padding_modes(padding_mode, dims)
        shape = (n, out_channels // n, in_channels // n, *self.kernel_size)
        self.filters = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
        self.algebra = _algebra_parameter(n, algebra, learn_algebra, self.filters)
        self.bias = nn.Parameter(self.filters.new_empty(out_channels)) if bias else None
        draw_conv_parameters(self.filters, self.bias, in_channels * math.prod(self.kernel_size))

    def forward(self, x: Tensor) -> Tensor:
        check_feature_map(x, self.in_channels, self.spatial_dims, self.filters.dtype)
        return padded_conv(
            x,
            hypercomplex_kernel(self.algebra, self.filters),
            self.bias,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            modes=self.modes,
        )


class PHConv1d(_PHConvNd):
    __doc__ = _PHConvNd.__doc__
    spatial_dims = 1


class PHConv2d(_PHConvNd):
    __doc__ = _PHConvNd.__doc__
    spatial_dims = 2


class PHConv3d(_PHConvNd):
    __doc__ = _PHConvNd.__doc__
    spatial_dims = 3


def _algebra_parameter(n: int, algebra: Tensor | None, learn: bool, like: Tensor) -> nn.Parameter:
    if algebra is None:
        # Σᵢ of n products: entries of variance 1/n leave W the variance of the filters
        algebra = torch.randn(n, n, n, device=like.device, dtype=like.dtype) / math.sqrt(n)
    if algebra.shape != (n, n, n):
        raise ValueError(f"algebra has shape {tuple(algebra.shape)}: expected {(n, n, n)}")
    return nn.Parameter(algebra.detach().to(like, copy=True), requires_grad=learn)
