"""Logistic regression on letter runs: the linear half of our model, explained word by word.

Runs of 3 to 5 letters inside words, (1 + ln tf) · idf, length 1, as the baseline ``char_lr``; here
the runs are hashed (K. Weinberger and others, "Feature hashing for large scale multitask
learning", ICML 2009, without signs), so that a trained model is arrays alone and names no training
text."""

# N texts, D = 2^17 places of the hash

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor, nn

from domains.fake_news.science.tokens import tokenise

PLACES = 2**17
_RUNS = (3, 5)
_MIN_TEXTS = 2  # a run of one text alone names its people and places
_INVERSE_PENALTY = 10.0  # C, as the baseline


class CharLinear(nn.Module):
    """A score (N,) of texts; arrays are set by ``fit``."""

    idf: Tensor
    weight: Tensor
    offset: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("idf", torch.zeros(PLACES))
        self.register_buffer("weight", torch.zeros(PLACES))
        self.register_buffer("offset", torch.zeros(()))

    def fit(
        self, counts: sparse.csr_matrix, labels: NDArray, shares: NDArray[np.float64]
    ) -> CharLinear:
        """Learn from texts; returns itself.

        Args:
            counts: (N, D), see ``run_counts``.
            labels: (N,) 1 = fake.
            shares: (N,) how much each text counts.
        """
        from sklearn.linear_model import LogisticRegression

        found_in = np.bincount(counts.indices, minlength=PLACES)
        idf = np.log((1 + counts.shape[0]) / (1 + found_in)) + 1
        kept = np.flatnonzero(found_in >= _MIN_TEXTS)
        self.idf.zero_()
        self.idf[kept] = torch.from_numpy(idf[kept]).float()
        model = LogisticRegression(C=_INVERSE_PENALTY, max_iter=2000)
        model.fit(self._vectors(counts)[:, kept], labels, sample_weight=shares)
        self.weight.zero_()
        self.weight[kept] = torch.from_numpy(model.coef_[0]).float()
        self.offset.fill_(float(model.intercept_[0]))
        return self

    def score(self, counts: sparse.csr_matrix) -> NDArray[np.float64]:
        """Logit (N,) of texts with ``run_counts`` (N, D), not calibrated."""
        vectors = self._vectors(counts)
        return np.asarray(vectors @ self.weight.cpu().double().numpy() + float(self.offset))

    def word_contributions(self, text: str) -> dict[str, float]:
        """Word -> what it adds to the score; with the offset they sum to the score exactly.

        A run lies inside one word, so its part of the score is shared among the words that have it
        by how often they do.
        """
        counts = run_counts([text])
        vector = self._vectors(counts)
        parts = dict(zip(vector.indices.tolist(), vector.data.tolist(), strict=True))
        totals = dict(zip(counts.indices.tolist(), counts.data.tolist(), strict=True))
        found: dict[str, float] = defaultdict(float)
        for word in text.lower().split():
            name = plain_word(word)
            runs = run_counts([word])
            for place, times in zip(runs.indices.tolist(), runs.data.tolist(), strict=True):
                share = times / totals[place]
                found[name] += share * parts.get(place, 0.0) * float(self.weight[place])
        return dict(found)

    def _vectors(self, counts: sparse.csr_matrix) -> sparse.csr_matrix:
        """Rows of length 1, or empty."""
        x = counts.astype(np.float64)
        x.data = 1 + np.log(x.data)
        x = x @ sparse.diags_array(self.idf.cpu().double().numpy())
        x = sparse.csr_matrix(x)
        x.eliminate_zeros()
        length = np.sqrt(np.asarray(x.multiply(x).sum(axis=1)).ravel())
        return sparse.csr_matrix(sparse.diags_array(1 / np.maximum(length, 1e-12)) @ x)


def plain_word(word: str) -> str:
    """A word between blanks without its punctuation: ``"well-known!"`` -> ``well-known``."""
    tokens = [token for token in tokenise(word) if token not in ("!", "?")]
    return "-".join(tokens) or word


def run_counts(texts: Sequence[str]) -> Any:
    """(N, D) how often each run is in each text."""
    from sklearn.feature_extraction.text import HashingVectorizer

    hashing = HashingVectorizer(
        analyzer="char_wb", ngram_range=_RUNS, n_features=PLACES, alternate_sign=False, norm=None
    )
    return sparse.csr_matrix(hashing.transform(texts))
