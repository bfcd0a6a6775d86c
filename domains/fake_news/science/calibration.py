"""Probabilities that mean what they say: Platt's scaling, Brier score, calibration error.

J. Platt, "Probabilistic outputs for support vector machines", 1999, with the targets and the
Newton steps of H.-T. Lin, C.-J. Lin, R. C. Weng, Machine Learning 68, 2007.  Calibration error: C.
Guo and others, "On calibration of modern neural networks", ICML 2017, equation 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

_NEWTON_STEPS = 100


@dataclass(frozen=True)
class Platt:
    """P(fake) = 1 / (1 + exp(−slope · score − offset)); fitted on validation, never on test."""

    slope: float
    offset: float

    def __call__(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Probability (N,) of scores (N,)."""
        return sigmoid(self.slope * np.asarray(scores, np.float64) + self.offset)


def sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 / (1 + exp(−x)) without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * x))


def logit(probability: ArrayLike) -> NDArray[np.float64]:
    """ln(p / (1 − p)), p kept away from 0 and 1 by 1e-6."""
    p = np.clip(np.asarray(probability, np.float64), 1e-6, 1 - 1e-6)
    return np.log(p / (1 - p))


def fit_platt(scores: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None) -> Platt:
    """Slope and offset of the highest likelihood, with Platt's smoothed targets.

    Targets are (n₊ + 1) / (n₊ + 2) for fakes and 1 / (n₋ + 2) for reals, so that separable scores
    do not give an infinite slope.  Constant scores give slope 0.

    Args:
        scores: (N,) of a validation group, any range, higher = more likely fake.
        labels: (N,) 1 = fake, 0 = real.
        weights: (N,) how much each counts, N in all; ``None`` = 1 each.

    Raises:
        ValueError: one label is missing.
    """
    x, y = np.asarray(scores, np.float64), np.asarray(labels)
    num_fake, num_real = int(np.sum(y == 1)), int(np.sum(y == 0))
    if not num_fake or not num_real:
        raise ValueError(f"calibration needs both labels, found {num_fake} fake, {num_real} real")
    w = np.ones(len(y)) if weights is None else np.asarray(weights, np.float64)
    mean, spread = x.mean(), x.std()
    usual = float(np.log((w[y == 1].sum() + 1) / (w[y == 0].sum() + 1)))
    if spread <= 1e-9 * max(1.0, abs(mean)):  # constant, up to rounding
        return Platt(0.0, usual)
    design = np.stack([(x - mean) / spread, np.ones_like(x)], axis=1)  # (N, 2)
    target = np.where(y == 1, (num_fake + 1) / (num_fake + 2), 1 / (num_real + 2))
    beta = np.array([0.0, usual])
    loss = _loss(design @ beta, target, w)
    for _ in range(_NEWTON_STEPS):
        p = sigmoid(design @ beta)
        gradient = design.T @ (w * (p - target))
        if np.max(np.abs(gradient)) < 1e-9:
            break
        hessian = (design * (w * p * (1 - p))[:, None]).T @ design + 1e-12 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while size > 1e-10 and (new := _loss(design @ (beta - size * step), target, w)) > loss:
            size /= 2
        beta, loss = beta - size * step, new
    return Platt(float(beta[0] / spread), float(beta[1] - beta[0] * mean / spread))


def fit_rising_platt(
    scores: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None
) -> Platt:
    """``fit_platt``, or the share of fakes alone where scores are no better than chance.

    A falling slope would turn every verdict round for the sake of a few validation articles.
    """
    found = fit_platt(scores, labels, weights)
    if found.slope > 0:
        return found
    return fit_platt(np.zeros(len(np.asarray(labels))), labels, weights)


def _loss(
    x: NDArray[np.float64], target: NDArray[np.float64], weights: NDArray[np.float64]
) -> float:
    """Cross-entropy of logits ``x``, summed."""
    return float(np.sum(weights * (np.logaddexp(0, x) - target * x)))


def weights_to_share(labels: ArrayLike, share: float) -> NDArray[np.float64]:
    """(N,) weights, N in all, that give the fakes among ``labels`` the share of another group.

    Validation is a few whole publishers or events: how many of their articles are fake is an
    accident of which ones were drawn, and says nothing of the next ones.
    """
    y = np.asarray(labels) == 1
    found = float(np.mean(y))
    return np.where(y, share / found, (1 - share) / (1 - found))


def brier(probability: ArrayLike, labels: ArrayLike) -> float:
    """Mean of (p − y)²: 0 is perfect, 0.25 is a coin's."""
    return float(np.mean((np.asarray(probability, np.float64) - np.asarray(labels)) ** 2))


@dataclass(frozen=True)
class ReliabilityBins:
    """Bins of equal width that hold a case.

    Args:
        probability: (B,) mean of the predicted probability.
        share: (B,) of fakes among the cases.
        count: (B,) cases.
    """

    probability: NDArray[np.float64]
    share: NDArray[np.float64]
    count: NDArray[np.int64]


def reliability(probability: ArrayLike, labels: ArrayLike, num_bins: int) -> ReliabilityBins:
    """Predicted probability against what was found, in ``num_bins`` bins of [0, 1]."""
    p, y = np.asarray(probability, np.float64), np.asarray(labels, np.float64)
    index = np.minimum((p * num_bins).astype(int), num_bins - 1)
    count = np.bincount(index, minlength=num_bins)
    held = count > 0
    return ReliabilityBins(
        np.bincount(index, p, num_bins)[held] / count[held],
        np.bincount(index, y, num_bins)[held] / count[held],
        count[held],
    )


def calibration_error(probability: ArrayLike, labels: ArrayLike, num_bins: int) -> float:
    """Expected calibration error: Σ (n_b / n) · |mean probability − share of fakes|.

    With n cases in B bins a perfect forecaster still scores about √(B / n) · 0.3.
    """
    bins = reliability(probability, labels, num_bins)
    return float(np.sum(bins.count * np.abs(bins.probability - bins.share)) / bins.count.sum())
