"""ConvNeXt and InceptionNeXt blocks: depthwise mixing of space, then a pointwise MLP.

- Liu, Mao, Wu, Feichtenhofer, Darrell, Xie, "A ConvNet for the 2020s", 2022, arXiv:2201.03545;
  with `response_norm` its second version, Woo et al., "ConvNeXt V2", 2023, arXiv:2301.00808:
      y = x + γ ⊙ W₂ GRN(GELU(W₁ LN(D₇ * x)))      (no GRN in the first version)
- Yu, Zhou, Yan, Wang, "InceptionNeXt: When Inception Meets ConvNeXt", 2023, arXiv:2303.16900:
      y = x + γ ⊙ W₂ GELU(W₁ BN(inception(x)))

Differs: any number of spatial axes (ConvNeXt), a padding mode for each axis (a globe wraps in
longitude only), and maps stay channels-first, with 1 × 1 convolutions in place of linear layers.
"""

# B batch, C channel, n size of a spatial axis

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from shared_layers.conv.arguments import check_feature_map, check_positive
from shared_layers.conv.depthwise import DepthwiseConv1d, DepthwiseConv2d, DepthwiseConv3d
from shared_layers.conv.inception import InceptionDWConv2d
from shared_layers.norm.layer_norm import ChannelLayerNorm, GlobalResponseNorm
from shared_layers.regularizers.drop import DropPath

_CONV: dict[int, Any] = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
_DEPTHWISE: dict[int, Any] = {1: DepthwiseConv1d, 2: DepthwiseConv2d, 3: DepthwiseConv3d}


class ConvNeXtBlock(nn.Module):
    """Residual block: depthwise convolution, LayerNorm, pointwise MLP.

    Args:
        dim: channels C.
        spatial_dims: number of spatial axes, 1, 2 or 3.
        kernel_size: odd size of the depthwise kernel, one integer or one per axis.
        expansion: width of the MLP over dim.
        layer_scale: first value of γ; no γ if None.
        drop_path: probability to leave the block out for a sample, in training.
        response_norm: whether the MLP has the GRN of the second version (which has no γ).
        padding_mode: zeros, circular, replicate or reflect, one or one per axis.

    Shape:
        - input: (B, C, n₁, …)
        - output: the same

    Raises:
        ValueError: an even kernel, a size below 1, an input of another rank or width.

    Example:
        >>> ConvNeXtBlock(8, padding_mode=("replicate", "circular"))(torch.zeros(1, 8, 7, 9)).shape
        torch.Size([1, 8, 7, 9])
    """

    def __init__(
        self,
        dim: int,
        *,
        spatial_dims: int = 2,
        kernel_size: int | Sequence[int] = 7,
        expansion: int = 4,
        layer_scale: float | None = 1e-6,
        drop_path: float = 0.0,
        response_norm: bool = False,
        padding_mode: str | Sequence[str] = "zeros",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if spatial_dims not in (1, 2, 3):
            raise ValueError(f"spatial_dims={spatial_dims}: expected 1, 2 or 3")
        check_positive(dim=dim, expansion=expansion)
        factory: dict[str, Any] = {"device": device, "dtype": dtype}
        self.dim, self.spatial_dims = dim, spatial_dims
        self.depthwise = _DEPTHWISE[spatial_dims](
            dim, kernel_size, padding_mode=padding_mode, **factory
        )
        self.norm = ChannelLayerNorm(dim, **factory)
        self.expand = _CONV[spatial_dims](dim, expansion * dim, 1, **factory)
        self.activation = nn.GELU()
        self.response_norm = (
            GlobalResponseNorm(expansion * dim, **factory) if response_norm else nn.Identity()
        )
        self.reduce = _CONV[spatial_dims](expansion * dim, dim, 1, **factory)
        self.scale = _layer_scale(dim, layer_scale, factory)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        check_feature_map(x, self.dim, self.spatial_dims, self.expand.weight.dtype)
        y = self.norm(self.depthwise(x))
        y = self.reduce(self.response_norm(self.activation(self.expand(y))))
        return x + self.drop_path(_scaled(y, self.scale))


class InceptionNeXtBlock(nn.Module):
    """Residual block: inception depthwise convolution, BatchNorm, pointwise MLP.

    Args:
        dim: channels C; branch_ratio of them must be at least one.
        square_kernel_size, band_kernel_size, branch_ratio: as in `InceptionDWConv2d`.
        expansion, layer_scale, drop_path, padding_mode: as in `ConvNeXtBlock`.
        norm: makes the normalisation from a channel count; BatchNorm as in the paper, another one
            (`lambda channels: nn.GroupNorm(8, channels)`) for small batches.

    Shape:
        - input: (B, C, H, W)
        - output: the same

    Raises:
        ValueError: as `InceptionDWConv2d`, or a size below 1.

    Example:
        >>> InceptionNeXtBlock(16)(torch.zeros(2, 16, 7, 9)).shape
        torch.Size([2, 16, 7, 9])
    """

    def __init__(
        self,
        dim: int,
        *,
        square_kernel_size: int = 3,
        band_kernel_size: int = 11,
        branch_ratio: float = 0.125,
        expansion: int = 4,
        layer_scale: float | None = 1e-6,
        drop_path: float = 0.0,
        norm: Callable[[int], nn.Module] | None = None,
        padding_mode: str | Sequence[str] = "zeros",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_positive(dim=dim, expansion=expansion)
        factory: dict[str, Any] = {"device": device, "dtype": dtype}
        self.inception = InceptionDWConv2d(
            dim,
            square_kernel_size,
            band_kernel_size,
            branch_ratio,
            padding_mode=padding_mode,
            **factory,
        )
        self.norm = nn.BatchNorm2d(dim, **factory) if norm is None else norm(dim)
        self.expand = nn.Conv2d(dim, expansion * dim, 1, **factory)
        self.activation = nn.GELU()
        self.reduce = nn.Conv2d(expansion * dim, dim, 1, **factory)
        self.scale = _layer_scale(dim, layer_scale, factory)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.inception(x))
        y = self.reduce(self.activation(self.expand(y)))
        return x + self.drop_path(_scaled(y, self.scale))


def _layer_scale(dim: int, value: float | None, factory: dict[str, Any]) -> nn.Parameter | None:
    return None if value is None else nn.Parameter(torch.full((dim,), value, **factory))


def _scaled(y: Tensor, scale: Tensor | None) -> Tensor:
    return y if scale is None else y * scale.view(-1, *(1 for _ in y.shape[2:]))
