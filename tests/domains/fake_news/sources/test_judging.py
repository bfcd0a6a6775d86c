"""Articles to judge: cleaned as in training, refused with a count, pictures at their places."""

from __future__ import annotations

from collections import Counter

import numpy as np

from domains.fake_news.science.image_features import NAMES as PICTURE_NAMES
from domains.fake_news.science.text_features import NAMES as TEXT_NAMES
from domains.fake_news.sources.collection import MemoryFile, RawArticle
from domains.fake_news.sources.judging import as_articles, as_file, prepare
from tests.domains.fake_news.conftest import MODEL

BODY = "The council met on Tuesday and spoke about the bridge, said a member of it. " * 4


def test_pictures_and_features_lie_at_their_articles(ingest_params: dict) -> None:
    picture = as_file(np.full((20, 30, 3), 80, np.uint8))
    raw = [
        RawArticle("a", "First", f"WASHINGTON (Reuters) - {BODY}", None),
        RawArticle("b", "Second", BODY, None, image=picture),
        RawArticle("c", "Third", "Too short.", None),
        RawArticle("d", "Fourth", BODY, None, image=MemoryFile("d.png", b"no picture")),
    ]
    refused: Counter[str] = Counter()
    prepared = prepare(raw, ingest_params, refused)
    assert [one.id for one in prepared] == ["a", "b", "d"]
    assert prepared[0].texts.body == BODY.strip()
    assert refused == {
        "body has fewer than 30 words": 1,
        "file is not a picture, the article is judged without it": 1,
    }
    articles = as_articles(prepared, MODEL)
    assert articles.picture_of.tolist() == [-1, 0, -1]
    assert articles.pictures.shape == (1, 3, 16, 16)
    assert (articles.pictures == 80).all()
    assert articles.picture_features[0, PICTURE_NAMES.index("image_width")] == 30
    assert articles.text_features[0, TEXT_NAMES.index("text_len")] == len(BODY.strip())
