"""Published corpora that the user has to get: LIAR, FakeNewsNet, ReCOVery, TI-CNN's own file.

Their labels run in different directions (1 is fake in one, reliable in another), so each has its
reader.  What leaks the label is not read: LIAR's credit history counts the statement itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from domains.errors import DataError
from domains.fake_news.params import FilesParams
from domains.fake_news.sources.cleaning import web_domain
from domains.fake_news.sources.collection import Collection, RawArticle
from domains.fake_news.sources.tables import check_id, read_table

_LIAR_COLUMNS = [
    "id", "label", "statement", "subject", "speaker", "job", "state", "party", "barely_true",
    "false", "half_true", "mostly_true", "pants_on_fire", "context",
]  # fmt: skip
_LIAR_FAKE, _LIAR_REAL = (
    ("pants-fire", "false", "barely-true"),
    ("half-true", "mostly-true", "true"),
)


def read_liar(path: Path, settings: FilesParams) -> Collection:
    """LIAR (W. Y. Wang, ACL 2017): six labels, here halves; grouped by speaker.

    Quotes in it are letters: read with quoting, 29 of 10,269 training rows vanish into others.
    """
    collection = Collection(
        "LIAR: 12,836 short statements, six labels halved", path.name,
        "research only, no redistribution; W. Y. Wang, ACL 2017",
        is_posts=True, group_by=("source",),
    )  # fmt: skip
    for file in _files(path, "*.tsv"):
        table = read_table(file, "utf-8", "tab", "none", header=_LIAR_COLUMNS)
        collection.rejected.update(table.rejected)
        for row in table.rows:
            label = row["label"].strip()
            if label not in _LIAR_FAKE + _LIAR_REAL:
                collection.rejected[f"label {label!r} is neither fake nor real"] += 1
                continue
            collection.articles.append(
                RawArticle(
                    id=check_id(row["id"], file.name).removesuffix(".json"),
                    title="",
                    body=row["statement"],
                    label=int(label in _LIAR_FAKE),
                    source=row["speaker"].strip(),
                    origin=file.stem,
                )
            )
    return collection


def read_fakenewsnet(path: Path, settings: FilesParams) -> Collection:
    """FakeNewsNet (K. Shu and others, Big Data 8, 2020): ``<site>_<fake|real>.csv``.

    The tables hold titles; bodies are read from the crawler's
    ``<site>/<fake|real>/<id>/news content.json`` beside them, or the title stands alone.
    """
    collection = Collection(
        "FakeNewsNet: PolitiFact and GossipCop", path.name, "articles are their authors'",
        group_by=("source",),
    )  # fmt: skip
    titles_only = 0
    for file in _files(path, "*_fake.csv") + _files(path, "*_real.csv", needed=False):
        site, _, kind = file.stem.partition("_")
        table = read_table(file, "utf-8", ",", "minimal")
        collection.rejected.update(table.rejected)
        table.require("title", "the file of FakeNewsNet")
        for row in table.rows:
            name = check_id(row["id"], file.name)
            content = file.parent / site / kind / name / "news content.json"
            body = _crawled(content) if content.is_file() else ""
            titles_only += not body
            collection.articles.append(
                RawArticle(
                    id=name,
                    title=row["title"] if body else "",
                    body=body or row["title"],
                    label=int(kind == "fake"),
                    source=web_domain(row.get("news_url") or row.get("url") or ""),
                    origin=site,
                )
            )
    if titles_only:
        collection.is_posts = titles_only == len(collection.articles)
        collection.warnings.append(
            f"{titles_only} of {len(collection.articles)} articles have no crawled body: the title "
            "is taken for it"
        )
    return collection


def _crawled(path: Path) -> str:
    try:
        return str(json.loads(path.read_text(encoding="utf-8")).get("text", ""))
    except (ValueError, AttributeError) as error:
        raise DataError(f"{path}: not the crawler's JSON ({error}); crawl it again") from error


def read_recovery(path: Path, settings: FilesParams) -> Collection:
    """ReCOVery (X. Zhou and others, CIKM 2020): reliability 1 is real, 0 is fake."""
    collection = Collection(
        "ReCOVery: COVID-19 news of 60 sites, labels by publisher", path.name, "CC BY-NC-SA 4.0",
        group_by=("source",),
    )  # fmt: skip
    for file in _files(path, "*news*.csv"):
        table = read_table(file, settings.encoding, ",", "minimal")
        collection.rejected.update(table.rejected)
        table.require("reliability", "the file of ReCOVery's news")
        table.require("body_text", "the file of ReCOVery's news")
        for row in table.rows:
            label = {"1": 0, "1.0": 0, "0": 1, "0.0": 1}.get(row["reliability"].strip())
            if label is None:
                collection.rejected["no label"] += 1
                continue
            collection.articles.append(
                RawArticle(
                    id=check_id(row["news_id"], file.name),
                    title=row["title"],
                    body=row["body_text"],
                    label=label,
                    source=row["publisher"].strip() or web_domain(row["url"]),
                    date=row.get("publish_date", "")[:10],
                )
            )
    return collection


def read_all_data(path: Path, settings: FilesParams) -> Collection:
    """TI-CNN's ``all_data.csv``: type ``real``, or one of many kinds of fake.

    ``0`` stands for an absent title.  Real articles come from a few papers and fake ones from other
    sites, so a random split learns who published what.  Pictures are not fetched: name the column
    of local files in ``ingest.files.columns.image``.
    """
    collection = Collection(
        "TI-CNN: 20,015 news of 2016", path.name, "the user's copy; Yang et al. 2018",
        group_by=("source",),
    )  # fmt: skip
    images = Path(settings.images) if settings.images else path.parent
    for file in _files(path, "*.csv"):
        table = read_table(file, settings.encoding, ",", "minimal")
        collection.rejected.update(table.rejected)
        for column in ("type", "text", "title", "site_url"):
            table.require(column, "the file of TI-CNN's articles")
        for number, row in enumerate(table.rows):
            kind, picture = row["type"].strip(), row.get(settings.columns.image or "", "").strip()
            if not kind:
                collection.rejected["no label"] += 1
                continue
            collection.articles.append(
                RawArticle(
                    id=check_id(row.get("uuid", ""), file.name) or f"{file.name}/{number}",
                    title=_unless_zero(row["title"]),
                    thread=_unless_zero(row.get("thread_title", "")),
                    body=_unless_zero(row["text"]),
                    label=int(kind.lower() != "real"),
                    source=web_domain(row["site_url"]),
                    date=row.get("published", "")[:10],
                    image=images / picture if picture else None,
                )
            )
    return collection


def _unless_zero(text: str) -> str:
    return "" if text.strip() in ("0", "NA", "nan") else text


def _files(path: Path, pattern: str, needed: bool = True) -> list[Path]:
    """``path`` itself if it is a file, else what matches in the folder."""
    if path.is_file():
        return [path] if needed else []
    found = sorted(path.glob(pattern))
    if needed and not found:
        raise DataError(f"{path}: no file {pattern}, expected the published names")
    return found


ADAPTERS: dict[str, Callable[[Path, FilesParams], Collection]] = {
    "liar": read_liar,
    "fakenewsnet": read_fakenewsnet,
    "recovery": read_recovery,
    "all_data": read_all_data,
}
