"""Causal depthwise convolution of (B, T, C) against F.conv1d with the transposes it needs.

``python -m benchmarks.shared_layers.causal_conv1d``
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.shared_layers.timing import interleaved_minimum, relative_error
from shared_layers import causal_depthwise_conv1d

SHAPES = [(1, 4096, 512), (8, 512, 256), (2, 1024, 96)]


def transposing_form(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """What a user of F.conv1d writes."""
    padded = F.conv1d(
        x.transpose(1, 2), weight.unsqueeze(1), bias, padding=weight.shape[1] - 1, groups=x.shape[2]
    )
    return padded[..., : x.shape[1]].transpose(1, 2).contiguous()


def forward(form: Callable[..., Tensor], tensors: Sequence[Tensor]) -> list[Tensor]:
    """The output."""
    return [form(*tensors)]


def training_step(
    form: Callable[..., Tensor], leaves: Sequence[Tensor], grad: Tensor
) -> list[Tensor]:
    """All gradients."""
    return list(torch.autograd.grad(form(*leaves), leaves, grad))


def run() -> list[dict[str, Any]]:
    """Two rows per shape, kernel 4, float32."""
    rows: list[dict[str, Any]] = []
    forms: dict[str, Callable[..., Tensor]] = {
        "ours": causal_depthwise_conv1d,
        "theirs": transposing_form,
    }
    for shape in SHAPES:
        torch.manual_seed(0)
        x, grad = torch.randn(shape), torch.randn(shape)
        tensors = (x, torch.randn(shape[2], 4), torch.randn(shape[2]))
        leaves = tuple(t.clone().requires_grad_() for t in tensors)
        calls: dict[str, dict[str, Callable[[], list[Tensor]]]] = {
            "forward": {n: partial(forward, f, tensors) for n, f in forms.items()},
            "training step": {n: partial(training_step, f, leaves, grad) for n, f in forms.items()},
        }
        for what, pair in calls.items():
            results = zip(pair["ours"](), pair["theirs"](), strict=True)
            error = max(relative_error(found, expected) for found, expected in results)
            times = interleaved_minimum(pair, repeats=30, budget_s=6)
            rows.append(
                {
                    "kernel": f"causal depthwise conv1d, {what}",
                    "case": f"B T C {'x'.join(map(str, shape))}, kernel 4",
                    "ours_ms": times["ours"] * 1e3,
                    "theirs_ms": times["theirs"] * 1e3,
                    "ratio": times["theirs"] / times["ours"],
                    "bar": 4.0,
                    "error": error,
                }
            )
    return rows


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
