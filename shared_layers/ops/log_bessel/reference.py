"""log I_v(x), log K_v(x) and their ratios in plain PyTorch: runs anywhere, and is the oracle.

The same regions as the C++ form, summed in the plainest way (w² = v² + x², t = x²/4):

    w >= 18        log I = w + v log(x/(v+w)) - ½ log 2πw + log Σ u_k / v^k      (DLMF 10.41.3)
    else, I        log I = v log(x/2) + logsumexp_k [k log t - log k! Γ(v+k+1)]   (DLMF 10.25.2)
    else, K, x > 2 K = ∫ exp(-x cosh s) cosh(v s) ds, trapezoid rule              (DLMF 10.32.9)
    else, K        Temme's series for |order| <= ½, then the recurrence           (Temme 1975)

All arguments are float64 tensors of one shape with v >= 0.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import torch
from torch import Tensor

_DEBYE_FROM = 18.0
_TERMS = 20
_STEP, _NODES = 0.14, 32
_SMALLEST = 5e-324
# 1/Γ(1+m) = Σ c_k m^k (DLMF 5.7.1, shifted by one).
_RECIPROCAL_GAMMA = (
    1.0,
    0.57721566490153286061,
    -0.65587807152025388108,
    -0.042002635034095235529,
    0.1665386113822914895,
    -0.042197734555544336748,
    -0.0096219715278769735621,
    0.0072189432466630995424,
    -0.0011651675918590651121,
    -0.00021524167411495097282,
    0.00012805028238811618615,
    -0.000020134854780788238656,
    -1.2504934821426706573e-6,
    1.1330272319816958824e-6,
    -2.0563384169776071035e-7,
    6.1160951044814158179e-9,
    5.0020076444692229301e-9,
    -1.1812745704870201446e-9,
    1.0434267116911005105e-10,
    7.782263439905071254e-12,
    -3.6968056186422057082e-12,
    5.100370287454475979e-13,
    -2.0583260535665067832e-14,
    -5.3481225394230179824e-15,
)


@functools.cache
def debye_polynomials() -> tuple[tuple[float, ...], ...]:
    """Row k holds c_j of u_k(p) = p^k Σ_j c_j p^(2j), from the recursion DLMF 10.41.9."""
    rows = [[1.0]]
    for k in range(_TERMS):
        row = [0.0] * (k + 2)
        for j, c in enumerate(rows[-1]):
            m = k + 2 * j
            row[j] += c * (m / 2 + 1 / (8 * (m + 1)))
            row[j + 1] -= c * (m / 2 + 5 / (8 * (m + 3)))
        rows.append(row)
    return tuple(tuple(row + [0.0] * (_TERMS + 1 - len(row))) for row in rows)


def _debye(v: Tensor, x: Tensor, sign: float) -> tuple[Tensor, Tensor]:
    """log and ratio; ``sign`` +1 for I, -1 for K."""
    w = torch.hypot(v, x)
    k = torch.arange(_TERMS + 1, dtype=x.dtype, device=x.device)
    coefficient = x.new_tensor(debye_polynomials())
    powers = ((v / w) ** 2).unsqueeze(-1) ** k  # (..., j)
    inverse = (sign / w).unsqueeze(-1) ** k  # (..., k)
    total = ((powers @ coefficient.T) * inverse).sum(-1)
    slope = ((powers @ (coefficient * (k[:, None] + 2 * k)).T) * inverse).sum(-1)
    correction = x / w**2 * (0.5 + slope / total)
    eta = w + v * torch.log(x / (v + w))
    if sign > 0:
        return eta - 0.5 * torch.log(2 * math.pi * w) + total.log(), x / (v + w) - correction
    return 0.5 * torch.log(math.pi / 2 / w) - eta + total.log(), (v + w) / x + correction


def _series(v: Tensor, x: Tensor) -> Tensor:
    k = torch.arange(36, dtype=x.dtype, device=x.device)
    log_half = torch.log(x) - math.log(2)
    exponents = (
        2 * k * log_half.unsqueeze(-1) - torch.lgamma(k + 1) - torch.lgamma(v.unsqueeze(-1) + k + 1)
    )
    return v * log_half + torch.logsumexp(exponents, -1)


def _trapezoid(v: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    s = torch.arange(_NODES + 1, dtype=x.dtype, device=x.device) * _STEP
    terms = torch.exp(-x.unsqueeze(-1) * 2 * torch.sinh(s / 2) ** 2) * torch.cosh(
        v.unsqueeze(-1) * s
    )
    terms[..., 0] *= 0.5
    total = terms.sum(-1)
    return torch.log(total * _STEP) - x, v / x + (terms * torch.cosh(s)).sum(-1) / total


def _polynomial(x: Tensor, coefficients: Sequence[float]) -> Tensor:
    total = torch.zeros_like(x)
    for c in reversed(coefficients):
        total = total * x + c
    return total


def _temme(v: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """All K are kept times (x/2)^order, which stays finite as x goes to 0."""
    n = torch.round(v)
    m = v - n
    gamma1 = -_polynomial(m * m, _RECIPROCAL_GAMMA[1::2])
    gamma2 = _polynomial(m * m, _RECIPROCAL_GAMMA[0::2])
    plus, minus = 1 / (gamma2 - m * gamma1), 1 / (gamma2 + m * gamma1)
    log_half = torch.log(x) - math.log(2)
    t, sigma = x * x / 4, -m * log_half
    ratio = torch.where(sigma.abs() < 1e-4, 1 + sigma**2 / 6, torch.sinh(sigma) / sigma)
    f = plus * minus * (torch.cosh(sigma) * gamma1 - ratio * log_half * gamma2)
    p, q = 0.5 * torch.exp(sigma) * plus, 0.5 * torch.exp(-sigma) * minus
    low, high = f, p
    for k in range(1, 16):
        scale = t / (k * (k * k - m * m))
        f = (k * f + p + q) * scale
        p, q = p * (k + m) * scale, q * (k - m) * scale
        low, high = low + f, high + p - k * f
    low, high = low * torch.exp(-sigma), high * torch.exp(-sigma)
    for k in range(1, int(_DEBYE_FROM) + 1):
        following = t * low + (m + k) * high
        is_below = n >= k
        low, high = torch.where(is_below, high, low), torch.where(is_below, following, high)
    return torch.log(low) - v * log_half, high / low * (2 / x)


def _leading_term(v: Tensor, x: Tensor, part: int, sign: float) -> Tensor:
    """Where x is next to nothing beside v (DLMF 10.30.1-2)."""
    if part == 1:
        return x / (2 * (v + 1)) if sign > 0 else 2 * v / x
    log_half = torch.log(x) - math.log(2)
    if sign > 0:
        return v * log_half - torch.lgamma(v + 1)
    return torch.lgamma(v) - math.log(2) - v * log_half


def _pick(v: Tensor, x: Tensor, part: int, sign: float) -> Tensor:
    """Each region on arguments clamped into it, joined; limits at x = 0 and infinity."""
    is_debye = torch.hypot(v, x) >= _DEBYE_FROM
    debye = _debye(v, torch.where(is_debye, x, _DEBYE_FROM), sign)[part]
    low_v = v.clamp(max=_DEBYE_FROM)
    if sign > 0:
        low_x = x.clamp(_SMALLEST, _DEBYE_FROM)
        small = _series(low_v, low_x)
        if part == 1:
            small = torch.exp(_series(low_v + 1, low_x) - small)
    else:
        small = torch.where(
            x <= 2,
            _temme(low_v, x.clamp(_SMALLEST, 2))[part],
            _trapezoid(low_v, x.clamp(2, _DEBYE_FROM))[part],
        )
    result = torch.where(is_debye, debye, small)
    is_tiny = (v > 0.5) & (x <= 1e-290 * v)
    result = torch.where(is_tiny, _leading_term(v, x, part, sign), result)
    at_zero, at_infinity = (-math.inf, math.inf) if part == 0 else (0.0, 1.0)
    if sign < 0:
        at_zero, at_infinity = math.inf, -math.inf if part == 0 else 1.0
    result = torch.where(x == 0, at_zero, result)
    if sign > 0 and part == 0:
        result = torch.where((x == 0) & (v == 0), 0.0, result)
    result = torch.where(x == math.inf, at_infinity, result)
    return torch.where((x >= 0) & (v >= 0) & (v < math.inf), result, math.nan)


def log_iv(v: Tensor, x: Tensor) -> Tensor:
    """log I_v(x)."""
    return _pick(v, x, 0, 1.0)


def log_kv(v: Tensor, x: Tensor) -> Tensor:
    """log K_v(x)."""
    return _pick(v, x, 0, -1.0)


def ratio_iv(v: Tensor, x: Tensor) -> Tensor:
    """I_{v+1}(x) / I_v(x)."""
    return _pick(v, x, 1, 1.0)


def ratio_kv(v: Tensor, x: Tensor) -> Tensor:
    """K_{v+1}(x) / K_v(x)."""
    return _pick(v, x, 1, -1.0)
