"""Modern Hopfield network: attention as the retrieval of stored patterns.

Ramsauer, Schäfl, Lehner, Seidl, Widrich, et al., "Hopfield Networks is All You Need", 2020,
arXiv:2008.02217. The update lowers the energy E = −lse(β, Yξ) + ½ξᵀξ and retrieves in one step:

    ξ ← Yᵀ softmax(β Y ξ)

In the layers Y and ξ are linear images of the stored and the state patterns, the update may run
several times, and the last one reads out values instead of keys: one step is attention with scale
β. Differs from the official code: the number of steps is fixed (no early stop, which waits for the
device), no dropout on the weights.
"""

# B batch, L state patterns, S stored patterns, C channel, H head, D channel of one head

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from shared_layers.conv.arguments import check_mask, check_positive, check_sequence


def hopfield_retrieve(
    state: Tensor, stored: Tensor, *, beta: float, num_steps: int = 1, mask: Tensor | None = None
) -> Tensor:
    """Return the state after `num_steps` updates ξ ← softmax(β ξ Yᵀ) Y.

    Args:
        state: (…, L, D)
        stored: (…, S, D)
        beta: inverse temperature β > 0; large retrieves one pattern, small a mean of many.
        num_steps: number of updates, ≥ 0.
        mask: (…, L or 1, S) bool, True where a stored pattern takes part; the others finite.

    Returns:
        (…, L, D)
    """
    for _ in range(num_steps):
        state = F.scaled_dot_product_attention(state, stored, stored, attn_mask=mask, scale=beta)
    return state


class Hopfield(nn.Module):
    """Associates state patterns with stored patterns.

    Args:
        dim: channels of the state patterns and of the output.
        num_heads: number of heads.
        stored_dim: channels of the stored patterns; dim if None.
        head_dim: channels D of one head's association space; dim // num_heads if None.
        beta: inverse temperature; 1/√D (attention) if None.
        num_steps: number of updates, the last reads out the values.
        normalize: whether state and stored patterns pass a LayerNorm first.

    Shape:
        - stored: (B, S, stored_dim)
        - state: (B, L, dim); the stored patterns themselves if None
        - mask: (B, S) bool, True at real stored patterns, at least one per sample; the others
          finite, for 0 times NaN is NaN
        - output: (B, L, dim)

    Raises:
        ValueError: a size below 1, num_heads that does not divide dim (without head_dim), beta not
            positive, shapes or dtypes that do not fit, a sample without a real pattern.

    Example:
        >>> Hopfield(8, 2)(torch.zeros(3, 5, 8)).shape
        torch.Size([3, 5, 8])
    """

    def __init__(
        self,
        dim: int,
        num_heads: int = 1,
        *,
        stored_dim: int | None = None,
        head_dim: int | None = None,
        beta: float | None = None,
        num_steps: int = 1,
        normalize: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_positive(dim=dim, num_heads=num_heads, num_steps=num_steps)
        if head_dim is None and dim % num_heads:
            raise ValueError(f"dim={dim}: expected a multiple of num_heads={num_heads}")
        self.dim, self.num_heads = dim, num_heads
        self.stored_dim = dim if stored_dim is None else stored_dim
        self.head_dim = dim // num_heads if head_dim is None else head_dim
        check_positive(stored_dim=self.stored_dim, head_dim=self.head_dim)
        self.beta = self.head_dim**-0.5 if beta is None else beta
        if self.beta <= 0:
            raise ValueError(f"beta={beta}: expected a positive number")
        self.num_steps = num_steps
        factory: dict[str, Any] = {"device": device, "dtype": dtype}
        inner = num_heads * self.head_dim
        self.state_norm = nn.LayerNorm(dim, **factory) if normalize else nn.Identity()
        self.stored_norm = nn.LayerNorm(self.stored_dim, **factory) if normalize else nn.Identity()
        self.query = nn.Linear(dim, inner, **factory)
        self.key = nn.Linear(self.stored_dim, inner, **factory)
        self.value = nn.Linear(self.stored_dim, inner, **factory)
        self.projection = nn.Linear(inner, dim, **factory)

    def forward(
        self, stored: Tensor, state: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        state = stored if state is None else state
        self._check(stored, state, mask)
        allowed = None if mask is None else mask[:, None, None, :]  # (B, 1, 1, S)
        stored = self.stored_norm(stored)
        query = self._heads(self.query(self.state_norm(state)))  # (B, H, L, D)
        key, value = self._heads(self.key(stored)), self._heads(self.value(stored))
        query = hopfield_retrieve(
            query, key, beta=self.beta, num_steps=self.num_steps - 1, mask=allowed
        )
        out = F.scaled_dot_product_attention(query, key, value, attn_mask=allowed, scale=self.beta)
        return self.projection(out.transpose(1, 2).flatten(2))  # (B, L, dim)

    def _heads(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.num_heads, self.head_dim)).transpose(1, 2)

    def _check(self, stored: Tensor, state: Tensor, mask: Tensor | None) -> None:
        check_sequence(stored, self.stored_dim, self.key.weight.dtype, "stored")
        check_sequence(state, self.dim, self.query.weight.dtype, "state")
        if state.shape[0] != stored.shape[0]:
            raise ValueError(
                f"state has shape {tuple(state.shape)}: expected ({stored.shape[0]}, ·, {self.dim})"
            )
        if mask is None:
            return
        check_mask(mask, stored.shape[:2])
        empty = ~mask.any(dim=1)
        # a check on values would break the graph that torch.compile makes
        if not torch.compiler.is_compiling() and bool(empty.any()):
            raise ValueError(
                f"sample {int(empty.nonzero()[0])}: no real stored pattern, expected at least one"
            )


class HopfieldPooling(nn.Module):
    """Pools a set of any size to `num_queries` vectors by learned state patterns.

    Args:
        dim: channels of the stored patterns and of the output.
        num_queries: number of pooled vectors.
        num_heads, beta, num_steps, normalize: as in `Hopfield`.

    Shape:
        - stored: (B, S, dim), mask: (B, S) bool
        - output: (B, num_queries, dim); the order of the stored patterns plays no role

    Raises:
        ValueError: as `Hopfield`.

    Example:
        >>> HopfieldPooling(8, 2)(torch.zeros(3, 5, 8)).shape
        torch.Size([3, 2, 8])
    """

    def __init__(
        self,
        dim: int,
        num_queries: int = 1,
        *,
        num_heads: int = 1,
        beta: float | None = None,
        num_steps: int = 1,
        normalize: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_positive(num_queries=num_queries)
        factory: dict[str, Any] = {"device": device, "dtype": dtype}
        self.association = Hopfield(
            dim, num_heads, beta=beta, num_steps=num_steps, normalize=normalize, **factory
        )
        self.queries = nn.Parameter(torch.randn(1, num_queries, dim, **factory))

    def forward(self, stored: Tensor, mask: Tensor | None = None) -> Tensor:
        queries = self.queries.expand(stored.shape[0], -1, -1)
        return self.association(stored, queries, mask)
