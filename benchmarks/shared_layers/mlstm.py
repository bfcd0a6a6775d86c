"""Forward and backward of the mLSTM recurrence against the published parallel form.

``python -m benchmarks.shared_layers.mlstm``
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from benchmarks.shared_layers.timing import interleaved_minimum, relative_error
from shared_layers import mlstm_chunkwise, mlstm_parallel

BARS = {256: None, 1024: 7.0, 4096: 33.0}


def training_step(form: Callable[..., Tensor], tensors: list[Tensor], grad: Tensor) -> list[Tensor]:
    """Output and all gradients."""
    h = form(*tensors)
    return [h, *torch.autograd.grad(h, tensors, grad)]


def largest_error(found: list[Tensor], exact: list[Tensor]) -> float:
    """The largest relative error of the output and the gradients."""
    return max(relative_error(a.double(), b) for a, b in zip(found, exact, strict=True))


def run() -> list[dict[str, Any]]:
    """One row per length, B 1, 4 heads of 64, float32."""
    rows: list[dict[str, Any]] = []
    for steps, bar in BARS.items():
        torch.manual_seed(0)
        tensors = [torch.randn(1, 4, steps, 64) for _ in range(3)]
        tensors += [torch.randn(1, 4, steps), torch.randn(1, 4, steps) + 2]
        for t in tensors:
            t.requires_grad_()
        grad = torch.randn(1, 4, steps, 64)
        calls = {
            "ours": lambda t=tensors, g=grad: training_step(mlstm_chunkwise, t, g),
            "theirs": lambda t=tensors, g=grad: training_step(mlstm_parallel, t, g),
        }
        # float64, where the tests hold all forms to 1e-12 of each other; in float32 the parallel
        # form's own error is the larger one, and its O(S²) float64 run would not fit in memory.
        doubles = [t.detach().double().requires_grad_() for t in tensors]
        exact = training_step(mlstm_chunkwise, doubles, grad.double())
        errors = {name: largest_error(call(), exact) for name, call in calls.items()}
        times = interleaved_minimum(calls, repeats=10, budget_s=25)
        rows.append(
            {
                "kernel": "mLSTM cell, forward + backward",
                "case": f"S {steps}, 4 heads of 64",
                "ours_ms": times["ours"] * 1e3,
                "theirs_ms": times["theirs"] * 1e3,
                "ratio": times["theirs"] / times["ours"],
                "bar": bar,
                "error": errors["ours"],
                "theirs_error": errors["theirs"],
            }
        )
    return rows


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
