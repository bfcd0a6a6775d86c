"""The evaluation: numbers that can be recomputed, baselines on the same clips, honest notes."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from domains.contract import Metric
from domains.echo_clutter.evaluate import evaluate
from domains.echo_clutter.figures import picks
from domains.echo_clutter.science.clips import load_dataset, save_clip
from domains.echo_clutter.science.filters import FILTERS
from domains.echo_clutter.train import build
from domains.errors import DataError
from flows.domain_page import _spread
from tests.domains.echo_clutter.conftest import make_clip
from tests.domains.echo_clutter.test_train import MODEL, TRAIN

SECTION = {"figure_frames": 4}


@pytest.fixture(scope="module")
def untrained(tiny_dataset):
    return build(tiny_dataset, model=MODEL, train=TRAIN)[0]


@pytest.fixture(scope="module")
def result(tiny_dataset, untrained, tmp_path_factory):
    out = tmp_path_factory.mktemp("evaluation")
    return out, evaluate(tiny_dataset, untrained, out, evaluate=SECTION)


def by_name(evaluation):
    return {metric.name: metric for metric in evaluation.metrics}


def test_the_headline_is_the_mean_over_test_clips_beside_every_filter(result, tiny_dataset):
    headline = result[1].headline
    expected = np.mean(
        [
            np.abs(c.cluttered.astype(float) - c.clean).mean()
            for c in load_dataset(tiny_dataset, "test")
        ]
    )
    assert (headline.name, headline.n, headline.better) == ("mae", 2, "lower")
    assert headline.baselines.keys() == FILTERS.keys()
    assert headline.baselines["nothing"] == pytest.approx(expected)


def test_an_untrained_filter_scores_as_doing_nothing(result):
    for metric in result[1].metrics:
        assert metric.value == pytest.approx(metric.baselines["nothing"], rel=1e-6), metric.name
    assert "1.00 × doing nothing (aim ≤ 0.6: missed)" in result[1].notes[0]


def test_clean_clips_are_no_baseline_of_strain_but_stand_in_the_table(result):
    evaluation = result[1]
    strain = by_name(evaluation)["strain_rmse"]
    assert "clean" not in strain.baselines
    assert strain.n == 2
    assert evaluation.cases["strain_rmse:clean"].notna().sum() == 2


def test_strain_on_clean_frames_is_what_clutter_is_measured_against(result):
    evaluation = result[1]
    assert "strain_shift:clean" not in evaluation.cases
    exact, shift = (by_name(evaluation)[name] for name in ("strain_rmse", "strain_shift"))
    floor = evaluation.cases["strain_rmse:clean"].mean()
    # the triangle inequality of a norm, case by case and so in the mean
    assert abs(exact.value - floor) <= shift.value <= exact.value + floor


def test_real_clips_have_a_change_and_no_error(result):
    real = result[1].cases.set_index("case").loc["f"]
    assert np.isnan(real["mae"])
    assert real["change_near_field"] == 0.0
    assert any("nobody knows the error" in note for note in result[1].notes)


def test_all_figures_are_written_and_the_moving_one_moves(result):
    out, evaluation = result
    names = [figure.file for figure in evaluation.figures]
    assert names == [
        "figures/beat.gif",
        "figures/error_by_clip.png",
        "figures/m_mode.png",
        "figures/strain.png",
        "figures/in_vivo.png",
    ]
    assert all((out / name).stat().st_size > 500 for name in names)
    with Image.open(out / "figures/beat.gif") as moving:
        assert moving.n_frames == 4
        assert moving.size == (3 * 2 * 32, 2 * 32 + 14)


def test_the_same_evaluation_gives_the_same_bytes(result, tiny_dataset, untrained, tmp_path):
    out, evaluation = result
    again = evaluate(tiny_dataset, untrained, tmp_path, evaluate=SECTION)
    assert again.metrics == evaluation.metrics
    for figure in evaluation.figures:
        assert (out / figure.file).read_bytes() == (tmp_path / figure.file).read_bytes()


def test_the_authors_outputs_are_scored_on_their_own_clips_alone(untrained, tmp_path):
    """Of two test clips one is published: the headline is of it, the simulated one stands apart."""
    published = make_clip("vendor", 5)
    answer = np.clip(published.clean.astype(int) + 3, 0, 255).astype(np.uint8)
    published = replace(
        published, kind="published", contour=None, segment=None, paper_3d=answer, paper_2d=answer
    )
    save_clip(tmp_path, published, "test")
    save_clip(tmp_path, make_clip("simulated", 6), "test")
    evaluation = evaluate(tmp_path, untrained, tmp_path / "out", evaluate=SECTION)
    metrics = by_name(evaluation)
    assert metrics["mae"].n == 1
    assert metrics["mae"].baselines["paper_3d"] == pytest.approx(3.0, abs=0.1)
    assert metrics["mae_simulated"].n == 1
    assert "paper_3d" not in metrics["mae_simulated"].baselines
    assert metrics["strain_rmse"].n == 1
    assert any("3-D filter has 3.00" in note and "worse" in note for note in evaluation.notes)


def test_test_clips_without_clutter_are_scored_and_said_to_be_so(untrained, tmp_path):
    clip = make_clip()
    save_clip(tmp_path, replace(clip, cluttered=clip.clean), "test")
    evaluation = evaluate(tmp_path, untrained, tmp_path / "out", evaluate=SECTION)
    assert evaluation.headline.baselines["nothing"] == 0.0
    assert "The test clips have no clutter" in evaluation.notes[0]


def test_a_test_split_without_truth_is_refused(untrained, tmp_path):
    save_clip(tmp_path, replace(make_clip(), clean=None), "test")
    with pytest.raises(DataError, match="split test has 1 clips, none with clean frames"):
        evaluate(tmp_path, untrained, tmp_path / "out", evaluate=SECTION)


def test_the_worst_median_and_best_clip_are_those_of_the_report(result):
    cases = result[1].cases
    metric = Metric("mae", 1.0, "grey level", "lower", 2, {}, "")
    page = {word: name for word, name, _ in _spread(cases, metric)}
    assert {word: cases["case"][row] for word, row in picks(cases, "mae").items()} == page
