"""What is planted in the synthetic corpus is there."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from domains.fake_news.params import SampleParams
from domains.fake_news.science.scores import auc
from domains.fake_news.sources.simulator import simulate

SETTINGS = SampleParams(
    articles=1500, publishers=20, events=12, image_share=0.0, style=1.8, leak=1.0
)


@pytest.fixture(scope="module")
def simulated() -> tuple:
    return simulate(SETTINGS, 0)


def test_the_planted_style_separates_as_its_normal_distributions_do(simulated: tuple) -> None:
    collection, planted = simulated
    own = [a for a in collection.articles if a.id in planted.style]
    found = auc([planted.style[a.id] for a in own], [a.label for a in own])
    assert found == pytest.approx(norm.cdf(1.8 / np.sqrt(2)), abs=0.02)


def test_without_style_the_words_of_all_articles_are_drawn_alike() -> None:
    collection, planted = simulate(SETTINGS.model_copy(update={"style": 0.0, "leak": 0.0}), 1)
    own = [a for a in collection.articles if a.id in planted.style]
    marks = [a.body.count("!") for a in own]
    assert auc(marks, [a.label for a in own]) == pytest.approx(0.5, abs=0.05)


def test_a_publisher_mostly_prints_its_label(simulated: tuple) -> None:
    by_source: dict[str, list] = {}
    for article in simulated[0].articles:
        if not article.title.startswith("Again"):
            by_source.setdefault(article.source, []).append(article.label)
    assert len(by_source) == 20
    shares = sorted(np.mean(labels) for labels in by_source.values())
    assert max(shares[:10]) < 0.2
    assert min(shares[10:]) > 0.8


def test_the_same_seed_writes_the_same_corpus_and_another_one_another() -> None:
    small = SETTINGS.model_copy(update={"articles": 60, "image_share": 0.5})
    one, again, other = (simulate(small, seed)[0].articles for seed in (4, 4, 5))
    assert one == again
    assert [a.body for a in one] != [a.body for a in other]
