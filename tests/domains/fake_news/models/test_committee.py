"""The committee: its copies, its calibration, and how its halves are joined."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from domains.fake_news.models.committee import CHAR, Committee, cell_key
from domains.fake_news.science.calibration import fit_platt
from domains.fake_news.science.verdicts import OURS
from tests.domains.fake_news.conftest import MODEL
from tests.domains.fake_news.models.test_ti_cnn import NUM_PICTURE, NUM_TEXT, batch_of, other_words


@pytest.fixture
def committee() -> Committee:
    torch.manual_seed(0)
    return Committee({"ti_cnn": 2, "kim_cnn": 1}, MODEL, 50, NUM_TEXT, NUM_PICTURE)


def scores_of(labels: np.ndarray) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    return {
        "ti_cnn": 3 * labels + random.normal(0, 1, len(labels)),
        CHAR: 0.1 * labels + random.normal(0, 0.05, len(labels)),
    }


LABELS = np.arange(60) % 2


def test_each_copy_learns_from_its_own_batch_alone(committee: Committee) -> None:
    batches = {
        cell_key(part, seed): {**batch_of(), "label": torch.ones(6)}  # type: ignore[arg-type]
        for part, seed in (("whole", 0), ("whole", 1), ("train", 0))
    }
    committee.loss(batches).backward()
    first = [p.grad.clone() for p in committee.network("ti_cnn", "whole", 0).parameters()]
    committee.zero_grad()
    batches[cell_key("whole", 1)]["label"] = torch.zeros(6)
    batches[cell_key("train", 0)]["words"] = other_words(batch_of())
    committee.loss(batches).backward()
    again = [p.grad for p in committee.network("ti_cnn", "whole", 0).parameters()]
    for one, other in zip(first, again, strict=True):
        torch.testing.assert_close(one, other)


def test_ours_is_the_mean_of_the_calibrated_logits_calibrated_again(committee: Committee) -> None:
    scores = scores_of(LABELS)
    probability = committee.calibrate(scores, LABELS, 0.5)
    halves = []
    for method in ("ti_cnn", CHAR):
        platt = fit_platt(scores[method], LABELS)
        halves.append(platt.slope * scores[method] + platt.offset)
    joined = np.mean(halves, axis=0)
    np.testing.assert_allclose(committee.complete(scores)[OURS], joined)
    np.testing.assert_allclose(probability, fit_platt(joined, LABELS)(joined))
    step = 1e-3
    moved = committee.complete({**scores, "ti_cnn": scores["ti_cnn"] + step})[OURS]
    rise = committee.calibration(OURS).slope * (moved - joined) / step
    np.testing.assert_allclose(rise, committee.slopes()[0], rtol=1e-6)


def test_a_half_that_is_wrong_on_validation_is_not_heard(committee: Committee) -> None:
    scores = scores_of(LABELS)
    committee.calibrate({**scores, "ti_cnn": -scores["ti_cnn"]}, LABELS, 0.5)
    assert committee.slopes()[0] == 0
    assert committee.slopes()[1] > 0


def test_calibration_and_threshold_travel_with_the_weights(committee: Committee) -> None:
    committee.calibrate(scores_of(LABELS), LABELS, 0.5)
    other = Committee({"ti_cnn": 2, "kim_cnn": 1}, MODEL, 50, NUM_TEXT, NUM_PICTURE)
    other.load_state_dict(committee.state_dict())
    assert other.calibration(OURS) == committee.calibration(OURS)
    assert other.threshold_of(OURS) == committee.threshold_of(OURS) > 0
