"""One raw article to a row of the dataset: cleaned, judged, with features; or a reason not to."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domains.fake_news.params import CleanParams, ImageParams
from domains.fake_news.science.image_features import NAMES as IMAGE_NAMES
from domains.fake_news.science.image_features import image_features
from domains.fake_news.science.text_features import text_features
from domains.fake_news.science.tokens import words
from domains.fake_news.sources.cleaning import clean_text
from domains.fake_news.sources.collection import RawArticle, Readable
from domains.fake_news.sources.images import PictureError, read_picture, thumbnail_png
from domains.fake_news.sources.language import is_english


@dataclass(frozen=True)
class Texts:
    """The cleaned texts of an article, and what was found in them."""

    title: str
    thread: str
    body: str
    found: Counter[str]

    def features(self) -> NDArray[np.float32]:
        """(len(text_features.NAMES),)."""
        return text_features(self.title, self.thread, self.body)


def prepare_texts(
    article: RawArticle, settings: CleanParams, is_post: bool, names: Sequence[re.Pattern[str]]
) -> Texts | str:
    """The cleaned texts, or the reason why the article is refused."""
    if not article.body.strip():
        return "no body"
    headlines = [clean_text(text, names, True) for text in (article.title, article.thread)]
    body = clean_text(article.body, names)
    num_words = len(words(body.text))
    least = settings.min_words_post if is_post else settings.min_words
    if num_words < least:
        if body.boilerplate_words > num_words:
            return "body is boilerplate (login, cookies, copyright)"
        return f"body has fewer than {least} words"
    if settings.language == "en" and not is_english(body.text):
        return "body is not English"
    found: Counter[str] = Counter()
    for part in (*headlines, body):
        found |= part.found
    # a title of two lines is one headline
    title, thread = (" ".join(part.text.split()) for part in headlines)
    return Texts(title, thread, body.text, found)


@dataclass(frozen=True)
class StoredPicture:
    """A picture at rest.

    Args:
        name: of the file: its content's digest.
        png: its content.
        features: (len(image_features.NAMES),).
        notes: what was unusual.
    """

    name: str
    png: bytes
    features: NDArray[np.float32]
    notes: tuple[str, ...]


NO_PICTURE = np.full(len(IMAGE_NAMES), np.nan, np.float32)


class PictureShelf:
    """Reads each different picture once; posts share theirs."""

    def __init__(self, settings: ImageParams) -> None:
        self._settings = settings
        self._known: dict[tuple[str, tuple[int, int] | None], StoredPicture | str] = {}

    def read(self, file: Readable, size: tuple[int, int] | None = None) -> StoredPicture | str:
        """The picture in ``file``, or the reason why it cannot be used.

        Args:
            file: to read.
            size: width and height of the original in px, where ``file`` is a reduced copy.
        """
        try:
            content = file.read_bytes()
        except OSError:
            return "picture file is absent"
        key = hashlib.sha256(content).hexdigest(), size
        if key not in self._known:
            self._known[key] = self._decode(content, file.name, size)
        return self._known[key]

    def _decode(
        self, content: bytes, name: str, size: tuple[int, int] | None
    ) -> StoredPicture | str:
        try:
            picture = read_picture(content, name, self._settings.max_pixels)
        except PictureError as error:
            return str(error)
        width, height = size or (picture.width, picture.height)
        png = thumbnail_png(picture.pixels, self._settings.size_px)
        return StoredPicture(
            f"{hashlib.sha256(png).hexdigest()[:20]}.png",
            png,
            image_features(picture.pixels, width, height, picture.num_frames),
            picture.notes,
        )
