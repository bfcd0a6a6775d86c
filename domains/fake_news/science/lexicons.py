"""Word lists behind the explicit features, and the two lexicons that come as packages.

Emotions and motion: Empath (E. Fast, B. Chen, M. S. Bernstein, CHI 2016, arXiv:1602.06979; MIT).
TI-CNN took the emotions from the NRC lexicon, whose licence is for research only; Empath has
categories of the same names.  Sentiment: VADER (C. J. Hutto, E. Gilbert, ICWSM 2014; MIT).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any


def word_set(words: str) -> frozenset[str]:
    """The words of a list written with blanks."""
    return frozenset(words.split())


FIRST_PERSON = word_set("i me my mine myself we us our ours ourselves")
SECOND_PERSON = word_set("you your yours yourself yourselves")
THIRD_PERSON = word_set("he him his himself she her hers herself they them their theirs themselves")
NEGATIONS = word_set("no not never none nobody nothing neither nor nowhere cannot without hardly")
"""Besides these, every word that ends in n't."""

EXCLUSIVES = word_set(
    "but except unless however although though whereas rather instead either or if "
    "versus besides excluding otherwise yet"
)
"""Words that draw a line between what belongs and what does not, as LIWC's category names them."""

EMOTIONS = (
    "anger", "anticipation", "disgust", "fear", "joy", "sadness", "surprise", "trust",
    "negative", "positive",
)  # fmt: skip
MOTION = "movement"
_EMPATH_NAME = {"negative": "negative_emotion", "positive": "positive_emotion"}


@lru_cache(maxsize=1)
def empath_categories() -> dict[str, frozenset[str]]:
    """Word -> those of ``EMOTIONS`` and ``MOTION`` that it belongs to."""
    from empath import Empath

    lexicon = Empath().cats
    found: dict[str, set[str]] = {}
    for name in (*EMOTIONS, MOTION):
        for word in lexicon[_EMPATH_NAME.get(name, name)]:
            found.setdefault(word, set()).add(name)
    return {word: frozenset(names) for word, names in found.items()}


@lru_cache(maxsize=1)
def _vader() -> Any:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()


def sentiment(text: str) -> float:
    """VADER's compound score of one sentence, -1 (bad) to 1 (good).

    Of a longer one its first 1,000 letters: VADER's time grows with the square of the words.
    """
    return float(_vader().polarity_scores(text[:1000])["compound"])
