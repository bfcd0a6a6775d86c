"""Inception in a depthwise convolution, and inception with a scaled residual.

- W. Yu, P. Zhou, S. Yan, X. Wang, "InceptionNeXt" (2023, arXiv:2303.16900), `InceptionDWConv2d`:
  y = [x₀, S * x₁, R * x₂, C * x₃], a square, a row and a column kernel on g channels each, the
  other C − 3g untouched. Differs: a padding mode for each axis.
- C. Szegedy, S. Ioffe, V. Vanhoucke, A. Alemi, "Inception-v4, Inception-ResNet" (2016,
  arXiv:1602.07261), `InceptionResidual`: y = φ(x + s · E [b₁(x), b₂(x), …]) with a linear
  expansion E; s of 0.1 to 0.3 keeps wide networks from dying early in training.
"""

# B batch, C channels, S a spatial axis, H height, W width

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from .arguments import check_feature_map, check_positive
from .depthwise import DepthwiseConv2d


class InceptionDWConv2d(nn.Module):
    """Depthwise convolution in four parts: identity, square, row and column.

    Args:
        channels: channels C.
        square_kernel_size: odd size of the square kernel.
        band_kernel_size: odd length of the row (1 × k) and of the column (k × 1).
        branch_ratio: share of the channels in each of the three branches, g = ⌊ratio · C⌋.
        padding_mode: zeros, circular, replicate or reflect, one or one per axis.

    Shape:
        (B, C, H, W) → (B, C, H, W); the first C − 3g channels are the input's

    Raises:
        ValueError: even kernel, a ratio that leaves no branch or more than the channels; input of
            another rank, channel count or type.

    Example:
        >>> InceptionDWConv2d(16)(torch.zeros(1, 16, 14, 14)).shape
        torch.Size([1, 16, 14, 14])
    """

    def __init__(
        self,
        channels: int,
        square_kernel_size: int = 3,
        band_kernel_size: int = 11,
        branch_ratio: float = 0.125,
        *,
        padding_mode: str | Sequence[str] = "zeros",
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_positive(channels=channels)
        width = int(channels * branch_ratio)
        if width < 1 or 3 * width > channels:
            raise ValueError(
                f"branch_ratio={branch_ratio} of channels={channels} gives {width} channels per "
                f"branch: expected 1 to {channels // 3}"
            )
        self.channels = channels
        self.split = (channels - 3 * width, width, width, width)

        def conv(kernel_size: tuple[int, int]) -> DepthwiseConv2d:
            return DepthwiseConv2d(
                width,
                kernel_size,
                padding_mode=padding_mode,
                bias=bias,
                device=device,
                dtype=dtype,
            )

        self.square = conv((square_kernel_size, square_kernel_size))
        self.row = conv((1, band_kernel_size))
        self.column = conv((band_kernel_size, 1))

    def forward(self, x: Tensor) -> Tensor:
        check_feature_map(x, self.channels, 2, self.square.weight.dtype)
        untouched, square, row, column = x.split(self.split, 1)
        parts = (untouched, self.square(square), self.row(row), self.column(column))
        return torch.cat(parts, 1)


class InceptionResidual(nn.Module):
    """Add a scaled, expanded inception of a map to the map: φ(x + s · E [b₁(x), b₂(x), …]).

    Args:
        branches: modules from the map to maps of one size, concatenated along the channels.
        expansion: module from these channels to those of the map; a linear 1 × 1 convolution in
            the paper.
        scale: s ≥ 0, of 0.1 to 0.3 in the paper; 0 makes the block φ(x).
        activation: φ; a ReLU in the paper, none unless given.

    Shape:
        (B, C, S…) → (B, C, S…)

    Raises:
        ValueError: no branches, a negative scale; an expansion that returns another shape.

    Example:
        >>> branches = [torch.nn.Conv2d(4, 2, 1), torch.nn.Conv2d(4, 2, 3, padding=1)]
        >>> block = InceptionResidual(branches, torch.nn.Conv2d(4, 4, 1), scale=0.1)
        >>> block(torch.zeros(1, 4, 5, 5)).shape
        torch.Size([1, 4, 5, 5])
    """

    def __init__(
        self,
        branches: Iterable[nn.Module],
        expansion: nn.Module,
        *,
        scale: float = 0.17,
        activation: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)
        if len(self.branches) == 0:
            raise ValueError("branches is empty: expected one or more modules")
        if scale < 0:
            raise ValueError(f"scale={scale}: expected a number >= 0")
        self.expansion = expansion
        self.scale = scale
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        expanded = self.expansion(torch.cat([branch(x) for branch in self.branches], 1))
        if expanded.shape != x.shape:
            raise ValueError(
                f"expansion returned shape {tuple(expanded.shape)}: expected that of the input, "
                f"{tuple(x.shape)}"
            )
        y = torch.add(x, expanded, alpha=self.scale)
        return y if self.activation is None else self.activation(y)
