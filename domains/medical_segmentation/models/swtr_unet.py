"""SWTR-Unet: ResNet encoder, shifted-window transformer at the bottom, U-Net decoder.

G. Hille, S. Agrawal, P. Tummala, C. Wybranski, M. Pech, A. Surov, S. Saalfeld, "Joint Liver and
Hepatic Lesion Segmentation in MRI using a Hybrid CNN with Transformer Layers", 2022,
arXiv:2201.10981 (CMPB 2023): a pretrained ResNet encoder, transformer
layers on its last map, a common U-Net decoder; liver and lesion together, on slices.

Our reading, for block counts, window and schedule were not at hand: bottleneck stages 3, 4, 6 of
ResNet-50 as skips, Swin blocks in pairs (plain, shifted) with an MLP of four widths, a decoder that
goes up to the full size with the image itself as the last skip.  Differs: instance instead of batch
normalisation (running statistics of a short run at batch 2 mislead at test time); two or three
axes; ImageNet weights are read from a file, since none comes with the suite.

Legend: B batch, C channel, K classes, *n space, S axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from domains.errors import DataError
from domains.medical_segmentation.models.residual import CONV, NORM, Decoder, initialise
from domains.medical_segmentation.models.stages import Stage
from shared_layers import ChannelLayerNorm, WindowedAttention

_EXPANSION = 4  # width of a bottleneck's output over its middle, as ResNet-50


class SWTRUNet(nn.Module):
    """Hybrid of a ResNet, Swin blocks and a U-Net decoder.

    Args:
        in_channels: channels of the image.
        num_classes: channels K of the answer.
        stages: resolutions, finest first; the encoder's own begin with the second.
        base_channels: of the stem, 64 in ResNet-50; stage s has 4·2^s as many, s from 0.
        blocks: bottlenecks of each encoder stage behind the stem.
        transformer_blocks: Swin blocks on the coarsest map, even.
        num_heads: of their attention.
        window: their size per axis.
        pretrained: safetensors file of a ResNet-50 with torchvision's names; 2-D, base 64.

    Shape:
        (B, in_channels, *n) -> [(B, K, *n), (B, K, *coarser), ...], finest first

    Raises:
        DataError: the pretrained weights do not fit.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        stages: Sequence[Stage],
        *,
        base_channels: int = 64,
        blocks: Sequence[int] = (3, 4, 6),
        transformer_blocks: int = 12,
        num_heads: int = 8,
        window: int = 7,
        pretrained: str | None = None,
    ) -> None:
        super().__init__()
        stages = list(stages[: len(blocks) + 2])
        dims = len(stages[0].kernel)
        stem_kernel = tuple(7 if dims == 2 and size == 3 else size for size in stages[0].kernel)
        self.conv1 = CONV[dims](
            in_channels,
            base_channels,
            stem_kernel,
            stride=stages[1].stride,
            padding=tuple(size // 2 for size in stem_kernel),
            bias=False,
        )
        self.bn1 = NORM[dims](base_channels, affine=True)
        channels = [in_channels, base_channels]
        for number, stage in enumerate(stages[2:], start=1):
            middle = base_channels * 2 ** (number - 1)
            layer = [Bottleneck(channels[-1], middle, stage)]
            plain = Stage((1,) * dims, stage.kernel)
            layer += [
                Bottleneck(_EXPANSION * middle, middle, plain)
                for _ in range(blocks[number - 1] - 1)
            ]
            self.add_module(f"layer{number}", nn.Sequential(*layer))
            channels.append(_EXPANSION * middle)
        self.num_layers = len(stages) - 2
        width = channels[-1]
        self.transformer = nn.Sequential(
            *(
                SwinBlock(width, num_heads, window, shift=number % 2 == 1, dims=dims)
                for number in range(transformer_blocks)
            )
        )
        up_channels = [max(8, base_channels // 2), *channels[1:]]
        self.decoder = Decoder(channels, stages, num_classes, widths=up_channels)
        initialise(self)
        if pretrained is not None:
            self._load(Path(pretrained))

    def forward(self, x: Tensor) -> list[Tensor]:
        skips = [x]
        x = F.relu(self.bn1(self.conv1(x)))  # (B, C, *(n / 2))
        skips.append(x)
        for number in range(1, self.num_layers + 1):
            x = self.get_submodule(f"layer{number}")(x)  # (B, C, *coarser)
            skips.append(x)
        skips[-1] = self.transformer(x)
        return self.decoder(skips)

    @torch.no_grad()
    def _load(self, path: Path) -> None:
        """Take over what a ResNet-50 has; its first kernel is averaged over colours."""
        from safetensors.torch import load_file

        if not path.is_file():
            raise DataError(f"model.pretrained: {path} is missing; give a safetensors file or null")
        own, found = self.state_dict(), load_file(path)
        wanted = [name for name in own if name.split(".")[0] in ("conv1", "bn1") or "layer" in name]
        for name in wanted:
            value = found.get(name)
            if value is not None and name == "conv1.weight":
                value = value.mean(1, keepdim=True).repeat(1, own[name].shape[1], 1, 1)
            if value is None or value.shape != own[name].shape:
                raise DataError(
                    f"model.pretrained: {path}: {name} is "
                    f"{'missing' if value is None else tuple(value.shape)}, expected "
                    f"{tuple(own[name].shape)}: a ResNet-50 with torchvision's names, dims 2, "
                    "base_channels 64"
                )
            own[name].copy_(value)


class Bottleneck(nn.Module):
    """ResNet's bottleneck, names and order as torchvision's.

    Shape:
        (B, in_channels, *n) -> (B, 4·middle, *ceil(n / stride))
    """

    def __init__(self, in_channels: int, middle: int, stage: Stage) -> None:
        super().__init__()
        dims, out = len(stage.kernel), _EXPANSION * middle
        one, padding = (1,) * dims, tuple(size // 2 for size in stage.kernel)
        self.conv1 = CONV[dims](in_channels, middle, one, bias=False)
        self.bn1 = NORM[dims](middle, affine=True)
        self.conv2 = CONV[dims](
            middle, middle, stage.kernel, stride=stage.stride, padding=padding, bias=False
        )
        self.bn2 = NORM[dims](middle, affine=True)
        self.conv3 = CONV[dims](middle, out, one, bias=False)
        self.bn3 = NORM[dims](out, affine=True)
        self.downsample: nn.Module | None = None
        if in_channels != out or max(stage.stride) > 1:
            self.downsample = nn.Sequential(
                CONV[dims](in_channels, out, one, stride=stage.stride, bias=False),
                NORM[dims](out, affine=True),
            )

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(self.bn3(self.conv3(y)) + shortcut)


class SwinBlock(nn.Module):
    """Attention in (shifted) windows and an MLP, each behind a normalisation, beside a shortcut.

    Shape:
        (B, C, *n) -> the same
    """

    def __init__(self, width: int, num_heads: int, window: int, shift: bool, dims: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = ChannelLayerNorm(width), ChannelLayerNorm(width)
        self.attention = WindowedAttention(width, num_heads, window, shift=shift, spatial_dims=dims)
        one = (1,) * dims
        self.mlp = nn.Sequential(
            CONV[dims](width, 4 * width, one), nn.GELU(), CONV[dims](4 * width, width, one)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))
