"""Attention gate on a skip connection, driven by the coarser features below it.

Schlemper, Oktay et al., "Attention Gated Networks: Learning to Leverage Salient Regions in Medical
Images", 2018, arXiv:1808.08114, in the contextual form of Tabassian, Akbari, Queirós, D'hooge,
"Deep Spatiotemporal Clutter Filtering of Transthoracic Echocardiographic Images: Leveraging
Contextual Attention and Residual Learning", 2024, arXiv:2401.13147 (θ looks at a 3³ neighbourhood,
the time axis keeps its length):

    α = σ(ψ·ReLU(θ * x + φ·g)),   y = up(α)·x

x is the skip, g the gate, θ a strided k³ convolution, φ and ψ are pointwise, `up` repeats each
value (nearest). Differs: θ has no bias, since φ's is added to the same sum; sizes that the stride
does not divide are taken (the last cell is cut), for any number of axes.
"""

# B batch, C channels of the skip, G channels of the gate, S number of axes, n size of an axis

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from shared_layers.conv.arguments import check_dtype, check_feature_map, check_positive
from shared_layers.conv.padding import per_axis, same_padding

_CONV: dict[int, Any] = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}


class _AttentionGateNd(nn.Module):
    """Weights a skip connection by one learned factor in (0, 1) per place.

    Args:
        skip_channels: channels C of the skip.
        gate_channels: channels G of the coarser features.
        stride: how many places of the skip one place of the gate covers, one integer or one per
            axis; (2, 2, 1) leaves the last axis at full resolution.
        inter_channels: channels in which the two meet; C // 2 if None.
        kernel_size: odd size of θ, one integer or one per axis.

    Shape:
        - skip: (B, C, n₁, …, n_S)
        - gate: (B, G, ⌈n₁/stride₁⌉, …, ⌈n_S/stride_S⌉)
        - output: (B, C, n₁, …, n_S)

    Raises:
        ValueError: an even kernel, a wrong count of strides, inter_channels below 1; skip and gate
            of other shapes, or of another type than the weights.
    """

    _spatial_dims: int

    def __init__(
        self,
        skip_channels: int,
        gate_channels: int,
        *,
        stride: int | Sequence[int] = 2,
        inter_channels: int | None = None,
        kernel_size: int | Sequence[int] = 3,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_positive(skip_channels=skip_channels, gate_channels=gate_channels)
        inter = skip_channels // 2 if inter_channels is None else inter_channels
        check_positive(inter_channels=inter)
        factory: dict[str, Any] = {"device": device, "dtype": dtype}
        self.skip_channels, self.gate_channels = skip_channels, gate_channels
        self.stride = per_axis(stride, self._spatial_dims, "stride")
        kernel = per_axis(kernel_size, self._spatial_dims, "kernel_size")
        padding = same_padding(kernel, (1,) * self._spatial_dims)
        conv = _CONV[self._spatial_dims]
        self.theta = conv(skip_channels, inter, kernel, self.stride, padding, bias=False, **factory)
        self.phi = conv(gate_channels, inter, 1, **factory)
        self.psi = conv(inter, 1, 1, **factory)

    def coefficients(self, skip: Tensor, gate: Tensor) -> Tensor:
        """Return the factor of each place of the skip, (B, 1, n₁, …, n_S), in (0, 1)."""
        self._check(skip, gate)
        alpha = self.psi((self.theta(skip) + self.phi(gate)).relu()).sigmoid()
        for axis, (stride, size) in enumerate(zip(self.stride, skip.shape[2:], strict=True), 2):
            alpha = alpha.repeat_interleave(stride, axis).narrow(axis, 0, size)
        return alpha

    def forward(self, skip: Tensor, gate: Tensor) -> Tensor:
        return skip * self.coefficients(skip, gate)

    def _check(self, skip: Tensor, gate: Tensor) -> None:
        dtype = self.theta.weight.dtype
        check_feature_map(skip, self.skip_channels, self._spatial_dims, dtype, "skip")
        coarse = (-(-n // s) for n, s in zip(skip.shape[2:], self.stride, strict=True))
        expected = (skip.shape[0], self.gate_channels, *coarse)
        if tuple(gate.shape) != expected:
            raise ValueError(f"gate has shape {tuple(gate.shape)}: expected {expected}")
        check_dtype(gate, dtype, "gate")


class AttentionGate1d(_AttentionGateNd):
    __doc__ = _AttentionGateNd.__doc__
    _spatial_dims = 1


class AttentionGate2d(_AttentionGateNd):
    __doc__ = _AttentionGateNd.__doc__
    _spatial_dims = 2


class AttentionGate3d(_AttentionGateNd):
    __doc__ = _AttentionGateNd.__doc__
    _spatial_dims = 3
