"""Standard and dilated convolutions side by side.

V. Sudevan, P. Chen, "SkyReconNet" (2025, arXiv:2501.06139): inpainting of the microwave sky with
"hybrid" blocks of standard and dilated convolutions,

    y = M · φ([W₁ *_{d₁} x, W₂ *_{d₂} x, …]).

Differs: how the paper combines its branches could not be read; concatenation, the activation φ
and the pointwise mixing M are our choice.
"""

# B batch, C channels, S a spatial axis

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .arguments import check_feature_map, check_positive, positive_integers
from .padded import PaddedConv1d, PaddedConv2d, PaddedConv3d
from .padding import per_axis, same_padding


class _DilatedConvBranchNd(nn.Module):
    """Pointwise mix of parallel convolutions which differ in their dilation only.

    Args:
        in_channels, out_channels: channels of the input and of the result.
        kernel_size: odd size, one or one per axis.
        dilations: the rates, one branch each; 1 is the standard convolution.
        branch_channels: channels of each branch; `out_channels` unless given.
        padding: "same" keeps the size; "valid" takes an input already padded by `margin` on each
            side (for a neighbourhood that no padding mode describes, as at the edge of a face of
            the sphere) and returns it without that margin.
        padding_mode: of "same": zeros, circular, replicate or reflect, one or one per axis.
        activation: applied between branches and mixing; without one the layer is linear.
        bias: whether the branches and the mixing have one.

    Shape:
        (B, in_channels, S…) → (B, out_channels, S…), or S − 2·margin for "valid".

    Raises:
        ValueError: even kernel, no or wrong dilations, unknown padding; input of another rank,
            channel count or type, or no larger than the margin.

    Example:
        >>> layer = DilatedConvBranch2d(3, 8, dilations=(1, 4), padding_mode="circular")
        >>> layer(torch.zeros(1, 3, 9, 18)).shape
        torch.Size([1, 8, 9, 18])
    """

    spatial_dims: int
    convolution: type[PaddedConv1d] | type[PaddedConv2d] | type[PaddedConv3d]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int] = 3,
        *,
        dilations: Sequence[int] = (1, 2),
        branch_channels: int | None = None,
        padding: str = "same",
        padding_mode: str | Sequence[str] = "zeros",
        activation: nn.Module | None = None,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        dims = self.spatial_dims
        width = out_channels if branch_channels is None else branch_channels
        check_positive(in_channels=in_channels, out_channels=out_channels, branch_channels=width)
        if padding not in ("same", "valid"):
            raise ValueError(f"padding={padding!r}: expected 'same' or 'valid'")
        kernel = per_axis(kernel_size, dims, "kernel_size")
        dilations = positive_integers("dilations", dilations)
        reaches = [same_padding(kernel, (d,) * dims) for d in dilations]
        self.in_channels = in_channels
        self.padding = padding
        self.margin = tuple(max(axis) for axis in zip(*reaches, strict=True))
        # for "valid", what each branch leaves aside of the margin of the widest
        self.crops = [
            tuple(m - r for m, r in zip(self.margin, reach, strict=True)) for reach in reaches
        ]
        self.branches = nn.ModuleList(
            self.convolution(
                in_channels,
                width,
                kernel,
                padding="same" if padding == "same" else 0,
                dilation=rate,
                padding_mode=padding_mode,
                bias=bias,
                device=device,
                dtype=dtype,
            )
            for rate in dilations
        )
        self.activation = activation
        self.mixing = self.convolution(
            width * len(dilations), out_channels, 1, bias=bias, device=device, dtype=dtype
        )

    def forward(self, x: Tensor) -> Tensor:
        check_feature_map(x, self.in_channels, self.spatial_dims, self.mixing.weight.dtype)
        if self.padding == "valid" and any(
            s <= 2 * m for s, m in zip(x.shape[2:], self.margin, strict=True)
        ):
            raise ValueError(
                f"input has shape {tuple(x.shape)}: expected spatial axes longer than twice the "
                f"margin {self.margin}"
            )
        if self.padding == "same":
            branches = [branch(x) for branch in self.branches]
        else:
            crops = zip(self.branches, self.crops, strict=True)
            branches = [branch(_centre(x, crop)) for branch, crop in crops]
        stacked = torch.cat(branches, 1)  # (B, branches · branch_channels, S…)
        return self.mixing(stacked if self.activation is None else self.activation(stacked))


def _centre(x: Tensor, crop: Sequence[int]) -> Tensor:
    for axis, width in enumerate(crop, 2):
        x = x.narrow(axis, width, x.shape[axis] - 2 * width)
    return x


class DilatedConvBranch1d(_DilatedConvBranchNd):
    __doc__ = _DilatedConvBranchNd.__doc__
    spatial_dims = 1
    convolution = PaddedConv1d


class DilatedConvBranch2d(_DilatedConvBranchNd):
    __doc__ = _DilatedConvBranchNd.__doc__
    spatial_dims = 2
    convolution = PaddedConv2d


class DilatedConvBranch3d(_DilatedConvBranchNd):
    __doc__ = _DilatedConvBranchNd.__doc__
    spatial_dims = 3
    convolution = PaddedConv3d
