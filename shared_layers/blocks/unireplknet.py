"""UniRepLKNet block: one large merged kernel, squeeze-excitation, and an MLP with response norm.

Ding, Zhang, Ge, Zhao, Song, Yue, Shan, "UniRepLKNet: A Universal Perception Large-Kernel ConvNet
for Audio, Video, Point Cloud, Time-Series and Image Recognition", 2023, arXiv:2311.15599:

    y = x + γ ⊙ BN(W₂ GRN(GELU(W₁ SE(BN(K * x)))))

K is the dilated re-parameterisation block; `merge_` turns it and both BatchNorms into two plain
convolutions that give the same result at rest. Differs: the merge is exact in float64 too (see
`shared_layers.conv.reparam`), kernel sizes without a branch table are refused, and maps stay
channels-first.
"""

# B batch, C channel, H height, W width

from collections.abc import Sequence
from typing import Any, Self

import torch
from torch import Tensor, nn

from shared_layers.conv.arguments import check_feature_map, check_positive
from shared_layers.conv.reparam import DilatedReparamConv2d, fuse_conv_bn
from shared_layers.norm.layer_norm import GlobalResponseNorm
from shared_layers.regularizers.drop import DropPath


class SqueezeExcitation2d(nn.Module):
    """Weights each channel of a map by a factor in (0, 1) computed from all channel means.

    s = σ(W₂ ReLU(W₁ mean x)), y = s ⊙ x (Hu, Shen, Sun, 2017, arXiv:1709.01507).

    Args:
        channels: channels C.
        hidden: width between the two linear maps.

    Shape:
        (B, C, H, W) → (B, C, H, W)

    Raises:
        ValueError: a size below 1; input of another rank, channel count or type.
    """

    def __init__(
        self,
        channels: int,
        hidden: int,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_positive(channels=channels, hidden=hidden)
        self.down = nn.Conv2d(channels, hidden, 1, device=device, dtype=dtype)
        self.up = nn.Conv2d(hidden, channels, 1, device=device, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        check_feature_map(x, self.down.in_channels, 2, self.down.weight.dtype)
        means = x.mean((2, 3), keepdim=True)  # (B, C, 1, 1)
        return x * self.up(self.down(means).relu()).sigmoid()


class UniRepLKNetBlock(nn.Module):
    """Residual block around a large depthwise kernel that is trained in branches.

    Args:
        dim: channels C, at least 4.
        kernel_size: 5, 7, 9, 11, 13, 15 or 17.
        expansion: width of the MLP over dim.
        layer_scale: first value of γ.
        drop_path: probability to leave the block out for a sample, in training.
        padding_mode: zeros, circular, replicate or reflect, one or one per axis.

    Shape:
        - input: (B, C, H, W)
        - output: the same

    Raises:
        ValueError: another kernel size, a size below 1, an input of another rank or width.

    Example:
        >>> block = UniRepLKNetBlock(8, 7).eval()
        >>> x = torch.randn(1, 8, 9, 9)
        >>> before = block(x)
        >>> torch.allclose(block.merge_()(x), before, atol=1e-5)
        True
    """

    def __init__(
        self,
        dim: int,
        kernel_size: int = 13,
        *,
        expansion: int = 4,
        layer_scale: float = 1e-6,
        drop_path: float = 0.0,
        padding_mode: str | Sequence[str] = "zeros",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_positive(dim=dim, expansion=expansion)
        if dim < 4:
            raise ValueError(f"dim={dim}: expected at least 4, squeeze-excitation uses dim // 4")
        factory: dict[str, Any] = {"device": device, "dtype": dtype}
        self.depthwise = DilatedReparamConv2d(
            dim, kernel_size, padding_mode=padding_mode, **factory
        )
        self.norm: nn.Module = nn.BatchNorm2d(dim, **factory)
        self.excitation = SqueezeExcitation2d(dim, dim // 4, **factory)
        self.expand = nn.Conv2d(dim, expansion * dim, 1, **factory)
        self.activation = nn.GELU()
        self.response_norm = GlobalResponseNorm(expansion * dim, **factory)
        # no bias: the BatchNorm behind it takes it out
        self.reduce = nn.Conv2d(expansion * dim, dim, 1, bias=False, **factory)
        self.out_norm: nn.Module = nn.BatchNorm2d(dim, **factory)
        self.scale = nn.Parameter(torch.full((dim, 1, 1), layer_scale, **factory))
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        y = self.excitation(self.norm(self.depthwise(x)))
        y = self.reduce(self.response_norm(self.activation(self.expand(y))))
        return x + self.drop_path(self.scale * self.out_norm(y))

    @torch.no_grad()
    def merge_(self) -> Self:
        """Fold branches and BatchNorms into two plain convolutions, and return self.

        The statistics of the batch normalisations are frozen into them: merge after training.
        """
        if isinstance(self.norm, nn.BatchNorm2d):
            conv = self.depthwise.merge_().conv
            assert conv.bias is not None
            weight, bias = fuse_conv_bn(conv.weight.double(), conv.bias.double(), self.norm)
            conv.weight.copy_(weight)
            conv.bias.copy_(bias)
            self.norm = nn.Identity()
        if isinstance(self.out_norm, nn.BatchNorm2d):
            weight, bias = fuse_conv_bn(self.reduce.weight.double(), None, self.out_norm)
            self.reduce.bias = nn.Parameter(bias.to(self.reduce.weight))
            self.reduce.weight.copy_(weight)
            self.out_norm = nn.Identity()
        return self
