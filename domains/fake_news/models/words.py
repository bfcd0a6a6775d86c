"""Word vectors, started from the training texts themselves.

S. Deerwester and others, "Indexing by latent semantic analysis", JASIS 41, 1990: the right
singular vectors of the TF-IDF matrix of the texts, times the singular values. TI-CNN starts from
word2vec of its 20,015 articles; a few hundred do not give one."""

# N texts, V words, E embedding

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from domains.fake_news.science.tokens import FIRST_WORD, PADDING, UNKNOWN, Vocabulary, tokenise

_SCALE = 0.5  # root mean square of the vectors' components


class WordVectors(nn.Embedding):
    """Vectors (..., E) of word numbers; padding is 0 and stays so."""

    def __init__(self, num_words: int, width: int) -> None:
        super().__init__(num_words, width, padding_idx=PADDING)
        with torch.no_grad():
            self.weight.mul_(_SCALE)
            self.weight[[PADDING, UNKNOWN]] = 0.0

    def start_from(self, vectors: Tensor) -> None:
        """Take vectors (V, E') for the words of the vocabulary, E' ≤ E components of each."""
        with torch.no_grad():
            self.weight[FIRST_WORD:, : vectors.shape[1]] = vectors


def latent_semantic_vectors(
    texts: Sequence[str], vocabulary: Vocabulary, width: int, seed: int
) -> NDArray[np.float32]:
    """(V, E') vectors of the vocabulary's words; E' = ``width`` or what the texts allow.

    Args:
        texts: N training texts.
        vocabulary: V words.
        width: most components.
        seed: of the random projection.
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = TfidfVectorizer(
        tokenizer=tokenise, token_pattern=None, lowercase=False, vocabulary=vocabulary.known,
        sublinear_tf=True,
    )  # fmt: skip
    matrix = words.fit_transform(texts)  # (N, V)
    components = min(width, min(matrix.shape) - 1)
    if components < 1:
        return np.zeros((matrix.shape[1], 0), np.float32)
    svd = TruncatedSVD(components, random_state=seed).fit(matrix)
    vectors = (svd.components_ * svd.singular_values_[:, None]).T  # (V, E')
    # one scale for all: a word that few texts have keeps its short vector
    scale = np.sqrt(np.mean(vectors**2))
    return (_SCALE * vectors / max(float(scale), 1e-12)).astype(np.float32)
