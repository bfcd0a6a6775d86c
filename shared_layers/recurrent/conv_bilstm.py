"""Wide convolutions beside the raw signal, then an LSTM in both directions.

Golroudbari, Sabour, "End-to-End Deep Learning Framework for Real-Time Inertial Attitude Estimation
using 6DoF IMU", 2023, arXiv:2302.06037:

    h_t = BiLSTM((x_t, Mish(W₂ * Mish(W₁ * x))_t))

Differs: the paper's networks have one branch for each sensor axis, pooling and dense heads; those
belong to a model, this is the part that they share, at one output for each step. Padded sequences
are taken.
"""

# B batch, T time, F feature of a step, C channel of the convolutions, H hidden size

from typing import Any

import torch
from torch import Tensor, nn

from shared_layers.conv.arguments import check_positive, check_sequence

from .conv_stack import MaskedConvStack
from .padding_mask import padded_lstm, sequence_lengths


class ConvBiLSTM(nn.Module):
    """Wide convolutions beside the raw signal, then an LSTM in both directions.

    Args:
        in_features: channels F of a step.
        hidden_size: H per direction.
        conv_channels: channels C of the convolutions.
        kernel_size: odd number of steps one convolution sees.
        num_convs: number of convolutions, each followed by Mish.
        num_layers: layers of the LSTM.
        bidirectional: False for use while the signal is still arriving.

    Shape:
        - input: (B, T, F), mask: (B, T) bool as in `TemporalConvLSTM`
        - output: (B, T, 2H), or (B, T, H) in one direction; zero at padding

    Raises:
        ValueError: a size below 1, an even kernel, shapes or types that do not fit.

    Example:
        >>> ConvBiLSTM(6, 16)(torch.zeros(1, 50, 6)).shape
        torch.Size([1, 50, 32])
    """

    def __init__(
        self,
        in_features: int,
        hidden_size: int,
        *,
        conv_channels: int = 128,
        kernel_size: int = 11,
        num_convs: int = 2,
        num_layers: int = 1,
        bidirectional: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_positive(in_features=in_features, hidden_size=hidden_size, num_layers=num_layers)
        factory: dict[str, Any] = {"device": device, "dtype": dtype}
        self.in_features = in_features
        self.convs = MaskedConvStack(
            in_features, conv_channels, kernel_size, num_convs, nn.Mish(), **factory
        )
        self.lstm = nn.LSTM(
            in_features + conv_channels,
            hidden_size,
            num_layers,
            batch_first=True,
            bidirectional=bidirectional,
            **factory,
        )

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        check_sequence(x, self.in_features, next(self.parameters()).dtype)
        if mask is not None:
            sequence_lengths(mask, (x.shape[0], x.shape[1]))
        return padded_lstm(self.lstm, torch.cat((x, self.convs(x, mask)), dim=-1), mask)
