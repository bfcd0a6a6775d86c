"""Scores: BROAD's protocol on every method, in one table, with the truth about them."""

import numpy as np
import pytest

from domains.errors import DataError
from domains.imu_attitude.evaluate import evaluate, with_heading
from domains.imu_attitude.science import quaternions as Q
from domains.imu_attitude.science.recording import load_dataset, save_recording
from domains.imu_attitude.sources.simulator import simulate_trial
from domains.imu_attitude.train import Task

SECTION = {"max_figure_points": 300, "predict": {}}
DEVICES = {"simulated A": {"rate_hz": 100.0, "simulated": True}}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dataset")
    for number in (1, 2):
        recording = simulate_trial(number, "slow_combined", "simulated A", 20.0, seed=number)
        save_recording(folder, recording, "test")
    return folder


@pytest.fixture(scope="module")
def task():
    config = {"hidden": 8, "dropout": 0.0, "lr": 1e-3, "weight_decay": 0.0, "max_steps": 5}
    task = Task("hybrid", DEVICES, **config).eval()
    task.latency_s.fill_(0.005)  # half a step: nothing to move
    return task


@pytest.fixture(scope="module")
def result(dataset, task, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    return evaluate(dataset, task, out, evaluate=SECTION), out


def test_an_untrained_hybrid_scores_as_vqf(result):
    offline, causal = result[0].metrics[:2]
    assert offline.name == "inclination_rmse_offline"
    assert offline.value == pytest.approx(offline.baselines["offline_vqf"], rel=1e-6)
    assert causal.value == pytest.approx(causal.baselines["vqf"], rel=1e-6)
    assert offline.n == 2
    assert offline.unit == "deg"


def test_every_filter_is_scored_on_every_trial_and_causal_ones_only_against_causal(result):
    found = result[0]
    names = {"strapdown", "mahony", "madgwick", "vqf", "riann"}
    assert names <= set(found.metrics[0].baselines)
    assert "offline_vqf" not in found.metrics[1].baselines
    table = found.cases
    assert len(table) == 2
    assert np.isfinite(table.filter(like="rmse").to_numpy()).all()


def test_the_mean_is_over_trials_of_the_rms_over_movement(result, dataset):
    from domains.imu_attitude.science.filters import vqf

    rms = []
    for trial in load_dataset(dataset, "test"):
        attitude = vqf(trial.gyr, trial.acc, trial.rate_hz)
        error = Q.inclination_error(attitude, trial.reference)[trial.moving]
        rms.append(np.rad2deg(np.sqrt(np.nanmean(error**2))))
    assert result[0].metrics[1].baselines["vqf"] == pytest.approx(np.mean(rms), rel=1e-6)


def test_the_reader_is_told_what_is_simulated_and_what_was_missed(result):
    text = " ".join(result[0].notes)
    assert "simulated" in text
    assert "missed" in text


def test_the_reader_is_told_where_the_gain_comes_from(dataset, task, tmp_path):
    for mode, trust in (("offline", 0.0), ("causal", 1.0)):
        task.networks[mode].trust.fill_(trust)
    found = evaluate(dataset, task, tmp_path, evaluate=SECTION)
    task.networks["offline"].trust.fill_(1.0)
    metrics = {metric.name: metric for metric in found.metrics}
    offline, alone = (
        metrics[f"inclination_rmse_offline{ending}"] for ending in ("", "_latency_only")
    )
    assert offline.value == pytest.approx(alone.value, rel=1e-9)
    assert offline.description.endswith("no network")
    assert "no network" not in metrics["inclination_rmse_causal"].description
    assert "ablation" in alone.description
    assert ["shut out" in note for note in found.notes if "aim" in note] == [True, False]


def test_figures_are_small_and_the_same_each_time(result, dataset, task, tmp_path):
    found, out = result
    evaluate(dataset, task, tmp_path, evaluate=SECTION)
    assert len(found.figures) == 3
    for figure in found.figures:
        content = (out / figure.file).read_bytes()
        assert len(content) < 120_000
        assert content == (tmp_path / figure.file).read_bytes()
        assert figure.caption
        assert figure.alt


@pytest.mark.parametrize(("label", "mode"), [("centre", "offline"), ("last", "causal")])
def test_a_paper_network_is_scored_in_its_own_mode(dataset, tmp_path, label, mode):
    config = {"window": 10, "window_s": 1.0, "rate_hz": 10.0, "stride_s": 0.5, "units": 4}
    rest = {"label": label, "lr": 1e-3, "weight_decay": 0.0, "max_steps": 5}
    found = evaluate(dataset, Task("D", DEVICES, **config, **rest), tmp_path, evaluate=SECTION)
    assert found.headline.name == f"inclination_rmse_{mode}"
    is_offline = mode == "offline"
    assert ("offline_vqf" in found.headline.baselines) == is_offline
    assert f"{'six' if is_offline else 'five'} filters in greys" in found.figures[0].alt


def test_a_wrong_heading_is_forgiven_and_a_wrong_tilt_is_not():
    rng = np.random.default_rng(0)
    reference = Q.random(500, rng)
    reference[:20] = np.nan
    turned = Q.multiply(Q.from_rotation_vector([0.0, 0.0, 2.5]), Q.random(500, rng))
    turned[20:] = Q.multiply(Q.from_rotation_vector([0.0, 0.0, 2.5]), reference[20:])
    error = Q.total_error(with_heading(turned, reference, 100.0), reference)
    assert np.nanmax(error) < 1e-7
    tilted = Q.multiply(Q.from_rotation_vector([0.1, 0.0, 0.0]), turned)
    error = Q.total_error(with_heading(tilted, reference, 100.0), reference)
    np.testing.assert_allclose(error[20:], 0.1, atol=1e-3)


def test_a_dataset_without_a_scored_trial_is_refused(tmp_path, task, trial):
    save_recording(tmp_path, trial, "train")
    with pytest.raises(DataError, match="no test trial with a reference"):
        evaluate(tmp_path, task, tmp_path, evaluate=SECTION)
