"""Calibration against scikit-learn, closed forms, and data whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.metrics import brier_score_loss

from domains.fake_news.science import calibration


@pytest.fixture(scope="module")
def drawn() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    scores = random.normal(size=4000) * 3 + 1
    return scores, (random.random(4000) < calibration.sigmoid(0.7 * scores - 1.2)).astype(int)


def test_platt_finds_the_slope_and_offset_that_drew_the_labels(drawn: tuple) -> None:
    platt = calibration.fit_platt(*drawn)
    assert platt.slope == pytest.approx(0.7, abs=0.06)
    assert platt.offset == pytest.approx(-1.2, abs=0.12)


def test_platt_is_the_minimum_that_scipy_finds(drawn: tuple) -> None:
    scores, labels = drawn[0][:60], drawn[1][:60]
    up, down = labels.sum(), (1 - labels).sum()
    target = np.where(labels == 1, (up + 1) / (up + 2), 1 / (down + 2))

    def loss(beta: np.ndarray) -> float:
        logits = beta[0] * scores + beta[1]
        return float(np.sum(np.logaddexp(0, logits) - target * logits))

    truth = minimize(loss, [0.0, 0.0], method="BFGS", options={"gtol": 1e-8}).x
    platt = calibration.fit_platt(scores, labels)
    assert (platt.slope, platt.offset) == pytest.approx(tuple(truth), abs=1e-5)


def test_separable_scores_keep_a_finite_slope() -> None:
    platt = calibration.fit_platt([-2.0, -1.0, 1.0, 2.0], [0, 0, 1, 1])
    assert 0 < platt.slope < 10
    assert platt([-2.0, 2.0]) == pytest.approx([0.25, 0.75], abs=0.1)


def test_constant_scores_give_the_smoothed_share_of_fakes() -> None:
    platt = calibration.fit_platt([3.0] * 4, [1, 0, 0, 0])
    assert platt([3.0, -8.0]) == pytest.approx([2 / 6, 2 / 6])


def test_one_label_cannot_be_calibrated() -> None:
    with pytest.raises(ValueError, match="needs both labels, found 2 fake, 0 real"):
        calibration.fit_platt([0.0, 1.0], [1, 1])


def test_the_calibration_error_of_a_case_counted_by_hand() -> None:
    p, y = [0.1, 0.2, 0.9, 0.7], [0, 1, 1, 1]
    bins = calibration.reliability(p, y, 2)
    assert bins.probability.tolist() == pytest.approx([0.15, 0.8])
    assert bins.share.tolist() == [0.5, 1.0]
    assert calibration.calibration_error(p, y, 2) == pytest.approx(0.5 * 0.35 + 0.5 * 0.2)


def test_a_forecaster_who_tells_the_truth_has_almost_no_calibration_error() -> None:
    random = np.random.default_rng(1)
    p = random.random(50_000)
    y = random.random(50_000) < p
    assert calibration.calibration_error(p, y, 10) < 0.01
    assert calibration.calibration_error(np.clip(p * 1.5, 0, 1), y, 10) > 0.1


def test_the_brier_score_is_scikit_learns(drawn: tuple) -> None:
    p = calibration.sigmoid(drawn[0])
    assert calibration.brier(p, drawn[1]) == pytest.approx(brier_score_loss(drawn[1], p))


def test_logit_undoes_sigmoid_and_survives_certainty() -> None:
    x = np.linspace(-8, 8, 9)
    assert calibration.logit(calibration.sigmoid(x)) == pytest.approx(x)
    assert np.isfinite(calibration.logit([0.0, 1.0])).all()


def test_weights_bring_the_share_of_fakes_of_another_group() -> None:
    labels = np.array([1] * 80 + [0] * 20)
    weights = calibration.weights_to_share(labels, 0.5)
    assert weights.sum() == pytest.approx(100)
    assert weights[labels == 1].sum() == pytest.approx(50)
    told = calibration.fit_platt(np.full(100, 0.1), labels, weights)  # a constant, up to rounding
    assert told(np.array([0.1]))[0] == pytest.approx(0.5)


def test_a_biased_validation_does_not_bias_the_probabilities(drawn: tuple) -> None:
    """Half of the reals are lost: weights bring the offset back, the slope was never lost."""
    scores, labels = drawn
    kept = (labels == 1) | (np.arange(len(labels)) % 2 == 0)
    weights = calibration.weights_to_share(labels[kept], float(labels.mean()))
    plain = calibration.fit_platt(scores[kept], labels[kept])
    weighted = calibration.fit_platt(scores[kept], labels[kept], weights)
    assert plain.offset == pytest.approx(-1.2 + np.log(2), abs=0.12)
    assert weighted.offset == pytest.approx(-1.2, abs=0.12)
    assert weighted.slope == pytest.approx(0.7, abs=0.06)


def test_a_score_that_is_wrong_on_validation_gives_the_share_of_fakes_alone() -> None:
    labels = np.array([1, 1, 1, 0])
    platt = calibration.fit_rising_platt([0.1, 0.2, 0.3, 0.9], labels)
    assert platt.slope == 0
    assert platt([5.0])[0] == pytest.approx(4 / 6)  # with Platt's one more of each
