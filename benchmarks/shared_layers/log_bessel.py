"""log I_v and log K_v against SciPy's log(ive) + x and log(kve) - x.

``python -m benchmarks.shared_layers.log_bessel``

The error column compares with mpmath at 50 digits (K: the integral at 45 digits), as
|difference| / max(1, |value|), on 40 random points of each range.
"""

from __future__ import annotations

import json
import statistics
from functools import partial
from typing import Any

import mpmath
import numpy as np
import scipy.special
import torch

from benchmarks.shared_layers.timing import interleaved_minimum
from shared_layers import log_iv, log_kv

RANGES = {
    "small, v 0-10, x 0.01-10": ((0, 10), (0.01, 10)),
    "low, v 0-2, x 0.01-2": ((0, 2), (0.01, 2)),
    "middle, v and x 10-300": ((10, 300), (10, 300)),
    "large, v and x 300-10000": ((300, 1e4), (300, 1e4)),
    "von Mises-Fisher, v 1023, x 1-5000": ((1023, 1023), (1, 5000)),
}
COUNT, CHECKED = 100_000, 40


def exact(function: str, v: float, x: float) -> mpmath.mpf:
    """The logarithm to 38 digits: mpmath's besseli, or the trapezoid rule on DLMF 10.32.9."""
    with mpmath.workdps(50):
        order, argument = mpmath.mpf(v), mpmath.mpf(x)
        if function == "I":
            return mpmath.log(mpmath.besseli(order, argument, maxterms=10**6))
        peak = mpmath.asinh(order / argument)
        height = argument * mpmath.cosh(peak) - order * peak
        step = min(mpmath.mpf(1) / 16, 1 / (3 * mpmath.sqrt(mpmath.hypot(order, argument))))
        first, total = int(peak / step), mpmath.mpf(0)
        for direction, j in ((1, first), (-1, first - 1)):
            while j >= 0:
                s = j * step
                term = mpmath.exp(height - argument * mpmath.cosh(s)) * mpmath.cosh(order * s)
                total += term / 2 if j == 0 else term
                if term < total * mpmath.mpf(10) ** -38:
                    break
                j += direction
        return mpmath.log(total * step) - height


def logarithm_by_scipy(scaled: Any, sign: int, v: np.ndarray, x: np.ndarray) -> np.ndarray:
    """What a user writes today; infinite where the scaled function underflows or overflows."""
    result: np.ndarray = np.log(scaled(v, x)) + sign * x
    return result


def run() -> list[dict[str, Any]]:
    """One row per function and range, and the median over the ranges."""
    rows: list[dict[str, Any]] = []
    generator = np.random.default_rng(0)
    for function, ours, scipys, sign in (
        ("I", log_iv, scipy.special.ive, 1),
        ("K", log_kv, scipy.special.kve, -1),
    ):
        ratios = []
        for name, (orders, arguments) in RANGES.items():
            v, x = generator.uniform(*orders, COUNT), generator.uniform(*arguments, COUNT)
            v_torch, x_torch = torch.from_numpy(v), torch.from_numpy(x)
            with np.errstate(divide="ignore"):
                times = interleaved_minimum(
                    {
                        "ours": partial(ours, v_torch, x_torch),
                        "theirs": partial(logarithm_by_scipy, scipys, sign, v, x),
                    },
                    repeats=10,
                )
                is_finite = np.isfinite(np.log(scipys(v, x)))
            found = ours(v_torch, x_torch)
            error = max(
                float(abs(found[i].item() - value) / max(1, abs(value)))
                for i in range(CHECKED)
                for value in [exact(function, v[i], x[i])]
            )
            ratios.append(times["theirs"] / times["ours"])
            rows.append(
                {
                    "kernel": f"log {function}_v(x)",
                    "case": name,
                    "ours_ms": times["ours"] * 1e3,
                    "theirs_ms": times["theirs"] * 1e3,
                    "ratio": ratios[-1],
                    "bar": 1.0,
                    "error": error,
                    "ours_finite": torch.isfinite(found).double().mean().item(),
                    "scipys_finite": float(is_finite.mean()),
                }
            )
        rows.append(
            {
                "kernel": f"log {function}_v(x)",
                "case": "median over the ranges",
                "ratio": statistics.median(ratios),
                "bar": 10.0,
            }
        )
    return rows


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
