"""The peers: each finds what it can see and is blind to what it cannot."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from domains.fake_news.science import baselines
from domains.fake_news.science.scores import auc
from domains.fake_news.science.text_features import NAMES, text_features

SIGNAL = ["lies", "shocking", "secret"], ["said", "report", "council"]
NOISE = ["town", "river", "paper", "morning", "people", "plan", "street", "house", "table", "water"]


def make_table(num: int, seed: int, sources: int = 6) -> pd.DataFrame:
    """Articles whose label shows in one word of six, and whose source has one label."""
    random = np.random.default_rng(seed)
    rows = []
    for number in range(num):
        label = number % 2
        words = [*random.choice(SIGNAL[1 - label], 2), *random.choice(NOISE, 10)]
        body = " ".join(random.permutation(words)) + (" !" if label and number % 4 == 1 else " .")
        source = f"paper {2 * random.integers(sources) + label}"
        rows.append({"title": "news", "body": body, "source": source, "label": label})
    table = pd.DataFrame(rows)
    features = np.stack([text_features("news", "", body) for body in table["body"]])
    return pd.concat([table, pd.DataFrame(features, columns=list(NAMES))], axis=1)


@pytest.fixture(scope="module")
def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    return make_table(200, 0), make_table(120, 1)


@pytest.mark.parametrize("name", ["tfidf_lr", "char_lr", "linear_svc", "fasttext"])
def test_a_model_of_words_finds_words_that_tell(tables: tuple, name: str) -> None:
    train, test = tables
    assert auc(baselines.fit_baseline(name, train)(test), test["label"]) > 0.98


def test_explicit_features_find_exclamation_marks_alone(tables: tuple) -> None:
    train, test = tables
    found = auc(baselines.fit_baseline("explicit_lr", train)(test), test["label"])
    assert found > 0.7
    quiet = test.assign(**dict.fromkeys(NAMES, 0.0))
    assert auc(baselines.fit_baseline("explicit_lr", train)(quiet), test["label"]) == 0.5


def test_tfidf_lr_is_scikit_learns_pipeline(tables: tuple) -> None:
    train, test = tables
    vectors = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    model = LogisticRegression(C=10.0, max_iter=2000)
    model.fit(vectors.fit_transform("news\n" + train["body"]), train["label"])
    truth = model.decision_function(vectors.transform("news\n" + test["body"]))
    assert baselines.fit_baseline("tfidf_lr", train)(test) == pytest.approx(truth, abs=1e-6)


def test_the_source_alone_tells_all_of_known_publishers_and_nothing_of_new_ones(
    tables: tuple,
) -> None:
    train, test = tables
    score = baselines.fit_baseline("source_only", train)
    assert auc(score(test), test["label"]) == 1.0
    assert auc(score(test.assign(source="new " + test["source"])), test["label"]) == 0.5


def test_the_score_of_a_source_is_its_smoothed_share_of_fakes() -> None:
    table = pd.DataFrame({"source": ["a", "a", "b"], "label": [1, 0, 0]})
    score = baselines.fit_baseline("source_only", table)
    assert score(pd.DataFrame({"source": ["a", "b", "c"]})) == pytest.approx(
        [(1 + 1 / 3) / 3, (0 + 1 / 3) / 2, 1 / 3]
    )


def test_the_majority_knows_the_share_of_fakes() -> None:
    table = pd.DataFrame({"label": [1, 1, 0, 1]})
    assert baselines.fit_baseline("majority", table)(table).tolist() == [0.75] * 4


def test_the_slopes_of_fasttext_are_those_of_its_loss() -> None:
    random = np.random.default_rng(0)
    bags = baselines.mean_bags(sparse.csr_array(random.integers(0, 3, (7, 5))))
    labels = np.array([0, 1, 1, 0, 1, 0, 1])
    weights = {
        "words": random.normal(size=(5, 10)),
        "out": random.normal(size=10),
        "offset": np.array([0.3]),
    }
    _, slopes = baselines.fasttext_loss(weights, bags, labels)
    for key, place in (("words", (2, 4)), ("out", (3,)), ("offset", (0,))):
        moved = {name: value.copy() for name, value in weights.items()}
        losses = []
        for step in (1e-5, -2e-5):
            moved[key][place] += step
            losses.append(baselines.fasttext_loss(moved, bags, labels)[0])
        assert slopes[key][place] == pytest.approx((losses[0] - losses[1]) / 2e-5, rel=1e-4)


def test_the_strongest_baseline_is_never_the_one_that_reads_no_article() -> None:
    values = dict.fromkeys(baselines.BASELINES, 0.5)
    assert baselines.strongest({**values, "source_only": 0.99, "char_lr": 0.8}) == "char_lr"
