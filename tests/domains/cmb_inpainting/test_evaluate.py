"""Scores: what the numbers mean, which stand beside them, and that pictures are small."""

import numpy as np
import pytest
from scipy.stats import t as student

from domains.cmb_inpainting.evaluate import Filled, _spread_metrics, evaluate
from domains.cmb_inpainting.ingest import ingest
from domains.cmb_inpainting.science import scores
from domains.cmb_inpainting.science.mollweide import mollweide
from domains.cmb_inpainting.science.skies import SkySet
from domains.cmb_inpainting.train import build
from tests.domains.cmb_inpainting.test_train import MODEL, TRAIN

SECTION = {"realisations": 8}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    from tests.domains.cmb_inpainting.conftest import INGEST

    folder = tmp_path_factory.mktemp("evaluation") / "data"
    ingest("sample", folder, ingest={**INGEST, "test_skies": 6})
    return folder


@pytest.fixture(scope="module")
def task(dataset):
    return build(dataset, model=MODEL, train=TRAIN)[0]


@pytest.fixture(scope="module")
def result(dataset, task, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    return evaluate(dataset, task, out, evaluate=SECTION), out


def by_name(result):
    return {metric.name: metric for metric in result[0].metrics}


def test_the_headline_is_the_rmse_against_practical_baselines_only(result):
    headline = result[0].headline
    assert headline.name == "rmse"
    assert set(headline.baselines) == {"zero", "diffusive"}
    assert headline.best_baseline()[0] == "diffusive"
    assert headline.n == 6


def test_the_bound_is_a_bound_and_stands_beside(result):
    metrics = by_name(result)
    ratio, gap = metrics["rmse_over_optimum"], metrics["gap_closed"]
    assert 1.0 < ratio.value < ratio.baselines["diffusive"]
    bound = metrics["rmse"].value / ratio.value
    diffusive = metrics["rmse"].baselines["diffusive"]
    expected = 100 * (diffusive - metrics["rmse"].value) / (diffusive - bound)
    assert gap.value == pytest.approx(expected)
    assert any("is the bound for a Gaussian sky, not a rival" in note for note in result[0].notes)


def test_baselines_are_scored_on_the_same_cases(result, dataset):
    test = SkySet.load(dataset, "test")
    mask = test.masks.values[1]
    error = (test.fills["diffusive"][1] - test.skies)[:, ~mask].astype(float)
    rows = result[0].cases[result[0].cases["case"].str.startswith("strip20/")]
    np.testing.assert_allclose(rows["rmse:diffusive"], np.sqrt((error**2).mean(1)), rtol=1e-5)


def test_the_same_evaluation_has_the_same_numbers_and_bytes(result, dataset, task, tmp_path):
    found, out = result
    again = evaluate(dataset, task, tmp_path, evaluate=SECTION)
    assert [metric.value for metric in again.metrics] == [metric.value for metric in found.metrics]
    assert len(found.figures) == 4
    for figure in found.figures:
        content = (out / figure.file).read_bytes()
        assert content == (tmp_path / figure.file).read_bytes()
        assert len(content) < 200_000
        assert figure.caption
        assert figure.alt


def test_every_band_of_the_spectrum_has_a_score_of_mean_and_random_fill(result):
    names = set(by_name(result))
    assert "gap_closed_strip20" in names
    for band in ("2_10", "11_23"):
        assert {f"d_ell_bias_{band}", f"random_d_ell_bias_{band}"} <= names


def test_scores_of_known_errors():
    truth = np.zeros((1, 12))
    truth[0, :4] = [1, 2, 3, 4]
    where = np.arange(12) < 4
    filled = truth + np.where(where, [1, -1, 1, -1] * 3, 100)
    found = scores.pixel_scores(filled, truth, where)
    assert found["rmse"] == pytest.approx([1.0])
    assert found["mae"] == pytest.approx([1.0])
    expected = np.corrcoef(filled[0, :4], truth[0, :4])[0, 1]
    assert found["correlation"] == pytest.approx([expected])


def test_gap_closed_is_0_for_the_baseline_and_100_for_the_optimum():
    assert scores.gap_closed(29.8, 29.8, 23.4) == 0
    assert scores.gap_closed(23.4, 29.8, 23.4) == pytest.approx(100)


def test_half_the_amplitude_is_a_bias_of_minus_75_percent(universe):
    sky = universe.draw_fixed("test", 2, 0).astype(float)
    bands = [(2, 10), (11, 23)]
    truth, half = (scores.bands_of(part, 23, bands) for part in (sky, sky / 2))
    np.testing.assert_allclose(scores.bias_percent(half, truth), -75)
    np.testing.assert_allclose(scores.bias_error_percent(half, truth), 0, atol=1e-9)


def test_gaussian_errors_of_the_right_sigma_are_covered_as_expected():
    rng = np.random.default_rng(0)
    sigma = rng.uniform(1, 5, 200_000)
    error = sigma * rng.standard_normal(200_000)
    assert scores.coverage_percent(error, sigma, 1) == pytest.approx(68.27, abs=0.4)
    assert scores.coverage_percent(error, sigma, 2) == pytest.approx(95.45, abs=0.2)


def test_errors_of_a_right_sigma_from_few_random_skies_are_covered_as_expected():
    rng = np.random.default_rng(0)
    error, drawn = rng.standard_normal((1, 200_000)), rng.standard_normal((4, 200_000))
    every, sigma = np.ones(200_000, bool), np.sqrt((drawn**2).mean(0))
    filled = Filled("a", ~every, every, np.zeros_like(error), {"ours": error}, sigma, 4)
    for metric in _spread_metrics([filled]):
        assert metric.value < 0.3


def test_the_spread_is_that_of_as_many_random_skies_as_were_drawn(result):
    metrics = by_name(result)
    for width in (1, 2):
        expected = 100 * (2 * student.cdf(width, 8) - 1)
        text = f"within {width} σ of 8 random fills, expected {expected:.2f} %"
        assert text in metrics[f"coverage_error_{width}_sigma"].description


def test_errors_are_binned_by_distance():
    error = np.array([[3.0, 4.0, 5.0, 9.0]])
    found = scores.error_by_distance(error, [0.5, 0.6, 5.0, 5.0], [True, True, True, False])
    assert found[0] == pytest.approx(np.sqrt(12.5))
    assert found[4] == pytest.approx(5.0)
    assert np.isnan(found[1])


def test_the_projection_is_of_equal_area_with_longitude_growing_to_the_left():
    import healpy

    theta, phi = healpy.pix2ang(32, np.arange(12 * 32**2))
    image = mollweide((theta < np.pi / 3).astype(float))  # a quarter of the sphere, in the north
    assert np.nanmean(image) == pytest.approx(0.25, abs=0.01)
    assert image[-1, 200] == 1
    east = mollweide(((phi > 0.2) & (phi < np.pi)).astype(float))
    assert east[100, 50] == 1
    assert east[100, 350] == 0
