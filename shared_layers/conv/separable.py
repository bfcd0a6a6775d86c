"""Convolution by a chain of one-way filters.

H. Boukraichi, N. Akkari, F. Casenave, D. Ryckelynck, "A priori compression of convolutional neural
networks for wave simulators" (2023, arXiv:2304.04964): each 2- or 3-way kernel becomes a chain of
1-way kernels, one along each axis, for Σk instead of Πk weights:

    y = W_n *_n (… W₂ *₂ (W₁ *₁ x)) + b.

Differs: no activation between the factors, so that the layer is one linear convolution whose
kernel `dense_kernel` returns.
"""

# B batch, C channels, S a spatial axis

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from .padded import PaddedConv2d, PaddedConv3d
from .padding import per_axis, same_padding


class _SeparableConvNd(nn.Module):
    """Chain of one-dimensional convolutions, the first axis first; the last one adds the bias.

    The first factor maps `in_channels` to `out_channels`, the others keep them: for C channels the
    weights number C²·Σk instead of C²·Πk. With ``groups = in_channels = out_channels`` the layer
    is a depthwise convolution with the outer product of its one-way filters.

    Args:
        in_channels, out_channels: channels of the input and of the result.
        kernel_size: odd size, one or one per axis.
        stride, dilation: one or one per axis.
        padding_mode: zeros, circular, replicate or reflect, one or one per axis.
        groups: as in `torch.nn.Conv2d`, for each factor.
        bias: whether a bias is added.

    Shape:
        (B, in_channels, S…) → (B, out_channels, ⌈S / stride⌉…)

    Raises:
        ValueError: even kernel, channels that `groups` does not divide; input of another rank,
            channel count or type.

    Example:
        >>> layer = SeparableConv3d(2, 4, kernel_size=5, bias=False)
        >>> sum(p.numel() for p in layer.parameters())  # 2·4·5 + 4·4·5 + 4·4·5 instead of 2·4·125
        200
    """

    spatial_dims: int
    convolution: type[PaddedConv2d] | type[PaddedConv3d]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        *,
        stride: int | Sequence[int] = 1,
        dilation: int | Sequence[int] = 1,
        padding_mode: str | Sequence[str] = "zeros",
        groups: int = 1,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        dims = self.spatial_dims
        kernel = per_axis(kernel_size, dims, "kernel_size")
        strides = per_axis(stride, dims, "stride")
        dilations = per_axis(dilation, dims, "dilation")
        same_padding(kernel, dilations)  # refuses even kernels here, as the caller wrote them
        self.groups = groups
        self.factors = nn.ModuleList()
        for axis in range(dims):
            along = partial(_along, axis, dims)
            self.factors.append(
                self.convolution(
                    out_channels if axis else in_channels,
                    out_channels,
                    along(kernel[axis]),
                    stride=along(strides[axis]),
                    dilation=along(dilations[axis]),
                    padding_mode=padding_mode,
                    groups=groups,
                    bias=bias and axis == dims - 1,
                    device=device,
                    dtype=dtype,
                )
            )

    def forward(self, x: Tensor) -> Tensor:
        for factor in self.factors:
            x = factor(x)
        return x

    def dense_kernel(self) -> Tensor:
        """Return the kernel of the one convolution that equals the chain.

        Returns:
            (out_channels, in_channels / groups, k1, k2[, k3])
        """
        first, *others = [factor.get_parameter("weight") for factor in self.factors]
        kernel = first  # (out, in / groups, k1, 1[, 1])
        for weight in others:
            # Σ_m outer[g, o, m, 1, …] · inner[g, 1, m, i, …]: the spatial axes broadcast
            outer = weight.unflatten(0, (self.groups, -1)).unsqueeze(3)
            inner = kernel.unflatten(0, (self.groups, -1)).unsqueeze(1)
            kernel = (outer * inner).sum(2).flatten(0, 1)
        return kernel


def _along(axis: int, num_axes: int, value: int) -> tuple[int, ...]:
    return tuple(value if n == axis else 1 for n in range(num_axes))


class SeparableConv2d(_SeparableConvNd):
    __doc__ = _SeparableConvNd.__doc__
    spatial_dims = 2
    convolution = PaddedConv2d


class SeparableConv3d(_SeparableConvNd):
    __doc__ = _SeparableConvNd.__doc__
    spatial_dims = 3
    convolution = PaddedConv3d
