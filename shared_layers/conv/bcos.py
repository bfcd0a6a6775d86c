"""B-cos layers: linear maps that answer to what is aligned with their weights.

M. Böhle, M. Fritz, B. Schiele, "B-cos Networks: Alignment is All We Need for Interpretability"
(2022, arXiv:2205.10268), and S. Arya, S. Rao, M. Böhle, B. Schiele, "B-cosification: Transforming
Deep Neural Networks to be Inherently Interpretable" (2024, arXiv:2411.00715):

    y = |cos(x, w)|^{B−1} · ŵᵀx,   ŵ = w / ‖w‖,

for a convolution with x the patch under the kernel. With the cosine held fixed the layer is linear
in x: y = W(x) x exactly, and products of W(x) summarise a whole network. Differs: no MaxOut; the
weights may be left unnormalised (``unit_weight=False``), which at B = 1 is the plain layer of a
trained network, the start of B-cosification. There is no bias: it would break y = W(x) x. Squares
are summed in float32 at least.
"""

# B batch, C channels, H height, W width

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from shared_layers.ops.autocast import autocast_to
from shared_layers.ops.precision import at_least_float32

from .arguments import check_feature_map, check_features, check_positive
from .padded import _PaddedConvNd, draw_conv_parameters, padded_conv

# keeps norms of all-zero patches and weights differentiable without moving any other in fp32
_EPS = 1e-12


class BcosLinear(nn.Module):
    """Linear map scaled by the alignment of input and weight: |cos(x, w)|^{B−1} · ŵᵀx.

    Args:
        in_features, out_features: as in `torch.nn.Linear`.
        b: exponent B ≥ 1; 1 is the linear map, 2 the usual choice.
        unit_weight: whether each weight vector is divided by its norm.

    Attributes:
        is_explaining: while true, no gradient flows through the cosine, so that the gradient of an
            output is its row of W(x).

    Shape:
        (…, in_features) → (…, out_features)

    Raises:
        ValueError: b < 1; input whose last axis is not `in_features`, or of another type.

    Example:
        >>> layer = BcosLinear(3, 1)
        >>> x = layer.weight.detach()  # perfectly aligned: |cos| = 1, y = ‖x‖
        >>> torch.allclose(layer(x), x.norm())
        True
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        b: float = 2.0,
        unit_weight: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_positive(in_features=in_features, out_features=out_features)
        self.b = _exponent(b)
        self.unit_weight = unit_weight
        self.is_explaining = False
        shape = (out_features, in_features)
        self.weight = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
        draw_conv_parameters(self.weight, None, in_features)

    def forward(self, x: Tensor) -> Tensor:
        check_features(x, self.weight.shape[1], self.weight.dtype)
        norms = _norm(_square(self.weight).sum(1))  # (out_features,)
        weight = _unit(self.weight, norms) if self.unit_weight else self.weight
        y = F.linear(x, weight)
        lengths = _norm(_square(x).sum(-1, keepdim=True))
        if not self.unit_weight:
            lengths = lengths * norms
        return _aligned(y, lengths, self.b, self.is_explaining)


class BcosConv2d(_PaddedConvNd):
    """Convolution scaled by the alignment of patch and kernel: |cos(x, w)|^{B−1} · ŵᵀx.

    Args:
        in_channels, out_channels: channels of the input and of the result.
        kernel_size: one size or one per axis, odd for ``padding="same"``.
        b: exponent B ≥ 1; 1 is the convolution, 2 the usual choice.
        stride, dilation: one or one per axis.
        padding: "same" or elements per side, one or one per axis.
        padding_mode: zeros, circular, replicate or reflect, one or one per axis.
        groups: as in `torch.nn.Conv2d`.
        unit_weight: whether each kernel is divided by its norm.

    Attributes:
        is_explaining: as in `BcosLinear`.

    Shape:
        (B, in_channels, H, W) → (B, out_channels, H', W')

    Raises:
        ValueError: b < 1, even kernel for "same", channels that `groups` does not divide; input
            of another rank, channel count or type.

    Example:
        >>> BcosConv2d(3, 8, kernel_size=3)(torch.zeros(1, 3, 5, 5)).shape
        torch.Size([1, 8, 5, 5])
    """

    spatial_dims = 2

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        *,
        b: float = 2.0,
        stride: int | Sequence[int] = 1,
        padding: str | int | Sequence[int] = "same",
        dilation: int | Sequence[int] = 1,
        padding_mode: str | Sequence[str] = "zeros",
        groups: int = 1,
        unit_weight: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
            padding_mode=padding_mode,
            groups=groups,
            bias=False,
            device=device,
            dtype=dtype,
        )
        self.b = _exponent(b)
        self.unit_weight = unit_weight
        self.is_explaining = False

    def forward(self, x: Tensor) -> Tensor:
        check_feature_map(x, self.in_channels, 2, self.weight.dtype)
        norms = _norm(_square(self.weight).sum((1, 2, 3)))  # (out_channels,)
        weight = _unit(self.weight, norms) if self.unit_weight else self.weight
        y = self._convolve(x, weight, self.groups)
        if self.b == 1:
            return y
        # ‖patch‖² of each group: squares summed over its channels, then over the window
        squares = _square(x).unflatten(1, (self.groups, -1)).sum(2)  # (B, groups, H, W)
        window = squares.new_ones(self.groups, 1, *self.kernel_size)
        with autocast_to(x.device.type, None):
            lengths = _norm(self._convolve(squares, window, self.groups))  # (B, groups, H', W')
        lengths = lengths.repeat_interleave(self.out_channels // self.groups, 1)
        if not self.unit_weight:
            lengths = lengths * norms[:, None, None]
        return _aligned(y, lengths, self.b, self.is_explaining)

    def _convolve(self, x: Tensor, weight: Tensor, groups: int) -> Tensor:
        return padded_conv(
            x,
            weight,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            modes=self.modes,
            groups=groups,
        )


def _exponent(b: float) -> float:
    if b < 1:
        raise ValueError(f"b={b!r}: expected an exponent >= 1")
    return b


def _square(x: Tensor) -> Tensor:
    return at_least_float32(x).square()


def _norm(squares: Tensor) -> Tensor:
    return (squares + _EPS).sqrt()


def _unit(weight: Tensor, norms: Tensor) -> Tensor:
    return (weight / norms.view(-1, *(1 for _ in weight.shape[1:]))).to(weight.dtype)


def _aligned(y: Tensor, lengths: Tensor, b: float, is_explaining: bool) -> Tensor:
    """Return y · |y / lengths|^{B−1}."""
    if b == 1:
        return y
    cosine = y.abs() / lengths
    if b != 2:
        cosine = (cosine + _EPS) ** (b - 1)  # a root has no gradient at 0
    cosine = cosine.to(y.dtype)
    return y * (cosine.detach() if is_explaining else cosine)
