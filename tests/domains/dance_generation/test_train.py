"""The task: losses, what it keeps, and how it dances."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from domains.dance_generation.data import Cues, cues_of
from domains.dance_generation.ingest import ingest
from domains.dance_generation.science.dance import load_pairs
from domains.dance_generation.train import Task, build
from domains.errors import DataError
from domains.task import load_task, save_task
from tests.domains.dance_generation.conftest import MODEL, TRAIN


def batch_of(data, num=2):
    return data.collate([data.train_sample(index, index) for index in range(num)])


@pytest.mark.parametrize("network", ["phase", "audio", "paper_cnn", "paper_residual"])
def test_a_few_steps_lower_the_loss_of_every_network(dataset, network):
    model = MODEL | {"network": network, "companions": []}
    task, data = build(dataset, model=model, train=TRAIN | {"lr": 0.01})
    batch = batch_of(data)
    optimizer = task.configure_optimizers()["optimizer"]
    task.log_dict = task.log = lambda *_, **__: None
    losses = []
    for _ in range(12):
        torch.manual_seed(0)
        loss = task.training_step(batch, 0)
        optimizer.zero_grad()
        loss.backward()
        for group in optimizer.param_groups:
            group["lr"] = 0.01
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.9 * losses[0]


def test_every_network_learns_and_dances_at_other_rates(tmp_path, params):
    params |= {"fps": 60.0, "audio_rate_hz": 8000}
    params["sample"] |= {"train_songs": 1, "test_songs": 1}
    ingest("sample", tmp_path / "a", ingest=params)
    companions = ["audio", "paper_cnn", "paper_residual"]
    task, data = build(tmp_path / "a", model=MODEL | {"companions": companions}, train=TRAIN)
    task.log_dict = task.log = lambda *_, **__: None
    assert torch.isfinite(task.training_step(batch_of(data), 0))
    cues = cues_of(load_pairs(tmp_path / "a", "train")[0])
    for name in task.dancers:
        assert np.isfinite(task.dance(cues, name).rotations).all()


def test_companions_learn_beside_ours_and_have_their_say(dataset):
    task, data = build(dataset, model=MODEL, train=TRAIN)
    logged = {}
    task.log_dict = logged.update
    task.log = lambda name, value, **_: logged.update({name: value})
    task.training_step(batch_of(data), 0).backward()
    assert {name.partition(".")[0] for name, p in task.dancers.named_parameters()
            if p.grad is not None} == {"phase", "paper_cnn"}  # fmt: skip
    (batch,) = data.val_dataloader()
    with torch.no_grad():
        task.eval().validation_step(batch, 0)
    mean = (logged["val_loss_phase"] + logged["val_loss_paper_cnn"]) / 2
    torch.testing.assert_close(logged["val_loss"], mean)


def test_each_network_is_clipped_by_itself(task):
    for parameter in task.parameters():
        parameter.grad = torch.full_like(parameter, 7.0)
    task.configure_gradient_clipping(None, 1.0)
    for dancer in task.dancers.values():
        norm = torch.stack([p.grad.norm() for p in dancer.parameters()]).norm()
        assert float(norm) == pytest.approx(1.0, rel=1e-3)
    task.zero_grad()


def test_the_paper_has_the_authors_optimiser(dataset):
    task, _ = build(dataset, model=MODEL | {"network": "paper_cnn"}, train=TRAIN)
    (group,) = task.configure_optimizers()["optimizer"].param_groups
    assert group["betas"] == (0.5, 0.999)
    assert group["amsgrad"]


def test_a_saved_task_dances_the_same(task, dataset, tmp_path):
    save_task(task, tmp_path, "dance_generation", {})
    _, loaded, _ = load_task(tmp_path)
    cues = cues_of(load_pairs(dataset, "test")[0])
    for name in (None, "paper_cnn"):
        one, other = task.dance(cues, name), loaded.dance(cues, name)
        np.testing.assert_array_equal(one.root_position, other.root_position)
        np.testing.assert_array_equal(one.rotations, other.rotations)
    assert loaded.step_index(None) == task.step_index(None)


def test_a_dance_has_every_frame_true_rotations_and_begins_in_the_step(task, dataset):
    cues = cues_of(load_pairs(dataset, "test")[0])
    cues = replace(cues, step=np.full(len(cues), task.step_index(None)))  # one that was trained
    motion, loop = task.dance(cues), task.loop(cues)
    assert motion.rotations.shape == (len(cues), 19, 3, 3)
    np.testing.assert_allclose(np.linalg.det(motion.rotations), 1.0, atol=1e-5)
    np.testing.assert_allclose(motion.root_position[0], loop.root_position[0], atol=1e-5)


def test_the_mean_step_of_the_sample_keeps_time(task, dataset):
    from domains.dance_generation.science.beat_scores import f_measure
    from domains.dance_generation.science.motion_beats import motion_beats

    pair = load_pairs(dataset, "train")[0]
    body = task.body(task.loop(cues_of(pair)))
    assert f_measure(pair.beats_s, motion_beats(body, pair.fps)) > 0.85


def test_a_network_that_hears_is_told_nothing_of_the_beats(hearing_task, dataset):
    pair = load_pairs(dataset, "test")[0]
    num = 60
    cues = [
        Cues(start + np.arange(num) / 15.0, 8, np.zeros(num, int), pair.audio) for start in (0, 2.6)
    ]
    one, other = (hearing_task.dance(cue) for cue in cues)
    np.testing.assert_array_equal(one.rotations, other.rotations)


def test_an_unknown_step_and_a_network_without_sound_are_refused(task, hearing_task):
    with pytest.raises(DataError, match=r"no step waltz was trained, expected one of \w+, \w+"):
        task.step_index("waltz")
    with pytest.raises(DataError, match="this network hears, expected audio"):
        hearing_task.dance(Cues(np.zeros(5), 8, np.zeros(5, int)))


def test_the_configuration_rebuilds_the_task(task):
    again = Task(**task.config)
    assert set(again.state_dict()) == set(task.state_dict())
