"""Focal and efficient modulation: a context gathered by convolutions multiplies the query.

- Yang, Li, Dai, Gao, "Focal Modulation Networks", 2022, arXiv:2203.11926:
      (q, z⁰, g) = W x,  zˡ = GELU(D_{w+2(l−1)} * zˡ⁻¹),  z^{L+1} = GELU(mean z^L)
      y = W_out (q ⊙ W_h Σ_l g_l ⊙ zˡ)
  The gates are linear (not squashed) and the depthwise kernels grow by 2 and have no bias.
- Ma, Dai, Yang, Xiao, Chen, Fu, Yuan, "Efficient Modulation for Vision Networks", 2024,
  arXiv:2403.19963:
      y = W_out (GELU(W_v x) ⊙ repeat_r(W_g GELU(D_k * W_f x)))

Differs: any number of spatial axes, maps stay channels-first, padding modes per axis; in the
efficient form the context is broadcast over its r copies instead of being repeated in memory.
"""

# B batch, C channel, L focal levels, n size of a spatial axis, r expansion

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from shared_layers.conv.arguments import check_feature_map, check_positive
from shared_layers.conv.depthwise import DepthwiseConv1d, DepthwiseConv2d, DepthwiseConv3d

_CONV: dict[int, Any] = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
_DEPTHWISE: dict[int, Any] = {1: DepthwiseConv1d, 2: DepthwiseConv2d, 3: DepthwiseConv3d}


class FocalModulation(nn.Module):
    """Multiplies each query by a gated sum of contexts from near to global.

    Args:
        dim: channels C.
        focal_window: odd size w of the first kernel; level l has w + 2(l − 1).
        focal_levels: number L ≥ 0 of kernels; with 0 only the global mean is left.
        spatial_dims: number of spatial axes, 1, 2 or 3.
        normalize: whether the sum is divided by its L + 1 terms.
        padding_mode: zeros, circular, replicate or reflect, one or one per axis.

    Shape:
        - input: (B, C, n₁, …)
        - output: the same

    Raises:
        ValueError: an even window, negative levels, a size below 1, an input of another rank or
            width.

    Example:
        >>> FocalModulation(8, spatial_dims=3)(torch.zeros(1, 8, 4, 5, 6)).shape
        torch.Size([1, 8, 4, 5, 6])
    """

    def __init__(
        self,
        dim: int,
        focal_window: int = 3,
        focal_levels: int = 2,
        *,
        spatial_dims: int = 2,
        normalize: bool = False,
        padding_mode: str | Sequence[str] = "zeros",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        _check_dims(spatial_dims)
        check_positive(dim=dim, focal_window=focal_window)
        if focal_window % 2 == 0:
            raise ValueError(f"focal_window={focal_window}: expected an odd integer")
        if focal_levels < 0:
            raise ValueError(f"focal_levels={focal_levels}: expected an integer >= 0")
        factory: dict[str, Any] = {"device": device, "dtype": dtype}
        conv = _CONV[spatial_dims]
        self.dim, self.spatial_dims, self.normalize = dim, spatial_dims, normalize
        self.split = (dim, dim, focal_levels + 1)
        self.project_in = conv(dim, sum(self.split), 1, **factory)
        self.contexts = nn.ModuleList(
            _DEPTHWISE[spatial_dims](
                dim, focal_window + 2 * level, padding_mode=padding_mode, bias=False, **factory
            )
            for level in range(focal_levels)
        )
        self.activation = nn.GELU()
        self.modulator = conv(dim, dim, 1, **factory)
        self.project_out = conv(dim, dim, 1, **factory)

    def forward(self, x: Tensor) -> Tensor:
        check_feature_map(x, self.dim, self.spatial_dims, self.modulator.weight.dtype)
        query, context, gates = self.project_in(x).split(self.split, 1)
        total = torch.zeros_like(context)
        for level, depthwise in enumerate(self.contexts):
            context = self.activation(depthwise(context))
            total = torch.addcmul(total, context, gates[:, level : level + 1])
        everywhere = self.activation(context.mean(tuple(range(2, x.dim())), keepdim=True))
        total = torch.addcmul(total, everywhere, gates[:, -1:])  # (B, C, n₁, …)
        if self.normalize:
            total = total / self.split[2]
        return self.project_out(query * self.modulator(total))


class EfficientModulation(nn.Module):
    """An MLP whose hidden features are multiplied by a convolutional context.

    Args:
        dim: channels C.
        kernel_size: odd size of the depthwise kernel, one integer or one per axis.
        expansion: r, width of the MLP over dim; the context is shared by the r copies.
        spatial_dims: number of spatial axes, 1, 2 or 3.
        padding_mode: zeros, circular, replicate or reflect, one or one per axis.

    Shape:
        - input: (B, C, n₁, …)
        - output: the same

    Raises:
        ValueError: an even kernel, a size below 1, an input of another rank or width.

    Example:
        >>> EfficientModulation(8)(torch.zeros(1, 8, 5, 6)).shape
        torch.Size([1, 8, 5, 6])
    """

    def __init__(
        self,
        dim: int,
        kernel_size: int | Sequence[int] = 7,
        *,
        expansion: int = 4,
        spatial_dims: int = 2,
        padding_mode: str | Sequence[str] = "zeros",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        _check_dims(spatial_dims)
        check_positive(dim=dim, expansion=expansion)
        factory: dict[str, Any] = {"device": device, "dtype": dtype}
        conv = _CONV[spatial_dims]
        self.dim, self.spatial_dims, self.expansion = dim, spatial_dims, expansion
        self.context_in = conv(dim, dim, 1, **factory)
        self.context = _DEPTHWISE[spatial_dims](
            dim, kernel_size, padding_mode=padding_mode, **factory
        )
        self.context_out = conv(dim, dim, 1, **factory)
        self.value = conv(dim, expansion * dim, 1, **factory)
        self.activation = nn.GELU()
        self.project_out = conv(expansion * dim, dim, 1, **factory)

    def forward(self, x: Tensor) -> Tensor:
        check_feature_map(x, self.dim, self.spatial_dims, self.value.weight.dtype)
        context = self.context_out(self.activation(self.context(self.context_in(x))))
        value = self.activation(self.value(x)).unflatten(1, (self.expansion, self.dim))
        modulated = value * context.unsqueeze(1)  # (B, r, C, n₁, …)
        return self.project_out(modulated.flatten(1, 2))


def _check_dims(spatial_dims: int) -> None:
    if spatial_dims not in (1, 2, 3):
        raise ValueError(f"spatial_dims={spatial_dims}: expected 1, 2 or 3")
