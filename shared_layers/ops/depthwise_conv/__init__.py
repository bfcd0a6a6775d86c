"""Depthwise convolution, one to three spatial axes, dilated, in either memory format."""

from __future__ import annotations

from shared_layers.ops import native, triton_state
from shared_layers.ops.depthwise_conv import autograd, cpu
from shared_layers.ops.depthwise_conv.functional import depthwise_conv

__all__ = ["depthwise_conv", "forms"]

autograd.register()


def forms() -> dict[str, str]:
    """Each form of the kernel: "live", or why it is not."""
    return {
        "reference": "live",
        "aten": "live",
        "rewrite": "live",
        "cpp": native.state(cpu.SOURCE),
        "triton": triton_state.state(),
    }
