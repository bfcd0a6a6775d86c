"""Batches: each row's own words and picture, posts of one picture capped, roles kept apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from domains.fake_news.data import Articles, Draws, Encoder, read_articles
from domains.fake_news.science.corpus import open_corpus
from domains.fake_news.science.tokens import Vocabulary
from domains.fake_news.train import build
from tests.domains.fake_news.conftest import INGEST, MODEL, TRAIN


@pytest.fixture
def encoder() -> Encoder:
    pictures = np.arange(2 * 3 * 16 * 16).reshape(2, 3, 16, 16).astype(np.uint8)
    articles = Articles(
        ["A b", "", "b"],
        ["b a b", "a", "b zebra a a"],
        np.arange(6, dtype=np.float32).reshape(3, 2),
        np.array([[1.0], [2.0]], np.float32),
        pictures,
        np.array([1, -1, 1]),
    )
    return Encoder(articles, Vocabulary(["a", "b"]), MODEL)


def test_a_batch_holds_words_features_and_each_picture_once(encoder: Encoder) -> None:
    batch = encoder.batch(np.array([2, 0, 1]))
    assert batch["words"].tolist() == [[3, 1, 2, 2], [3, 2, 3, 0], [2, 0, 0, 0]]
    assert batch["title"].tolist() == [[3, 0], [2, 3], [0, 0]]
    assert batch["text_features"].tolist() == [[4, 5], [0, 1], [2, 3]]
    assert batch["picture_of"].tolist() == [0, 0, -1]
    assert batch["picture_features"].tolist() == [[2.0]]
    expected = torch.from_numpy(encoder.articles.pictures[[1]]).float() / 255
    torch.testing.assert_close(batch["pictures"], expected)


def test_a_mirrored_picture_is_turned_left_to_right(encoder: Encoder) -> None:
    plain = encoder.batch(np.array([0]))["pictures"]
    turned = encoder.batch(np.array([0]), [True])["pictures"]
    torch.testing.assert_close(turned, plain.flip(3))


def test_an_epoch_has_every_row_once_and_few_posts_of_one_picture() -> None:
    picture_of = np.array([-1, -1, 0, 0, 0, 0, 0, 1])
    draws = Draws(np.arange(8), picture_of, 2, seed=0)
    assert len(draws) == 2 + 2 + 1
    random = np.random.default_rng(0)
    rows = [draws.row(place / 5, random) for place in range(5)]
    assert sorted(row for row in rows if picture_of[row] != 0) == [0, 1, 7]
    assert sum(picture_of[row] == 0 for row in rows) == 2


@pytest.fixture(scope="module")
def built(tiny_dataset: Path):
    return build(tiny_dataset, ingest=INGEST, model=MODEL, train=TRAIN)


def test_the_copy_that_calibrates_never_sees_validation_and_none_sees_test(
    built, tiny_dataset: Path
) -> None:
    _, data = built
    corpus = open_corpus(tiny_dataset)
    for fold, cells in data.draws.items():
        kind, _, number = fold.partition("_")
        allowed = set(corpus.rows("train", kind, int(number)).tolist())
        validate = set(corpus.rows("validate", kind, int(number)).tolist())
        for key, draws in cells.items():
            seen = {int(row) for group in draws._groups for row in group}
            assert seen == (allowed if key == "train_0" else allowed | validate), (fold, key)


def test_a_sample_is_a_function_of_index_and_seed(built) -> None:
    _, data = built
    assert data.train_sample(3, 5) == data.train_sample(3, 5)
    batch = data.collate([data.train_sample(index, index) for index in range(4)])
    cell = batch["grouped_0"]["whole_0"]
    assert cell["words"].shape[0] == cell["label"].shape[0] == 4


def test_pictures_are_read_once_and_named_by_their_rows(tiny_dataset: Path) -> None:
    corpus = open_corpus(tiny_dataset)
    articles = read_articles(corpus, MODEL)
    has_one = corpus.articles["image"].to_numpy() != ""
    assert ((articles.picture_of >= 0) == has_one).all()
    assert len(articles.pictures) == corpus.articles["image"][has_one].nunique()
    row = int(np.flatnonzero(has_one)[0])
    about = articles.picture_features[articles.picture_of[row]]
    assert about[0] == corpus.features["image_width"].iloc[row]


def test_the_papers_features_are_its_31_and_4(tiny_dataset: Path) -> None:
    articles = read_articles(open_corpus(tiny_dataset), {**MODEL, "explicit": "paper"})
    assert articles.text_features.shape[1] == 31
    assert articles.picture_features.shape[1] == 4
