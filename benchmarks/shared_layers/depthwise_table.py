"""Measures every form of every pass of the depthwise convolution and prints the dispatch table.

``python -m benchmarks.shared_layers.depthwise_table`` prints the time of each form in ms on each
shape, then the literal of ``shared_layers/ops/depthwise_conv/table.py``.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from benchmarks.shared_layers.timing import interleaved_minimum
from shared_layers.ops.depthwise_conv import cpu, op, rewrite

# Per dimension: shapes whose last axis fills a vector (16 floats), and narrower ones.
SHAPES: dict[tuple[int, bool], list[tuple[int, ...]]] = {
    (1, False): [(4, 64, 1000), (8, 256, 256)],
    (1, True): [(32, 64, 12), (8, 256, 8)],
    (2, False): [(2, 96, 56, 56), (8, 192, 28, 28), (1, 64, 90, 180)],
    (2, True): [(4, 256, 14, 14), (8, 384, 7, 7)],
    (3, False): [(1, 32, 32, 32, 32), (2, 192, 16, 16, 16), (1, 24, 33, 31, 29)],
    (3, True): [(2, 96, 12, 12, 12), (2, 256, 8, 8, 8)],
}
KERNELS = {1: [3, 7, 15, 31], 2: [3, 5, 7, 9, 11, 13, 15, 31], 3: [3, 5, 7]}
DILATIONS = {1: [1, 3], 2: [1, 3], 3: [1, 2]}
LAST = {2: torch.channels_last, 3: torch.channels_last_3d}


def in_layout(call: Callable[[], Tensor], layout: torch.memory_format) -> Tensor:
    """What the op returns: the result in the layout of the input."""
    return call().contiguous(memory_format=layout)


def candidates(
    which: str, x: Tensor, grad: Tensor, weight: Tensor, padding: list[int], dilation: list[int]
) -> dict[str, Callable[[], Tensor]]:
    """The calls of one pass, each with the conversions that it needs."""
    stride, kernel = [1] * len(padding), weight.shape[2:]
    layout = op.memory_format(x)
    if which == "forward":
        calls = {
            "aten": lambda: torch.ops.aten.convolution(
                x, weight, None, stride, padding, dilation, False, [0] * len(kernel), x.shape[1]
            ),
            "cpp": lambda: cpu.forward(x, weight, None, padding, dilation),
        }
        if any(d > 1 for d in dilation):  # undilated, the rewrite is aten's
            calls["rewrite"] = lambda: rewrite.forward(x, weight, None, padding, dilation)
    elif which == "grad_input":
        calls = {
            "aten": lambda: op._aten_backward(grad, x, weight, stride, padding, dilation, 0),
            "cpp": lambda: cpu.grad_input(grad, weight, padding, dilation),
            "rewrite": lambda: rewrite.grad_input(grad, weight, padding, dilation),
        }
    else:
        return {
            "aten": lambda: op._aten_backward(grad, x, weight, stride, padding, dilation, 1),
            "cpp": lambda: cpu.grad_weight(x, grad, kernel, padding, dilation),
            "rewrite": lambda: rewrite.grad_weight(x, grad, kernel, padding, dilation),
        }
    return {name: partial(in_layout, call, layout) for name, call in calls.items()}


def measure(
    dims: int, kernel: int, dilation: int, is_last: bool, is_narrow: bool
) -> dict[str, dict[str, list[float]]]:
    """Per pass and form the time over that of aten (1 = aten), one number per shape."""
    ratios: dict[str, dict[str, list[float]]] = {}
    for shape in SHAPES[dims, is_narrow]:
        layout = LAST[dims] if is_last else torch.contiguous_format
        x = torch.randn(shape).to(memory_format=layout)
        grad = torch.randn(shape).to(memory_format=layout)
        weight = torch.randn(shape[1], 1, *[kernel] * dims)
        padding, spread = [dilation * (kernel - 1) // 2] * dims, [dilation] * dims
        for which in ("forward", "grad_input", "grad_weight"):
            calls = candidates(which, x, grad, weight, padding, spread)
            times = interleaved_minimum(calls, repeats=8, budget_s=1.0)
            cells = "  ".join(f"{form} {time * 1e3:8.3f}" for form, time in times.items())
            name = "last" if is_last else "first"
            print(f"# {dims}-D k{kernel} d{dilation} {name:5} {which:11} {shape!s:22} {cells}")
            for form, time in times.items():
                ratios.setdefault(which, {}).setdefault(form, []).append(time / times["aten"])
    return ratios


def ranking(ratios: dict[str, list[float]]) -> tuple[str, ...]:
    """The forms from the fastest mean down to aten, without those that lose 3 % on any shape."""
    safe = {form: values for form, values in ratios.items() if max(values) < 1.03}
    mean = {form: sum(map(math.log, values)) for form, values in safe.items()}
    order = sorted(mean, key=mean.__getitem__)
    return tuple(order[: order.index("aten")])


def main() -> None:
    """Print the measurements as comments, then the table as a literal."""
    table: dict[tuple[str, int, bool, bool, bool], list[tuple[int, tuple[str, ...]]]] = {}
    for dims, kernels in KERNELS.items():
        for dilation, is_last, is_narrow, kernel in itertools.product(
            DILATIONS[dims], (False, True), (False, True), kernels
        ):
            if (is_last and dims == 1) or dilation * (kernel - 1) > 40:
                continue
            for which, ratios in measure(dims, kernel, dilation, is_last, is_narrow).items():
                key = (which, dims, is_last, dilation > 1, is_narrow)
                rows, forms = table.setdefault(key, []), ranking(ratios)
                if rows and rows[-1][1] == forms:
                    rows.pop()
                rows.append((kernel, forms))
    print("TABLE = {")
    for key, rows in table.items():
        print(f"    {key}: {tuple(rows)},")
    print("}")


if __name__ == "__main__":
    main()
