"""One convolution kernel shared by all dilation rates.

Y.-G. Shin, M.-C. Sagong, Y.-J. Yeo, S.-W. Kim, S.-J. Ko, "PEPSI++: Fast and Lightweight Network
for Image Inpainting" (2019, arXiv:1905.09010), the Diet-PEPSI unit:

    y_d = (γ_d · W + β_d) *_d x + b.

Differs: the authors published no code for it; one γ and one β for each rate and output channel is
our choice. Their dilated layers pad by reflection: give ``padding_mode="reflect"`` for that.
"""

# B batch, C channels, H height, W width

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .arguments import check_feature_map, check_positive, positive_integers
from .padded import draw_conv_parameters, padded_conv
from .padding import padding_modes, per_axis, same_padding


class RateAdaptiveDilatedConv2d(nn.Module):
    """Dilated convolution at one of several rates, all with one kernel, rescaled for each.

    Against one layer for each of R rates it stores 1/R of the weights, plus 2·R·out_channels. The
    rate is chosen at the call, so that the layer serves a chain of rates as well as parallel ones.

    Args:
        in_channels, out_channels: channels of the input and of the result.
        kernel_size: odd size, one or one per axis.
        rates: dilation rates the layer can be called with, all different.
        padding_mode: zeros, circular, replicate or reflect, one or one per axis.
        bias: whether a bias is added; all rates share it.

    Shape:
        (B, in_channels, H, W) → (B, out_channels, H, W)

    Raises:
        ValueError: even kernel, repeated or no rates; at the call an unknown rate, or an input of
            another rank, channel count or type.

    Example:
        >>> layer = RateAdaptiveDilatedConv2d(4, 4, rates=(2, 4))
        >>> x = torch.zeros(1, 4, 16, 16)
        >>> layer(layer(x, rate=2), rate=4).shape
        torch.Size([1, 4, 16, 16])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int] = 3,
        *,
        rates: Sequence[int] = (2, 4, 8, 16),
        padding_mode: str | Sequence[str] = "zeros",
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_positive(in_channels=in_channels, out_channels=out_channels)
        self.kernel_size = per_axis(kernel_size, 2, "kernel_size")
        self.rates = positive_integers("rates", rates)
        if len(set(self.rates)) != len(self.rates):
            raise ValueError(f"rates={self.rates}: expected each rate once")
        same_padding(self.kernel_size, (1, 1))  # refuses even kernels here, not at the first call
        self.modes = padding_modes(padding_mode, 2)
        self.in_channels = in_channels
        shape = (out_channels, in_channels, *self.kernel_size)
        per_rate = (len(self.rates), out_channels, 1, 1, 1)
        self.weight = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
        self.scale = nn.Parameter(torch.empty(per_rate, device=device, dtype=dtype))
        self.shift = nn.Parameter(torch.empty(per_rate, device=device, dtype=dtype))
        self.bias = (
            nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype)) if bias else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the kernel and bias as `torch.nn.Conv2d` does; scales 1, shifts 0."""
        draw_conv_parameters(self.weight, self.bias, self.weight[0].numel())
        nn.init.ones_(self.scale)
        nn.init.zeros_(self.shift)

    def forward(self, x: Tensor, rate: int) -> Tensor:
        check_feature_map(x, self.in_channels, 2, self.weight.dtype)
        if rate not in self.rates:
            raise ValueError(f"rate={rate}: expected one of {self.rates}")
        number = self.rates.index(rate)
        return padded_conv(
            x,
            self.scale[number] * self.weight + self.shift[number],
            self.bias,
            stride=(1, 1),
            padding=same_padding(self.kernel_size, (rate, rate)),
            dilation=(rate, rate),
            modes=self.modes,
        )

    def extra_repr(self) -> str:
        out_channels, in_channels = self.weight.shape[:2]
        return f"{in_channels}, {out_channels}, kernel_size={self.kernel_size}, rates={self.rates}"
