"""What every public layer costs: ``python -m benchmarks.shared_layers.layers [--write]``.

For each layer at one stated size: parameters, floating-point operations of the forward pass, and
the time of forward (evaluation, no gradient) and of forward + backward (training, gradients of
inputs and parameters); beside a layer that stands in for one of torch, the same of that one.
One thread, CPU time of that thread, repeats of both layers interleaved, the minimum.

Writes ``benchmarks/results/shared_layers_layers_cpu.json``; ``--write`` also puts the numbers into
the rows between ``<!-- layers -->`` and ``<!-- /layers -->`` of ``shared_layers/README.md``, whose
words are left as they are.
"""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.shared_layers.layer_cases import Case, all_cases
from benchmarks.shared_layers.layer_flops import count_flops
from benchmarks.shared_layers.results import (
    README,
    measured_on,
    replace_section,
    rounded,
    section,
    write_results,
)
from benchmarks.shared_layers.timing import interleaved_minimum

RESULTS = Path(__file__).parents[1] / "results" / "shared_layers_layers_cpu.json"
REPEATS, BUDGET_S = 40, 0.9  # per layer, forward and training step each


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
    by_name = {row["layer"]: row for row in rows}
    lines = []
    for line in section("layers").splitlines():
        parts = [part.strip() for part in line.strip().strip("|").split("|")]
        row = by_name.pop(parts[0].strip("`"), None)
        if row is not None:
            line = f"| {' | '.join([*parts[:3], *cells(row), parts[-1]])} |".replace("|  |", "| |")
        elif line.startswith("Measured on"):
            line = measured_on(about)
        lines.append(line)
    if by_name:
        raise SystemExit(f"{README}: no row for {', '.join(by_name)}: add it to a table")
    replace_section("layers", "\n".join(lines))


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
    about = write_results(RESULTS, rows)
    if options.write:
        write_readme(rows, about)


if __name__ == "__main__":
    main()
