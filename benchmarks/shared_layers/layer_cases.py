"""Every public layer once, at the size at which ``layers.py`` measures it.

Beside a layer that stands in for one of torch stands that one, its twin.

Legend of the sizes: B batch, C channel, T time, n size of a spatial axis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn

import shared_layers as layers

LINE = (4, 64, 512)  # B, C, n
MAP = (1, 64, 56, 56)  # B, C, n1, n2
SMALL_MAP = (1, 64, 28, 28)
VOLUME = (1, 32, 16, 32, 32)  # B, C, n1, n2, n3
SEQUENCE = (4, 256, 64)  # B, T, C


@dataclass(frozen=True)
class Case:
    """A layer, what it is called with, and the layer of torch that it stands in for."""

    layer: nn.Module
    arguments: str
    inputs: tuple[Any, ...]
    twin: nn.Module | None
    twin_name: str

    @property
    def name(self) -> str:
        """The public name."""
        return type(self.layer).__name__

    @property
    def size(self) -> str:
        """Constructor arguments and input shapes, as the README shows them."""
        shapes = ["·".join(map(str, x.shape)) for x in self.inputs if isinstance(x, Tensor)]
        count = f"{len(shapes)} × " if len(shapes) > 1 and len(set(shapes)) == 1 else ""
        return f"`({self.arguments})` on {count}{', '.join(dict.fromkeys(shapes))}"


class Around(nn.Module):
    """A layer of torch with what a user has to write around it."""

    def __init__(self, layer: nn.Module, call: Callable[..., Any]) -> None:
        super().__init__()
        self.layer, self.call = layer, call

    def forward(self, *inputs: Any) -> Any:
        """The call."""
        return self.call(self.layer, *inputs)


def case(
    kind: type[nn.Module],
    *arguments: Any,
    on: Sequence[Any],
    twin: nn.Module | None = None,
    twin_name: str = "",
    **options: Any,
) -> Case:
    """A case; shapes in ``on`` become random tensors, everything else is passed as it is."""

    def shown(value: Any) -> str:
        if isinstance(value, list):
            return f"[{', '.join(map(shown, value))}]"
        return type(value).__name__ if isinstance(value, nn.Module) else repr(value)

    words = [shown(a) for a in arguments] + [f"{k}={shown(v)}" for k, v in options.items()]
    inputs = tuple(torch.randn(x) if isinstance(x, tuple) else x for x in on)
    name = twin_name or type(twin).__name__
    return Case(kind(*arguments, **options), ", ".join(words), inputs, twin, name)


def attention() -> Iterator[Case]:
    """Cases of `shared_layers.attention`."""
    hole = torch.zeros(1, 1, 32, 32, dtype=torch.bool)
    hole[..., 8:24, 8:24] = True
    heads = nn.MultiheadAttention(64, 4, batch_first=True)
    heads_on_itself = Around(heads, lambda layer, x: layer(x, x, x, need_weights=False))
    yield case(layers.AttentionGate1d, 64, 128, on=[LINE, (4, 128, 256)])
    yield case(layers.AttentionGate2d, 64, 128, on=[MAP, (1, 128, 28, 28)])
    yield case(layers.AttentionGate3d, 32, 64, stride=(2, 2, 1), on=[VOLUME, (1, 64, 8, 16, 32)])
    yield case(layers.ContextualAttention, 3, on=[(1, 64, 32, 32), hole])
    yield case(layers.ConvProjectionAttention, 64, 4, on=[MAP])
    yield case(layers.ConvTokenEmbed, 3, 64, on=[(1, 3, 224, 224)], twin=nn.Conv2d(3, 64, 7, 4, 3))
    yield case(layers.GPSA, 72, 9, on=[(1, 72, 28, 28)])
    yield case(
        layers.Hopfield, 64, 4, on=[SEQUENCE], twin=heads_on_itself, twin_name="MultiheadAttention"
    )
    yield case(layers.HopfieldPooling, 64, 4, num_heads=4, on=[SEQUENCE])
    yield case(layers.PositionAwareAttention, 64, 256, on=[SEQUENCE])
    yield case(layers.WindowedAttention, 64, 4, 7, shift=True, on=[MAP])


def blocks() -> Iterator[Case]:
    """Cases of `shared_layers.blocks`."""

    def pair() -> layers.ReversibleBlock:
        return layers.ReversibleBlock(layers.MBConv2d(32, 32), layers.MBConv2d(32, 32))

    pairs = [pair() for _ in range(4)]
    encoder = nn.TransformerEncoderLayer(
        64, 4, 256, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    )
    yield case(layers.BilateralPropagation, 64, on=[(1, 64, 32, 32)])
    yield case(layers.ConvNeXtBlock, 64, on=[MAP])
    yield case(layers.EfficientModulation, 64, on=[MAP])
    yield case(layers.FeatureEqualization, 32, on=[(1, 32, 32, 32), (1, 32, 32, 32)])
    yield case(layers.FocalModulation, 64, on=[MAP])
    yield case(layers.ISTFTHead, 64, on=[LINE])
    yield case(layers.InceptionNeXtBlock, 64, on=[MAP])
    yield case(layers.MBConv1d, 64, 64, on=[LINE])
    yield case(layers.MBConv2d, 64, 64, on=[MAP])
    yield case(layers.MBConv3d, 32, 32, on=[VOLUME])
    yield Case(pair(), "MBConv2d, MBConv2d", (torch.randn(MAP),), None, "")
    kept = nn.Sequential(*pairs)
    yield Case(
        layers.ReversibleSequence(pairs),
        "[ReversibleBlock] * 4",
        (torch.randn(MAP),),
        kept,
        "Sequential",
    )
    yield case(layers.SqueezeExcitation2d, 64, 16, on=[MAP])
    yield case(layers.TextCNN, 64, 32, on=[SEQUENCE])
    yield case(layers.TransformerBlock, 64, 4, on=[SEQUENCE], twin=encoder)
    yield case(layers.UniRepLKNetBlock, 64, 13, on=[MAP])


def plain_convolutions() -> Iterator[Case]:
    """Cases of `shared_layers.conv` whose kernel is the layer's own, each with its twin."""
    lined: dict[str, Any] = {"padding": "same", "padding_mode": "circular"}
    globe = ("replicate", "circular")
    past = Around(
        nn.Conv1d(64, 64, 4, padding=3, groups=64), lambda conv, x: conv(x.mT)[..., :-3].mT
    )
    yield case(
        layers.CausalDepthwiseConv1d,
        64,
        4,
        on=[SEQUENCE],
        twin=past,
        twin_name="Conv1d, transposed",
    )
    same: dict[str, Any] = {"padding": "same"}
    twin: nn.Module = nn.Conv1d(64, 64, 7, groups=64, **same)
    yield case(layers.DepthwiseConv1d, 64, 7, on=[LINE], twin=twin)
    twin = nn.Conv2d(64, 64, 7, groups=64, **same)
    yield case(layers.DepthwiseConv2d, 64, 7, on=[MAP], twin=twin)
    twin = nn.Conv3d(32, 32, 3, groups=32, **same)
    yield case(layers.DepthwiseConv3d, 32, 3, on=[VOLUME], twin=twin)
    twin = nn.Conv1d(64, 64, 3, **lined)
    yield case(
        layers.PaddedConv1d, 64, 64, 3, padding_mode="circular", on=[LINE], twin=twin,
        twin_name="Conv1d, circular",
    )  # fmt: skip
    twin = nn.Conv2d(64, 64, 3, **lined)
    yield case(
        layers.PaddedConv2d, 64, 64, 3, padding_mode=globe, on=[MAP], twin=twin,
        twin_name="Conv2d, circular",
    )  # fmt: skip
    yield case(layers.PaddedConv3d, 32, 32, 3, on=[VOLUME], twin=nn.Conv3d(32, 32, 3, **same))
    twin = nn.Conv1d(64, 64, 3, padding=1)
    yield case(layers.WSConv1d, 64, 64, 3, padding=1, on=[LINE], twin=twin)
    twin = nn.Conv2d(64, 64, 3, padding=1)
    yield case(layers.WSConv2d, 64, 64, 3, padding=1, on=[MAP], twin=twin)
    twin = nn.Conv3d(32, 32, 3, padding=1)
    yield case(layers.WSConv3d, 32, 32, 3, padding=1, on=[VOLUME], twin=twin)


def factored_convolutions() -> Iterator[Case]:
    """Cases of `shared_layers.conv` whose kernel is made of smaller or shared parts."""
    wide = nn.Conv2d(64, 64, 3, padding=2, dilation=2)
    line, plane = nn.Conv1d(64, 64, 3, padding=1), nn.Conv2d(64, 64, 3, padding=1)
    volume, linear = nn.Conv3d(32, 32, 3, padding=1), nn.Linear(256, 256)
    yield case(layers.BcosConv2d, 64, 64, 3, on=[MAP], twin=plane)
    yield case(layers.BcosLinear, 256, 256, on=[(1024, 256)], twin=linear)
    yield case(layers.PHConv1d, 4, 64, 64, 3, on=[LINE], twin=line)
    yield case(layers.PHConv2d, 4, 64, 64, 3, on=[MAP], twin=plane)
    yield case(layers.PHConv3d, 4, 32, 32, 3, on=[VOLUME], twin=volume)
    yield case(layers.PHLinear, 4, 256, 256, on=[(1024, 256)], twin=linear)
    fixed = Around(wide, lambda conv, x, rate: conv(x))
    yield case(
        layers.RateAdaptiveDilatedConv2d, 64, 64, on=[MAP, 2], twin=fixed,
        twin_name="Conv2d, dilation 2",
    )  # fmt: skip
    yield case(layers.SeparableConv2d, 64, 64, 3, on=[MAP], twin=plane)
    yield case(layers.SeparableConv3d, 32, 32, 3, on=[VOLUME], twin=volume)


def composed_convolutions() -> Iterator[Case]:
    """Cases of `shared_layers.conv` that are made of several convolutions."""
    branches = [nn.Conv2d(64, 32, 1), nn.Conv2d(64, 32, 3, padding=1)]
    yield case(layers.ASPP2d, 64, 64, on=[MAP])
    yield case(layers.DilatedConvBranch1d, 64, 64, on=[LINE])
    yield case(layers.DilatedConvBranch2d, 64, 64, on=[MAP])
    yield case(layers.DilatedConvBranch3d, 32, 32, on=[VOLUME])
    yield case(layers.DilatedReparamConv2d, 64, 13, on=[MAP])
    yield case(layers.InceptionDWConv2d, 64, on=[MAP])
    yield case(layers.InceptionResidual, branches, nn.Conv2d(64, 64, 1), on=[MAP])
    yield case(layers.LargeKernelAttention1d, 64, on=[LINE])
    yield case(layers.LargeKernelAttention2d, 64, on=[MAP])
    yield case(layers.LargeKernelAttention3d, 32, on=[VOLUME])
    yield case(layers.SpatialCNN, 64, on=[SMALL_MAP])


def norm() -> Iterator[Case]:
    """Cases of `shared_layers.norm`."""
    over_channels = Around(nn.LayerNorm(64), lambda ln, x: ln(x.movedim(1, -1)).movedim(-1, 1))
    by_head = Around(nn.GroupNorm(4, 64), lambda gn, x: gn(x.flatten(0, 1)).view_as(x))
    yield case(layers.BatchChannelNorm, 8, 64, on=[MAP], twin=nn.BatchNorm2d(64))
    yield case(
        layers.ChannelLayerNorm, 64, on=[MAP], twin=over_channels, twin_name="LayerNorm, permuted"
    )
    yield case(layers.EstimatedBatchNorm, 64, on=[MAP], twin=nn.BatchNorm2d(64))
    yield case(layers.GlobalResponseNorm, 64, on=[MAP])
    yield case(
        layers.MultiHeadLayerNorm,
        4,
        64,
        on=[SEQUENCE],
        twin=by_head,
        twin_name="GroupNorm, flattened",
    )


def recurrent() -> Iterator[Case]:
    """Cases of `shared_layers.recurrent`."""
    yield case(layers.AutoConditionedLSTM, 64, 64, on=[(4, 100, 64)])
    yield case(layers.ConvBiLSTM, 6, 64, on=[(4, 256, 6)])
    yield case(layers.LSSL, 64, 64, on=[SEQUENCE])
    yield case(layers.MLSTMCell, 64, 4, on=[SEQUENCE] * 3)
    yield case(layers.TemporalConvLSTM, 6, 64, on=[(4, 256, 6)])
    yield case(layers.ViLBlock, 64, on=[SMALL_MAP])
    yield case(layers.ViLLayer, 64, on=[SEQUENCE])


def regularizers() -> Iterator[Case]:
    """Cases of `shared_layers.regularizers`."""
    yield case(layers.DropPath, 0.1, on=[(8, 64, 28, 28)])
    yield case(layers.MultiSampleDropout, nn.Linear(256, 10), 0.5, on=[(64, 256)])


def all_cases() -> Iterator[Case]:
    """Every public layer once."""
    convolutions = (plain_convolutions(), factored_convolutions(), composed_convolutions())
    return chain(attention(), blocks(), *convolutions, norm(), recurrent(), regularizers())
