"""Atrous spatial pyramid pooling.

L.-C. Chen, G. Papandreou, F. Schroff, H. Adam, "Rethinking Atrous Convolution for Semantic Image
Segmentation" (2017, arXiv:1706.05587), used by the crowd counters SFANet and SegNet:

    y = P([conv₁ x, conv₃,r₁ x, …, conv₃,r_n x, upsample(conv₁ mean(x))]),

each convolution followed by a normalisation and a ReLU. Differs: group normalisation unless told
otherwise, because batch normalisation is undefined for the 1 × 1 map of the pooled branch at
batch one; the pooled value is broadcast, which is what upsampling one pixel does.
"""

# B batch, C channels, H height, W width

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from .arguments import check_feature_map, check_positive, positive_integers
from .padded import PaddedConv2d

_ONE_GROUP: Callable[[int], nn.Module] = partial(nn.GroupNorm, 1)


class ASPP2d(nn.Module):
    """One pixel, a ring at each of several rates and the whole image, projected to one map.

    Args:
        in_channels, out_channels: channels of the input and of the result.
        rates: dilation rates of the 3 × 3 branches.
        branch_channels: channels of each branch; `out_channels` unless given.
        padding_mode: zeros, circular, replicate or reflect, one or one per axis.
        normalization: makes the layer that follows each convolution from its channel count.

    Shape:
        (B, in_channels, H, W) → (B, out_channels, H, W)

    Raises:
        ValueError: no or wrong rates, unknown padding mode; input of another rank, channel count
            or type.

    Example:
        >>> ASPP2d(8, 4, rates=(1, 2))(torch.zeros(1, 8, 6, 6)).shape
        torch.Size([1, 4, 6, 6])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        rates: Sequence[int] = (6, 12, 18),
        branch_channels: int | None = None,
        padding_mode: str | Sequence[str] = "zeros",
        normalization: Callable[[int], nn.Module] = _ONE_GROUP,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        width = out_channels if branch_channels is None else branch_channels
        check_positive(in_channels=in_channels, out_channels=out_channels, branch_channels=width)
        self.rates = positive_integers("rates", rates)
        self.in_channels = in_channels

        def conv(channels: int, kernel_size: int = 1, rate: int = 1) -> PaddedConv2d:
            return PaddedConv2d(
                channels,
                width,
                kernel_size,
                dilation=rate,
                padding_mode=padding_mode,
                bias=False,
                device=device,
                dtype=dtype,
            )

        def after(channels: int) -> nn.Sequential:
            return nn.Sequential(normalization(channels).to(device, dtype), nn.ReLU())

        self.pixel = conv(in_channels)
        self.rings = nn.ModuleList(conv(in_channels, 3, rate) for rate in self.rates)
        self.image = conv(in_channels)
        num_branches = len(self.rates) + 2
        self.after_branches = nn.ModuleList(after(width) for _ in range(num_branches))
        self.projection = PaddedConv2d(
            num_branches * width, out_channels, 1, bias=False, device=device, dtype=dtype
        )
        self.after_projection = after(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        check_feature_map(x, self.in_channels, 2, self.pixel.weight.dtype)
        maps = [self.pixel(x)]
        maps += [ring(x) for ring in self.rings]
        maps += [self.image(x.mean((2, 3), keepdim=True))]  # (B, branch_channels, 1, 1)
        branches = [after(y) for after, y in zip(self.after_branches, maps, strict=True)]
        branches[-1] = branches[-1].expand_as(branches[0])
        return self.after_projection(self.projection(torch.cat(branches, 1)))
