"""Fit of a von Mises-Fisher distribution to unit vectors.

    f(x; μ, κ) = κ^(p/2-1) / ((2π)^(p/2) I_{p/2-1}(κ)) · exp(κ μᵀx),    |x| = |μ| = 1, κ >= 0

The likelihood is largest for μ along the mean vector and A_p(κ) = I_{p/2}(κ) / I_{p/2-1}(κ) = R,
the mean's length.  κ starts from Banerjee et al. (JMLR 6, 2005) and takes Newton steps with
A' = 1 - A² - (p-1)/κ·A (S. Sra, Comput. Stat. 27, 2012).  This is the application of Plesner et
al. (arXiv:2409.08729), who need it at p in the thousands, where I_{p/2-1} is not representable.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from shared_layers.ops.log_bessel.functional import bessel_ratio, log_iv

_NEWTON_STEPS = 12
_UNIT_TOLERANCE = 1e-3
# A mean this near to 1 is that of equal vectors: rounding alone leaves it below.
_EQUAL = 1 - 8 * torch.finfo(torch.float64).eps


class VonMisesFisher(NamedTuple):
    """A fitted distribution.

    Attributes:
        direction: μ, unit vector(s) (..., p).
        concentration: κ >= 0 (...), infinite where all vectors coincide (as is the likelihood).
        mean_log_likelihood: per vector, in nats (...).
    """

    direction: Tensor
    concentration: Tensor
    mean_log_likelihood: Tensor


def log_normalizer(num_features: int, concentration: Tensor) -> Tensor:
    """log of the constant before exp(κ μᵀx), for p = ``num_features`` and κ > 0."""
    order = num_features / 2 - 1
    kappa = concentration
    return order * torch.log(kappa) - (order + 1) * math.log(2 * math.pi) - log_iv(order, kappa)


def fit_von_mises_fisher(x: Tensor) -> VonMisesFisher:
    """The maximum-likelihood von Mises-Fisher law of unit vectors.

    Args:
        x: unit vectors (..., n, p), n >= 2 and p >= 2; rounded ones are brought to length 1.

    Returns:
        Direction, concentration and mean log likelihood, in float64 inside, in the type of ``x``.

    Raises:
        ValueError: fewer than two axes, n < 2 or p < 2, or vectors that are not of unit length.
    """
    if x.dim() < 2 or x.shape[-2] < 2 or x.shape[-1] < 2:
        raise ValueError(f"x has shape {tuple(x.shape)}: expected (..., n >= 2, p >= 2)")
    wide = x.double()
    norms = torch.linalg.vector_norm(wide, dim=-1, keepdim=True)
    error = (norms - 1).abs().max().item()
    if not error <= _UNIT_TOLERANCE:
        raise ValueError(f"a vector's length differs from 1 by {error:.3g}: expected unit vectors")
    p = x.shape[-1]
    mean = (wide / norms).mean(dim=-2)  # (..., p)
    length = torch.linalg.vector_norm(mean, dim=-1)
    length = torch.where(length > _EQUAL, 1.0, length)
    direction = mean / length.clamp_min(torch.finfo(mean.dtype).tiny).unsqueeze(-1)
    kappa = concentration_of(length, p)
    normalizer = log_normalizer(p, kappa.clamp_min(1e-12))
    likelihood = torch.where(kappa.isinf(), math.inf, normalizer + kappa * length)
    return VonMisesFisher(*(t.to(x.dtype) for t in (direction, kappa, likelihood)))


def concentration_of(length: Tensor, num_features: int) -> Tensor:
    """The κ whose mean resultant length is ``length`` (in [0, 1]) for p = ``num_features``."""
    p = num_features
    order = p / 2 - 1
    room = 1 - length**2
    kappa = length * (p - length**2) / room
    for _ in range(_NEWTON_STEPS):
        ratio = bessel_ratio(order, kappa)
        slope = 1 - ratio**2 - (p - 1) / kappa * ratio
        step = (ratio - length) / slope
        # A step may not leave the positive axis; for tiny slopes rounding decides, so stop there.
        is_usable = torch.isfinite(step) & (slope > 0)
        kappa = torch.where(is_usable, torch.maximum(kappa - step, kappa / 4), kappa)
    return kappa
