"""Logarithms of modified Bessel functions, and the von Mises-Fisher fit that needs them."""

from __future__ import annotations

from shared_layers.ops import native
from shared_layers.ops.log_bessel.functional import bessel_ratio, log_iv, log_kv
from shared_layers.ops.log_bessel.op import SOURCE
from shared_layers.ops.log_bessel.von_mises_fisher import VonMisesFisher, fit_von_mises_fisher

__all__ = ["VonMisesFisher", "bessel_ratio", "fit_von_mises_fisher", "forms", "log_iv", "log_kv"]


def forms() -> dict[str, str]:
    """Each form of the kernel: "live", or why it is not."""
    return {"reference": "live", "cpp": native.state(SOURCE)}
