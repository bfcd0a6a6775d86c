"""Scores against scikit-learn and cases counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics

from domains.fake_news.science import scores


@pytest.fixture(scope="module")
def drawn() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    labels = random.integers(2, size=300)
    return np.round(random.normal(labels, 1.0), 1), labels  # rounded: many ties


def test_auc_and_average_precision_are_scikit_learns_with_ties(drawn: tuple) -> None:
    x, y = drawn
    assert scores.auc(x, y) == pytest.approx(metrics.roc_auc_score(y, x))
    assert scores.average_precision(x, y) == pytest.approx(metrics.average_precision_score(y, x))


def test_precision_recall_and_f1_are_scikit_learns(drawn: tuple) -> None:
    x, y = drawn
    truth = metrics.precision_recall_fscore_support(y, x >= 0.4, average="binary")[:3]
    assert scores.precision_recall_f1(x, y, 0.4) == pytest.approx(truth)
    assert scores.accuracy(x, y, 0.4) == metrics.accuracy_score(y, x >= 0.4)


def test_the_roc_curve_is_scikit_learns_and_its_area_the_auc(drawn: tuple) -> None:
    x, y = drawn
    false_rate, true_rate = scores.roc_curve(x, y)
    truth = metrics.roc_curve(y, x, drop_intermediate=False)
    assert false_rate == pytest.approx(truth[0])
    assert true_rate == pytest.approx(truth[1])
    assert np.trapezoid(true_rate, false_rate) == pytest.approx(scores.auc(x, y))


def test_no_threshold_has_a_higher_f1_than_the_best(drawn: tuple) -> None:
    x, y = drawn
    best = scores.precision_recall_f1(x, y, scores.best_threshold(x, y))[2]
    every = [scores.precision_recall_f1(x, y, t)[2] for t in np.unique(x)]
    assert best == pytest.approx(max(every))


def test_the_best_threshold_lies_half_way_between_two_scores() -> None:
    assert scores.best_threshold([0.1, 0.3, 0.7, 0.9], [0, 0, 1, 1]) == pytest.approx(0.5)
    assert scores.best_threshold([0.4, 0.4], [1, 0]) == 0.4


def test_one_label_has_no_auc_and_nothing_found_has_f1_zero() -> None:
    assert math.isnan(scores.auc([0.1, 0.2], [1, 1]))
    assert scores.precision_recall_f1([0.1, 0.2], [1, 0], 0.5) == (0, 0, 0)


def test_each_event_has_its_row() -> None:
    table = scores.by_group(["b", "a", "a", "b"], [0.9, 0.8, 0.1, 0.7], [1, 1, 0, 1], 0.5)
    assert table["group"].tolist() == ["a", "b"]
    assert table["cases"].tolist() == [2, 2]
    assert table["fakes"].tolist() == [1, 2]
    assert table["auc"].tolist()[0] == 1.0
    assert math.isnan(table["auc"].tolist()[1])
    assert table["f1"].tolist() == [1.0, 1.0]


def test_an_article_that_counts_twice_moves_the_threshold_as_two_articles_do() -> None:
    values, labels = np.array([0.9, 0.7, 0.6, 0.4, 0.2]), np.array([1, 0, 1, 1, 0])
    weights = np.array([1, 2, 1, 1, 1])
    repeated = scores.best_threshold(np.repeat(values, weights), np.repeat(labels, weights))
    assert scores.best_threshold(values, labels, weights) == repeated
