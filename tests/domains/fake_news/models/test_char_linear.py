"""The hashed letter runs: the same model as scikit-learn's, its parts add up."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from domains.fake_news.models.char_linear import CharLinear, plain_word, run_counts

TEXTS = [
    "The council voted, officials said on Tuesday.",
    "You will not believe this shocking secret!",
    "Officials said the report of the council is ready.",
    "Shocking: they hide the secret from you!",
]
LABELS = np.array([0, 1, 0, 1])


@pytest.fixture(scope="module")
def model() -> CharLinear:
    return CharLinear().fit(run_counts(TEXTS), LABELS, np.ones(4))


def test_it_scores_as_the_unhashed_model(model: CharLinear) -> None:
    vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), min_df=2, sublinear_tf=True)
    twin = LogisticRegression(C=10.0, max_iter=2000).fit(vectors.fit_transform(TEXTS), LABELS)
    new = ["Officials voted on the secret report.", "Believe this!"]
    expected = twin.decision_function(vectors.transform(new))
    np.testing.assert_allclose(model.score(run_counts(new)), expected, atol=0.02)


def test_the_parts_of_the_words_and_the_offset_are_the_score(model: CharLinear) -> None:
    text = "Officials said: a shocking secret, a SECRET! said the council."
    parts = model.word_contributions(text)
    expected = float(model.score(run_counts([text]))[0])
    assert sum(parts.values()) + float(model.offset) == pytest.approx(expected, abs=1e-5)
    assert parts["shocking"] > 0 > parts["officials"]


def test_a_text_that_counts_less_moves_the_model_less() -> None:
    counts = run_counts([*TEXTS, "The council said officials voted."])
    labels = np.append(LABELS, 1)  # a contradiction
    found = [
        CharLinear().fit(counts, labels, np.array([1, 1, 1, 1, share])).score(counts[:1])[0]
        for share in (0.01, 1.0)
    ]
    assert found[0] < found[1]


def test_an_empty_text_gets_the_offset(model: CharLinear) -> None:
    assert model.score(run_counts([""]))[0] == pytest.approx(float(model.offset))


def test_punctuation_is_no_part_of_a_word() -> None:
    assert [plain_word(word) for word in ('"Well-known!"', "don’t", "--")] == [
        "well-known",
        "don't",
        "--",
    ]
