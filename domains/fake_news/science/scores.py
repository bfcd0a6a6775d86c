"""Scores of a two-class verdict; 1 = fake is the class that is found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata


def auc(scores: ArrayLike, labels: ArrayLike) -> float:
    """Chance that a fake scores above a real, ties half: (R₊ − n₊(n₊ + 1)/2) / (n₊ n₋).

    R₊ is the sum of the fakes' ranks (Mann & Whitney 1947).  NaN where a label is missing.
    """
    x, y = np.asarray(scores, np.float64), np.asarray(labels) == 1
    num_fake, num_real = int(y.sum()), int((~y).sum())
    if not num_fake or not num_real:
        return float("nan")
    return float((rankdata(x)[y].sum() - num_fake * (num_fake + 1) / 2) / (num_fake * num_real))


def precision_recall_f1(
    scores: ArrayLike, labels: ArrayLike, threshold: float
) -> tuple[float, float, float]:
    """Precision, recall and F1 of "fake" where score ≥ threshold; 0 where nothing is found."""
    said, is_fake = np.asarray(scores) >= threshold, np.asarray(labels) == 1
    hits = int(np.sum(said & is_fake))
    precision = hits / max(1, int(said.sum()))
    recall = hits / max(1, int(is_fake.sum()))
    return precision, recall, 2 * hits / max(1, int(said.sum()) + int(is_fake.sum()))


def accuracy(scores: ArrayLike, labels: ArrayLike, threshold: float) -> float:
    """Share of right verdicts."""
    return float(np.mean((np.asarray(scores) >= threshold) == (np.asarray(labels) == 1)))


def best_threshold(scores: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Threshold with the highest F1; fix it on validation.

    Between two scores it lies half-way, so that it does not hang on one article; of equal F1 the
    highest threshold is taken.
    """
    x, y = np.asarray(scores, np.float64), np.asarray(labels) == 1
    w = np.ones(len(x)) if weights is None else np.asarray(weights, np.float64)
    order = np.argsort(-x, kind="stable")
    ranked, hits = x[order], np.cumsum((w * y)[order])
    f1 = 2 * hits / (np.cumsum(w[order]) + max(1e-9, float((w * y).sum())))
    ends = np.append(ranked[1:] != ranked[:-1], True)  # a threshold cannot part equal scores
    best = int(np.argmax(np.where(ends, f1, -1.0)))
    below = ranked[best + 1] if best + 1 < len(x) else ranked[best]
    return float((ranked[best] + below) / 2)


def roc_curve(scores: ArrayLike, labels: ArrayLike) -> tuple[NDArray, NDArray]:
    """False positive rate and true positive rate from (0, 0) to (1, 1), a point per score."""
    hits, misses, _ = _counts(scores, labels)
    return (
        np.append(0.0, misses / max(1, misses[-1])),
        np.append(0.0, hits / max(1, hits[-1])),
    )


def precision_recall_curve(scores: ArrayLike, labels: ArrayLike) -> tuple[NDArray, NDArray]:
    """Recall and precision from the highest score down, a point per score."""
    hits, _, said = _counts(scores, labels)
    return hits / max(1, hits[-1]), hits / said


def average_precision(scores: ArrayLike, labels: ArrayLike) -> float:
    """Area below the precision–recall steps: Σ (R_i − R_{i−1}) P_i."""
    recall, precision = precision_recall_curve(scores, labels)
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def _counts(scores: ArrayLike, labels: ArrayLike) -> tuple[NDArray, NDArray, NDArray]:
    """Fakes, reals and all at or above each different score, from the highest down."""
    x, y = np.asarray(scores, np.float64), np.asarray(labels) == 1
    order = np.argsort(-x, kind="stable")
    ends = np.append(x[order][1:] != x[order][:-1], True)
    hits = np.cumsum(y[order])[ends]
    said = np.arange(1, len(x) + 1)[ends]
    return hits, said - hits, said


def by_group(
    groups: Sequence[str], scores: ArrayLike, labels: ArrayLike, threshold: float
) -> pd.DataFrame:
    """One row per group, e.g. event: cases, fakes, AUC (NaN with one label), F1 and accuracy."""
    values = np.asarray(groups, dtype=str)
    x, y = np.asarray(scores, np.float64), np.asarray(labels)
    rows = []
    for name in np.unique(values).tolist():
        own = values == name
        rows.append(
            {
                "group": name,
                "cases": int(own.sum()),
                "fakes": int(np.sum(y[own] == 1)),
                "auc": auc(x[own], y[own]),
                "f1": precision_recall_f1(x[own], y[own], threshold)[2],
                "accuracy": accuracy(x[own], y[own], threshold),
            }
        )
    return pd.DataFrame(rows)
