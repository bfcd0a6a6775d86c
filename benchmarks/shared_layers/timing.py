"""How the benchmarks measure: one thread, CPU time of that thread, interleaved, the minimum."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import torch


def interleaved_minimum(
    calls: Mapping[str, Callable[[], Any]], repeats: int = 10, budget_s: float = 20.0
) -> dict[str, float]:
    """The least CPU time (s) of each call, all of them run in turn ``repeats`` times.

    Interleaving spreads a neighbour's load over all candidates; the minimum discards it.
    Stops early when ``budget_s`` of wall time is spent, after two rounds at the least.
    """
    torch.set_num_threads(1)
    for call in calls.values():
        call()
    best = dict.fromkeys(calls, float("inf"))
    start = time.perf_counter()
    for turn in range(repeats):
        if turn >= 2 and time.perf_counter() - start > budget_s:
            break
        for name, call in calls.items():
            begin = time.thread_time()
            call()
            best[name] = min(best[name], time.thread_time() - begin)
    return best


def relative_error(found: torch.Tensor, expected: torch.Tensor) -> float:
    """Largest difference over the largest expected magnitude."""
    scale = expected.detach().abs().max().item()
    return (found.detach() - expected.detach()).abs().max().item() / scale
