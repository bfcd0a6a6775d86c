"""Training steps with depthwise convolutions against eager PyTorch in the better of its layouts.

``python -m benchmarks.shared_layers.depthwise``
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.shared_layers.timing import interleaved_minimum, relative_error
from shared_layers import DepthwiseConv2d, DepthwiseConv3d

LAST = {2: torch.channels_last, 3: torch.channels_last_3d}
MakeDepthwise = Callable[..., nn.Module]


def torch_depthwise(channels: int, kernel: int, dims: int, dilation: int = 1) -> nn.Module:
    """What a user writes today."""
    conv = nn.Conv2d if dims == 2 else nn.Conv3d
    padding = dilation * (kernel - 1) // 2
    return conv(
        channels, channels, kernel, padding=padding, dilation=dilation, groups=channels, bias=False
    )


def our_depthwise(channels: int, kernel: int, dims: int, dilation: int = 1) -> nn.Module:
    """The same through this library."""
    layer = DepthwiseConv2d if dims == 2 else DepthwiseConv3d
    return layer(channels, kernel, dilation=dilation, bias=False)


def mbconv3d(make: MakeDepthwise, channels: int, expansion: int) -> nn.Module:
    """Expand, filter 3³, project, each with a group norm."""
    middle = expansion * channels
    return nn.Sequential(
        nn.Conv3d(channels, middle, 1, bias=False),
        nn.GroupNorm(4, middle),
        nn.SiLU(),
        make(middle, 3, 3),
        nn.GroupNorm(4, middle),
        nn.SiLU(),
        nn.Conv3d(middle, channels, 1, bias=False),
        nn.GroupNorm(4, channels),
    )


class LargeKernelAttentionBlock(nn.Module):
    """1x1, GELU, x · conv1x1(dw 7x7 dilation 3 (dw 5x5 (x))), 1x1, + input."""

    def __init__(self, make: MakeDepthwise, channels: int) -> None:
        super().__init__()
        self.before = nn.Sequential(nn.Conv2d(channels, channels, 1), nn.GELU())
        self.attention = nn.Sequential(
            make(channels, 5, 2), make(channels, 7, 2, 3), nn.Conv2d(channels, channels, 1)
        )
        self.after = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The block's output."""
        y = self.before(x)
        return x + self.after(y * self.attention(y))


def large_kernel_block(make: MakeDepthwise, channels: int, kernel: int) -> nn.Module:
    """Depthwise k x k, batch norm, 1x1 to four times the width, GELU, 1x1 back."""
    return nn.Sequential(
        make(channels, kernel, 2),
        nn.BatchNorm2d(channels),
        nn.Conv2d(channels, 4 * channels, 1),
        nn.GELU(),
        nn.Conv2d(4 * channels, channels, 1),
    )


# name -> (build, input shape, aim)
BLOCKS: dict[str, tuple[Callable[[MakeDepthwise], nn.Module], tuple[int, ...], float]] = {
    "MBConv3D c32 e6": (lambda m: mbconv3d(m, 32, 6), (1, 32, 16, 16, 16), 1.3),
    "MBConv3D c16 e4": (lambda m: mbconv3d(m, 16, 4), (1, 16, 32, 32, 32), 1.3),
    "LKA block": (lambda m: LargeKernelAttentionBlock(m, 96), (2, 96, 56, 56), 1.6),
    "LKA block, weather grid": (
        lambda m: LargeKernelAttentionBlock(m, 64),
        (1, 64, 90, 180),
        1.6,
    ),
    "13x13 block": (lambda m: large_kernel_block(m, 96, 13), (2, 96, 56, 56), 1.3),
    "31x31 block": (lambda m: large_kernel_block(m, 128, 31), (2, 128, 64, 64), 8.0),
}

# Single layers, ours against torch's in the same layout: (shape, kernel, dilation).
LAYERS: list[tuple[tuple[int, ...], int, int]] = [
    ((2, 96, 56, 56), 3, 1),
    ((2, 96, 56, 56), 5, 1),
    ((2, 96, 56, 56), 7, 1),
    ((8, 192, 28, 28), 7, 1),
    ((8, 384, 7, 7), 7, 1),
    ((2, 96, 56, 56), 11, 1),
    ((2, 96, 56, 56), 7, 3),
    ((1, 64, 90, 180), 13, 1),
    ((1, 32, 32, 32, 32), 3, 1),
    ((2, 192, 16, 16, 16), 3, 1),
    ((1, 24, 33, 31, 29), 5, 1),
    ((1, 32, 32, 32, 32), 3, 2),
]


def training_step(module: nn.Module, x: Tensor, grad: Tensor) -> list[Tensor]:
    """Output and all gradients."""
    y = module(x)
    return [y, *torch.autograd.grad(y, [x, *module.parameters()], grad)]


def compare(
    build: Callable[[MakeDepthwise], nn.Module], shape: tuple[int, ...]
) -> tuple[dict[str, float], float]:
    """Times (s) of ours and theirs in both layouts, and the largest relative error of ours."""
    steps: dict[str, Callable[[], list[Tensor]]] = {}
    for layout_name, layout in (
        ("first", torch.contiguous_format),
        ("last", LAST[len(shape) - 2]),
    ):
        torch.manual_seed(0)
        theirs, ours = build(torch_depthwise), build(our_depthwise)
        ours.load_state_dict(theirs.state_dict())
        x = torch.randn(shape).to(memory_format=layout).requires_grad_()
        grad = torch.randn(shape).to(memory_format=layout)
        for name, module in (("theirs", theirs), ("ours", ours)):
            module.to(memory_format=layout)  # type: ignore[call-overload]
            steps[f"{name} {layout_name}"] = partial(training_step, module, x, grad)
    results = {name: step() for name, step in steps.items()}
    error = max(
        relative_error(found, expected)
        for layout_name in ("first", "last")
        for found, expected in zip(
            results[f"ours {layout_name}"], results[f"theirs {layout_name}"], strict=True
        )
    )
    return interleaved_minimum(steps, repeats=12, budget_s=12), error


def run() -> list[dict[str, Any]]:
    """One row per block, and two per layer."""
    rows: list[dict[str, Any]] = []
    for name, (build, shape, bar) in BLOCKS.items():
        times, error = compare(build, shape)
        ours = min(times["ours first"], times["ours last"])
        theirs = min(times["theirs first"], times["theirs last"])
        rows.append(
            {
                "kernel": "depthwise training step",
                "case": f"{name} {'x'.join(map(str, shape))}",
                "ours_ms": ours * 1e3,
                "theirs_ms": theirs * 1e3,
                "ratio": theirs / ours,
                "bar": bar,
                "error": error,
                "all_ms": {key: value * 1e3 for key, value in times.items()},
            }
        )
    for shape, kernel, dilation in LAYERS:
        dims = len(shape) - 2

        def build(
            make: MakeDepthwise,
            channels: int = shape[1],
            sizes: tuple[int, int, int] = (kernel, dims, dilation),
        ) -> nn.Module:
            return make(channels, *sizes)

        times, error = compare(build, shape)
        for layout in ("first", "last"):
            rows.append(
                {
                    "kernel": f"depthwise layer, channels {layout}",
                    "case": f"k{kernel} d{dilation} {'x'.join(map(str, shape))}",
                    "ours_ms": times[f"ours {layout}"] * 1e3,
                    "theirs_ms": times[f"theirs {layout}"] * 1e3,
                    "ratio": times[f"theirs {layout}"] / times[f"ours {layout}"],
                    "bar": 0.95,
                    "error": error,
                }
            )
    return rows


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
