"""Layer normalisations over channels, over heads, and over a map's responses.

- Liu et al., "A ConvNet for the 2020s" (2022, arXiv:2201.03545): `ChannelLayerNorm`,
  y = γ_c (x − mean_c) / √(var_c + ε) + β_c at each place of a channels-first map.
- Woo et al., "ConvNeXt V2" (2023, arXiv:2301.00808), used by UniRepLKNet: `GlobalResponseNorm`,
  y = γ_c · x_c · N_c + β_c + x_c, N_c = ‖x_c‖ / (mean_c ‖x_c‖ + ε), the norm over space.
- Beck et al., "xLSTM" (2024, arXiv:2405.04517): `MultiHeadLayerNorm`, the layer norm of each head
  on its own. Differs: the gain γ starts at 1 instead of being stored as 1 + w from w = 0 (equal
  but for weight decay, which should leave both alone).
"""

# B batch, C channels, S a spatial axis

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from shared_layers.conv.arguments import (
    check_channels,
    check_divisible,
    check_features,
    check_positive,
)


class ChannelLayerNorm(nn.Module):
    """Layer normalisation over the channels of a channels-first map, at each place.

    Args:
        num_channels: channels C.
        eps: added to the variance.
        bias: whether an offset is learned beside the gain.

    Shape:
        (B, C, S…) → (B, C, S…), with any number of spatial axes

    Raises:
        ValueError: fewer than one channel; input of another channel count or type.

    Example:
        >>> ChannelLayerNorm(8)(torch.zeros(1, 8, 4, 4)).shape
        torch.Size([1, 8, 4, 4])
    """

    def __init__(
        self,
        num_channels: int,
        eps: float = 1e-6,
        *,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_positive(num_channels=num_channels)
        self.num_channels, self.eps = num_channels, eps
        self.weight = nn.Parameter(torch.ones(num_channels, device=device, dtype=dtype))
        self.bias = (
            nn.Parameter(torch.zeros(num_channels, device=device, dtype=dtype)) if bias else None
        )

    def forward(self, x: Tensor) -> Tensor:
        check_channels(x, self.num_channels, self.weight.dtype)
        # free for channels_last maps, whose channels lie together
        last = x.movedim(1, -1)  # (B, S…, C)
        y = F.layer_norm(last, (self.num_channels,), self.weight, self.bias, self.eps)
        return y.movedim(-1, 1)

    def extra_repr(self) -> str:
        return f"{self.num_channels}, eps={self.eps}"


class GlobalResponseNorm(nn.Module):
    """Contrast between channels: each is scaled by its share of the map's response.

    Starts as the identity (γ = β = 0).

    Args:
        num_channels: channels C.
        eps: added to the mean response.

    Shape:
        (B, C, S…) → (B, C, S…), with one or more spatial axes

    Raises:
        ValueError: fewer than one channel; input without a spatial axis, of another channel count
            or type.

    Example:
        >>> x = torch.randn(1, 8, 4, 4)
        >>> torch.equal(GlobalResponseNorm(8)(x), x)
        True
    """

    def __init__(
        self,
        num_channels: int,
        eps: float = 1e-6,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_positive(num_channels=num_channels)
        self.num_channels, self.eps = num_channels, eps
        self.weight = nn.Parameter(torch.zeros(num_channels, device=device, dtype=dtype))
        self.bias = nn.Parameter(torch.zeros(num_channels, device=device, dtype=dtype))

    def forward(self, x: Tensor) -> Tensor:
        check_channels(x, self.num_channels, self.weight.dtype, min_dims=3)
        space = tuple(range(2, x.dim()))
        response = torch.linalg.vector_norm(x, dim=space, keepdim=True)  # (B, C, 1…)
        share = response / (response.mean(1, keepdim=True) + self.eps)
        weight, bias = (p.view(-1, *(1 for _ in space)) for p in (self.weight, self.bias))
        return torch.addcmul(x + bias, x, weight * share)

    def extra_repr(self) -> str:
        return f"{self.num_channels}, eps={self.eps}"


class MultiHeadLayerNorm(nn.Module):
    """Layer normalisation of each head of a token on its own.

    Args:
        num_heads: heads into which the features fall.
        num_features: features of a token, all heads together; a multiple of `num_heads`.
        eps: added to the variance.
        bias: whether an offset is learned beside the gain.

    Shape:
        (…, num_features) → (…, num_features)

    Raises:
        ValueError: features that the heads do not divide; input whose last axis is not
            `num_features`, or of another type.

    Example:
        >>> MultiHeadLayerNorm(2, 8)(torch.zeros(1, 5, 8)).shape
        torch.Size([1, 5, 8])
    """

    def __init__(
        self,
        num_heads: int,
        num_features: int,
        eps: float = 1e-5,
        *,
        bias: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_positive(num_heads=num_heads, num_features=num_features)
        check_divisible("num_features", num_features, "num_heads", num_heads)
        self.num_heads, self.num_features, self.eps = num_heads, num_features, eps
        self.weight = nn.Parameter(torch.ones(num_features, device=device, dtype=dtype))
        self.bias = (
            nn.Parameter(torch.zeros(num_features, device=device, dtype=dtype)) if bias else None
        )

    def forward(self, x: Tensor) -> Tensor:
        check_features(x, self.num_features, self.weight.dtype)
        heads = x.unflatten(-1, (self.num_heads, -1))  # (…, heads, head features)
        y = F.layer_norm(heads, heads.shape[-1:], eps=self.eps).flatten(-2) * self.weight
        return y if self.bias is None else y + self.bias

    def extra_repr(self) -> str:
        return f"{self.num_heads}, {self.num_features}, eps={self.eps}"
