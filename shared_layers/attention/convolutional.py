"""Attention whose query, key and value come from convolutions, and a convolutional embedding.

Wu, Xiao, Codella, Liu, Dai, Yuan, Zhang, "CvT: Introducing Convolutions to Vision Transformers",
2021, arXiv:2103.15808:

    q, k, v = W_{q,k,v} · flatten(norm(D * x)),   D depthwise, strided for k and v
    y = W_out softmax(s·q kᵀ) v

Differs: the scale s is an argument and is 1/√(channels of a head) if not given, where the official
code takes 1/√(all channels); the normalisation behind the depthwise convolution is an argument
(BatchNorm in the paper, which small batches do not bear); any number of spatial axes and strides
per axis, in the attention padding modes per axis; there is no class token. The embedding pads
(k − 1)/2 zeros at each end: 3 for a kernel of 7, where Hugging Face's `CvtConfig` pads 2.
"""

# B batch, C channel, H head, D channel of one head, N queries, M keys, n size of a spatial axis

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from shared_layers.conv.arguments import check_divisible, check_feature_map, check_positive
from shared_layers.conv.depthwise import DepthwiseConv1d, DepthwiseConv2d, DepthwiseConv3d
from shared_layers.conv.padding import per_axis, same_padding
from shared_layers.norm.layer_norm import ChannelLayerNorm

_CONV: dict[int, Any] = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
_DEPTHWISE: dict[int, Any] = {1: DepthwiseConv1d, 2: DepthwiseConv2d, 3: DepthwiseConv3d}
_BATCH_NORM: dict[int, Any] = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}


class ConvProjectionAttention(nn.Module):
    """Multi-head self-attention over a map, projected by depthwise convolutions.

    Args:
        dim: channels C.
        num_heads: number of heads; divides dim.
        kernel_size: odd size of the depthwise kernels, one integer or one per axis; 1 with stride 1
            leaves convolution and normalisation out, which is plain self-attention.
        stride_kv: stride of key and value, one integer or one per axis; 2 quarters the keys of a
            2-D map.
        spatial_dims: number of spatial axes, 1, 2 or 3.
        scale: factor s of the logits; (C / num_heads)^−½ if None.
        norm: makes the normalisation from a channel count; BatchNorm if None.
        qkv_bias: whether query, key and value have a bias.
        padding_mode: zeros, circular, replicate or reflect, one or one per axis.

    Shape:
        - input: (B, C, n₁, …)
        - output: the same

    Raises:
        ValueError: dim not divisible by num_heads, an even kernel, a stride below 1, an input of
            another rank or width.

    Example:
        >>> ConvProjectionAttention(16, 4)(torch.zeros(2, 16, 7, 5)).shape
        torch.Size([2, 16, 7, 5])
    """

    def __init__(
        self,
        dim: int,
        num_heads: int,
        *,
        kernel_size: int | Sequence[int] = 3,
        stride_kv: int | Sequence[int] = 2,
        spatial_dims: int = 2,
        scale: float | None = None,
        norm: Callable[[int], nn.Module] | None = None,
        qkv_bias: bool = True,
        padding_mode: str | Sequence[str] = "zeros",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        _check_dims(spatial_dims)
        check_divisible("dim", dim, "num_heads", num_heads)
        factory: dict[str, Any] = {"device": device, "dtype": dtype}
        self.dim, self.num_heads, self.spatial_dims = dim, num_heads, spatial_dims
        self.scale = (dim // num_heads) ** -0.5 if scale is None else scale
        kernel = per_axis(kernel_size, spatial_dims, "kernel_size")
        strides = per_axis(stride_kv, spatial_dims, "stride_kv")

        def convolution(stride: tuple[int, ...]) -> nn.Module:
            if set(kernel) == {1} and set(stride) == {1}:
                return nn.Identity()
            depthwise = _DEPTHWISE[spatial_dims](
                dim, kernel, stride=stride, padding_mode=padding_mode, bias=False, **factory
            )
            made = _BATCH_NORM[spatial_dims](dim, **factory) if norm is None else norm(dim)
            return nn.Sequential(depthwise, made)

        self.query_conv = convolution((1,) * spatial_dims)
        self.key_conv, self.value_conv = convolution(strides), convolution(strides)
        self.query = nn.Linear(dim, dim, bias=qkv_bias, **factory)
        self.key = nn.Linear(dim, dim, bias=qkv_bias, **factory)
        self.value = nn.Linear(dim, dim, bias=qkv_bias, **factory)
        self.projection = nn.Linear(dim, dim, **factory)

    def forward(self, x: Tensor) -> Tensor:
        check_feature_map(x, self.dim, self.spatial_dims, self.projection.weight.dtype)
        query = self._heads(self.query, self.query_conv(x))  # (B, H, N, D)
        key = self._heads(self.key, self.key_conv(x))  # (B, H, M, D)
        value = self._heads(self.value, self.value_conv(x))
        out = F.scaled_dot_product_attention(query, key, value, scale=self.scale)
        out = self.projection(out.transpose(1, 2).flatten(2))  # (B, N, C)
        return out.mT.unflatten(2, x.shape[2:])

    def _heads(self, linear: nn.Linear, x: Tensor) -> Tensor:
        tokens = linear(x.flatten(2).mT)
        return tokens.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)


class ConvTokenEmbed(nn.Module):
    """Turns a map into a coarser map of normalised tokens, by an overlapping convolution.

    Args:
        in_channels: channels of the input.
        dim: channels of a token.
        kernel_size: odd size, one integer or one per axis (7, then 3 in the paper).
        stride: one integer or one per axis (4, then 2 in the paper).
        spatial_dims: number of spatial axes, 1, 2 or 3.

    Shape:
        - input: (B, in_channels, n₁, …)
        - output: (B, dim, ⌈n₁/stride₁⌉, …)

    Raises:
        ValueError: an even kernel, a size below 1, an input of another rank or width.

    Example:
        >>> ConvTokenEmbed(3, 16)(torch.zeros(1, 3, 32, 21)).shape
        torch.Size([1, 16, 8, 6])
    """

    def __init__(
        self,
        in_channels: int,
        dim: int,
        kernel_size: int | Sequence[int] = 7,
        stride: int | Sequence[int] = 4,
        *,
        spatial_dims: int = 2,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        _check_dims(spatial_dims)
        check_positive(in_channels=in_channels, dim=dim)
        kernel = per_axis(kernel_size, spatial_dims, "kernel_size")
        padding = same_padding(kernel, (1,) * spatial_dims)
        strides = per_axis(stride, spatial_dims, "stride")
        factory: dict[str, Any] = {"device": device, "dtype": dtype}
        self.in_channels, self.spatial_dims = in_channels, spatial_dims
        self.conv = _CONV[spatial_dims](in_channels, dim, kernel, strides, padding, **factory)
        self.norm = ChannelLayerNorm(dim, eps=1e-5, **factory)

    def forward(self, x: Tensor) -> Tensor:
        check_feature_map(x, self.in_channels, self.spatial_dims, self.conv.weight.dtype)
        return self.norm(self.conv(x))


def _check_dims(spatial_dims: int) -> None:
    if spatial_dims not in (1, 2, 3):
        raise ValueError(f"spatial_dims={spatial_dims}: expected 1, 2 or 3")
