"""Articles to judge: cleaned as in training, refused with a count, pictures at their places."""

from __future__ import annotations

from collections import Counter

import numpy as np

from domains.fake_news.science.image_features import NAMES as PICTURE_NAMES
from domains.fake_news.science.text_features import NAMES as TEXT_NAMES
from domains.fake_news.sources.collection import MemoryFile, RawArticle
from domains.fake_news.sources.judging import as_articles, as_file, prepare
from tests.domains.fake_news.conftest import MODEL

TRAINED = {"publishers": ["Dolfen Herald"], "is_posts": False}
BODY = "The council met on Tuesday and spoke about the bridge, said a member of it. " * 4


def test_pictures_and_features_lie_at_their_articles(ingest_params: dict) -> None:
    picture = as_file(np.full((20, 30, 3), 80, np.uint8))
    raw = [
        RawArticle("a", "BREAKING - First", f"WASHINGTON (Reuters) - {BODY}", None),
        RawArticle("b", "Second", BODY, None, image=picture),
        RawArticle("c", "Third", "Too short.", None),
        RawArticle("d", "Fourth", BODY, None, image=MemoryFile("d.png", b"no picture")),
    ]
    refused: Counter[str] = Counter()
    prepared = prepare(raw, ingest_params, TRAINED, refused)
    assert [one.id for one in prepared] == ["a", "b", "d"]
    assert (prepared[0].texts.title, prepared[0].texts.body) == ("BREAKING - First", BODY.strip())
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


def test_publishers_of_training_and_its_own_are_taken_out_not_its_neighbours(
    ingest_params: dict,
) -> None:
    body = f"{BODY}Dolfen Herald, Morning Post and Evening Star wrote of it."
    own, other = (RawArticle(name, "", body, None, source=name)
                  for name in ("Morning Post", "Evening Star"))  # fmt: skip
    alone, together = (
        prepare(raw, ingest_params, TRAINED, Counter())[0].texts.body
        for raw in ([own], [own, other])
    )
    assert alone == together == f"{BODY.strip()}, and Evening Star wrote of it."


def test_short_posts_are_judged_by_a_model_of_posts(ingest_params: dict) -> None:
    post = [RawArticle("a", "", "A shark swims down the street", None)]
    refused: Counter[str] = Counter()
    assert not prepare(post, ingest_params, TRAINED, refused)
    assert refused == {"body has fewer than 30 words": 1}
    assert len(prepare(post, ingest_params, {**TRAINED, "is_posts": True}, refused)) == 1
    ingest_params["files"]["kind"] = "post"
    assert len(prepare(post, ingest_params, TRAINED, refused)) == 1
