"""Verdicts of folds: means and pools that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from domains.fake_news.science.calibration import Platt
from domains.fake_news.science.verdicts import (
    Verdicts,
    calibration_scores,
    mean_auc,
    mean_threshold_scores,
    seed_aucs,
)

SURE = Platt(100.0, 0.0)


def fold(scores: list[float], labels: list[int]) -> Verdicts:
    values = np.array(scores)
    return Verdicts(
        "grouped", "f", [str(k) for k in range(len(labels))], np.array(labels, np.int8),
        ["e"] * len(labels), {"m": values, "m/0": values, "m/1": -values}, {"m": SURE}, {"m": 0.5},
    )  # fmt: skip


FOLDS = [fold([1, -1, 1, -1], [1, 0, 1, 0]), fold([1, -1, 1, -1], [1, 0, 0, 1])]


def test_the_mean_over_folds_and_over_seeds() -> None:
    assert mean_auc(FOLDS, "m") == pytest.approx((1.0 + 0.5) / 2)
    assert seed_aucs(FOLDS, "m") == pytest.approx([0.75, 0.25])


def test_scores_at_the_threshold() -> None:
    assert mean_threshold_scores(FOLDS, "m") == pytest.approx(
        {"precision": 0.75, "recall": 0.75, "f1": 0.75}
    )


def test_probabilities_of_all_folds_together() -> None:
    found = calibration_scores(FOLDS, "m", 10)
    assert found["brier"] == pytest.approx(2 / 8)  # two of eight are surely wrong
    assert found["calibration_error"] == pytest.approx(0.25)
