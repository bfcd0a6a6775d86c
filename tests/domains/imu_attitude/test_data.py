"""Batches: physical, repeatable, and never across a trial's edge or a lost reference."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from domains.errors import DataError
from domains.imu_attitude.data import (
    HybridData,
    Latencies,
    labelled,
    measure_latencies,
)
from domains.imu_attitude.models.windows import WindowData, WindowTrial
from domains.imu_attitude.science import quaternions as Q
from domains.imu_attitude.science.filters import vqf
from domains.imu_attitude.sources.simulator import DEVICES

SECTION = {
    "batch_size": 2,
    "window_s": 5.0,
    "augment_gyr_bias_deg_s": 0.3,
    "augment_acc_bias": 0.03,
}
PAPER = {"window": 30, "rate_hz": 25.0, "label": "last", "stride_s": 0.2, "batch_size": 4}


@pytest.fixture
def latencies(trial):
    return Latencies({trial.device: 0.005})


@pytest.fixture
def hybrid(trial, latencies):
    return HybridData([trial], [trial], latencies, SECTION)


def test_the_label_is_the_vertical_that_vqf_has_wrong(trial):
    part = labelled(trial, "causal", 0.0)
    error = Q.inclination_error(vqf(trial.gyr, trial.acc, trial.rate_hz), trial.reference)
    at = np.arange(len(part["x"])) * 7 + 6
    known = part["weight"].numpy() > 0
    found = part["up"].norm(dim=-1).numpy()
    np.testing.assert_allclose(found[known], np.sin(error[at])[known], atol=1e-5)
    assert not known.all()  # the simulated tracker loses sight twice
    assert (part["counts"].numpy() <= known).all()


def test_a_sample_is_a_function_of_index_and_seed(hybrid):
    one, again, other = (hybrid.train_sample(0, seed) for seed in (3, 3, 4))
    for mode in ("causal", "offline"):
        assert torch.equal(one[mode]["x"], again[mode]["x"])
    assert one["causal"]["x"].shape[1:] == (71, 28)
    assert one["offline"]["x"].shape[1:] == (71, 40)
    assert not torch.equal(one["causal"]["x"][0], other["causal"]["x"][0])


def test_a_batch_holds_all_windows_of_its_samples(hybrid):
    samples = [hybrid.train_sample(0, seed) for seed in (1, 2)]
    batch = hybrid.collate(samples)
    count = sum(len(sample["causal"]["x"]) for sample in samples)
    assert batch["causal"]["x"].shape == (count, 71, 28)
    assert batch["offline"]["up"].shape == (count, 71, 2)


def test_validation_takes_whole_trials_as_they_are(hybrid, trial):
    (batch,) = hybrid.val_dataloader()
    assert batch["causal"]["x"].shape == (1, len(trial) // 7, 28)


def test_a_validation_trial_at_rest_is_left_out_and_needs_another_beside_it(trial, latencies):
    rest = replace(trial, moving=np.zeros(len(trial), bool))
    lost = replace(trial, reference=np.full_like(trial.reference, np.nan))
    data = HybridData([trial], [rest, trial, lost], latencies, SECTION)
    (batch,) = data.val_dataloader()
    assert batch["causal"]["counts"].any()
    with pytest.raises(DataError, match="none of 2 validation trials has a sample that moves"):
        HybridData([trial], [rest, lost], latencies, SECTION).val_dataloader()


def test_a_window_longer_than_a_trial_is_refused(trial, latencies):
    with pytest.raises(DataError, match=r"train\.window_s is 30 s.*at most 12"):
        HybridData([trial], [trial], latencies, {**SECTION, "window_s": 30.0})


def test_latency_is_measured_for_each_device(trial):
    found = measure_latencies([trial, replace(trial, device="twin", name="again")])
    assert set(found.seconds) == {trial.device, "twin"}
    assert found.seconds["twin"] == found.seconds[trial.device]
    # the simulated gyroscope integrates, late by half a step, behind a filter that delays it
    expected_s = 0.5 / trial.rate_hz + DEVICES[trial.device].latency_s
    assert found.seconds["twin"] == pytest.approx(expected_s, abs=1e-3)


def test_paper_windows_stay_inside_a_trial_and_have_a_known_label(trial):
    data = WindowData([trial, trial], [trial], PAPER)
    longest = len(trial) // 4
    assert {number for number, _ in data.starts} == {0, 1}
    assert max(start for _, start in data.starts) <= longest - 30
    for index in range(data.num_train):
        assert torch.isfinite(data.train_sample(index, 0)["up"]).all()


def test_a_split_without_a_paper_window_is_refused(trial):
    short = trial.cut(600, 700)
    for split, trials in (("training", (short, trial)), ("validation", (trial, short))):
        with pytest.raises(DataError, match=f"no {split} trial has a window of 30 samples"):
            WindowData(trials[:1], trials[1:], PAPER)


def test_the_causal_label_is_the_vertical_at_the_last_raw_sample(trial):
    data = WindowData([trial], [trial], PAPER)
    _, start = data.starts[5]
    sample = data.train_sample(5, 0)
    last = (start + 30) * 4 - 1
    up = Q.rotate(Q.conjugate(trial.reference[last]), [0.0, 0.0, 1.0])
    np.testing.assert_allclose(sample["up"], up, atol=1e-6)
    np.testing.assert_allclose(sample["acc"][-1], trial.acc[last - 3 : last + 1].mean(0), rtol=1e-5)
    assert sample["rate_hz"].item() == 25.0


def test_the_rate_is_given_as_it_is_not_as_it_was_wished(trial):
    odd = trial.resampled(60.0)
    assert WindowTrial.of(odd, 25.0).rate_hz == pytest.approx(30.0)
