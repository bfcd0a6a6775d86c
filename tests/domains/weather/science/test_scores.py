"""Scores against closed forms, and against numbers known for real ERA5 fields."""

import warnings

import numpy as np
import pytest

from domains.weather.science import scores
from domains.weather.science.grid import latitude_weights

LATITUDE = np.array([67.5, 22.5, -22.5, -67.5])
WEIGHTS = latitude_weights(LATITUDE)[:, None]


@pytest.fixture(scope="module")
def eda(test_data):
    """z and t at 500 and 850 hPa of five members of ERA5's ensemble, 12-hourly, 3°."""
    xr = pytest.importorskip("xarray")
    path = test_data / "weather" / "era5_eda_z_t_3deg_members0-4.grib"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of cfgrib's and xarray's own making
        return xr.open_dataset(path, engine="cfgrib", backend_kwargs={"indexpath": ""}).load()


@pytest.fixture(scope="module")
def persistence(eda):
    """(name, level, lead h) -> forecast and truth (start × member, H, W) of persistence."""

    def pair(name, level, lead_h):
        fields = eda[name].sel(isobaricInhPa=level).transpose("time", "number", ...).to_numpy()
        steps = lead_h // 12
        shape = (-1, *fields.shape[2:])
        return fields[:-steps].reshape(shape), fields[steps:].reshape(shape)

    return pair


@pytest.mark.parametrize(
    ("name", "level", "lead_h", "expected", "tolerance"),
    [
        ("z", 500, 12, 391.29, 0.005),
        ("z", 500, 24, 624.79, 0.005),
        ("z", 500, 36, 748.80, 0.005),
        ("t", 850, 12, 2.30, 0.005),
        ("t", 850, 24, 2.99, 0.005),
        ("t", 850, 36, 3.51, 0.005),
    ],
)
def test_persistence_on_era5_has_the_known_error(
    eda, persistence, name, level, lead_h, expected, tolerance
):
    weights = latitude_weights(eda.latitude.to_numpy())[:, None]
    assert scores.rmse(*persistence(name, level, lead_h), weights) == pytest.approx(
        expected, abs=tolerance
    )


@pytest.mark.parametrize(("lead_h", "expected"), [(12, 425.39), (24, 685.12), (36, 828.13)])
def test_without_weights_the_poles_count_too_much(persistence, lead_h, expected):
    found = scores.rmse(*persistence("z", 500, lead_h), np.ones((61, 1)))
    assert found == pytest.approx(expected, abs=0.005)


def test_a_constant_error_is_its_own_rmse_on_any_weights():
    truth = np.random.default_rng(0).normal(size=(3, 4, 8))
    for score in (scores.rmse, scores.rmse_wb2):
        assert score(truth + 2.5, truth, WEIGHTS) == pytest.approx(2.5)


def test_the_two_conventions_differ_by_where_the_root_is_taken():
    truth = np.zeros((2, 4, 8))
    forecast = np.stack([np.full((4, 8), 1.0), np.full((4, 8), 7.0)])
    assert scores.rmse(forecast, truth, WEIGHTS) == pytest.approx(4.0)  # (1 + 7) / 2
    assert scores.rmse_wb2(forecast, truth, WEIGHTS) == pytest.approx(5.0)  # √((1 + 49) / 2)


def test_an_error_at_one_latitude_counts_its_cosine():
    error = np.zeros((1, 4, 8))
    error[:, 0] = 1.0
    share = np.cos(np.deg2rad(67.5)) / np.cos(np.deg2rad(LATITUDE)).sum()
    assert scores.rmse(error, 0 * error, WEIGHTS) ** 2 == pytest.approx(share)


def test_each_channel_has_weights_of_its_own():
    weights = np.ones((2, 4, 8))
    weights[1, :, 4:] = 0  # cells without data do not count
    error = np.zeros((5, 2, 4, 8))
    error[:, :, :, 4:] = 3.0
    np.testing.assert_allclose(
        scores.rmse(error, 0 * error, weights), [3 / np.sqrt(2), 0.0], atol=1e-12
    )


def test_anomaly_correlation_is_the_cosine_of_two_anomalies():
    rng = np.random.default_rng(1)
    normal, first, second = rng.normal(size=(3, 4, 8))
    first -= second * (WEIGHTS * first * second).sum() / (WEIGHTS * second**2).sum()  # orthogonal
    first *= np.sqrt((WEIGHTS * second**2).sum() / (WEIGHTS * first**2).sum())
    angle = np.deg2rad(40)
    turned = np.cos(angle) * second + np.sin(angle) * first
    found = scores.anomaly_correlation(normal + turned, normal + second, normal, WEIGHTS)
    assert found == pytest.approx(np.cos(angle))
    assert scores.anomaly_correlation(normal, normal + second, normal, WEIGHTS) == 0


def test_a_large_mean_costs_no_digits():
    anomaly = np.random.default_rng(2).normal(size=(1, 4, 8)).astype(np.float32)
    normal = np.float32(190_000)  # geopotential at 50 hPa
    acc = scores.anomaly_correlation(normal + anomaly, normal + anomaly, normal, WEIGHTS)
    assert acc == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize(
    ("ours", "expected"), [([1, 2, 3], 18.0), ([1, 9, 3], 6.0), ([9, 1, 1], 0.0), ([1, 2, 9], 12.0)]
)
def test_being_ahead_ends_at_the_first_lead_that_is_lost(ours, expected):
    assert scores.last_lead_ahead(ours, [5, 5, 5], [6, 12, 18]) == expected


def test_skill_is_one_for_no_error_and_negative_for_a_larger_one():
    np.testing.assert_allclose(scores.skill([0.0, 2.0, 3.0], 2.0), [1.0, 0.0, -0.5])
