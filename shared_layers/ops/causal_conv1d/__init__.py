"""Causal depthwise convolution of sequences (B, T, C)."""

from __future__ import annotations

from shared_layers.ops import native
from shared_layers.ops.causal_conv1d.op import SOURCE, causal_depthwise_conv1d

__all__ = ["causal_depthwise_conv1d", "forms"]


def forms() -> dict[str, str]:
    """Each form of the kernel: "live", or why it is not."""
    return {"reference": "live", "cpp": native.state(SOURCE)}
