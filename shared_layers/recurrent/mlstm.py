"""The matrix LSTM cell as a layer: gates, heads, the recurrence, and the norm of each head.

M. Beck et al., "xLSTM: Extended Long Short-Term Memory", NeurIPS 2024, arXiv:2405.04517:
C_t = σ(f_t) C_{t-1} + e^{i_t} k_t v_tᵀ,  h_t = C_tᵀ q̃_t / max(|n_tᵀ q̃_t|, 1).
The three forms of the recurrence are in ``shared_layers.ops.mlstm``; training uses the chunkwise
one.  Written from the paper's formulas.  What differs: the cell knows its direction, and the
state of a stream is a value that goes in and comes out.  The recurrence and the norm run in float32
at least.

Legend: B batch, S step, C feature, H head, D feature of a head.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from shared_layers.conv.arguments import check_divisible, check_positive, check_sequence
from shared_layers.ops.mlstm import (
    MLSTMState,
    mlstm_chunkwise,
    mlstm_parallel,
    mlstm_recurrent,
)
from shared_layers.ops.precision import at_least_float32

__all__ = ["MLSTMCell", "MLSTMState", "mlstm_chunkwise", "mlstm_parallel", "mlstm_recurrent"]


class MLSTMCell(nn.Module):
    """Gated matrix memory over a sequence, queries, keys and values given.

    Both gates are linear in (q, k, v). They start as the paper has them: weights 0, input bias
    N(0, 0.1), forget bias from 3 to 6 over the heads. The output of each head is normalised on its
    own (mean 0, variance 1, times 1 + weight).

    Args:
        num_features: C, divisible by ``num_heads``.
        num_heads: H.
        is_reversed: run from the last step to the first.
        chunk_size: steps per chunk of the recurrence.
        eps: of the recurrence's denominator.
        device, dtype: of the parameters.

    Shape:
        q, k, v (B, S, C) -> (B, S, C)

    Raises:
        ValueError: features not divisible by heads; in ``forward`` other shapes or types.

    Example::

        >>> x = torch.randn(2, 100, 32)
        >>> MLSTMCell(32, 4)(x, x, x).shape
        torch.Size([2, 100, 32])
    """

    def __init__(
        self,
        num_features: int,
        num_heads: int,
        *,
        is_reversed: bool = False,
        chunk_size: int = 64,
        eps: float = 1e-6,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_positive(num_features=num_features, num_heads=num_heads, chunk_size=chunk_size)
        check_divisible("num_features", num_features, "num_heads", num_heads)
        self.num_features, self.num_heads = num_features, num_heads
        self.is_reversed, self.chunk_size, self.eps = is_reversed, chunk_size, eps
        self.input_gate = nn.Linear(3 * num_features, num_heads, device=device, dtype=dtype)
        self.forget_gate = nn.Linear(3 * num_features, num_heads, device=device, dtype=dtype)
        self.norm_weight = nn.Parameter(torch.empty(num_features, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the paper's start: gates that do not look at their input, long memories."""
        nn.init.zeros_(self.input_gate.weight)
        nn.init.normal_(self.input_gate.bias, std=0.1)
        nn.init.zeros_(self.forget_gate.weight)
        with torch.no_grad():
            self.forget_gate.bias.copy_(torch.linspace(3.0, 6.0, self.num_heads))
        nn.init.zeros_(self.norm_weight)

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """The normalised hidden states (B, S, C)."""
        heads = self._split(q, k, v)
        if self.is_reversed:
            heads = [t.flip(2) for t in heads]
        q, k, v, input_gate, forget_gate = heads
        h = mlstm_chunkwise(q, k, v, input_gate, forget_gate, self.eps, self.chunk_size)
        return self._normalize(h.flip(2) if self.is_reversed else h)

    def step(
        self, q: Tensor, k: Tensor, v: Tensor, state: MLSTMState | None = None
    ) -> tuple[Tensor, MLSTMState]:
        """The next steps of a stream.

        Args:
            q, k, v: (B, S, C), S the steps that have arrived.
            state: what the last call returned; none at the start.

        Returns:
            Hidden states (B, S, C) and the new state.

        Raises:
            ValueError: on a reversed cell, which cannot run on a stream.
        """
        if self.is_reversed:
            raise ValueError("is_reversed=True: expected False for step, as a stream runs")
        q, k, v, input_gate, forget_gate = self._split(q, k, v)
        h, state = mlstm_recurrent(q, k, v, input_gate, forget_gate, self.eps, state)
        return self._normalize(h), state

    def _split(self, q: Tensor, k: Tensor, v: Tensor) -> list[Tensor]:
        """q, k, v as (B, H, S, D) and both gates as (B, H, S)."""
        for name, x in (("q", q), ("k", k), ("v", v)):
            check_sequence(x, self.num_features, self.input_gate.weight.dtype, name)
        if not q.shape == k.shape == v.shape:
            raise ValueError(
                f"q, k, v have shapes {tuple(q.shape)}, {tuple(k.shape)}, {tuple(v.shape)}: "
                "expected one shape"
            )
        everything = torch.cat([q, k, v], -1)  # B S 3C
        gates = [gate(everything).mT for gate in (self.input_gate, self.forget_gate)]  # B H S
        heads = [t.unflatten(2, (self.num_heads, -1)).transpose(1, 2) for t in (q, k, v)]  # B H S D
        return [at_least_float32(t) for t in (*heads, *gates)]

    def _normalize(self, h: Tensor) -> Tensor:
        width = self.num_features // self.num_heads
        normal = F.layer_norm(h, (width,)).to(self.norm_weight.dtype)  # B H S D
        return normal.transpose(1, 2).flatten(2) * (1 + self.norm_weight)  # B S C

    def extra_repr(self) -> str:
        """What print shows."""
        return f"{self.num_features}, num_heads={self.num_heads}, is_reversed={self.is_reversed}"
