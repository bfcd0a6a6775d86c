"""One article or many, without labels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from domains.errors import DataError
from domains.fake_news.sources.articles import read_articles


@pytest.mark.parametrize(
    ("name", "content", "title", "body"),
    [
        ("a.txt", "The headline\n\nFirst line.\nSecond.", "The headline", "First line.\nSecond."),
        ("a.txt", "No headline, only\na text.", "", "No headline, only\na text."),
        ("a.html", "<h1>Head</h1><article><p>Body here.</p></article>", "Head", "Body here."),
        ("a.json", '{"title": "Head", "body": "Body here."}', "Head", "Body here."),
        ("a.jsonl", '{"text": "Body here.", "n": 1}\n', "", "Body here."),
        ("a.csv", "id,title,text,label\n7,Head,Body here.,whatever\n", "Head", "Body here."),
    ],
)
def test_an_article_is_read_from_any_kind_of_file(
    tmp_path: Path, files_params: Callable, name: str, content: str, title: str, body: str
) -> None:
    (tmp_path / name).write_text(content)
    articles, rejected = read_articles(tmp_path / name, files_params())
    assert [(a.title, a.body, a.label) for a in articles] == [(title, body, None)]
    assert not rejected


def test_the_picture_beside_an_article_is_its_own(tmp_path: Path, files_params: Callable) -> None:
    (tmp_path / "a.txt").write_text("A text.")
    (tmp_path / "a.png").write_bytes(b"x")
    (tmp_path / "b.json").write_text('[{"text": "one", "image": "p.jpg"}, {"text": "two"}]')
    assert read_articles(tmp_path / "a.txt", files_params())[0][0].image == tmp_path / "a.png"
    images = [a.image for a in read_articles(tmp_path / "b.json", files_params())[0]]
    assert images == [tmp_path / "p.jpg", None]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.pdf", "x", r"unknown kind of file, expected \.txt, \.html"),
        ("a.txt", " \n", "no text, expected an article"),
        ("a.json", '{"headline": "x"}', "no field text or body.*found headline"),
        ("a.csv", "id,body\n1,x\n", r"no column 'text'.*columns\.body"),
        ("gone/a.txt", None, "no such file"),
    ],
)
def test_a_file_without_an_article_is_refused(
    tmp_path: Path, files_params: Callable, name: str, content: str | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=message):
        read_articles(tmp_path / name, files_params())
