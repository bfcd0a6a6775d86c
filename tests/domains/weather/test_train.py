"""The task: phases, exact resumption over the hand-over, learning, refusal of what cannot be."""

import numpy as np
import pytest
import torch

from domains.errors import DataError
from domains.task import load_task, save_task
from domains.weather.params import ModelParams, WeatherTrainParams
from domains.weather.train import build
from flows.training import fit

MODEL = {
    "dim": 8, "stages": 1, "blocks": 1, "patch": 2, "kernel_size": 3, "dilation": 1,
    "handover_steps": 2, "expansion": 1,
}  # fmt: skip
TRAIN = {
    "max_steps": 12, "batch_size": 4, "pretrain_share": 0.5, "short_share": 0.25,
    "rollout_steps": 2, "reach_steps": 4, "validate_every": 6, "checkpoint_every": 4,
    "validate_starts": 2, "validate_steps": 6, "accelerator": "cpu",
}  # fmt: skip


@pytest.fixture
def make(tiny, params):
    """Task, data and checked section ``train`` with some values changed."""

    def build_with(dataset=tiny, model=None, **train):
        sections = {
            "model": {**params["model"], **MODEL, **(model or {})},
            "train": {**params["train"], **TRAIN, **train},
        }
        ModelParams(**sections["model"])
        return *build(dataset, **sections), WeatherTrainParams(**sections["train"])

    return build_with


def trained(made, scratch, log=lambda *_: None):
    task, data, section = made
    history = fit(task, data, section, scratch, log, lambda *_: None)
    return task, history


def test_a_run_killed_between_short_and_medium_ends_with_the_same_weights(make, tmp_path):
    whole, history = trained(make(), tmp_path / "whole")
    assert whole.phases.starts == [0, 9, 12]

    def kill(values, step):
        if step == 10 and "train_loss" in values:
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        trained(make(), tmp_path / "cut", kill)
    assert (tmp_path / "cut" / "last.ckpt").is_file()  # of step 8, before Medium began
    resumed, again = trained(make(), tmp_path / "cut")
    assert again == history
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


def test_while_one_stage_learns_the_others_rest(make):
    task, data, _ = make()
    task.log_dict = lambda *_, **__: None
    optimizer = task.configure_optimizers()["optimizer"]
    task.optimizers = lambda: optimizer
    batch = data.collate([data.train_sample(index, index) for index in range(4)])
    for step, learns in ((0, "short"), (7, "short"), (9, "medium")):
        type(task).global_step = property(lambda _, now=step: now)
        try:
            task.zero_grad()
            task.training_step(batch, 0).backward()
        finally:
            del type(task).global_step
        for name, stage in task.cascade.stages.items():
            has_gradient = any(p.grad is not None for p in stage.parameters())
            assert has_gradient == (name == learns), (step, name)
        assert all(p.grad is not None for p in task.peer.parameters())


def test_medium_begins_as_short(make, tmp_path):
    task, _ = trained(make(finetune_lr_share=1e-9, weight_decay=0.0), tmp_path)
    assert int(task.cascade.num_trained) == 2 or task.cascade.stage_of(99) == 0
    task.cascade.start_stage(1)
    short, medium = (task.cascade.stage(number).state_dict() for number in (0, 1))
    assert all(torch.equal(short[name], medium[name]) for name in short)


@pytest.mark.parametrize("network", ["puyun", "resnet"])
def test_on_travelling_waves_it_beats_persistence_by_far(make, tiny, tmp_path, network):
    made = make(model={"network": network, "peer": False}, max_steps=60, validate_every=60, lr=0.02)
    task, _ = trained(made, tmp_path)
    fields = made[1].fields
    starts = fields.starts("test", 4)
    frames = torch.from_numpy(np.stack([fields.frames(starts - 1), fields.frames(starts)], 1))
    *_, ours = task.forecast(frames, fields.year_phase[starts], fields.day_phase[starts], 4)
    truth = fields.frames(starts + 4)
    error = np.abs(ours.numpy() - truth).mean((0, 2, 3))
    still = np.abs(frames[:, 1].numpy() - truth).mean((0, 2, 3))
    assert (error < 0.5 * still).all()


def test_a_task_on_disk_forecasts_alike(make, tmp_path):
    task, data, _ = make(model={"time": "year"})
    task.cascade.start_stage(1)
    with torch.no_grad():
        for parameter in task.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    save_task(task, tmp_path, "weather", {})
    _, loaded, _ = load_task(tmp_path)
    frames = torch.from_numpy(data.fields.frames([0, 1]))[None]
    for network in ("cascade", "short", "peer"):
        pairs = zip(
            *(one.forecast(frames, [0.1], [0.25], 4, network=network) for one in (task, loaded)),
            strict=True,
        )
        assert all(torch.equal(first, second) for first, second in pairs)


def test_a_forecast_in_two_parts_is_the_forecast(make):
    task, data, _ = make(model={"time": "year"})
    task.cascade.start_stage(1)
    with torch.no_grad():
        for parameter in task.cascade.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    frames = torch.from_numpy(data.fields.frames([0, 1]))[None]
    whole = list(task.forecast(frames, [0.5], [0.75], 5))
    assert task.calendar == "noleap"
    later = [0.5 + 3 * 6 / 24 / 365], [0.75 + 3 * 6 / 24]
    parts = task.forecast(torch.stack(whole[1:3], 1), *later, 2, first_step=3)
    for first, second in zip(whole[3:], parts, strict=True):
        torch.testing.assert_close(first, second, rtol=1e-6, atol=1e-2)
    assert not torch.equal(whole[2], next(task.forecast(frames, [0.5], [0.75], 1, first_step=2)))


def test_cells_without_data_teach_nothing(make):
    task, _, _ = make()
    truth = torch.zeros(1, *task.cell_weights.shape)
    forecast = truth.clone()
    forecast[:, :, :4] = 100.0
    valid = np.ones(truth.shape[1:], bool)
    valid[:, :4] = False
    task.set_statistics(torch.zeros(2), torch.ones(2), torch.ones(2), valid)
    assert task._error(task.cascade, forecast, truth) == 0
    np.testing.assert_array_equal(task.valid, valid)
    forecast[:, :, 4:] = 3.0
    assert float(task._error(task.cascade, forecast, truth)) == pytest.approx(9.0)


def test_recomputation_changes_nothing_but_memory(make, tmp_path):
    ends = []
    for recompute in ("none", "steps", "blocks"):
        made = make(model={"recompute": recompute, "peer": False}, max_steps=8)
        ends.append(trained(made, tmp_path / recompute)[0].state_dict())
    for other in ends[1:]:
        for name, value in ends[0].items():
            torch.testing.assert_close(value, other[name], rtol=1e-4, atol=1e-5)


def test_short_alone_trains_to_the_end(make):
    task, data, _ = make(model={"cascade": 1})
    assert task.phases.starts == [0, 12]
    assert data.offsets.tolist() == [0, 1, 2, 3]


def test_the_same_seed_builds_the_same_weights(make):
    first, second = (make()[0].state_dict() for _ in range(2))
    assert all(torch.equal(value, second[name]) for name, value in first.items())


def test_a_state_of_another_grid_is_refused(make):
    task, _, _ = make()
    with pytest.raises(DataError, match=r"shape \(2, 3, 8, 16\), expected two of 2 channels on 8"):
        next(task.forecast(torch.zeros(1, 2, 3, 8, 16), [0.0], [0.0], 1))


@pytest.mark.parametrize(
    ("kernel_size", "dilation", "message"),
    [
        (8, 2, "a dilated kernel of 4, expected an odd one; try model.kernel_size 10"),
        (63, 3, "reaches 30 patches to each side, but the grid has 8 along a circle"),
    ],
)
def test_a_kernel_that_does_not_fit_is_refused(make, kernel_size, dilation, message):
    with pytest.raises(DataError, match=message):
        make(model={"kernel_size": kernel_size, "dilation": dilation})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pretrain_share": 0.8, "short_share": 0.2}, "must add up to less than 1"),
        ({"rollout_steps": 5, "reach_steps": 4}, "reach_steps must be at least rollout_steps"),
    ],
)
def test_shares_and_steps_that_leave_nothing_are_refused(params, changes, message):
    with pytest.raises(ValueError, match=message):
        WeatherTrainParams(**{**params["train"], **changes})
