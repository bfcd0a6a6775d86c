"""Explanations: parts add up, agree with leaving words out, and know text from picture."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch

from domains.fake_news.data import Articles, feature_names, read_articles
from domains.fake_news.models.explanation import (
    Explanation,
    explain,
    logit,
    occlusion,
    strongest,
)
from domains.fake_news.params import Network
from domains.fake_news.science.calibration import logit as log_odds
from domains.fake_news.science.corpus import open_corpus
from domains.fake_news.science.verdicts import OURS
from domains.fake_news.train import DEPLOYED, Task
from tests.domains.fake_news.conftest import MODEL


@pytest.fixture(scope="module")
def explained(tiny_dataset: Path, trained: Task):
    corpus = open_corpus(tiny_dataset)
    articles = read_articles(corpus, trained.config["model"])
    with_picture = corpus.articles["image"].to_numpy() != ""
    rows = [np.flatnonzero(with_picture)[:1], np.flatnonzero(~with_picture)[:1]]
    encoder, committee = trained.encoder(articles), trained.committee()
    names, vocabulary = feature_names("all"), trained.vocabularies[DEPLOYED]
    found = []
    for row in rows:
        batch, text = encoder.batch(row), articles.joined(row)[0]
        parts = explain(committee, vocabulary, batch, text, names)
        words = [word for word, _ in strongest(parts.words, 12)]
        left_out = occlusion(committee, vocabulary, batch, text, words)
        scored = trained.scores(encoder, row)[OURS]
        assert logit(committee, batch, text) == pytest.approx(
            float(log_odds(committee.calibration(OURS)(scored))[0]), abs=1e-6
        )
        found.append((parts, words, left_out))
    return found


def test_words_push_as_leaving_them_out_says(explained) -> None:
    for parts, words, left_out in explained:
        given = np.array([parts.words[word] for word in words])
        assert np.corrcoef(given, left_out)[0, 1] > 0.8
        assert np.mean(np.sign(given) == np.sign(left_out)) > 0.8


def test_a_picture_has_a_share_only_where_there_is_one(explained) -> None:
    shares = [parts.share_of_picture for parts, _, _ in explained]
    assert 0 < shares[0] < 1
    assert shares[1] == 0
    assert any(name.startswith("image_") for name in explained[0][0].features)
    assert not any(name.startswith("image_") for name in explained[1][0].features)


def of_untrained(network: str, **changes: object) -> tuple[Explanation, float]:
    """What an article without a picture is told by an untrained network that counts once, and how
    far its logit falls without the word of its title."""
    torch.manual_seed(0)
    folds = {DEPLOYED: {"vocabulary": ["zebra", "runs"], "networks": {network: 1}}}
    task = Task(folds, {**MODEL, "network": network, **changes}, lr=0.1, weight_decay=0.0).eval()
    task.committee().platt[:, 0] = 1.0
    names = feature_names("all")
    none = np.zeros((0, 3, 16, 16), np.uint8)
    about = np.zeros((1, len(names[0])), np.float32), np.zeros((0, len(names[1])), np.float32)
    articles = Articles(["Zebra"], ["It runs and runs."], *about, none, np.array([-1]))
    asked = (
        task.committee(), task.vocabularies[DEPLOYED], task.encoder(articles).batch(np.array([0])),
        "Zebra\nIt runs and runs.",
    )  # fmt: skip
    return explain(*asked, names), float(occlusion(*asked, ["zebra"])[0])


@pytest.mark.parametrize("network", get_args(Network))
def test_an_article_without_a_picture_is_explained_for_every_network(network: str) -> None:
    parts, _ = of_untrained(network)
    assert (parts.picture, parts.share_of_picture) == (0, 0)
    assert (parts.words["runs"] != 0) == (network != "ti_cnn_image")
    assert np.isfinite([*parts.words.values(), *parts.features.values(), parts.text]).all()


@pytest.mark.parametrize("is_read", [True, False])
def test_a_word_of_the_title_has_a_part_where_the_title_is_read(is_read: bool) -> None:
    parts, fall = of_untrained("ti_cnn", has_title_branch=is_read)
    assert (parts.words.get("zebra", 0) != 0) == (fall != 0) == is_read


def test_the_strongest_parts_come_first_and_nothing_is_no_part() -> None:
    assert strongest({"a": 0.1, "b": -0.5, "c": 0.0}, 3) == [("b", -0.5), ("a", 0.1)]
