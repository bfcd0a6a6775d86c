"""What every public layer costs: ``python -m benchmarks.shared_layers.layers [--write]``.

For each layer at one stated size: parameters, floating-point operations of the forward pass, and
the time of forward (evaluation, no gradient) and of forward + backward (training, gradients of
inputs and parameters); beside a layer that stands in for one of torch, the same of that one.
One thread, CPU time of that thread, repeats of both layers interleaved, the minimum.

Writes ``benchmarks/results/shared_layers_layers_cpu.json``; ``--write`` also puts the numbers into
the rows between ``<!-- layers -->`` and ``<!-- /layers -->`` of ``shared_layers/README.md``, whose
words are left as they are.

Legend of the sizes: B batch, C channel, T time, n size of a spatial axis.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import shared_layers as layers
from benchmarks.shared_layers.__main__ import machine, rounded
from benchmarks.shared_layers.timing import interleaved_minimum

ROOT = Path(__file__).parents[2]
README = ROOT / "shared_layers" / "README.md"
RESULTS = ROOT / "benchmarks" / "results" / "shared_layers_layers_cpu.json"
REPEATS, BUDGET_S = 40, 0.9  # per layer, forward and training step each

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


def _depthwise_flop(x: Any, weight: Any, *_: Any, out_shape: Any, **__: Any) -> int:
    return 2 * math.prod(out_shape) * math.prod(weight[2:])


def _causal_flop(x: Any, weight: Any, *_: Any, **__: Any) -> int:
    return 2 * math.prod(x) * weight[1]


def _mlstm_flop(q: Any, k: Any, v: Any, i: Any, f: Any, length: int, *_: Any, **__: Any) -> int:
    """Products inside a chunk (causal half not deducted), and with the state before it."""
    batch, heads, steps, features = q
    rows, values = batch * heads * math.ceil(steps / length) * length, v[3] + 1
    return 2 * rows * (length * (features + values) + 2 * features * values)


def _lstm_flop(x: Any, input_weight: Any, hidden_weight: Any, *_: Any, **__: Any) -> int:
    steps = math.prod(x[:-1])
    return 2 * steps * (math.prod(input_weight) + math.prod(hidden_weight))


def _attention_flop(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    return 2 * math.prod(query[:-1]) * key[-2] * (query[-1] + value[-1])


def _real_fft_flop(longer: Any, axes: Any) -> int:
    points = math.prod(longer[axis] for axis in axes)
    return round(2.5 * math.prod(longer) * math.log2(points))


# What torch's counter does not know. A real transform of n points counts 2.5 n log2 n.
FORMULAS: dict[Any, Callable[..., int]] = {
    torch.ops.shared_layers.depthwise_conv: _depthwise_flop,
    torch.ops.shared_layers.causal_conv1d: _causal_flop,
    torch.ops.shared_layers.mlstm_chunkwise: _mlstm_flop,
    torch.ops.aten.mkldnn_rnn_layer: _lstm_flop,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention_flop,
    torch.ops.aten._fft_r2c: lambda x, axes, *_, **__: _real_fft_flop(x, axes),
    torch.ops.aten._fft_c2r: lambda x, axes, *_, out_shape, **__: _real_fft_flop(out_shape, axes),
}


def count_flops(layer: nn.Module, inputs: Sequence[Any]) -> int:
    """Operations of one forward pass: products and sums of convolutions, matrices and FFTs."""
    counter = FlopCounterMode(display=False, custom_mapping=FORMULAS)
    with counter:  # with gradients: without, its hooks stop at a parameter's view
        copy.deepcopy(layer).eval()(*inputs)
    return counter.get_total_flops()


def calls_of(layer: nn.Module, inputs: Sequence[Any]) -> tuple[Callable[[], Any], ...]:
    """Two calls: the forward pass in evaluation, and a training step's forward + backward."""
    tracked = [
        x.clone().requires_grad_() if isinstance(x, Tensor) and x.is_floating_point() else x
        for x in inputs
    ]
    leaves = [x for x in tracked if isinstance(x, Tensor) and x.requires_grad]
    leaves += [p for p in layer.parameters() if p.requires_grad]

    def output(arguments: Sequence[Any]) -> Tensor:
        out = layer(*arguments)
        return out if isinstance(out, Tensor) else out[0]

    grad = torch.randn_like(output(tracked).detach())
    at_rest = copy.deepcopy(layer).eval()

    def forward() -> None:
        with torch.no_grad():
            at_rest(*inputs)

    def step() -> None:
        torch.autograd.grad(output(tracked), leaves, grad, allow_unused=True)

    return forward, step


def measure(item: Case) -> dict[str, Any]:
    """One row: size, parameters, operations, times (ms), and the twin's time over ours."""
    ours = calls_of(item.layer, item.inputs)
    theirs = () if item.twin is None else calls_of(item.twin, item.inputs)
    times: dict[str, float] = {}
    # forward passes among themselves: after a training step, one starts with cold caches
    for at, name in enumerate(("forward", "step")):
        calls = {name: ours[at]} | ({f"twin_{name}": theirs[at]} if theirs else {})
        times |= interleaved_minimum(calls, REPEATS, BUDGET_S)
    row: dict[str, Any] = {
        "layer": item.name,
        "size": item.size,
        "parameters": sum(p.numel() for p in item.layer.parameters()),
        "mflop": count_flops(item.layer, item.inputs) / 1e6,
        "forward_ms": times["forward"] * 1e3,
        "step_ms": times["step"] * 1e3,
    }
    if item.twin is not None:
        row["twin"] = item.twin_name
        row["twin_forward_ms"] = times["twin_forward"] * 1e3
        row["twin_step_ms"] = times["twin_step"] * 1e3
        row["forward_ratio"] = times["twin_forward"] / times["forward"]
        row["step_ratio"] = times["twin_step"] / times["step"]
    return row


def number(value: float) -> str:
    """Three digits at most, one below 0.1."""
    if value < 0.1:
        return f"{value:.1g}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.{1 if value >= 10 else 2}f}"


def cells(row: dict[str, Any]) -> list[str]:
    """The measured cells of a row of the README."""
    twin = ""
    if "twin" in row:
        twin = f"{row['twin']}: {number(row['forward_ratio'])} / {number(row['step_ratio'])}"
    times = f"{number(row['forward_ms'])} / {number(row['step_ms'])}"
    return [row["size"], f"{row['parameters']:,}", number(row["mflop"]), times, twin]


def write_readme(rows: Sequence[dict[str, Any]], about: dict[str, str]) -> None:
    """Put the numbers into the table; the first three cells of a row and the last are words.

    Raises:
        SystemExit: a layer that has no row.
    """
    text = README.read_text()
    table = re.search(r"(?s)<!-- layers -->\n(.*)<!-- /layers -->", text)
    if table is None:
        raise SystemExit(f"{README}: expected the lines <!-- layers --> and <!-- /layers -->")
    by_name = {row["layer"]: row for row in rows}
    lines = []
    for line in table[1].splitlines():
        parts = [part.strip() for part in line.strip().strip("|").split("|")]
        row = by_name.pop(parts[0].strip("`"), None)
        if row is not None:
            line = f"| {' | '.join([*parts[:3], *cells(row), parts[-1]])} |".replace("|  |", "| |")
        elif line.startswith("Measured on"):
            line = f"Measured on {about['processor']}, {about['instructions']}, one thread, "
            line += f"Python {about['python']}, torch {about['torch']}."
        lines.append(line)
    if by_name:
        raise SystemExit(f"{README}: no row for {', '.join(by_name)}: add it to a table")
    start, end = table.span(1)
    README.write_text(text[:start] + "\n".join(lines) + "\n" + text[end:])


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description="what every public layer costs")
    parser.add_argument("--write", action="store_true", help="update the README's table too")
    parser.add_argument("--only", metavar="NAME", help="measure one layer and write nothing")
    options = parser.parse_args()
    torch.manual_seed(0)
    begin = time.perf_counter()
    rows = []
    for item in all_cases():
        if options.only in (None, item.name):
            rows.append(rounded(measure(item)))
            print(f"{item.name:<26} " + "  ".join(cells(rows[-1])), flush=True)
    print(f"{len(rows)} layers in {time.perf_counter() - begin:.0f} s")
    if options.only:
        return
    about = machine()
    RESULTS.parent.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    RESULTS.write_text(f'{{"machine": {json.dumps(about)},\n"rows": [\n{lines}\n]}}\n')
    if options.write:
        write_readme(rows, about)


if __name__ == "__main__":
    main()
