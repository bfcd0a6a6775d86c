"""Words of a text, and the vocabulary that numbers them.

A token is a run of letters (with inner apostrophes), a number, or one of ``!`` and ``?``.  The
vocabulary is fitted on training texts alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

PADDING, UNKNOWN = 0, 1
"""Numbers of no word and of a word that training has not seen."""

FIRST_WORD = 2

_TOKEN = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+(?:[.,]\d+)*|[!?]")
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"'”’)]*\s+|\n+")


def tokenise(text: str) -> list[str]:
    """Tokens of ``text`` in lower case, in order.

    >>> tokenise("Don’t panic: 1,000 lies!")
    ["don't", 'panic', '1,000', 'lies', '!']
    """
    return [token.lower().replace("’", "'") for token in _TOKEN.findall(text)]


def words(text: str) -> list[str]:
    """The tokens that begin with a letter, as they are written."""
    return [token for token in _TOKEN.findall(text) if token[0].isalpha()]


def sentences(text: str) -> list[str]:
    """Parts of ``text`` between ``.``, ``!``, ``?`` and ends of lines that hold a word."""
    return [part for part in _SENTENCE_END.split(text) if words(part)]


class Vocabulary:
    """Word -> number; ``known`` is plain JSON and rebuilds it.

    Args:
        known: words in the order of their numbers, the first is ``FIRST_WORD``.
    """

    def __init__(self, known: Sequence[str]) -> None:
        self.known = list(known)
        self._number = {word: FIRST_WORD + index for index, word in enumerate(self.known)}

    def __len__(self) -> int:
        """Number of rows of an embedding: padding, unknown, and the words."""
        return FIRST_WORD + len(self.known)

    @staticmethod
    def fit(texts: Iterable[str], size: int, min_count: int = 2) -> Vocabulary:
        """The ``size`` most frequent words; ties go by the alphabet.

        Args:
            texts: of the training split alone.
            size: most words to keep.
            min_count: rarer words are left out: they name people and places.
        """
        counts = Counter(token for text in texts for token in tokenise(text))
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return Vocabulary([word for word, count in ranked[:size] if count >= min_count])

    def encode(self, text: str, length: int) -> NDArray[np.int64]:
        """(length,) numbers of the first ``length`` tokens, ``PADDING`` behind them."""
        numbers = np.full(length, PADDING, np.int64)
        found = [self._number.get(token, UNKNOWN) for token in tokenise(text)[:length]]
        numbers[: len(found)] = found
        return numbers
