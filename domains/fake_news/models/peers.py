"""Networks that read words alone, as peers of TI-CNN.

- ``KimCnn``: Y. Kim, "Convolutional Neural Networks for Sentence Classification", 2014,
  arXiv:1408.5882: 3, 4 and 5 words wide, maximum over time, dropout, logistic output.
- ``Recurrent``: the LSTM and GRU of TI-CNN's table 4 (arXiv:1806.00749): the last hidden state
  into a logistic output.
"""

# B articles, T words, E embedding, H hidden

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from domains.fake_news.models.words import WordVectors
from shared_layers import TextCNN

_KIM_WIDTHS = (3, 4, 5)


class KimCnn(nn.Module):
    """Logits (B,) from the words of a text."""

    def __init__(self, size: Mapping[str, Any], num_words: int) -> None:
        super().__init__()
        self.words = WordVectors(num_words, size["embedding"])
        self.text = TextCNN(size["embedding"], size["filters"], _KIM_WIDTHS)
        self.dropout = nn.Dropout(size["dropout_branch"])
        self.out = nn.Linear(size["filters"] * len(_KIM_WIDTHS), 1)

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Logits (B,)."""
        found = self.text(self.words(batch["words"]), batch["words"] != 0)
        return self.out(self.dropout(found)).squeeze(1)


class Recurrent(nn.Module):
    """Logits (B,) from the words of a text, read from the first on.

    Args:
        size: section ``model``.
        num_words: rows of the word vectors.
        cell: ``lstm`` or ``gru``.
    """

    def __init__(self, size: Mapping[str, Any], num_words: int, cell: str) -> None:
        super().__init__()
        self.words = WordVectors(num_words, size["embedding"])
        kind = nn.LSTM if cell == "lstm" else nn.GRU
        self.cell = kind(size["embedding"], size["hidden"], batch_first=True)
        self.dropout = nn.Dropout(size["dropout_branch"])
        self.out = nn.Linear(size["hidden"], 1)
        self.length = size["recurrent_length"]

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Logits (B,)."""
        words = batch["words"][:, : self.length]
        lengths = (words != 0).sum(dim=1).clamp_min(1).cpu()
        found = self.words(words)
        packed = pack_padded_sequence(found, lengths, batch_first=True, enforce_sorted=False)
        state = self.cell(packed)[1]
        last: Tensor = state[0] if isinstance(state, tuple) else state  # (1, B, H)
        return self.out(self.dropout(last[-1])).squeeze(1)
