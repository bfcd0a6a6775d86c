"""Scores: every method on every song, with its controls and the truth about them."""

import numpy as np
import pytest

from domains.dance_generation.evaluate import evaluate
from domains.dance_generation.science.dance import Facts, load_pairs
from domains.errors import DataError

SECTION = {"drift_minutes": 1.0, "noise_songs": 0, "predict": {}}


@pytest.fixture(scope="module")
def result(dataset, task, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    return evaluate(dataset, task, out, evaluate=SECTION), out


def test_the_headline_is_strict_f_beside_every_baseline_and_control(result):
    headline = result[0].headline
    assert (headline.name, headline.better, headline.n) == ("strict_f", "higher", 2)
    assert set(headline.baselines) == {
        "loop_on_grid", "metronome_loop", "nearest_neighbour", "paper_cnn",
        "shuffled", "shifted", "unsynchronised",
    }  # fmt: skip
    assert headline.baselines["loop_on_grid"] > 0.8
    assert headline.baselines["shifted"] < 0.4


def test_the_table_has_a_row_per_song_and_the_tracker_beside(result, dataset):
    cases = result[0].cases
    assert cases["case"].tolist() == [pair.name for pair in load_pairs(dataset, "test")]
    assert {"tracker_f", "tracker_f:librosa", "strict_f:tracked", "strict_f:source"} <= set(cases)
    assert np.isfinite(cases.filter(like="strict_f").to_numpy()).all()
    assert (cases["strict_f:source"] > 0.9).all()
    assert cases["strict_f"].mean() == pytest.approx(result[0].headline.value)


def test_the_manner_of_the_dance_is_scored_against_the_source(result):
    metrics = {metric.name: metric for metric in result[0].metrics}
    assert metrics["foot_sliding"].baselines["source"] < 0.1
    assert metrics["speed_error"].unit == ""
    assert {"drift_pose", "drift_root", "drift_speed", "step_entropy"} <= set(metrics)
    entropy = metrics["step_entropy"].baselines
    assert 5 * entropy["loop_on_grid"] < metrics["step_entropy"].value


def test_the_reader_is_told_which_bars_an_untrained_dancer_misses(result):
    text = " ".join(result[0].notes)
    assert "missed" in text
    assert "strict_f: loop_on_grid is as good or better" in text
    assert "simulated" in text
    assert "Danced to tracked beats" in text


def test_figures_are_small_described_and_the_same_each_time(result, dataset, task, tmp_path):
    found, out = result
    evaluate(dataset, task, tmp_path, evaluate=SECTION)
    assert len(found.figures) == 5
    for figure in found.figures:
        content = (out / figure.file).read_bytes()
        assert len(content) < 300_000
        assert content == (tmp_path / figure.file).read_bytes()
        assert figure.caption
        assert figure.alt


def test_dances_in_noise_are_scored_by_what_is_heard_there(dataset, hearing_task, tmp_path):
    found = evaluate(dataset, hearing_task, tmp_path, evaluate=SECTION | {"noise_songs": 1})
    metrics = {metric.name: metric for metric in found.metrics}
    for level in (20, 10, 0):
        assert 0.0 <= metrics[f"strict_f_noise_{level}db"].value <= 1.0
    clean = metrics["strict_f_noise_20db"].baselines["without_noise"]
    assert clean == pytest.approx(found.cases["strict_f"][0])


def test_a_network_that_hears_is_scored_on_trained_songs_too(dataset, hearing_task, tmp_path):
    found = evaluate(dataset, hearing_task, tmp_path, evaluate=SECTION)
    names = [metric.name for metric in found.metrics]
    assert "strict_f_trained_songs" in names
    assert not any("tracked" in name for name in names)
    assert "by ear, no grid given" in found.notes[0]


def test_a_dataset_without_a_test_pair_is_refused(dataset, task, tmp_path):
    from domains.dance_generation.science.dance import save_pair

    Facts.load(dataset).save(tmp_path)
    save_pair(tmp_path, load_pairs(dataset, "train")[0], "train")
    with pytest.raises(DataError, match="no test pair"):
        evaluate(tmp_path, task, tmp_path, evaluate=SECTION)
