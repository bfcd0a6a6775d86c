"""Convolutions over the words of a text and the maximum over time of each.

Kim, "Convolutional Neural Networks for Sentence Classification", 2014, arXiv:1408.5882; the text
branch of Yang et al., "TI-CNN: Convolutional Neural Networks for Fake News Detection", 2018,
arXiv:1806.00749:

    y_f = max_t ReLU(w_f · (x_t, …, x_{t+k−1}) + b_f)   for filters f of several widths k

Differs: padding is known by a mask and never wins. A window counts if all its words are real; a
text shorter than a filter gives one window, filled up with zeros; an empty text gives 0, the
smallest value that a ReLU can take.
"""

# B batch, T words, E embedding, F filters of one width, k width of a filter

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from shared_layers.conv.arguments import check_positive, check_sequence
from shared_layers.recurrent.padding_mask import sequence_lengths


class TextCNN(nn.Module):
    """Turns the word vectors of a text into one vector of the strongest filter responses.

    Args:
        embedding_dim: channels E of a word vector.
        num_filters: filters F of each width.
        kernel_sizes: widths k in words.

    Shape:
        - input: (B, T, E)
        - mask: (B, T) bool, real words first; all real if None
        - output: (B, F·number of widths), ≥ 0, the widths in their order

    Raises:
        ValueError: a size below 1, no width, shapes or types that do not fit.

    Example:
        >>> TextCNN(16, 8, (2, 3))(torch.zeros(4, 30, 16)).shape
        torch.Size([4, 16])
    """

    def __init__(
        self,
        embedding_dim: int,
        num_filters: int,
        kernel_sizes: Sequence[int] = (3, 4, 5),
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_positive(embedding_dim=embedding_dim, num_filters=num_filters)
        if len(kernel_sizes) == 0 or min(kernel_sizes) < 1:
            raise ValueError(f"kernel_sizes={kernel_sizes}: expected one or more integers >= 1")
        factory: dict[str, Any] = {"device": device, "dtype": dtype}
        self.embedding_dim, self.kernel_sizes = embedding_dim, tuple(kernel_sizes)
        self.convs = nn.ModuleList(
            nn.Conv1d(embedding_dim, num_filters, k, **factory) for k in kernel_sizes
        )

    def forward(self, embeddings: Tensor, mask: Tensor | None = None) -> Tensor:
        check_sequence(embeddings, self.embedding_dim, next(self.parameters()).dtype)
        batch, num_words = embeddings.shape[:2]
        if mask is None:
            lengths = torch.full((batch,), num_words, device=embeddings.device)
        else:
            lengths = sequence_lengths(mask, (batch, num_words))
            embeddings = embeddings.masked_fill(~mask.unsqueeze(-1), 0)
        # a text of no word has one window too, which does not count
        x = F.pad(embeddings.mT, (0, 1)) if num_words == 0 else embeddings.mT  # (B, E, T)
        starts = torch.arange(x.shape[2], device=x.device)
        strongest = []
        for conv, k in zip(self.convs, self.kernel_sizes, strict=True):
            response = conv(F.pad(x, (0, k - 1))).relu()  # (B, F, T): window from t to t + k − 1
            last = (lengths - k).clamp_min(0)  # start of the last window of real words
            counts = (starts <= last.unsqueeze(1)) & (lengths > 0).unsqueeze(1)  # (B, T)
            # ReLU ≥ 0, so a 0 in place of a window that does not count never wins
            strongest.append(response.masked_fill(~counts.unsqueeze(1), 0).amax(-1))
        return torch.cat(strongest, dim=1)
