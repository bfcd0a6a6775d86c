"""The peers that a network has to beat, each fitted on the same training articles.

``majority`` knows the share of fakes alone; ``source_only`` reads the publisher's name alone and so
measures the leak: where it scores well, so does every model that recognises a house's style.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from domains.fake_news.science import text_features
from domains.fake_news.science.calibration import sigmoid
from domains.fake_news.science.sentence_vectors import sentence_vectors
from domains.fake_news.science.tokens import tokenise

Scores = NDArray[np.float64]
Scorer = Callable[[pd.DataFrame], Scores]
"""Table of articles joined with their features -> (N,) score, higher = more likely fake."""

_MAX_ITERATIONS = 2000


def joined_text(table: pd.DataFrame) -> list[str]:
    """Title and body of each row, a line between them."""
    return [f"{title}\n{body}" for title, body in zip(table["title"], table["body"], strict=True)]


def fit_baseline(name: str, table: pd.DataFrame, seed: int = 0) -> Scorer:
    """Fit one of ``BASELINES``.

    Args:
        name: key of ``BASELINES``, or ``MINILM``.
        table: training rows: title, body, source, label, and the text features.
        seed: of ``fasttext``.
    """
    fit = _minilm if name == MINILM else BASELINES[name]
    return fit(table, np.asarray(table["label"]), seed)


def _majority(table: pd.DataFrame, labels: NDArray, seed: int) -> Scorer:
    share = float(np.mean(labels == 1))
    return lambda rows: np.full(len(rows), share)


def _linear(vectoriser: Any, classifier: Any, read: Callable[[pd.DataFrame], list[str]]) -> Any:
    def fit(table: pd.DataFrame, labels: NDArray, seed: int) -> Scorer:
        vectors, model = vectoriser(), classifier()
        model.fit(vectors.fit_transform(read(table)), labels)
        return lambda rows: np.asarray(
            model.decision_function(vectors.transform(read(rows))), np.float64
        )

    return fit


def _logistic() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=10.0, max_iter=_MAX_ITERATIONS)


def _svc() -> Any:
    from sklearn.svm import LinearSVC

    return LinearSVC(C=1.0, dual=True, max_iter=20_000, random_state=0)


def _word_tfidf() -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, max_features=50_000)


def _char_tfidf() -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(
        analyzer="char_wb", ngram_range=(3, 5), min_df=2, sublinear_tf=True, max_features=100_000
    )


def _source_only(table: pd.DataFrame, labels: NDArray, seed: int) -> Scorer:
    """Share of fakes among a publisher's training articles; all publishers' for a new one.

    Exactly chance (AUC 0.5) in a test of new publishers: anything else is a leak of the split.
    """
    share = float(np.mean(labels == 1))
    groups = pd.Series(labels == 1).groupby(table["source"].to_numpy())
    known = ((groups.sum() + share) / (groups.count() + 1)).to_dict()
    return lambda rows: np.array([known.get(name, share) for name in rows["source"]], np.float64)


def _explicit(table: pd.DataFrame, labels: NDArray, seed: int) -> Scorer:
    """Logistic regression on the explicit text features, each on the scale of its training."""
    names = list(text_features.NAMES)
    raw = _compressed(table[names].to_numpy(np.float64))
    mean, spread = raw.mean(axis=0), raw.std(axis=0)
    spread = np.where(spread > 1e-9, spread, 1.0)
    model = _logistic().set_params(C=0.1).fit((raw - mean) / spread, labels)

    def score(rows: pd.DataFrame) -> Scores:
        values = _compressed(rows[names].to_numpy(np.float64))
        return np.asarray(model.decision_function((values - mean) / spread))

    return score


def _compressed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """sign(x) · ln(1 + |x|): counts of long texts do not drown the others."""
    return np.sign(values) * np.log1p(np.abs(values))


_DIMENSIONS, _STEPS, _RATE = 10, 150, 0.1


def _fasttext(table: pd.DataFrame, labels: NDArray, seed: int) -> Scorer:
    """Mean of learnt word and word-pair vectors into a logistic output.

    A. Joulin and others, "Bag of tricks for efficient text classification", 2016,
    arXiv:1607.01759; here with Adam on all texts at once, so that it is the same on every run.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    vectors = CountVectorizer(tokenizer=tokenise, token_pattern=None, lowercase=False,
                              ngram_range=(1, 2), min_df=2)  # fmt: skip
    bags = mean_bags(vectors.fit_transform(joined_text(table)))
    random = np.random.default_rng(seed)
    weights = {
        "words": random.uniform(-1, 1, (bags.shape[1], _DIMENSIONS)) / _DIMENSIONS,
        "out": np.zeros(_DIMENSIONS),
        "offset": np.zeros(1),
    }
    moments = {key: (np.zeros_like(value), np.zeros_like(value)) for key, value in weights.items()}
    for step in range(1, _STEPS + 1):
        _, slopes = fasttext_loss(weights, bags, labels)
        for key, slope in slopes.items():
            first, second = moments[key]
            first += 0.1 * (slope - first)
            second += 0.001 * (slope**2 - second)
            corrected = np.sqrt(second / (1 - 0.999**step)) + 1e-8
            weights[key] -= _RATE * (1 - step / _STEPS) * first / (1 - 0.9**step) / corrected
    return lambda rows: _fasttext_logits(weights, mean_bags(vectors.transform(joined_text(rows))))


def mean_bags(counts: Any) -> Any:
    """Rows of ``counts`` (N, V) divided by their sums; an empty row stays empty."""
    totals = np.asarray(counts.sum(axis=1)).ravel()
    return sparse.diags_array(1 / np.maximum(totals, 1)) @ sparse.csr_array(counts)


def _fasttext_logits(weights: dict[str, NDArray], bags: Any) -> Scores:
    return np.asarray((bags @ weights["words"]) @ weights["out"] + weights["offset"])


def fasttext_loss(
    weights: dict[str, NDArray], bags: Any, labels: NDArray
) -> tuple[float, dict[str, NDArray]]:
    """Mean cross-entropy of bags (N, V), and its slope by each weight."""
    logits = _fasttext_logits(weights, bags)
    loss = float(np.mean(np.logaddexp(0, logits) - labels * logits))
    error = (sigmoid(logits) - labels) / len(labels)  # (N,)
    return loss, {
        "words": np.outer(bags.T @ error, weights["out"]),
        "out": (bags @ weights["words"]).T @ error,
        "offset": np.array([error.sum()]),
    }


def _minilm(table: pd.DataFrame, labels: NDArray, seed: int) -> Scorer:
    """Logistic regression on sentence vectors, see ``science/sentence_vectors.py``."""
    model = _logistic().fit(sentence_vectors(joined_text(table)), labels)
    return lambda rows: np.asarray(model.decision_function(sentence_vectors(joined_text(rows))))


MINILM = "minilm_lr"
"""The peer that needs the optional extra ``minilm``."""

BASELINES: dict[str, Callable[[pd.DataFrame, NDArray, int], Scorer]] = {
    "majority": _majority,
    "source_only": _source_only,
    "tfidf_lr": _linear(_word_tfidf, _logistic, joined_text),
    "char_lr": _linear(_char_tfidf, _logistic, joined_text),
    "linear_svc": _linear(_word_tfidf, _svc, joined_text),
    "explicit_lr": _explicit,
    "fasttext": _fasttext,
}
"""Name -> fit; ``tfidf_lr``, ``linear_svc`` read words and pairs, ``char_lr`` 3 to 5 letters."""


def strongest(values: dict[str, float], among: Sequence[str] = tuple(BASELINES)) -> str:
    """The baseline of the highest value, ``source_only`` aside: it reads no article."""
    return max((name for name in among if name != "source_only"), key=lambda name: values[name])
