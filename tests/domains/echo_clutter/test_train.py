"""The task: it starts as the identity, learns, and is the same after a trip to disk."""

import numpy as np
import pytest
import torch

from domains.echo_clutter.science.clips import load_dataset
from domains.echo_clutter.train import Task, build, edge_error
from domains.errors import DataError
from domains.task import load_task, save_task

MODEL = {
    "network": "beat",
    "beat": {"widths": [8, 16], "scale": 2},
    "paper": {
        "width": 4,
        "levels": 2,
        "normalisation": "group",
        "activation": "leaky_relu",
        "dropout": 0.0,
    },
}
TRAIN = {
    "seed": 0,
    "max_steps": 40,
    "batch_size": 2,
    "lr": 5e-3,
    "weight_decay": 0.0,
    "loss": "mae",
    "adversarial_weight": 0.0,
    "frames": 4,
    "gain": 0.2,
    "gamma": 0.1,
    "floor": 0.0,
    "untouched": 0.0,
    "edge_weight": 0.5,
    "clutter": {"near_field": 1.0, "reverberation": 1.0, "haze": 0.3},
}
NETWORKS = ("beat", "paper_3d", "paper_2d")


def built(dataset, network="beat", **changes):
    return build(dataset, model={**MODEL, "network": network}, train={**TRAIN, **changes})


def overfitted(task, data, steps):
    """The task after ``steps`` on one batch, and its first and last loss."""
    batch = data.collate([data.train_sample(0, 1), data.train_sample(1, 2)])
    optimizer = task.configure_optimizers()["optimizer"]
    for group in optimizer.param_groups:
        group["lr"] = TRAIN["lr"]
    task.log = task.log_dict = lambda *_, **__: None
    losses = []
    for _ in range(steps):
        loss = task.training_step(batch, 0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("network", NETWORKS)
def test_it_starts_by_doing_nothing(tiny_dataset, tiny_clip, network):
    task, _ = built(tiny_dataset, network)
    assert np.array_equal(task.filter(tiny_clip.cluttered), tiny_clip.cluttered)


@pytest.mark.parametrize("network", NETWORKS)
def test_it_learns_one_batch(tiny_dataset, network):
    task, data = built(tiny_dataset, network)
    losses = overfitted(task, data, 40)
    assert losses[-1] < 0.6 * losses[0]


def test_the_adversarial_variant_trains_both_players(tiny_dataset):
    task, data = built(tiny_dataset, "paper_3d", adversarial_weight=0.001, loss="mse")
    before = {name: value.clone() for name, value in task.named_parameters()}
    overfitted(task, data, 3)
    changed = {
        name for name, value in task.named_parameters() if not torch.equal(value, before[name])
    }
    assert {name.partition(".")[0] for name in changed} == {"model", "discriminator"}


@pytest.mark.parametrize("network", NETWORKS)
def test_a_task_from_disk_filters_alike(tiny_dataset, tiny_clip, network, tmp_path):
    task, data = built(tiny_dataset, network)
    overfitted(task, data, 2)
    save_task(task, tmp_path, "echo_clutter", {})
    _, again, _ = load_task(tmp_path)
    before = task.filter(tiny_clip.cluttered, tiny_clip.sector)
    assert not np.array_equal(before, tiny_clip.cluttered)
    assert np.array_equal(before, again.filter(tiny_clip.cluttered, tiny_clip.sector))


def test_outside_the_sector_nothing_changes_and_answers_are_grey_levels(tiny_dataset, tiny_clip):
    task, data = built(tiny_dataset)
    overfitted(task, data, 3)
    noisy = np.random.default_rng(0).uniform(0, 255, tiny_clip.cluttered.shape)
    found = task.filter(noisy, tiny_clip.sector)
    assert np.array_equal(
        found[:, ~tiny_clip.sector], noisy.astype(np.float32)[:, ~tiny_clip.sector]
    )
    assert found.min() >= 0
    assert found.max() <= 255
    assert not np.allclose(found, noisy)


@pytest.mark.parametrize("shape", [(1, 30, 33), (3, 17, 50)])
def test_any_size_and_a_single_frame_are_taken(tiny_dataset, shape):
    task, _ = built(tiny_dataset)
    assert task.filter(np.full(shape, 90.0)).shape == shape


@pytest.mark.parametrize(
    ("clip", "message"),
    [
        (np.zeros((4, 4)), "a clip is \\(time, depth, width\\), found \\(4, 4\\)"),
        (np.full((2, 8, 8), 300.0), "grey levels from 300 to 300, expected 0 to 255"),
        (np.full((2, 8, 8), np.nan), "expected 0 to 255"),
        (np.zeros((0, 8, 8)), "found \\(0, 8, 8\\)"),
    ],
)
def test_what_is_no_clip_of_grey_levels_is_refused(tiny_dataset, clip, message):
    with pytest.raises(DataError, match=message):
        built(tiny_dataset)[0].filter(clip)


def test_sizes_that_a_network_cannot_halve_are_refused(tiny_dataset):
    deep = {**MODEL, "beat": {"widths": [4, 4, 4, 4, 4], "scale": 4}}
    with pytest.raises(DataError, match="takes multiples of 64; set ingest"):
        build(tiny_dataset, model=deep, train=TRAIN)


def test_the_validation_loss_is_the_error_in_grey_levels(tiny_dataset):
    task, data = built(tiny_dataset)
    logged = {}
    task.log = lambda name, value, **_: logged.update({name: value.item()})
    (batch,) = data.val_dataloader()
    task.validation_step(batch, 0)
    (clip,) = load_dataset(tiny_dataset, "validate")
    error = np.abs(clip.cluttered.astype(float) - clip.clean)
    assert logged["val_loss"] == pytest.approx(error.mean(), rel=1e-5)


def test_the_config_of_a_task_rebuilds_it(tiny_dataset):
    task, _ = built(tiny_dataset, "paper_3d", adversarial_weight=0.001)
    twin = Task(**task.config)
    assert twin.state_dict().keys() == task.state_dict().keys()


def test_the_edge_error_is_the_slope_of_what_is_left_and_ignores_an_offset():
    down, right = torch.meshgrid(torch.arange(12.0), torch.arange(16.0), indexing="ij")
    left_over = (0.01 * down - 0.03 * right + 5.0)[None, None]
    assert edge_error(left_over).item() == pytest.approx((4 * 0.01 + 4 * 0.03) / 2, rel=1e-4)


def test_the_edge_error_counts_in_the_training_loss(tiny_dataset):
    losses = []
    for weight in (0.0, 2.0):
        task, data = built(tiny_dataset, edge_weight=weight)
        task.log = lambda *_, **__: None
        batch = data.collate([data.train_sample(0, 1)])
        losses.append(task.training_step(batch, 0).item())
    left_over = (batch["cluttered"] - batch["clean"]) / 255  # it starts by doing nothing
    assert losses[1] - losses[0] == pytest.approx(2 * edge_error(left_over).item(), rel=1e-4)
