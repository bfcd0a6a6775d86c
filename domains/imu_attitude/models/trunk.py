"""Convolutions, then an LSTM: the paper's family, over a whole recording or one block at a time.

Legend: B batch, T blocks in time, C input channels, H hidden.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

KERNEL = 11

State = tuple[Tensor, Tensor, Tensor, Tensor]
"""Between two steps: the last 10 inputs (B, C, 10) and first-layer outputs (B, H, 10), and the
LSTM's output and memory (1, B, H) each."""


class Trunk(nn.Module):
    """Two convolutions of width 11, a (Bi)LSTM over their output beside the input, a dense layer.

    Args:
        channels: C.
        hidden: H, width of every layer.
        is_causal: no layer sees a later block; else the convolutions are centred and the LSTM
            runs both ways.
        dropout: share of activations dropped in training, 0 to 1.
    """

    def __init__(self, channels: int, hidden: int, is_causal: bool, dropout: float) -> None:
        super().__init__()
        self.channels, self.hidden = channels, hidden
        self.padding = (KERNEL - 1, 0) if is_causal else (KERNEL // 2, KERNEL // 2)
        self.first = nn.Conv1d(channels, hidden, KERNEL)
        self.second = nn.Conv1d(hidden, hidden, KERNEL)
        self.lstm = nn.LSTM(
            hidden + channels, hidden, batch_first=True, bidirectional=not is_causal
        )
        self.dense = nn.Linear(hidden if is_causal else 2 * hidden, hidden)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Features (B, T, H) of ``x`` (B, T, C)."""
        seen = functional.pad(x.transpose(1, 2), self.padding)
        seen = functional.pad(functional.mish(self.first(seen)), self.padding)
        seen = functional.mish(self.second(seen)).transpose(1, 2)  # (B, T, H)
        kept, _ = self.lstm(torch.cat([self.dropout(seen), x], dim=-1))
        return functional.mish(self.dense(self.dropout(kept)))

    def initial_state(self, batch: int) -> State:
        """The state before the first block: all zero, as ``forward`` pads."""
        like = self.dense.weight
        past = KERNEL - 1
        return (
            like.new_zeros(batch, self.channels, past),
            like.new_zeros(batch, self.hidden, past),
            like.new_zeros(1, batch, self.hidden),
            like.new_zeros(1, batch, self.hidden),
        )

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """``forward`` for the next block ``x`` (B, C) alone: features (B, H) and the new state."""
        inputs = torch.cat([state[0], x[:, :, None]], dim=-1)  # (B, C, 11)
        firsts = torch.cat([state[1], functional.mish(self.first(inputs))], dim=-1)
        seen = functional.mish(self.second(firsts)).transpose(1, 2)  # (B, 1, H)
        kept, (output, memory) = self.lstm(
            torch.cat([seen, x[:, None]], dim=-1), (state[2], state[3])
        )
        features = functional.mish(self.dense(kept[:, 0]))
        return features, (inputs[:, :, 1:], firsts[:, :, 1:], output, memory)
