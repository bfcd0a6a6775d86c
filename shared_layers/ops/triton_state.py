"""Whether Triton kernels can run here."""

from __future__ import annotations

import importlib.util
import os

import torch
from torch import Tensor


def state() -> str:
    """``"live"``, or why the Triton form is not."""
    if importlib.util.find_spec("triton") is None:
        return "triton is not installed"
    if os.environ.get("TRITON_INTERPRET") == "1":
        return "live"
    if not torch.cuda.is_available():
        return "no GPU (TRITON_INTERPRET=1 runs it on the CPU, slowly)"
    return "live"


def require(x: Tensor) -> None:
    """Check that ``x`` can go to Triton.

    Raises:
        ValueError: with the reason.
    """
    reason = state()
    if reason == "live" and x.device.type != "cuda" and os.environ.get("TRITON_INTERPRET") != "1":
        reason = f"x is on {x.device}; the Triton form takes a CUDA tensor"
    if reason != "live":
        raise ValueError(f'use_kernels("triton"): {reason}')
