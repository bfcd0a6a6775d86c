"""Whether a text is English: by its letters, and by the small words no English text lacks."""

from __future__ import annotations

from domains.fake_news.science.lexicons import word_set
from domains.fake_news.science.tokens import words

_FUNCTION_WORDS = word_set(
    "the of and to a in that is was for it on with as his he be at by i this had not are but from "
    "or have an they which one you were her all she there would their we him been has when who "
    "will more no if out so said what up its about into than them can only other new some could "
    "these two may then do first any my now such like our over me even most"
)
MIN_WORDS = 20
"""Shorter texts are judged by their letters alone."""

_SHARE = 0.18
"""English news has 0.3 to 0.5; Spanish, German, French stay below 0.1."""


def is_english(text: str) -> bool:
    """Whether ``text`` is likely English; True for a text without words."""
    found = words(text)
    letters = [letter for letter in text if letter.isalpha()]
    if sum(not letter.isascii() for letter in letters) > 0.3 * len(letters):
        return False
    if len(found) < MIN_WORDS:
        return True
    return sum(word.lower() in _FUNCTION_WORDS for word in found) >= _SHARE * len(found)
