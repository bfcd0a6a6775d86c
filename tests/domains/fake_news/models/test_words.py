"""Word vectors from the training texts."""

from __future__ import annotations

import numpy as np
import torch

from domains.fake_news.models.words import WordVectors, latent_semantic_vectors
from domains.fake_news.science.tokens import FIRST_WORD, Vocabulary

TEXTS = ["cat dog cat", "dog cat", "moon star", "star moon moon", "cat dog", "moon star"]


def test_words_of_the_same_texts_have_the_same_direction() -> None:
    vocabulary = Vocabulary.fit(TEXTS, 10)
    vectors = latent_semantic_vectors(TEXTS, vocabulary, 2, seed=0)
    of = dict(zip(vocabulary.known, vectors, strict=True))

    def cosine(a: str, b: str) -> float:
        return float(of[a] @ of[b] / np.linalg.norm(of[a]) / np.linalg.norm(of[b]))

    assert cosine("cat", "dog") > 0.95
    assert abs(cosine("cat", "moon")) < 0.05
    np.testing.assert_array_equal(vectors, latent_semantic_vectors(TEXTS, vocabulary, 2, seed=0))


def test_few_texts_fill_what_they_can_and_padding_stays_zero() -> None:
    vocabulary = Vocabulary.fit(TEXTS, 10)
    vectors = latent_semantic_vectors(TEXTS, vocabulary, 50, seed=0)
    assert vectors.shape == (4, 3)
    words = WordVectors(len(vocabulary), 8)
    words.start_from(torch.from_numpy(vectors))
    assert (words.weight[:FIRST_WORD] == 0).all()
    np.testing.assert_array_equal(words.weight[FIRST_WORD:, :3].detach().numpy(), vectors)
