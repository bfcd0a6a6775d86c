"""Articles without labels, as ``predict`` is given them: a text, a page, JSON, or a table."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from domains.errors import DataError
from domains.fake_news.params import FilesParams
from domains.fake_news.sources.collection import RawArticle
from domains.fake_news.sources.decoding import decode
from domains.fake_news.sources.files import TABLES, to_articles
from domains.fake_news.sources.html import read_page
from domains.fake_news.sources.tables import check_id, read_table

PAGES = (".html", ".htm")
PICTURES = (".jpg", ".jpeg", ".png", ".gif", ".webp")
_JSON_BODY = ("text", "body", "body_text", "content")


def read_articles(path: Path, settings: FilesParams) -> tuple[list[RawArticle], Counter[str]]:
    """The articles in the file at ``path``, and rows refused by reason.

    - ``.txt``: the first line is the headline if an empty one follows it;
    - ``.html``: the page's article;
    - ``.json``, ``.jsonl``: fields title, text (or body), source, image;
    - ``.csv``, ``.tsv``: columns as in ``ingest.files.columns``; the label is not read.

    A picture with the same name beside a text, page or single JSON object belongs to it.

    Raises:
        DataError: no such file, an unknown kind, or no text in it.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file, expected an article or a table of articles")
    kind = path.suffix.lower()
    if kind in (".json", ".jsonl", ".ndjson"):
        return _from_json(path, settings)
    if kind not in (".txt", *PAGES, *TABLES):
        raise DataError(
            f"{path}: unknown kind of file, expected .txt, {', '.join(PAGES)}, "
            f"{', '.join(name for name in TABLES if name != '.txt')}"
        )
    if kind in (".csv", ".tsv"):
        return _from_table(path, settings)
    text, _ = decode(path.read_bytes(), settings.encoding, str(path))
    if kind in PAGES:
        page = read_page(text, str(path))
        title, body, source, date = page.title, page.body, page.source, page.date
    else:
        (title, body), source, date = _headline(text), "", ""
    if not body.strip():
        raise DataError(f"{path}: no text, expected an article; check the file")
    article = RawArticle(path.name, title, body, None, source=source, date=date,
                         image=_beside(path))  # fmt: skip
    return [article], Counter()


def _headline(text: str) -> tuple[str, str]:
    first, _, rest = text.replace("\r\n", "\n").strip().partition("\n")
    has_headline = rest.startswith(("\n", " \n"))
    return (first.strip(), rest.strip()) if has_headline else ("", text.strip())


def _beside(path: Path) -> Path | None:
    found = (path.with_suffix(suffix) for suffix in PICTURES)
    return next((file for file in found if file.is_file()), None)


def _from_json(path: Path, settings: FilesParams) -> tuple[list[RawArticle], Counter[str]]:
    table = read_table(path, settings.encoding)
    names = (settings.columns.body, *_JSON_BODY)
    body = next((name for name in names if name in table.rows[0]), None)
    if body is None:
        found = ", ".join(list(table.rows[0])[:12])
        raise DataError(f"{path}: no field {' or '.join(dict.fromkeys(names))}, found {found}")
    articles = []
    for number, row in enumerate(table.rows):
        picture = row.get("image", "").strip()
        image = path.parent / picture if picture else None
        if image is None and len(table.rows) == 1:
            image = _beside(path)
        articles.append(
            RawArticle(
                id=check_id(row.get("id", ""), str(path)) or f"{path.name}/{number}",
                title=row.get("title", ""),
                body=row[body],
                label=None,
                source=row.get("source", ""),
                image=image,
            )
        )
    return articles, table.rejected


def _from_table(path: Path, settings: FilesParams) -> tuple[list[RawArticle], Counter[str]]:
    table = read_table(path, settings.encoding, settings.delimiter, settings.quoting)
    table.require(settings.columns.body, "ingest.files.columns.body")
    columns = settings.columns.model_copy(update={"label": None})
    images = Path(settings.images) if settings.images else path.parent
    unlabelled = settings.model_copy(update={"columns": columns})
    return to_articles(table, unlabelled, images, table.rejected), table.rejected
