"""The task: trained by the engine, saved whole, the same twice, and asked for paths."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from domains.ais_trajectories.data import cut_windows, find_candidates, load_split, to_batch
from domains.ais_trajectories.models.message_data import to_batch as to_message_batch
from domains.ais_trajectories.params import TrajectoryTrainParams
from domains.ais_trajectories.science import message_errors
from domains.ais_trajectories.science.geodesy import to_local_km
from domains.ais_trajectories.science.messages import cut_messages
from domains.ais_trajectories.train import Task, build
from domains.errors import DataError
from domains.task import load_task, save_task
from flows.training import fit

TRAIN = {
    "seed": 0, "max_steps": 12, "batch_size": 16, "lr": 0.01, "grad_clip": 1.0,
    "validate_every": 6, "patience": 5, "checkpoint_every": 50, "threads": 1,
    "accelerator": "cpu", "devices": 1, "precision": "32-true",
    "weight_decay": 0.0, "stride": 3, "min_context_h": 0.5, "reveal": 0.25,
}  # fmt: skip
MODEL = {
    "network": "multipath",
    "compare": ["gru", "no_conv"],
    "multipath": {
        "context_h": 1.0, "horizon_h": 4.0, "hidden": 8, "decode_every": 3, "candidates": 2,
        "cell_resolution": 4, "target_resolution": 4, "route_h": 2.0, "concentration": 1.0,
    },
    "messages": {"length": 6, "hidden": 8, "max_gap_min": 60.0},
}  # fmt: skip
MESSAGES = {**MODEL, "network": "messages", "compare": ["gru"]}


def train(dataset: Path, scratch: Path, model: dict) -> Task:
    task, data = build(dataset, model=model, train=TRAIN)
    fit(
        task,
        data,
        TrajectoryTrainParams.model_validate(TRAIN),
        scratch,
        lambda *_: None,
        lambda *_: None,
    )
    return task.eval()


@pytest.fixture(scope="module")
def task(tiny_dataset, tmp_path_factory) -> Task:
    return train(tiny_dataset, tmp_path_factory.mktemp("scratch") / "s", MODEL)


@pytest.fixture(scope="module")
def asked(tiny_dataset, task):
    cut = cut_windows(load_split(tiny_dataset, "test"), task.plan, 12, "test")
    found = find_candidates(task.grids(), cut, task.plan)
    return cut, found, to_batch(cut, found)


def ask(task: Task, cut, num_paths: int):
    code = np.array([0, 30, 52, 36, 40, 60, 70, 80])[cut.ship_type]
    return task.paths(
        cut.longitude, cut.latitude, cut.sog_kn, cut.cog_deg, code, num_paths=num_paths
    )


def test_a_training_gives_the_same_weights_twice(tiny_dataset, task, tmp_path) -> None:
    again = train(tiny_dataset, tmp_path / "s", MODEL).state_dict()
    for name, weight in task.state_dict().items():
        assert torch.equal(weight, again[name]), name


def test_a_saved_task_answers_as_before_without_the_dataset(task, asked, tmp_path) -> None:
    cut, _, _ = asked
    save_task(task, tmp_path / "model", "ais_trajectories", {})
    _, loaded, _ = load_task(tmp_path / "model")
    for number in (1, 2):
        for one, other in zip(ask(task, cut, number), ask(loaded, cut, number), strict=True):
            np.testing.assert_array_equal(one, other)


def test_one_path_is_the_forecast_that_is_scored(task, asked) -> None:
    cut, _, batch = asked
    longitude, latitude, probability = ask(task, cut, 1)
    assert longitude.shape == latitude.shape == (len(cut), 1, 24)
    assert (probability == 1).all()
    km = task.forecast_km(batch)
    found = to_local_km(
        longitude[:, 0], latitude[:, 0], cut.longitude[:, -1:], cut.latitude[:, -1:]
    )
    np.testing.assert_allclose(np.stack(found, axis=-1), km, atol=1e-6)


def test_several_paths_come_with_falling_probabilities(task, asked) -> None:
    cut, found, _ = asked
    longitude, _, probability = ask(task, cut, 5)
    assert longitude.shape == (len(cut), 2, 24)  # candidates: 2
    assert (np.diff(probability, axis=1) <= 0).all()
    np.testing.assert_array_equal(probability, found["destination"].probability)


def test_sizes_are_told_in_steps(task) -> None:
    assert (task.context_steps, task.horizon_steps, task.step_min) == (6, 24, 10.0)


def test_an_ensemble_of_networks_is_logged_by_name(tiny_dataset, tmp_path) -> None:
    task, data = build(tiny_dataset, model=MODEL, train=TRAIN)
    rows = fit(
        task,
        data,
        TrajectoryTrainParams.model_validate(TRAIN),
        tmp_path / "s",
        lambda *_: None,
        lambda *_: None,
    )
    names = {"multipath", "gru", "no_conv"}
    assert {f"val_{name}" for name in names} | {f"train_{name}" for name in names} <= set(rows[-1])
    mean = np.mean([rows[-1][f"val_{name}"] for name in names])
    assert rows[-1]["val_loss"] == pytest.approx(mean, rel=1e-6)


def test_each_network_is_clipped_by_itself(tiny_dataset) -> None:
    task, _ = build(tiny_dataset, model=MODEL, train=TRAIN)
    for network, size in zip(task.model.networks.values(), (1e6, 0.1, 0.1), strict=True):
        for parameter in network.parameters():
            parameter.grad = torch.full_like(parameter, size / parameter.numel())
    before = [p.grad.clone() for p in task.model.networks["gru"].parameters()]
    task.configure_gradient_clipping()
    for parameter, old in zip(task.model.networks["gru"].parameters(), before, strict=True):
        torch.testing.assert_close(parameter.grad, old)
    norms = [p.grad.norm() for p in task.model.networks["multipath"].parameters()]
    assert torch.stack(norms).norm() == pytest.approx(1.0, rel=1e-3)


def test_messages_are_trained_saved_and_have_no_path(tiny_dataset, tmp_path) -> None:
    task = train(tiny_dataset, tmp_path / "s", MESSAGES)
    _, data = build(tiny_dataset, model=MESSAGES, train=TRAIN)
    save_task(task, tmp_path / "model", "ais_trajectories", {})
    _, loaded, _ = load_task(tmp_path / "model")
    for name in ("conv_recurrent", "gru"):
        np.testing.assert_array_equal(
            task.next_message(data.train, name), loaded.next_message(data.train, name)
        )
    with pytest.raises(DataError, match=r"set model.network: multipath and train again"):
        _ = task.paths_model


def test_message_networks_start_from_the_last_message_and_the_mean_interval(tiny_dataset) -> None:
    task, data = build(tiny_dataset, model=MESSAGES, train=TRAIN)
    batch = data.train
    for name in task.names:
        said = task.next_message(batch, name)
        assert not said[:, :2].any()
        np.testing.assert_allclose(said[:, 2:5], batch["messages"][:, -1, 2:5], atol=1e-5)
        np.testing.assert_allclose(said[:, 5], batch["messages"][..., 5].mean(1), rtol=1e-5)


def test_the_newest_messages_are_answered_as_those_of_a_window(tiny_dataset) -> None:
    task, _ = build(tiny_dataset, model=MESSAGES, train=TRAIN)
    cut = cut_messages(tiny_dataset, "train", 7, 60.0, 4)
    # seven messages seen, of which the model uses six and the time of the one before
    parts = (cut.longitude, cut.latitude, cut.sog_kn, cut.cog_deg, cut.time_s)
    found = task.next_content(*(part[:, :-1] for part in parts))
    one = cut_messages(tiny_dataset, "train", 6, 60.0, 1)
    rows = [int(np.flatnonzero(one.time_s[:, -1] == t)[0]) for t in cut.time_s[:, -1]]
    content = task.next_message(to_message_batch(one), task.names[0])
    expected = message_errors.described(content, one)
    for name, values in found.items():
        np.testing.assert_allclose(values, expected[name][rows], rtol=1e-5, atol=1e-6)
    with pytest.raises(DataError, match="3 messages of each ship, the model needs 7"):
        task.next_content(*(part[:, :3] for part in parts))
