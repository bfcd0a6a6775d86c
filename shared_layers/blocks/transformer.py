"""Pre-norm transformer block on fused attention.

Vaswani et al., "Attention Is All You Need", 2017, arXiv:1706.03762, with the normalisation before
each part as in Dosovitskiy et al., "An Image is Worth 16x16 Words", 2020, arXiv:2010.11929:

    x ← x + MHSA(LN(x)),   x ← x + W₂ GELU(W₁ LN(x)),   MHSA: softmax(q kᵀ/√d + mask) v

Runs on `torch.nn.functional.scaled_dot_product_attention`. Dropout of the attention weights stops
in evaluation (some published blocks pass its rate on unconditionally). A padded token may see
itself, so that no row is empty and the mask makes no NaN; no real token sees it. What it holds must
be finite: 0 times NaN is NaN.
"""

# B batch, N tokens, C channel, H head, D channel of one head

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from shared_layers.conv.arguments import check_divisible, check_mask, check_positive, check_sequence
from shared_layers.regularizers.drop import DropPath


class TransformerBlock(nn.Module):
    """Multi-head self-attention and an MLP, each behind a LayerNorm and beside a shortcut.

    Args:
        dim: channels C.
        num_heads: number of heads; divides dim.
        expansion: width of the MLP over dim.
        causal: whether a token sees itself and earlier tokens only.
        qkv_bias: whether query, key and value have a bias.
        dropout: share of values dropped behind both parts and inside the MLP, in training.
        attention_dropout: share of attention weights dropped, in training.
        drop_path: probability to leave a part out for a sample, in training.

    Shape:
        - input: (B, N, C)
        - mask: (B, N) bool, True at real tokens, the others finite; all real if None
        - output: (B, N, C)

    Raises:
        ValueError: dim not divisible by num_heads, a size below 1, a share outside [0, 1), shapes
            or types that do not fit.

    Example:
        >>> TransformerBlock(8, 2)(torch.zeros(1, 5, 8)).shape
        torch.Size([1, 5, 8])
    """

    def __init__(
        self,
        dim: int,
        num_heads: int,
        *,
        expansion: int = 4,
        causal: bool = False,
        qkv_bias: bool = True,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        drop_path: float = 0.0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_divisible("dim", dim, "num_heads", num_heads)
        check_positive(dim=dim, expansion=expansion)
        for name, share in (("dropout", dropout), ("attention_dropout", attention_dropout)):
            if not 0 <= share < 1:
                raise ValueError(f"{name}={share}: expected a number in [0, 1)")
        factory: dict[str, Any] = {"device": device, "dtype": dtype}
        self.dim, self.num_heads, self.causal = dim, num_heads, causal
        self.attention_dropout = attention_dropout
        self.norm1 = nn.LayerNorm(dim, **factory)
        self.qkv = nn.Linear(dim, 3 * dim, bias=qkv_bias, **factory)
        self.projection = nn.Linear(dim, dim, **factory)
        self.norm2 = nn.LayerNorm(dim, **factory)
        self.mlp = nn.Sequential(
            nn.Linear(dim, expansion * dim, **factory),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(expansion * dim, dim, **factory),
        )
        self.dropout = nn.Dropout(dropout)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        check_sequence(x, self.dim, self.qkv.weight.dtype)
        if mask is not None:
            check_mask(mask, x.shape[:2])
        x = x + self.drop_path(self.dropout(self._attend(self.norm1(x), mask)))
        return x + self.drop_path(self.dropout(self.mlp(self.norm2(x))))

    def _attend(self, x: Tensor, mask: Tensor | None) -> Tensor:
        qkv = self.qkv(x).unflatten(-1, (3, self.num_heads, -1))  # (B, N, 3, H, D)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)  # (B, H, N, D)
        allowed = None if mask is None else self._allowed(mask)
        out = F.scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask=allowed,
            dropout_p=self.attention_dropout if self.training else 0.0,
            is_causal=self.causal and allowed is None,
        )
        return self.projection(out.transpose(1, 2).flatten(2))

    def _allowed(self, mask: Tensor) -> Tensor:
        """Return which key each query may see, (B, 1, N, N) bool."""
        num_tokens = mask.shape[1]
        allowed = mask.unsqueeze(1) | torch.eye(num_tokens, dtype=torch.bool, device=mask.device)
        if self.causal:
            allowed = allowed.tril()
        return allowed.unsqueeze(1)
