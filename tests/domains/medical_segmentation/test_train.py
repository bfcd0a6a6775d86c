"""The task: it learns, it travels whole, and its answer lies on the grid of the image."""

import json

import numpy as np
import pytest
import torch

from domains.errors import DataError
from domains.medical_segmentation.params import SegmentationTrainParams
from domains.medical_segmentation.science.cases import Catalogue, load_cases, save_case
from domains.medical_segmentation.science.scores import dice
from domains.medical_segmentation.train import Task, build
from domains.task import load_task, save_task
from flows.training import fit


@pytest.fixture
def built(tiny_dataset, params):
    return build(tiny_dataset, model=params["model"], train=params["train"])


def run(task, data, train, folder):
    return fit(
        task, data, SegmentationTrainParams(**train), folder, lambda *_: None, lambda *_: None
    )


def test_a_short_training_finds_the_balls_and_their_halves(tiny_dataset, params, tmp_path):
    train = {**params["train"], "max_steps": 60, "validate_every": 30, "lr": 0.01}
    task, data = build(tiny_dataset, model=params["model"], train=train)
    history = run(task, data, train, tmp_path)
    assert history[-1]["val_loss"] < 0.35
    (case,) = load_cases(tiny_dataset, "test")
    found = task.segment(case.image, case.affine)
    assert found.dtype == np.uint8
    assert min(dice(found == value, case.label == value) for value in (1, 2)) > 0.6


def test_the_same_seed_gives_the_same_weights(tiny_dataset, params, tmp_path):
    weights = []
    for name in ("one", "two"):
        task, data = build(tiny_dataset, model=params["model"], train=params["train"])
        run(task, data, params["train"], tmp_path / name)
        weights.append(task.state_dict())
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])


def test_a_task_on_disk_gives_the_same_label(built, tiny_dataset, tmp_path):
    task, _ = built
    (case,) = load_cases(tiny_dataset, "test")
    save_task(task, tmp_path, "medical_segmentation", {})
    _, loaded, _ = load_task(tmp_path)
    assert loaded.plan == task.plan
    np.testing.assert_array_equal(
        loaded.segment(case.image, case.affine), task.segment(case.image, case.affine)
    )


def test_a_turned_and_flipped_image_gets_the_turned_and_flipped_label(built, tiny_dataset):
    task, _ = built
    (case,) = load_cases(tiny_dataset, "test")
    label = task.segment(case.image, case.affine)
    assert label.any()
    image = case.image.transpose(0, 3, 1, 2)[:, :, ::-1]  # axes z, x reversed, y
    affine = np.eye(4)
    affine[:3, :3] = case.affine[:3, [2, 0, 1]] * [1, -1, 1]
    affine[:3, 3] = case.affine[:3, 3] + case.affine[:3, 0] * (case.image.shape[1] - 1)
    found = task.segment(np.ascontiguousarray(image), affine)
    np.testing.assert_array_equal(found, label.transpose(2, 0, 1)[:, ::-1])


def test_intensities_of_another_scale_give_the_same_label(built, tiny_dataset):
    task, _ = built
    (case,) = load_cases(tiny_dataset, "test")
    label = task.segment(case.image, case.affine)
    other = task.segment(case.image * 1000 + 300, case.affine)
    assert np.mean(label != other) < 1e-3


def test_another_number_of_channels_is_refused(built, tiny_dataset):
    task, _ = built
    with pytest.raises(DataError, match="has 2 channels, the network was trained on 1: intensity"):
        task.segment(np.zeros((2, 8, 8, 8), np.float32), np.eye(4))


def test_validation_is_one_minus_the_mean_dice_of_the_structures(built):
    task, data = built
    (case,) = list(data.val_dataloader())
    logged = {}
    task.log = lambda name, value, **_: logged.update({name: float(value)})
    task.eval().validation_step(case, 0)
    probability = task._probability(case["image"])
    found = probability.argmax(0).numpy()
    scores = [dice(found == k, case["target"].numpy() == k) for k in (1, 2)]
    assert logged["val_loss"] == pytest.approx(1 - np.mean(scores), abs=1e-4)


@pytest.fixture
def nested(tmp_path, make_case):
    """Balls whose front half is a region inside the whole."""
    names = [f"ball_{number}" for number in range(3)]
    for seed, name in enumerate(names):
        save_case(tmp_path, make_case(name, seed))
    Catalogue(
        name="balls",
        kind="simulated anatomy",
        channels=["intensity"],
        labels={"front": 1, "back": 2},
        splits={"train": names[:1], "validate": names[1:2], "test": names[2:]},
        subjects={name: name for name in names},
        regions={"whole": [1, 2], "core": [1]},
        paint={"whole": 2, "core": 1},
    ).save(tmp_path)
    channel = [{"kind": "volume", "within": "all"}]
    plan = {"spacing_mm": [1.0, 1.0, 1.5], "patch": [16, 16, 16], "normalisation": channel}
    (tmp_path / "fingerprint.json").write_text(json.dumps({"measured": {}, "plan": plan}))
    return tmp_path


def test_nested_regions_are_learned_and_painted(nested, params, tmp_path):
    train = {**params["train"], "max_steps": 40, "validate_every": 40, "lr": 0.01}
    task, data = build(nested, model=params["model"], train=train)
    assert task.table.tolist() == [[False, False], [True, True], [True, False]]
    run(task, data, train, tmp_path / "scratch")
    (case,) = load_cases(nested, "train")
    found = task.segment(case.image, case.affine)
    assert dice(found > 0, case.label > 0) > 0.7
    assert dice(found == 1, case.label == 1) > 0.6


def test_a_network_that_cannot_be_made_is_refused_with_its_reason(tiny_dataset, params):
    model = {**params["model"], "swtr": {**params["model"]["swtr"], "num_heads": 3}}
    with pytest.raises(DataError, match=r"network swtr .* cannot be made: .*num_heads.*section"):
        build(tiny_dataset, model=model, train=params["train"])


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_the_rate_follows_its_schedule_to_nearly_zero(tiny_dataset, params, optimizer):
    train = {**params["train"], "optimizer": optimizer, "max_steps": 100}
    task, _ = build(tiny_dataset, model=params["model"], train=train)
    made = task.configure_optimizers()
    rates = []
    for _ in range(100):
        rates.append(made["optimizer"].param_groups[0]["lr"])
        made["optimizer"].step()
        made["lr_scheduler"]["scheduler"].step()
    assert max(rates) == pytest.approx(train["lr"], rel=0.01)
    assert rates[-1] < 0.05 * train["lr"]
    assert (np.argmax(rates) == 0) == (optimizer == "sgd")
    assert isinstance(task, Task)
