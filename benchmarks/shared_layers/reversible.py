"""Peak process memory and time of a reversible U-Net stage against the same blocks kept.

``python -m benchmarks.shared_layers.reversible`` starts one fresh process per case, because a
process's peak (VmHWM) never falls.  The peak counts from before the forward pass.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import torch
from torch import nn

from benchmarks.shared_layers.timing import interleaved_minimum, relative_error
from shared_layers.blocks.mbconv import MBConv3d
from shared_layers.blocks.reversible import ReversibleBlock, ReversibleSequence

CHANNELS, SIZE = 32, 48


def stage(num_blocks: int, is_reversible: bool, channels: int = CHANNELS) -> nn.Module:
    """``num_blocks`` pairs of MBConv3d branches with the same weights in either form."""
    torch.manual_seed(0)
    half = channels // 2

    def branch() -> MBConv3d:
        return MBConv3d(half, half, expansion=4, has_skip=False)

    blocks = [ReversibleBlock(branch(), branch()) for _ in range(num_blocks)]
    return ReversibleSequence(blocks) if is_reversible else nn.Sequential(*blocks)


def _status_mb(field: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024


def one_case(num_blocks: int, is_reversible: bool) -> dict[str, float]:
    """One training step in this process: peak memory above the start (MB) and CPU time (s)."""
    torch.set_num_threads(1)
    # Warm up code paths and lazily built kernels, so that the peak is the step's own.
    warm = stage(1, is_reversible)
    warm(torch.randn(1, CHANNELS, 16, 16, 16)).square().mean().backward()
    model = stage(num_blocks, is_reversible)
    x = torch.randn(1, CHANNELS, SIZE, SIZE, SIZE, requires_grad=True)
    before, begin = _status_mb("VmRSS"), time.thread_time()
    model(x).square().mean().backward()
    return {"peak_mb": _status_mb("VmHWM") - before, "time_s": time.thread_time() - begin}


def fresh_process(num_blocks: int, is_reversible: bool) -> dict[str, float]:
    """:func:`one_case` in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.shared_layers.reversible"]
    command += ["--case", str(num_blocks), str(int(is_reversible))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def run() -> list[dict[str, object]]:
    """The rows of the benchmark: memory at 1, 4 and 8 pairs, time at 8."""
    rows: list[dict[str, object]] = []
    for num_blocks in (1, 4, 8):
        kept, reversible = fresh_process(num_blocks, False), fresh_process(num_blocks, True)
        rows.append(
            {
                "kernel": "reversible stage, peak memory",
                "case": f"{num_blocks} pairs of MBConv3d, 32 x 48^3",
                "ours_mb": round(reversible["peak_mb"]),
                "theirs_mb": round(kept["peak_mb"]),
                "ratio": kept["peak_mb"] / reversible["peak_mb"],
                "bar": 3.0 if num_blocks == 8 else None,
            }
        )
    x = torch.randn(1, CHANNELS, 24, 24, 24)
    models = {"kept": stage(8, False), "reversible": stage(8, True)}

    def gradients(model: nn.Module) -> list[torch.Tensor]:
        leaf = x.clone().requires_grad_()
        loss = model(leaf).square().mean()
        return list(torch.autograd.grad(loss, [leaf, *model.parameters()]))

    pairs = zip(*map(gradients, models.values()), strict=True)
    error = max(relative_error(found, expected) for expected, found in pairs)
    times = interleaved_minimum({n: partial(gradients, m) for n, m in models.items()}, 8)
    rows.append(
        {
            "kernel": "reversible stage, time",
            "case": "8 pairs of MBConv3d, 32 x 24^3, training step",
            "ours_ms": times["reversible"] * 1e3,
            "theirs_ms": times["kept"] * 1e3,
            "ratio": times["kept"] / times["reversible"],
            "bar": 1 / 1.25,
            "error": error,
        }
    )
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--case", nargs=2, type=int)
    case = parser.parse_args().case
    print(json.dumps(one_case(case[0], bool(case[1])) if case else run()))
