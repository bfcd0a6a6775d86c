"""Convolutions over time, then an LSTM, on regular or irregular steps.

Spadon, Ferreira, Soares, Matwin, "Unfolding AIS transmission behavior for vessel movement modeling
on noisy data leveraging machine learning", 2022, arXiv:2202.13867 (a convolution that extracts
features and a multi-directional, multi-layer LSTM); the pairing is that of Donahue et al.,
"Long-term Recurrent Convolutional Networks for Visual Recognition and Description", 2014,
arXiv:1411.4389:

    h_t = LSTM(ReLU(W * x)_t, h_{t−1}),   x_t = (features, log(1 + Δt/τ))

Layer sizes and the treatment of Δt are not public: here irregular time enters as one more channel.
Padding is zero before every convolution and packed away from the LSTM, so that no output at a real
step depends on it.
"""

# B batch, T time, F feature of a step, C channel of the convolutions, H hidden size

from typing import Any

import torch
from torch import Tensor, nn

from shared_layers.conv.arguments import check_positive, check_sequence

from .conv_stack import MaskedConvStack
from .padding_mask import padded_lstm, sequence_lengths


class TemporalConvLSTM(nn.Module):
    """Convolutions over time and an LSTM over regular or irregular, possibly padded, steps.

    Args:
        in_features: channels F of a step.
        hidden_size: H per direction.
        conv_channels: channels C of the convolutions; hidden_size if None.
        kernel_size: steps one convolution sees; odd unless causal.
        num_convs: number of convolutions, each followed by ReLU.
        num_layers, bidirectional, dropout: as in `torch.nn.LSTM`.
        causal: whether an output may depend on past steps only; excludes bidirectional.
        time_scale: τ > 0, in the unit of `elapsed`, for irregular steps; None for regular ones.

    Shape:
        - input: (B, T, F)
        - mask: (B, T) bool, real steps first, at least one; all real if None
        - elapsed: (B, T) ≥ 0, time since the step before; given exactly if time_scale is
        - output: (B, T, H·directions), zero at padding

    Raises:
        ValueError: a size below 1, an even kernel that is not causal, causal and bidirectional,
            time_scale not positive; shapes or types that do not fit, elapsed missing or
            not asked for.

    Example:
        >>> layer = TemporalConvLSTM(3, 8, time_scale=60.0)
        >>> layer(torch.zeros(2, 5, 3), elapsed=torch.full((2, 5), 600.0)).shape
        torch.Size([2, 5, 8])
    """

    def __init__(
        self,
        in_features: int,
        hidden_size: int,
        *,
        conv_channels: int | None = None,
        kernel_size: int = 3,
        num_convs: int = 1,
        num_layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
        causal: bool = False,
        time_scale: float | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if causal and bidirectional:
            raise ValueError("causal=True, bidirectional=True: expected at most one of them")
        if time_scale is not None and time_scale <= 0:
            raise ValueError(f"time_scale={time_scale}: expected a positive number or None")
        check_positive(in_features=in_features, hidden_size=hidden_size, num_layers=num_layers)
        factory: dict[str, Any] = {"device": device, "dtype": dtype}
        channels = hidden_size if conv_channels is None else conv_channels
        self.in_features, self.time_scale = in_features, time_scale
        width = in_features + (time_scale is not None)
        self.convs = MaskedConvStack(
            width, channels, kernel_size, num_convs, nn.ReLU(), causal=causal, **factory
        )
        self.lstm = nn.LSTM(
            channels,
            hidden_size,
            num_layers,
            batch_first=True,
            dropout=dropout,
            bidirectional=bidirectional,
            **factory,
        )

    def forward(
        self, x: Tensor, mask: Tensor | None = None, elapsed: Tensor | None = None
    ) -> Tensor:
        check_sequence(x, self.in_features, next(self.parameters()).dtype)
        expected = None if self.time_scale is None else tuple(x.shape[:2])
        found = None if elapsed is None else tuple(elapsed.shape)
        if found != expected:
            raise ValueError(f"elapsed of shape {found}: expected {expected}")
        if elapsed is not None and self.time_scale is not None:
            clock = (elapsed / self.time_scale).log1p().to(x.dtype)
            x = torch.cat((x, clock.unsqueeze(-1)), dim=-1)
        if mask is not None:
            sequence_lengths(mask, (x.shape[0], x.shape[1]))
        return padded_lstm(self.lstm, self.convs(x, mask), mask)
