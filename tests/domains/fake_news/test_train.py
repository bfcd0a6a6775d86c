"""The task: it learns, comes back from disk, and is the same on every run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from domains.fake_news.data import read_articles
from domains.fake_news.ingest import ingest
from domains.fake_news.models.committee import CHAR
from domains.fake_news.predict import example_input, infer
from domains.fake_news.science.corpus import open_corpus
from domains.fake_news.science.scores import auc
from domains.fake_news.science.verdicts import OURS
from domains.fake_news.train import Task, build, networks_of
from domains.task import load_task, save_task
from tests.domains.fake_news.conftest import INGEST, MODEL, TRAIN, fitted


def scores_of(task: Task, dataset: Path) -> tuple[dict[str, np.ndarray], np.ndarray]:
    corpus = open_corpus(dataset)
    rows = corpus.rows("test")
    encoder = task.encoder(read_articles(corpus, task.config["model"]))
    return task.scores(encoder, rows), corpus.articles["label"].to_numpy()[rows]


def test_it_finds_the_planted_style_for_new_publishers(trained: Task, tiny_dataset: Path) -> None:
    scores, labels = scores_of(trained, tiny_dataset)
    assert auc(scores[OURS], labels) > 0.65
    assert scores.keys() == {
        "ti_cnn", "ti_cnn/0", "ti_cnn/1", "ti_cnn_text", "ti_cnn_text/0", "kim_cnn", "kim_cnn/0",
        "gru", "gru/0", CHAR, OURS,
    }  # fmt: skip
    mean = (scores["ti_cnn/0"] + scores["ti_cnn/1"]) / 2
    np.testing.assert_allclose(scores["ti_cnn"], mean)


def test_training_lowers_the_loss(tiny_dataset: Path, trained: Task) -> None:
    untrained, data = build(tiny_dataset, ingest=INGEST, model=MODEL, train=TRAIN)
    batch = data.collate([data.train_sample(index, index) for index in range(32)])
    losses = []
    for task in (untrained.eval(), trained):
        with torch.inference_mode():
            losses.append(float(task.committee().loss(batch["grouped_0"])))
    assert losses[1] < losses[0]


def test_a_task_comes_back_from_disk_with_the_same_scores(
    trained: Task, tiny_dataset: Path, tmp_path: Path
) -> None:
    save_task(trained, tmp_path, "fake_news", {})
    _, loaded, _ = load_task(tmp_path)
    before, _ = scores_of(trained, tiny_dataset)
    after, _ = scores_of(loaded, tiny_dataset)  # type: ignore[arg-type]
    for method, values in before.items():
        np.testing.assert_array_equal(values, after[method], err_msg=method)


def test_a_task_knows_how_its_articles_were_prepared(trained: Task, tiny_dataset: Path) -> None:
    names = set(open_corpus(tiny_dataset).articles["source"])
    assert trained.config["publishers"] == sorted(names)
    assert (trained.config["is_posts"], trained.config["size_px"]) == (False, 32)


def test_a_task_of_posts_knows_that_they_are(
    tiny_dataset: Path, tmp_path: Path, ingest_params: dict
) -> None:
    posts = open_corpus(tiny_dataset).articles.rename(columns={"body": "text"})
    posts.to_csv(tmp_path / "posts.csv", index=False)
    ingest_params["files"]["kind"] = "post"
    ingest(str(tmp_path / "posts.csv"), tmp_path / "dataset", ingest=ingest_params)
    task, _ = build(tmp_path / "dataset", ingest=ingest_params, model=MODEL, train=TRAIN)
    assert task.config["is_posts"]


def test_a_task_that_was_saved_without_these_facts_still_loads(
    trained: Task, tmp_path: Path
) -> None:
    save_task(trained, tmp_path, "fake_news", {})
    record = json.loads((tmp_path / "model.json").read_text())
    for key in ("publishers", "is_posts", "size_px"):
        del record["config"][key]
    (tmp_path / "model.json").write_text(json.dumps(record))
    _, loaded, _ = load_task(tmp_path)
    assert infer(loaded, example_input(loaded)).keys() == {"stylistic_risk", "is_high"}


def test_training_is_the_same_on_every_run(tiny_dataset: Path, tmp_path: Path) -> None:
    small = {**TRAIN, "max_steps": 2, "validate_every": 2, "num_seeds": 1, "peers": {}}
    states = [
        fitted(tiny_dataset, tmp_path / name, MODEL, small).state_dict() for name in ("a", "b")
    ]
    for name, tensor in states[0].items():
        assert torch.equal(tensor, states[1][name]), name


@pytest.mark.parametrize(
    ("fold", "has_pictures", "expected"),
    [
        ("grouped_0", True, {"ti_cnn": 2, "ti_cnn_text": 1, "kim_cnn": 1, "gru": 1}),
        ("grouped_0", False, {"ti_cnn": 2, "kim_cnn": 1, "gru": 1}),
        ("random_0", True, {"ti_cnn": 1}),
    ],
)
def test_halves_of_ti_cnn_are_trained_where_there_are_pictures(
    fold: str, has_pictures: bool, expected: dict
) -> None:
    assert networks_of(fold, "ti_cnn", TRAIN, has_pictures) == expected
