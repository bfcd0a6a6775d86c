"""Logarithms of the modified Bessel functions, for any order and argument in double range.

D. Plesner, H. H. B. Sørensen, S. Hauberg, "Accurate Computation of the Logarithm of Modified
Bessel Functions on GPUs", ICS 2024, arXiv:2409.08729.  As there, the plane of (v, x) is cut into
regions with an expression each, evaluated in logarithms: log I_v(1000) with v = 20000 is finite
although I_v is not representable.  What differs: one uniform expansion with 5 to 20 terms takes
the place of the paper's two asymptotic ones; K of small order is Temme's series and a trapezoid
rule of 32 nodes where the paper integrates with 600; derivatives come from the ratios.
"""

from __future__ import annotations

import torch
from torch import Tensor

from shared_layers.ops.log_bessel import op


def _prepare(v: Tensor | float, x: Tensor) -> tuple[Tensor, Tensor]:
    if not x.is_floating_point():
        raise ValueError(f"x is {x.dtype}: expected a floating-point tensor")
    order = v if isinstance(v, Tensor) else torch.tensor(v, dtype=torch.float64)
    order = order.to(x.device)
    if order.is_complex():
        raise ValueError(f"v is {order.dtype}: expected a real order")
    if order.requires_grad:
        raise ValueError("v requires a gradient; there is none in the order: detach it")
    order, argument = torch.broadcast_tensors(order.double(), x.double())
    return order, argument


def log_iv(v: Tensor | float, x: Tensor) -> Tensor:
    """log I_v(x), the modified Bessel function of the first kind.

    Args:
        v: order, >= 0; broadcasts with ``x``. No gradient.
        x: argument, >= 0, floating point. Differentiable, to any order, at 0 to the third. The
            second derivative is as exact as the first of :func:`bessel_ratio`.

    Returns:
        Tensor of the broadcast shape and the type of ``x``, computed in float64: within 1e-13 of
        the truth, absolute or relative, plus what the rounding of ``x`` and ``v`` itself makes,
        2e-16·(v + x). NaN for negative ``v`` or ``x``.

    Example::

        >>> log_iv(0.5, torch.tensor([1.0]))  # log(sqrt(2/pi) sinh 1)
        tensor([-0.0644])
    """
    order, argument = _prepare(v, x)
    return op.log_iv(order, argument).to(x.dtype)


def log_kv(v: Tensor | float, x: Tensor) -> Tensor:
    """log K_v(x), the modified Bessel function of the second kind.

    Args:
        v: order of either sign (K is even in it); broadcasts with ``x``. No gradient.
        x: argument, >= 0, floating point. Differentiable above 0, to any order.

    Returns:
        As :func:`log_iv`.

    Example::

        >>> log_kv(0.5, torch.tensor([1.0]))  # log(sqrt(pi/2) exp(-1))
        tensor([-0.7742])
    """
    order, argument = _prepare(v, x)
    return op.log_kv(order.abs(), argument).to(x.dtype)


def bessel_ratio(v: Tensor | float, x: Tensor) -> Tensor:
    """I_{v+1}(x) / I_v(x), in [0, 1): the mean resultant length of a von Mises-Fisher law.

    Args:
        v: order, >= 0; broadcasts with ``x``. No gradient.
        x: argument, >= 0, floating point. Differentiable, to any order, at 0 to the second. The
            derivative, (v + ½)/x² for large ``x``, is within 1e-15 of the truth: no digit of it
            is right beyond x ≈ 3e7·√(v + ½).

    Returns:
        Tensor of the broadcast shape and the type of ``x``.
    """
    order, argument = _prepare(v, x)
    return op.ratio_iv(order, argument).to(x.dtype)
