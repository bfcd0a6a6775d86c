"""Position-aware attention: a weighted mean over time in which recent steps start ahead.

Additive attention is Bahdanau, Cho, Bengio, "Neural Machine Translation by Jointly Learning to
Align and Translate", 2014, arXiv:1409.0473. "Position-aware" is the idea of Spadon et al.,
"Multi-path long-term vessel trajectories forecasting with probabilistic feature fusion for problem
shifting", 2023, arXiv:2310.18948, which raises the importance of recent steps:

    e_t = uᵀ tanh(W h_t + V q) + b[lag_t],   a = softmax over real steps of e,   c = Σ_t a_t h_t

lag_t counts the real steps after t (0 is the newest). The paper's own formula is not public; a
learned bias per lag, first −recency·lag, is our reading of it and not the paper's.
"""

# B batch, T time, C channel of a step, Q channel of the query

from typing import Any

import torch
from torch import Tensor, nn

from shared_layers.conv.arguments import check_dtype, check_mask, check_positive, check_sequence


class PositionAwareAttention(nn.Module):
    """Pools a sequence to one vector by content and by how long ago each step was.

    Args:
        dim: channels C of a step.
        max_steps: largest number T of steps.
        hidden_dim: width of the additive score; dim if None.
        query_dim: channels Q of an optional query (a decoder's state); none if None.
        recency: first slope of the position bias per step, ≥ 0; 0 starts as content attention.

    Shape:
        - steps: (B, T, C), anything at padding, also NaN
        - mask: (B, T) bool, True at real steps, at least one per sequence; all real if None
        - query: (B, Q) if query_dim is set
        - output: context (B, C) and weights (B, T), which sum to one and are 0 at padding

    Raises:
        ValueError: a size below 1, a negative recency, T above max_steps, shapes or dtypes that do
            not fit, a query missing or not asked for, a sequence without a real step.

    Example:
        >>> context, weights = PositionAwareAttention(4, 12)(torch.zeros(2, 6, 4))
        >>> context.shape, weights.shape
        (torch.Size([2, 4]), torch.Size([2, 6]))
    """

    def __init__(
        self,
        dim: int,
        max_steps: int,
        *,
        hidden_dim: int | None = None,
        query_dim: int | None = None,
        recency: float = 0.1,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        hidden = dim if hidden_dim is None else hidden_dim
        check_positive(dim=dim, max_steps=max_steps, hidden_dim=hidden)
        if recency < 0:
            raise ValueError(f"recency={recency}: expected a number >= 0")
        factory: dict[str, Any] = {"device": device, "dtype": dtype}
        self.dim, self.max_steps, self.query_dim = dim, max_steps, query_dim
        self.content = nn.Linear(dim, hidden, **factory)
        self.query = None
        if query_dim is not None:
            check_positive(query_dim=query_dim)
            self.query = nn.Linear(query_dim, hidden, bias=False, **factory)
        self.score = nn.Linear(hidden, 1, bias=False, **factory)
        lags = torch.arange(max_steps, **factory)
        self.position_bias = nn.Parameter(-recency * lags.to(self.score.weight.dtype))

    def forward(
        self, steps: Tensor, mask: Tensor | None = None, query: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        real = self._checked_mask(steps, mask, query)
        # before anything else: 0 times a NaN would spread it, into the gradients too
        steps = steps.masked_fill(~real.unsqueeze(-1), 0)
        hidden = self.content(steps)  # (B, T, hidden)
        if self.query is not None and query is not None:
            hidden = hidden + self.query(query).unsqueeze(1)
        energy = self.score(hidden.tanh()).squeeze(-1)  # (B, T)
        # number of real steps strictly after each step; padding before or after does not count
        lag = real.flip(1).cumsum(1).flip(1) - real.long()
        energy = energy + self.position_bias[lag]
        weights = energy.masked_fill(~real, float("-inf")).softmax(dim=1)
        return torch.einsum("bt,btc->bc", weights, steps), weights

    def _checked_mask(self, steps: Tensor, mask: Tensor | None, query: Tensor | None) -> Tensor:
        check_sequence(steps, self.dim, self.content.weight.dtype, "steps")
        if steps.shape[1] > self.max_steps:
            raise ValueError(
                f"steps has shape {tuple(steps.shape)}: expected (B, T, {self.dim}) "
                f"with T <= max_steps={self.max_steps}"
            )
        expected = None if self.query_dim is None else (steps.shape[0], self.query_dim)
        found = None if query is None else tuple(query.shape)
        if found != expected:
            raise ValueError(f"query of shape {found}: expected {expected}")
        if query is not None:
            check_dtype(query, self.content.weight.dtype, "query")
        if mask is None:
            return torch.ones(steps.shape[:2], dtype=torch.bool, device=steps.device)
        check_mask(mask, steps.shape[:2])
        empty = ~mask.any(dim=1)
        # a check on values would break the graph that torch.compile makes
        if not torch.compiler.is_compiling() and bool(empty.any()):
            raise ValueError(
                f"sequence {int(empty.nonzero()[0])}: no real step, expected at least one"
            )
        return mask
