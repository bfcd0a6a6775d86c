"""The task: learns, keeps what it learned on disk, and is as good at other rates."""

import numpy as np
import pytest
import torch

from domains.errors import DataError
from domains.imu_attitude.science import quaternions as Q
from domains.imu_attitude.science.filters import offline_vqf, vqf
from domains.imu_attitude.science.recording import save_recording
from domains.imu_attitude.sources.simulator import simulate_trial
from domains.imu_attitude.train import build
from domains.task import load_task, save_task

MODEL = {
    "network": "hybrid",
    "hybrid": {"hidden": 12, "dropout": 0.0},
    "paper": {"window_s": 1.0, "rate_hz": 25.0, "label": "centre", "units": 8, "stride_s": 0.4},
}
TRAIN = {
    "seed": 0,
    "max_steps": 40,
    "batch_size": 1,
    "lr": 5e-3,
    "weight_decay": 0.0,
    "window_s": 6.0,
    "augment_gyr_bias_deg_s": 0.3,
    "augment_acc_bias": 0.03,
}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dataset")
    for number, split in enumerate(("train", "train", "validate", "test")):
        kind = ("slow_combined", "tapping")[number % 2]
        recording = simulate_trial(number, kind, "simulated A", 25.0, seed=1)
        save_recording(folder, recording, split)
    return folder


@pytest.fixture
def built(dataset):
    return build(dataset, model=MODEL, train=TRAIN)


def error_deg(attitude, trial):
    error = Q.inclination_error(attitude, trial.reference)
    return np.rad2deg(Q.rms_over_movement(error, trial.moving))


def test_it_starts_as_vqf(built, trial):
    task, _ = built
    task.latency_s.fill_(0.005)  # half a step: nothing to move
    for mode, filter_ in (("offline", offline_vqf), ("causal", vqf)):
        found = task.attitude(trial.gyr, trial.acc, trial.rate_hz, mode, trial.device)
        expected = filter_(trial.gyr, trial.acc, trial.rate_hz)
        assert Q.total_error(found, expected).max() < 1e-7


def test_it_learns_one_batch_by_heart(built):
    task, data = built
    task.log_dict = lambda *_, **__: None
    batch = data.collate([data.train_sample(0, 0)])
    optimizer = torch.optim.Adam(task.parameters(), lr=1e-2)
    losses = []
    for _ in range(60):
        loss = task.training_step(batch, 0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.4 * losses[0]


def test_validation_sets_trust_between_nothing_and_all(built):
    task, data = built
    logged = {}
    task.log = lambda key, value, **_: logged.__setitem__(key, float(value))
    task.log_dict = lambda values, **_: logged.update(values)
    for sign in (1, -1):  # an answer that is right, and one that is wrong in the same way
        for batch in data.val_dataloader():
            for mode in ("offline", "causal"):
                up = batch[mode]["up"][batch[mode]["counts"] > 0]
                task._seen.setdefault(mode, []).append((sign * 0.5 * up, up))
        task.on_validation_epoch_end()
        expected = 1.0 if sign > 0 else 0.0
        assert float(task.networks["causal"].trust) == pytest.approx(expected)
    assert logged["val_loss"] == pytest.approx(
        logged["val_inclination_offline"] + logged["val_inclination_causal"]
    )


@pytest.mark.parametrize(("gain", "trust"), [(0.009, 0.0), (0.02, 1.0)])
def test_a_network_that_hardly_helps_validation_has_no_say(built, gain, trust):
    task, data = built
    logged = {}
    task.log = lambda key, value, **_: logged.__setitem__(key, float(value))
    task.log_dict = lambda values, **_: logged.update(values)
    alone = []
    for batch in data.val_dataloader():
        for mode in ("offline", "causal"):
            up = batch[mode]["up"][batch[mode]["counts"] > 0]
            task._seen.setdefault(mode, []).append((gain * up, up))
            alone.append(np.rad2deg(float(up.square().sum(-1).mean().sqrt())))
    task.on_validation_epoch_end()
    assert float(task.networks["offline"].trust) == trust
    assert logged["val_trust_causal"] == trust
    assert logged["val_loss"] == pytest.approx((1 - trust * gain) * sum(alone), rel=1e-4)


def test_training_logs_the_sum_of_its_losses(built):
    task, data = built
    logged = {}
    task.log_dict = logged.update
    with torch.no_grad():
        loss = task.training_step(data.collate([data.train_sample(0, 0)]), 0)
    assert float(logged["train_loss"]) == float(loss)
    assert float(logged["loss_offline"] + logged["loss_causal"]) == pytest.approx(float(loss))


def test_a_task_on_disk_gives_the_same_attitudes(built, tmp_path, trial):
    task, _ = built
    torch.nn.init.normal_(task.networks["causal"].head.weight)
    save_task(task, tmp_path, "imu_attitude", {})
    _, loaded, _ = load_task(tmp_path)
    arguments = (trial.gyr, trial.acc, trial.rate_hz, "causal", "simulated A")
    np.testing.assert_array_equal(loaded.attitude(*arguments), task.attitude(*arguments))
    assert torch.equal(loaded.latency_s, task.latency_s)


def test_the_same_seed_builds_the_same_weights(dataset, built):
    again, _ = build(dataset, model=MODEL, train=TRAIN)
    for one, two in zip(built[0].parameters(), again.parameters(), strict=True):
        assert torch.equal(one, two)


@pytest.mark.parametrize(("label", "mode"), [("centre", "offline"), ("last", "causal")])
def test_a_paper_network_answers_in_its_own_mode(dataset, trial, label, mode):
    model = {**MODEL, "network": "D", "paper": {**MODEL["paper"], "label": label}}
    task, data = build(dataset, model=model, train={**TRAIN, "batch_size": 8})
    task.log = lambda *_, **__: None
    batch = data.collate([data.train_sample(index, 0) for index in range(8)])
    assert torch.isfinite(task.training_step(batch, 0))
    assert task.modes == [mode]
    attitude = task.attitude(trial.gyr, trial.acc, trial.rate_hz, mode)
    np.testing.assert_allclose(np.linalg.norm(attitude, axis=1), 1.0, atol=1e-9)
    other = "causal" if mode == "offline" else "offline"
    with pytest.raises(DataError, match=f"trained for {mode}, not {other}; set model.paper.label"):
        task.attitude(trial.gyr, trial.acc, trial.rate_hz, other)


def test_a_causal_paper_network_does_not_see_the_future(dataset, trial):
    model = {**MODEL, "network": "A", "paper": {**MODEL["paper"], "label": "last"}}
    task, _ = build(dataset, model=model, train=TRAIN)
    changed = trial.acc.copy()
    changed[1500:] += 2.0
    before, after = (
        task.attitude(trial.gyr, acc, trial.rate_hz, "causal") for acc in (trial.acc, changed)
    )
    np.testing.assert_array_equal(before[:1500], after[:1500])


def test_the_causal_hybrid_does_not_see_the_future_and_the_offline_one_does(built, trial):
    task, _ = built
    for network in task.networks.values():
        torch.nn.init.normal_(network.head.weight, std=0.5)
    changed = trial.acc.copy()
    changed[1500:] += 2.0
    for mode in ("causal", "offline"):
        before, after = (
            task.attitude(trial.gyr, acc, trial.rate_hz, mode, trial.device)
            for acc in (trial.acc, changed)
        )
        is_same = np.array_equal(before[:1500], after[:1500])
        assert is_same == (mode == "causal")


def test_a_dataset_without_reference_is_refused(tmp_path, trial):
    from dataclasses import replace

    bare = replace(trial, reference=None)
    for split in ("train", "validate"):
        save_recording(tmp_path, bare, split)
    with pytest.raises(DataError, match="split train has 1 recordings, none with a reference"):
        build(tmp_path, model=MODEL, train=TRAIN)


def test_the_error_on_broad_hardly_depends_on_the_rate(built, broad_trial):
    task, _ = built
    task.devices = {"myon aktos-t": {"rate_hz": 2000 / 7, "simulated": False}}
    task.latency_s.fill_(0.0040)
    trial = broad_trial(24).cut(0, 30000)
    errors = []
    for rate_hz in (trial.rate_hz, 95.2, 47.6):
        part = trial.resampled(rate_hz)
        found = task.attitude(part.gyr, part.acc, part.rate_hz, "offline", part.device)
        errors.append(error_deg(found, part))
    assert max(errors) - min(errors) < 0.15  # degrees; VQF alone: 0.5 to 1.2
    plain = offline_vqf(part.gyr, part.acc, part.rate_hz)
    assert error_deg(plain, part) > 2 * errors[-1]
