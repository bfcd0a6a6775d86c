"""Articles without labels to what the networks read, cleaned as the training articles were.

Legend: N articles.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from domains.fake_news.data import Articles, feature_names, squared
from domains.fake_news.params import CleanParams, ImageParams
from domains.fake_news.science import image_features, text_features
from domains.fake_news.sources.cleaning import publisher_names
from domains.fake_news.sources.collection import MemoryFile, RawArticle
from domains.fake_news.sources.preparation import PictureShelf, StoredPicture, Texts, prepare_texts


@dataclass(frozen=True)
class Prepared:
    """One article, cleaned as training's were; ``picture`` is ``None`` where there is none."""

    id: str
    texts: Texts
    picture: StoredPicture | None


def prepare(
    raw: Sequence[RawArticle],
    ingest: Mapping[str, Any],
    trained: Mapping[str, Any],
    refused: Counter[str],
) -> list[Prepared]:
    """Articles as ingest cleaned those of training; those that cannot be judged are counted.

    The publishers of training and an article's own are taken out of it, not those beside it: its
    answer does not depend on its neighbours.

    Args:
        raw: as read.
        ingest: section ``ingest``.
        trained: config of the task.
        refused: reason -> count, added to.
    """
    clean = CleanParams.model_validate({**ingest["clean"], "language": "any"})
    is_post = trained["is_posts"] or ingest["files"]["kind"] == "post"
    shelf = PictureShelf(ImageParams.model_validate(ingest["images"]))
    known = [publisher_names(trained["publishers"])]
    names = dict.fromkeys(["", *trained["publishers"]], known)
    for source in {article.source for article in raw} - names.keys():
        names[source] = [publisher_names([source]), *known]
    found = []
    for article in raw:
        texts = prepare_texts(article, clean, is_post, names[article.source])
        if isinstance(texts, str):
            refused[texts] += 1
            continue
        picture = None if article.image is None else shelf.read(article.image, article.image_size)
        if isinstance(picture, str):
            refused[picture + ", the article is judged without it"] += 1
            picture = None
        found.append(Prepared(article.id, texts, picture))
    return found


def as_articles(prepared: Sequence[Prepared], size: Mapping[str, Any]) -> Articles:
    """What networks of ``size``, the section ``model``, read of prepared articles."""
    of_text, of_picture = feature_names(size["explicit"])
    text_places = [text_features.NAMES.index(name) for name in of_text]
    picture_places = [image_features.NAMES.index(name) for name in of_picture]
    shown = [one.picture for one in prepared if one.picture is not None]
    has_one = np.array([one.picture is not None for one in prepared])
    about = np.array([picture.features[picture_places] for picture in shown], np.float32)
    pixels = [squared(_pixels(picture.png), size["image_px"]) for picture in shown]
    return Articles(
        [one.texts.title for one in prepared],
        [one.texts.body for one in prepared],
        np.stack([one.texts.features()[text_places] for one in prepared]),
        about.reshape(len(shown), len(of_picture)),
        np.array(pixels, np.uint8).reshape(len(shown), 3, size["image_px"], size["image_px"]),
        np.where(has_one, np.cumsum(has_one) - 1, -1),
    )


def _pixels(png: bytes) -> NDArray[np.uint8]:
    """(H, W, 3)."""
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image.convert("RGB"))


def as_file(pixels: NDArray) -> MemoryFile:
    """A picture file of pixels (H, W, 3) in 0 … 255."""
    stream = io.BytesIO()
    Image.fromarray(np.asarray(pixels, np.uint8)).save(stream, "PNG")
    return MemoryFile("picture.png", stream.getvalue())
