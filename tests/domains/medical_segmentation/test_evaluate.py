"""Scores of test cases: on the scanner's grid, beside baselines, with what was missed."""

import dataclasses
import json
import shutil

import numpy as np
import pytest

import domains.medical_segmentation.evaluate as module
from domains.errors import DataError
from domains.medical_segmentation.data import load_prepared
from domains.medical_segmentation.evaluate import evaluate, structures_of
from domains.medical_segmentation.science.baselines import Baselines
from domains.medical_segmentation.science.cases import Catalogue, load_cases, save_case
from domains.medical_segmentation.science.preparation import prepare
from domains.medical_segmentation.science.scores import dice
from domains.medical_segmentation.train import build

SECTION = {"tolerance_mm": 1.0, "predict": {}}


@pytest.fixture(scope="module")
def task(tiny_dataset, block):
    return build(tiny_dataset, model=block["model"], train=block["train"])[0].eval()


@pytest.fixture(scope="module")
def result(tiny_dataset, task, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    return evaluate(tiny_dataset, task, out, evaluate=SECTION), out


@pytest.fixture
def dataset(tiny_dataset, tmp_path):
    """A copy that may be changed."""
    return shutil.copytree(tiny_dataset, tmp_path / "dataset")


def answering(task, monkeypatch, answer):
    """``task`` with another answer, a function of an empty volume, and no figures."""
    monkeypatch.setattr(module, "draw", lambda *_: [])
    monkeypatch.setattr(
        task, "segment_prepared", lambda prepared: answer(np.zeros(prepared.original.shape))
    )


def test_the_headline_is_the_mean_dice_of_our_label_on_the_scanners_grid(
    result, tiny_dataset, task
):
    (case,) = load_cases(tiny_dataset, "test")
    label = task.segment(case.image, case.affine)
    scores = [dice(label == value, case.label == value) for value in (1, 2)]
    headline = result[0].headline
    assert headline.name == "dice_mean"
    assert headline.value == pytest.approx(np.mean(scores))
    assert headline.n == 1
    assert headline.better == "higher"


def test_every_score_has_both_baselines_on_the_same_cases(result):
    names = [metric.name for metric in result[0].metrics]
    for quantity in ("dice", "hd95_mm", "nsd"):
        assert {f"{quantity}_{name}" for name in ("mean", "front", "back")} <= set(names)
    assert all(set(metric.baselines) == {"atlas", "threshold"} for metric in result[0].metrics)
    units = {metric.name: metric.unit for metric in result[0].metrics}
    assert units["hd95_mm_front"] == "mm"


def test_a_perfect_answer_has_perfect_scores_and_volumes_in_ml(
    tiny_dataset, task, tmp_path, monkeypatch
):
    (case,) = load_cases(tiny_dataset, "test")
    answering(task, monkeypatch, lambda _: case.label)
    found = evaluate(tiny_dataset, task, tmp_path, evaluate=SECTION)
    metrics = {metric.name: metric.value for metric in found.metrics}
    assert (metrics["dice_mean"], metrics["hd95_mm_mean"], metrics["nsd_mean"]) == (1, 0, 1)
    row = found.cases.iloc[0]
    expected = (case.label == 1).sum() * 1.5e-3  # voxels of 1 × 1 × 1.5 mm
    assert row["true_ml_front"] == row["found_ml_front"] == pytest.approx(expected)


def test_an_empty_answer_is_the_worst_not_the_best_and_is_counted(
    tiny_dataset, task, tmp_path, monkeypatch
):
    answering(task, monkeypatch, lambda empty: empty.astype(np.uint8))
    found = evaluate(tiny_dataset, task, tmp_path, evaluate=SECTION)
    metrics = {metric.name: metric for metric in found.metrics}
    (case,) = load_cases(tiny_dataset, "test")
    diagonal = np.linalg.norm(np.array(case.label.shape) * (1, 1, 1.5))
    assert metrics["hd95_mm_mean"].value == pytest.approx(diagonal)
    assert metrics["dice_mean"].value == 0
    assert metrics["missed_structures"].value == 2
    assert any("Not better than the strongest baseline: dice_mean" in n for n in found.notes)


def test_cases_without_a_structure_are_left_out_of_its_means_and_inventions_counted(
    dataset, task, tmp_path, monkeypatch
):
    cases = load_cases(dataset, "test")
    bare = np.where(cases[0].label == 2, 0, cases[0].label)
    save_case(dataset, dataclasses.replace(cases[0], name="bare", label=bare))
    catalogue = Catalogue.load(dataset)
    splits = {**catalogue.splits, "test": [cases[0].name, "bare"]}
    dataclasses.replace(catalogue, splits=splits).save(dataset)
    answering(task, monkeypatch, lambda _: cases[0].label)
    found = evaluate(dataset, task, tmp_path, evaluate=SECTION)
    metrics = {metric.name: metric for metric in found.metrics}
    assert metrics["dice_front"].n == 2
    assert metrics["dice_back"].n == 1
    assert metrics["dice_back"].value == 1
    assert metrics["invented_structures"].value == 1
    assert any("1 of 2 test cases have no back" in note for note in found.notes)


def test_the_atlas_of_one_case_finds_that_case(tiny_dataset, task):
    train = [next(load_prepared(tiny_dataset, "train", task.plan))]
    structures = structures_of(Catalogue.load(tiny_dataset))
    shape = train[0].image.shape[1:]
    others = Baselines(train, structures, False, shape)
    found = others.answers(train[0])["atlas"]
    (case,) = [one for one in load_cases(tiny_dataset, "train") if one.name == "ball_0"]
    assert dice(found[0], case.label == 1) == 1.0


def test_the_threshold_finds_the_ball_but_not_its_halves(tiny_dataset, task):
    train = load_prepared(tiny_dataset, "train", task.plan)
    others = Baselines(train, {"ball": [1, 2], "front": [1]}, True, task.patch)
    (case,) = load_cases(tiny_dataset, "test")
    ball, front = others.answers(prepare(case, task.plan))["threshold"]
    assert dice(ball, case.label > 0) > 0.9
    assert dice(front, case.label == 1) < 0.75


def test_regions_are_scored_instead_of_labels_where_there_are_any(dataset):
    catalogue = Catalogue.load(dataset)
    regions = {"whole": [1, 2], "core": [1]}
    nested = dataclasses.replace(catalogue, regions=regions, paint={"whole": 2, "core": 1})
    assert structures_of(nested) == regions
    assert structures_of(catalogue) == {"front": [1], "back": [2]}


def test_the_reader_is_told_what_is_simulated_and_how_few_cases_there_are(result):
    text = " ".join(result[0].notes)
    assert "simulated anatomy" in text
    assert "1 test cases" in text


def test_figures_and_table_are_the_same_each_time(result, tiny_dataset, task, tmp_path):
    found, out = result
    again = evaluate(tiny_dataset, task, tmp_path, evaluate=SECTION)
    assert [figure.file for figure in found.figures] == [
        "figures/slices.png",
        "figures/dice_by_case.png",
        "figures/memory.png",
    ]
    for figure in found.figures:
        content = (out / figure.file).read_bytes()
        assert len(content) < 200_000
        assert content == (tmp_path / figure.file).read_bytes()
        assert figure.caption
        assert figure.alt
    assert again.cases.to_csv() == found.cases.to_csv()
    json.dumps([metric.value for metric in again.metrics], allow_nan=False)


def test_a_dataset_without_test_labels_is_refused(dataset, task, tmp_path):
    for path in (dataset / "labels").glob("*"):
        if path.name.startswith(tuple(Catalogue.load(dataset).splits["test"])):
            path.unlink()
    with pytest.raises(DataError, match="1 cases in split test, none has a label"):
        evaluate(dataset, task, tmp_path, evaluate=SECTION)
