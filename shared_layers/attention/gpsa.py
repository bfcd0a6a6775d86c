"""Gated positional self-attention: heads that start as a convolution and may turn into attention.

d'Ascoli, Touvron, Leavitt, Morcos, Biroli, Sagun, "ConViT: Improving Vision Transformers with Soft
Convolutional Inductive Biases", 2021, arXiv:2103.10697:

    A = (1 − σ(λ))·softmax(q kᵀ/√d) + σ(λ)·softmax(v_posᵀ r)
    r = (Δ₁, …, Δ_S, ‖Δ‖²),   Δ = place of the key − place of the query

Differs from the paper: any number of spatial axes and any grid (the official code takes square
grids only). The positional logits are a sum of one term per axis, so their softmax is a product of
one softmax per axis; it is applied to the values axis by axis, exactly, in N·Σnₐ operations instead
of N², and no table of relative positions is kept. The bias of the positional projection is left
out: the softmax cancels it. There is no dropout on the attention weights.
"""

# B batch, C channel, H head, D channel of one head, N = n₁·…·n_S positions, S number of axes

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from shared_layers.conv.arguments import check_divisible, check_feature_map


class GPSA(nn.Module):
    """Self-attention over a map whose heads mix content with a learned position, by a gate.

    Args:
        dim: number of channels C of input and output.
        num_heads: number of heads, a perfect S-th power (9 = 3² for a map, 27 = 3³ for a volume);
            head h starts by looking at offset h of a cube with side num_heads^(1/S).
        spatial_dims: number of spatial axes S, 1, 2 or 3.
        locality_strength: α > 0; the larger, the sharper the heads' first look (10 is one pixel,
            1 puts 32 % of a head's mass there in 2-D).
        gate: first value of λ for every head; σ(λ) is the weight of the position.
        qkv_bias: whether query, key and value have a bias.

    Shape:
        - input: (B, C, n₁, …, n_S), any sizes
        - output: the same

    Raises:
        ValueError: dim not divisible by num_heads, num_heads not an S-th power, locality_strength
            not positive, or an input of another rank or width.

    Example:
        >>> GPSA(36, 9)(torch.zeros(1, 36, 8, 5)).shape
        torch.Size([1, 36, 8, 5])
    """

    def __init__(
        self,
        dim: int,
        num_heads: int,
        *,
        spatial_dims: int = 2,
        locality_strength: float = 1.0,
        gate: float = 1.0,
        qkv_bias: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if spatial_dims not in (1, 2, 3):
            raise ValueError(f"spatial_dims={spatial_dims}: expected 1, 2 or 3")
        side = round(num_heads ** (1 / spatial_dims)) if num_heads > 0 else 0
        if num_heads < 1 or side**spatial_dims != num_heads:
            raise ValueError(
                f"num_heads={num_heads}: expected k^{spatial_dims} for {spatial_dims} spatial axes"
            )
        check_divisible("dim", dim, "num_heads", num_heads)
        if locality_strength <= 0:
            raise ValueError(f"locality_strength={locality_strength}: expected a positive number")
        self.dim, self.num_heads, self.spatial_dims = dim, num_heads, spatial_dims
        self.locality_strength = locality_strength
        factory: dict[str, Any] = {"device": device, "dtype": dtype}
        self.query_key = nn.Linear(dim, 2 * dim, bias=qkv_bias, **factory)
        self.value = nn.Linear(dim, dim, bias=qkv_bias, **factory)
        self.projection = nn.Linear(dim, dim, **factory)
        # v_pos: one weight per axis for Δₐ, the last for ‖Δ‖²
        self.position = nn.Parameter(torch.empty(num_heads, spatial_dims + 1, **factory))
        self.gate = nn.Parameter(torch.full((num_heads,), gate, **factory))
        self.local_init_()

    @torch.no_grad()
    def local_init_(self) -> None:
        """Make every head look at its own offset δ: v_pos = α(2δ, −1), values pass unchanged.

        Up to a constant the logit becomes −α‖Δ − δ‖², which peaks at Δ = δ.
        """
        side = round(self.num_heads ** (1 / self.spatial_dims))
        steps = torch.arange(side, device=self.position.device, dtype=self.position.dtype)
        offsets = torch.cartesian_prod(*[steps - (side - 1) / 2] * self.spatial_dims)
        offsets = offsets.reshape(self.num_heads, self.spatial_dims)
        self.position[:, :-1] = 2 * self.locality_strength * offsets
        self.position[:, -1] = -self.locality_strength
        nn.init.eye_(self.value.weight)
        if self.value.bias is not None:
            nn.init.zeros_(self.value.bias)

    def axis_attention(self, axis: int, size: int) -> Tensor:
        """Return the positional attention along one axis, (H, size, size), rows sum to one."""
        steps = torch.arange(size, device=self.position.device, dtype=self.position.dtype)
        delta = steps - steps.unsqueeze(1)  # (query, key)
        weights = self.position.unsqueeze(-1).unsqueeze(-1)  # (H, S + 1, 1, 1)
        return (weights[:, axis] * delta + weights[:, -1] * delta.square()).softmax(dim=-1)

    def attention(self, x: Tensor) -> Tensor:
        """Return the full attention (B, H, N, N) for a map: to look at, not to compute with."""
        query, key, _, grid = self._project(x)
        content = (query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])).softmax(dim=-1)
        position = self.axis_attention(0, grid[0])
        for axis in range(1, self.spatial_dims):
            step = self.axis_attention(axis, grid[axis])
            position = torch.einsum("hqk,hrl->hqrkl", position, step)
            position = position.flatten(3, 4).flatten(1, 2)
        gate = self.gate.sigmoid().view(-1, 1, 1)
        return (1 - gate) * content + gate * position

    def forward(self, x: Tensor) -> Tensor:
        query, key, value, grid = self._project(x)
        content = F.scaled_dot_product_attention(query, key, value)  # (B, H, N, D)
        position = value.unflatten(2, grid)  # (B, H, n₁, …, n_S, D)
        for axis, size in enumerate(grid):
            attention = self.axis_attention(axis, size).to(value.dtype)  # (H, q, k)
            position = position.movedim(2 + axis, -1)
            position = torch.einsum("bh...k,hqk->bh...q", position, attention)
            position = position.movedim(-1, 2 + axis)
        gate = self.gate.sigmoid().view(-1, 1, 1)
        mixed = (1 - gate) * content + gate * position.flatten(2, -2)  # (B, H, N, D)
        out = self.projection(mixed.transpose(1, 2).flatten(2))  # (B, N, C)
        return out.transpose(1, 2).unflatten(2, grid)

    def _project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, tuple[int, ...]]:
        check_feature_map(x, self.dim, self.spatial_dims, self.projection.weight.dtype)
        tokens = x.flatten(2).transpose(1, 2)  # (B, N, C)
        parts = torch.cat((self.query_key(tokens), self.value(tokens)), dim=-1)
        # (B, N, 3, H, D) -> 3 × (B, H, N, D)
        query, key, value = (
            parts.unflatten(-1, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)
        )
        return query, key, value, tuple(x.shape[2:])
