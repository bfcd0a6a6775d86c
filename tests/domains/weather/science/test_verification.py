"""The tables of an evaluation hold what the single scores give."""

import numpy as np
import pytest

from domains.weather.science import scores
from domains.weather.science.verification import Verification, persistence_24h_offset


@pytest.fixture(scope="module")
def fields():
    """Truth, forecast and climatology (n 5, S 2, C 3, H 4, W 8) and weights (C, H, 1)."""
    truth, forecast, usual = np.random.default_rng(0).normal(size=(3, 5, 2, 3, 4, 8))
    return truth, forecast, usual, np.random.default_rng(1).uniform(0.5, 1.5, (3, 4, 8))


def test_batches_add_up_to_the_scores_of_all(fields):
    truth, forecast, usual, weights = fields
    found = Verification(["a", "b", "c"], [6.0, 12.0], weights, np.array([60, 20, -20, -60]))
    for batch in (slice(0, 3), slice(3, 5)):
        for lead in (0, 1):
            part = (batch, lead)
            found.add(lead, {"ours": forecast[part], "same": truth[part]}, truth[part], usual[part])
    np.testing.assert_allclose(found.rmse("ours"), scores.rmse(forecast, truth, weights))
    np.testing.assert_allclose(found.rmse_wb2("ours"), scores.rmse_wb2(forecast, truth, weights))
    expected = scores.anomaly_correlation(forecast, truth, usual, weights).mean(0)
    np.testing.assert_allclose(found.acc("ours"), expected)
    np.testing.assert_allclose(found.acc("same"), 1)
    assert found.rmse_of_cases("same").shape == (5, 2, 3)
    assert found.powers == {}


def test_spectra_are_kept_for_the_leads_that_were_asked_for(fields):
    truth, forecast, usual, weights = fields
    found = Verification(["a", "b", "c"], [6.0, 12.0], weights, np.full(4, 45.0), [12.0])
    for lead in (0, 1):
        found.add(lead, {"ours": forecast[:, lead]}, truth[:, lead], usual[:, lead])
    assert set(found.powers) == {("truth", 12.0), ("ours", 12.0)}
    total = (truth[:, 1] ** 2).mean((0, 2, 3))  # Parseval, all rows alike
    np.testing.assert_allclose(found.power("truth", 12.0).sum(-1), total)


@pytest.mark.parametrize("per_day", [2, 4, 24])
def test_24_hour_persistence_takes_the_last_known_field_of_the_same_hour(per_day):
    for lead in range(1, 3 * per_day + 1):
        offset = persistence_24h_offset(lead, per_day)
        assert -per_day < offset <= 0
        assert (lead - offset) % per_day == 0
