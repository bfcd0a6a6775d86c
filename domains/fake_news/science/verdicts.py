"""Scores of all methods on the test articles of a fold, and what they come to over folds.

Legend: N test articles of a fold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domains.fake_news.science.calibration import Platt, brier, calibration_error
from domains.fake_news.science.corpus import Kind
from domains.fake_news.science.scores import auc, precision_recall_f1

OURS = "ours"
"""The method that answers the user."""


@dataclass(frozen=True)
class Verdicts:
    """One fold's test articles and what each method says of them.

    Args:
        kind: of split.
        name: what tests, in words.
        ids: N articles.
        labels: (N,) 1 = fake.
        groups: N names, e.g. of events, for the table.
        scores: method -> (N,), higher = more likely fake; of a network also ``name/seed``.
        calibrations: method -> score to probability, fitted on validation.
        thresholds: method -> probability from which it says fake, fixed on validation.
    """

    kind: Kind
    name: str
    ids: Sequence[str]
    labels: NDArray[np.int8]
    groups: Sequence[str]
    scores: Mapping[str, NDArray[np.float64]]
    calibrations: Mapping[str, Platt]
    thresholds: Mapping[str, float]

    def probability(self, method: str) -> NDArray[np.float64]:
        """(N,) of a calibrated method."""
        return self.calibrations[method](self.scores[method])

    def auc(self, method: str) -> float:
        """Of this fold."""
        return auc(self.scores[method], self.labels)

    def threshold_scores(self, method: str) -> tuple[float, float, float]:
        """Precision, recall and F1 of "fake" at the threshold of validation."""
        return precision_recall_f1(self.probability(method), self.labels, self.thresholds[method])

    def seeds(self, method: str) -> list[str]:
        """Names of the copies of a network."""
        return [name for name in self.scores if name.startswith(f"{method}/")]


def mean_auc(folds: Sequence[Verdicts], method: str) -> float:
    """Mean over folds."""
    return float(np.mean([fold.auc(method) for fold in folds]))


def seed_aucs(folds: Sequence[Verdicts], method: str) -> list[float]:
    """Mean AUC over folds of each single copy of a network."""
    return [mean_auc(folds, name) for name in folds[0].seeds(method)]


def mean_threshold_scores(folds: Sequence[Verdicts], method: str) -> dict[str, float]:
    """Precision, recall and F1, mean over folds."""
    found = np.mean([fold.threshold_scores(method) for fold in folds], axis=0)
    return dict(zip(("precision", "recall", "f1"), found.tolist(), strict=True))


def pooled(folds: Sequence[Verdicts], method: str) -> tuple[NDArray, NDArray]:
    """Probabilities and labels of the test articles of all folds."""
    return (
        np.concatenate([fold.probability(method) for fold in folds]),
        np.concatenate([fold.labels for fold in folds]),
    )


def calibration_scores(folds: Sequence[Verdicts], method: str, num_bins: int) -> dict[str, float]:
    """Brier score and calibration error over the test articles of all folds."""
    probability, labels = pooled(folds, method)
    return {
        "brier": brier(probability, labels),
        "calibration_error": calibration_error(probability, labels, num_bins),
    }
