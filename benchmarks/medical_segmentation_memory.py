"""Memory and time of the reversible U-Net, and of xLSTM-UNet's mixer by number of tokens.

    OMP_NUM_THREADS=1 python -m benchmarks.medical_segmentation_memory [--out FILE]

One training step (forward and backward, batch 1) in a fresh process for each case, since a
process's peak (VmHWM) never falls; the peak counts from before the forward pass.  ``pairs``: the
same U-Net with its activations kept or recomputed.  ``claim``: what fits into the memory of the
kept network (arXiv:2104.09648 says 3 times the volume, or 25 % more depth, or twice the channels).
``tokens``: a Vision-LSTM layer with the chunkwise cell beside the published form, quadratic in the
tokens.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import shared_layers.recurrent.vil as vil
from domains.files import write_json
from domains.medical_segmentation.models.reversible_unet import ReversibleUNet
from domains.medical_segmentation.models.stages import plan_stages
from shared_layers import ViLLayer, mlstm_parallel

BASE, EDGE, PAIRS, STAGES = 16, 48, 2, 3
"""Channels, edge of the volume, pairs of a stage and stages of the network that sets the budget."""

TOKENS = (96, 432, 1728, 4096)  # 4·6·4, 6·12·6, 12³, 16³
WIDTH = 128


def unet(is_reversible: bool, base: int, edge: int, pairs: int) -> tuple[nn.Module, Tensor]:
    """A U-Net and a volume for it."""
    torch.manual_seed(0)
    stages = plan_stages((edge,) * 3, (1, 1, 1), STAGES)
    network = ReversibleUNet(
        1, 3, stages, base_channels=base, blocks=pairs, is_reversible=is_reversible
    )
    return network, torch.randn(1, 1, edge, edge, edge)


def step(network: nn.Module, x: Tensor) -> None:
    """One forward and backward pass."""
    answers = network(x)
    answers = answers if isinstance(answers, list) else [answers]
    torch.stack([answer.square().mean() for answer in answers]).sum().backward()


def one_case(case: dict[str, Any]) -> dict[str, float]:
    """Peak memory above the start (MB) and CPU time (s) of a step in this process."""
    torch.set_num_threads(1)
    if "tokens" in case:
        if case["form"] == "parallel":
            vil.mlstm_chunkwise = lambda *parts, chunk_size: mlstm_parallel(*parts)  # type: ignore[assignment]
        torch.manual_seed(0)
        network: nn.Module = ViLLayer(WIDTH)
        x, small = torch.randn(1, case["tokens"], WIDTH), torch.randn(1, 64, WIDTH)
    else:
        network, x = unet(**case)
        small = x[:, :, :8, :8, :8]
    step(network, small)  # lazily built kernels are not the step's own
    before, begin = _status_mb("VmRSS"), time.thread_time()
    step(network, x)
    return {
        "peak_mb": round(_status_mb("VmHWM") - before, 1),
        "cpu_s": round(time.thread_time() - begin, 3),
    }


def fresh(**case: Any) -> dict[str, float]:
    """``one_case`` in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.medical_segmentation_memory"]
    done = subprocess.run(
        [*command, "--case", json.dumps(case)], capture_output=True, text=True, check=True
    )
    result: dict[str, float] = json.loads(done.stdout)
    return result


def by_pairs() -> list[dict[str, Any]]:
    """Kept against recomputed at 1, 4 and 8 pairs, and the largest difference of gradients."""
    rows = []
    for pairs in (1, 4, 8):
        kept, ours = (
            fresh(is_reversible=flag, base=BASE, edge=EDGE, pairs=pairs) for flag in (False, True)
        )
        rows.append(
            {
                "pairs": pairs,
                "kept": kept,
                "reversible": ours,
                "memory_ratio": round(kept["peak_mb"] / ours["peak_mb"], 2),
                "time_ratio": round(ours["cpu_s"] / kept["cpu_s"], 2),
                "gradient_error": {
                    name: gradient_error(pairs, dtype)
                    for name, dtype in (("float32", torch.float32), ("float64", torch.float64))
                },
            }
        )
    return rows


def gradient_error(pairs: int, dtype: torch.dtype, edge: int = 16) -> float:
    """Largest difference of a parameter's gradient over its largest value."""
    found = []
    for is_reversible in (True, False):
        network, x = unet(is_reversible, BASE, edge, pairs)
        step(network.to(dtype), x.to(dtype))
        found.append([p.grad for p in network.parameters() if p.grad is not None])
    return max(
        float((one - two).abs().max() / two.abs().max())
        for one, two in zip(*found, strict=True)
        if two.abs().max() > 1e-6  # a bias before a normalisation has none but rounding
    )


def claim() -> dict[str, Any]:
    """The largest volume, depth and width that fit into the memory of the kept network."""
    start = {"base": BASE, "edge": EDGE, "pairs": PAIRS}
    budget = fresh(is_reversible=False, **start)
    found: dict[str, Any] = {"budget": {**start, **budget}}
    ladders = {
        "edge": [52, 56, 60, 64, 68, 72, 76, 80],
        "pairs": [3, 4, 8, 16, 32],
        "base": [20, 24, 28, 32, 36, 40, 48],
    }
    for name, values in ladders.items():
        fits = None
        for value in values:
            peak = fresh(is_reversible=True, **{**start, name: value})
            if peak["peak_mb"] > budget["peak_mb"]:
                break
            fits = {name: value, **peak}
        found[name] = fits
    if found["edge"]:
        found["times_volume"] = round((found["edge"]["edge"] / EDGE) ** 3, 2)
    if found["pairs"]:
        found["times_depth"] = found["pairs"]["pairs"] / PAIRS
    if found["base"]:
        found["times_channels"] = found["base"]["base"] / BASE
    return found


def by_tokens() -> list[dict[str, Any]]:
    """A Vision-LSTM layer, chunkwise and in the published form."""
    return [
        {
            "tokens": tokens,
            **{form: fresh(tokens=tokens, form=form) for form in ("chunkwise", "parallel")},
        }
        for tokens in TOKENS
    ]


def _status_mb(field: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024


def main() -> None:
    """Measure and print, or one case for a parent."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--case", type=json.loads, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help="also write the results here, as JSON")
    options = parser.parse_args()
    if options.case:
        print(json.dumps(one_case(options.case)))
        return
    torch.set_num_threads(1)
    result = {"pairs": by_pairs(), "claim": claim(), "tokens": by_tokens()}
    print(json.dumps(result, indent=1))
    if options.out:
        write_json(options.out, result)


if __name__ == "__main__":
    main()
