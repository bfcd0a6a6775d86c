"""A large kernel trained beside dilated small ones and merged with them afterwards.

X. Ding, Y. Zhang, Y. Ge, S. Zhao, L. Song, X. Yue, Y. Shan, "UniRepLKNet" (2023,
arXiv:2311.15599), the dilated re-parameterisation block:

    y = BN₀(W₀ * x) + Σᵣ BN_r(W_r *_r x)  =  W * x + b.

A kernel at dilation r is one with r − 1 zeros between its taps, and a batch normalisation at rest
is a gain and an offset: the sum is one convolution exactly. Differs from the authors' code: the
merge is summed in float64 for every type of weight, and each axis may have its padding mode.
"""

# B batch, C channels, k kernel, H height, W width

from collections.abc import Sequence
from typing import Self, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .arguments import check_feature_map, check_positive
from .depthwise import DepthwiseConv2d

# (kernel, dilation) of the small branches of each large kernel: authors' code
DILATED_BRANCHES = {
    5: ((3, 1), (3, 2)),
    7: ((5, 1), (3, 2), (3, 3)),
    9: ((5, 1), (5, 2), (3, 3), (3, 4)),
    11: ((5, 1), (5, 2), (3, 3), (3, 4), (3, 5)),
    13: ((5, 1), (7, 2), (3, 3), (3, 4), (3, 5)),
    15: ((5, 1), (7, 2), (3, 3), (3, 5), (3, 7)),
    17: ((5, 1), (9, 2), (3, 4), (3, 5), (3, 7)),
}

_BatchNorm = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d


def fuse_conv_bn(weight: Tensor, bias: Tensor | None, norm: _BatchNorm) -> tuple[Tensor, Tensor]:
    """Return kernel and bias of the convolution that equals a convolution and a resting `norm`.

    W' = γ W / √(σ² + ε),  b' = γ (b − μ) / √(σ² + ε) + β, computed in the type of `weight`.

    Args:
        weight: (C_out, C_in / groups, k…)
        bias: (C_out), or None.
        norm: batch normalisation of C_out channels that keeps running statistics.

    Returns:
        kernel (C_out, C_in / groups, k…), bias (C_out)

    Raises:
        ValueError: a `norm` without running statistics, or of another number of channels.
    """
    if norm.running_mean is None or norm.running_var is None:
        raise ValueError("norm has track_running_stats=False: expected one with statistics to fuse")
    if norm.num_features != weight.shape[0]:
        raise ValueError(
            f"norm has num_features={norm.num_features}: expected {weight.shape[0]}, the output "
            "channels of the weight"
        )
    gain = (norm.running_var.to(weight) + norm.eps).rsqrt()
    gain = gain if norm.weight is None else gain * norm.weight.to(weight)
    offset = -norm.running_mean.to(weight) if bias is None else bias - norm.running_mean.to(weight)
    offset = offset * gain
    offset = offset if norm.bias is None else offset + norm.bias.to(weight)
    return weight * gain.view(-1, *(1 for _ in weight.shape[1:])), offset


def dilate_kernel(weight: Tensor, dilation: int | Sequence[int]) -> Tensor:
    """Return the kernel which without dilation does what `weight` does with it.

    Args:
        weight: (C_out, C_in / groups, k…)
        dilation: r, one or one per kernel axis.

    Returns:
        (C_out, C_in / groups, r·(k − 1) + 1 …), zero between the taps

    Raises:
        ValueError: a dilation below 1 or of another count.
    """
    kernel = weight.shape[2:]
    rates = (dilation,) * len(kernel) if isinstance(dilation, int) else tuple(dilation)
    if len(rates) != len(kernel) or any(r < 1 for r in rates):
        raise ValueError(
            f"dilation={dilation!r}: expected an integer >= 1, or {len(kernel)} of them"
        )
    sizes = [r * (k - 1) + 1 for r, k in zip(rates, kernel, strict=True)]
    dilated = weight.new_zeros(*weight.shape[:2], *sizes)
    dilated[(slice(None), slice(None), *(slice(None, None, r) for r in rates))] = weight
    return dilated


class DilatedReparamConv2d(nn.Module):
    """Large depthwise convolution, trained as a sum of branches and used as one kernel.

    Args:
        channels: channels C.
        kernel_size: 5, 7, 9, 11, 13, 15 or 17; sets the small branches.
        padding_mode: zeros, circular, replicate or reflect, one or one per axis.
        is_merged: whether to build the merged form at once, to load merged weights into.

    Shape:
        (B, C, H, W) → (B, C, H, W)

    Raises:
        ValueError: another kernel size; input of another rank, channel count or type.

    Example:
        >>> layer = DilatedReparamConv2d(4, 7).eval()
        >>> x = torch.randn(1, 4, 9, 9)
        >>> before = layer(x)
        >>> torch.allclose(layer.merge_()(x), before, atol=1e-5)
        True
    """

    def __init__(
        self,
        channels: int,
        kernel_size: int = 17,
        *,
        padding_mode: str | Sequence[str] = "zeros",
        is_merged: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_positive(channels=channels)
        if kernel_size not in DILATED_BRANCHES:
            raise ValueError(
                f"kernel_size={kernel_size!r}: expected one of {sorted(DILATED_BRANCHES)}"
            )
        self.channels, self.kernel_size = channels, kernel_size
        self.padding_mode, self.is_merged = padding_mode, is_merged

        def conv(kernel: int, rate: int, bias: bool) -> DepthwiseConv2d:
            return DepthwiseConv2d(
                channels,
                kernel,
                dilation=rate,
                padding_mode=padding_mode,
                bias=bias,
                device=device,
                dtype=dtype,
            )

        self.conv = conv(kernel_size, 1, bias=is_merged)
        branches = () if is_merged else DILATED_BRANCHES[kernel_size]
        self.branches = nn.ModuleList(conv(kernel, rate, bias=False) for kernel, rate in branches)
        num_norms = 0 if is_merged else 1 + len(branches)  # the first one follows `conv`
        self.norms = nn.ModuleList(
            nn.BatchNorm2d(channels, device=device, dtype=dtype) for _ in range(num_norms)
        )

    def forward(self, x: Tensor) -> Tensor:
        check_feature_map(x, self.channels, 2, self.conv.weight.dtype)
        if self.is_merged:
            return self.conv(x)
        y = self.norms[0](self.conv(x))
        for branch, norm in zip(self.branches, self.norms[1:], strict=True):
            y = y + norm(branch(x))
        return y

    @torch.no_grad()
    def merged_kernel(self) -> tuple[Tensor, Tensor]:
        """Return kernel (C, 1, k, k) and bias (C) of the one convolution, in float64."""
        convs = (self.conv, *self.branches)
        rates = (1, *(rate for _, rate in DILATED_BRANCHES[self.kernel_size]))
        kernel = torch.zeros_like(self.conv.weight, dtype=torch.float64)
        bias = kernel.new_zeros(self.channels)
        for conv, norm, rate in zip(convs, self.norms, rates, strict=True):
            weight, offset = fuse_conv_bn(conv.weight.double(), None, cast(nn.BatchNorm2d, norm))
            weight = dilate_kernel(weight, rate)
            margin = (self.kernel_size - weight.shape[-1]) // 2
            kernel += F.pad(weight, (margin,) * 4)
            bias += offset
        return kernel, bias

    @torch.no_grad()
    def merge_(self) -> Self:
        """Replace the branches by the one convolution that equals them at rest; return self."""
        if self.is_merged:
            return self
        kernel, bias = self.merged_kernel()
        merged = DilatedReparamConv2d(
            self.channels,
            self.kernel_size,
            padding_mode=self.padding_mode,
            is_merged=True,
            device=self.conv.weight.device,
            dtype=self.conv.weight.dtype,
        )
        merged.conv.weight.copy_(kernel)
        assert merged.conv.bias is not None
        merged.conv.bias.copy_(bias)
        self.conv, self.branches, self.norms = merged.conv, merged.branches, merged.norms
        self.is_merged = True
        return self
