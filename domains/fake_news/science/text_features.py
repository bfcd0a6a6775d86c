"""Explicit features of an article's text: the 31 of TI-CNN, and those its text analyses.

Yang et al. 2018, arXiv:1806.00749, sections 3 and 4.  The 31 are the last columns of the authors'
``all_data.csv``, in its order and with its names.  What differs: in that file ``first_text`` is 407
for a text of 6,489 characters, so letters were counted there; here they are pronouns.  A missing
thread headline counts 0.  Emotions come from Empath, see ``lexicons``.

The further ones are rates, so that they say nothing of the length of a text.
"""

from __future__ import annotations

import re
import string
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from domains.fake_news.science import lexicons
from domains.fake_news.science.tokens import sentences, words

_PARTS = ("title", "thread", "text")
PAPER_NAMES = (
    *(f"caps_{part}" for part in _PARTS),
    *(f"{part}_len" for part in _PARTS),
    *(f"excl_{part}" for part in _PARTS),
    *(f"first_{part}" for part in _PARTS),
    *(f"second_{part}" for part in _PARTS),
    *(f"third_{part}" for part in _PARTS),
    *lexicons.EMOTIONS,
    "first_all",
    "second_all",
    "third_all",
)
"""The 31: words in capitals, characters, exclamation marks, pronouns by person, in title, thread
and text; words of ten emotions in the text; pronouns in all three parts."""

FURTHER: dict[str, str] = {
    "num_sentences": "sentences of the text",
    "words_per_sentence": "words in a sentence of the text, mean",
    "letters_per_word": "letters in a word of the text, mean",
    "question_title": "question marks of the title",
    "question_rate": "question marks of the text per 100 words",
    "exclamation_rate": "exclamation marks of the text per 100 words",
    "punctuation_rate": "punctuation marks of the text per 100 words",
    "quote_rate": "quotation marks of the text per 100 words",
    "number_rate": "numbers of the text per 100 words",
    "capital_word_rate": "words in capitals (two letters or more) per 100 words of the text",
    "capital_letter_share": "capitals among the letters of the text, 0 to 1",
    "capital_letter_share_title": "capitals among the letters of the title, 0 to 1",
    "first_rate": "pronouns of the first person per 100 words of the text",
    "second_rate": "pronouns of the second person per 100 words of the text",
    "third_rate": "pronouns of the third person per 100 words of the text",
    "exclusive_rate": "exclusive words (but, without, except ...) per 100 words of the text",
    "negation_rate": "negations per 100 words of the text",
    "motion_rate": "words of motion per 100 words of the text",
    "emotion_rate": "words of any of the ten emotions per 100 words of the text",
    "lexical_diversity": "different words among the first 100 of the text, share",
    "sentiment_title": "VADER's compound score of the title, -1 to 1",
    "sentiment_text": "mean of VADER's compound score over the first sentences, -1 to 1",
}
NAMES = (*PAPER_NAMES, *FURTHER)

MAX_SENTENCES = 30
"""Sentences of a text that VADER reads."""

_DIVERSITY_WORDS = 100
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_QUOTES = frozenset('"“”„«»')
_PUNCTUATION = frozenset(string.punctuation) | _QUOTES | frozenset("‘’–—…")


def text_features(title: str, thread: str, text: str) -> NDArray[np.float32]:
    """(len(NAMES),) features of one article; 0 where a part is empty."""
    found = {**_paper_features(title, thread, text), **_rates(title, text)}
    return np.array([found[name] for name in NAMES], np.float32)


def _paper_features(title: str, thread: str, text: str) -> dict[str, float]:
    values: dict[str, float] = {}
    for part, content in zip(_PARTS, (title, thread, text), strict=True):
        found = words(content)
        values[f"caps_{part}"] = count_capital_words(found)
        values[f"{part}_len"] = len(content)
        values[f"excl_{part}"] = content.count("!")
        first, second, third = count_pronouns(found)
        values[f"first_{part}"], values[f"second_{part}"] = first, second
        values[f"third_{part}"] = third
    emotions = count_categories(words(text))
    values.update({name: emotions[name] for name in lexicons.EMOTIONS})
    for person in ("first", "second", "third"):
        values[f"{person}_all"] = sum(values[f"{person}_{part}"] for part in _PARTS)
    return values


def _rates(title: str, text: str) -> dict[str, float]:
    found = words(text)
    lower = [word.lower() for word in found]
    parts = sentences(text)
    per_100 = 100 / max(1, len(found))
    first, second, third = count_pronouns(found)
    categories = lexicons.empath_categories()
    hits = [categories.get(word, frozenset()) for word in lower]
    head = lower[:_DIVERSITY_WORDS]
    return {
        "num_sentences": len(parts),
        "words_per_sentence": len(found) / max(1, len(parts)),
        "letters_per_word": sum(map(len, found)) / max(1, len(found)),
        "question_title": title.count("?"),
        "question_rate": per_100 * text.count("?"),
        "exclamation_rate": per_100 * text.count("!"),
        "punctuation_rate": per_100 * sum(letter in _PUNCTUATION for letter in text),
        "quote_rate": per_100 * sum(letter in _QUOTES for letter in text),
        "number_rate": per_100 * len(_NUMBER.findall(text)),
        "capital_word_rate": per_100 * count_capital_words(found),
        "capital_letter_share": capital_share(text),
        "capital_letter_share_title": capital_share(title),
        "first_rate": per_100 * first,
        "second_rate": per_100 * second,
        "third_rate": per_100 * third,
        "exclusive_rate": per_100 * sum(word in lexicons.EXCLUSIVES for word in lower),
        "negation_rate": per_100 * count_negations(lower),
        "motion_rate": per_100 * sum(lexicons.MOTION in names for names in hits),
        "emotion_rate": per_100 * sum(bool(names - {lexicons.MOTION}) for names in hits),
        "lexical_diversity": len(set(head)) / max(1, len(head)),
        "sentiment_title": lexicons.sentiment(title),
        "sentiment_text": _mean([lexicons.sentiment(part) for part in parts[:MAX_SENTENCES]]),
    }


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def count_capital_words(found: list[str]) -> int:
    """Words of two letters or more that are all capitals."""
    return sum(len(word) > 1 and word.isupper() for word in found)


def count_pronouns(found: list[str]) -> tuple[int, int, int]:
    """Pronouns of the first, second and third person; ``I'm`` and ``they've`` count."""
    stems = [re.split("['’]", word, maxsplit=1)[0].lower() for word in found]
    counts = Counter(stems)
    lists = (lexicons.FIRST_PERSON, lexicons.SECOND_PERSON, lexicons.THIRD_PERSON)
    first, second, third = (sum(counts[word] for word in words_) for words_ in lists)
    # US and IT in capitals are the country and the trade, not the pronoun
    return first - sum(word == "US" for word in found), second, third


def count_negations(lower: list[str]) -> int:
    """Words of ``NEGATIONS``, and those that end in n't."""
    return sum(
        word in lexicons.NEGATIONS or word.replace("’", "'").endswith("n't") for word in lower
    )


def count_categories(found: list[str]) -> Counter[str]:
    """Category of Empath -> number of its words."""
    categories = lexicons.empath_categories()
    return Counter(name for word in found for name in categories.get(word.lower(), ()))


def capital_share(text: str) -> float:
    """Capitals among the letters of ``text``, 0 where it has none."""
    letters = [letter for letter in text if letter.isalpha()]
    return sum(letter.isupper() for letter in letters) / max(1, len(letters))
