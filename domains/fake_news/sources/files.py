"""The user's own articles: tables with declared columns, folders, or a published corpus."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from domains.errors import DataError
from domains.fake_news.params import FilesParams
from domains.fake_news.sources.adapters import ADAPTERS
from domains.fake_news.sources.archives import open_tree
from domains.fake_news.sources.cleaning import web_domain
from domains.fake_news.sources.collection import Collection, RawArticle
from domains.fake_news.sources.folders import add_folders
from domains.fake_news.sources.tables import Table, check_id, read_table
from domains.files import fetch

TABLES = (".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json")


def collect_files(source: str, settings: FilesParams) -> Collection:
    """The articles at ``source``, a path or URL.

    Raises:
        DataError: nothing there, or not what ``ingest.files`` says it is.
    """
    path = fetch(source, None, "fake_news") if "://" in source else Path(source)
    if not path.exists():
        raise DataError(f"fake_news: source: {path}: no such file or folder")
    if settings.format in ADAPTERS:
        collection = ADAPTERS[settings.format](path, settings)
    elif settings.format == "horne":
        from domains.fake_news.sources.horne import collect_horne

        collection = collect_horne(path)
    elif settings.format == "mediaeval":
        from domains.fake_news.sources.mediaeval import collect_mediaeval

        collection = collect_mediaeval(path)
    else:
        collection = Collection("the user's articles", path.name, "the user's")
        collection.is_posts = settings.kind == "post"
        if settings.format == "folders":
            fake, real = ({n.lower() for n in names} for names in _labels(settings))
            add_folders(open_tree(path), collection, fake, real, settings.encoding)
        else:
            _add_columns(path, settings, collection)
    return collection


def _labels(settings: FilesParams) -> tuple[list[str], list[str]]:
    return settings.fake_labels, settings.real_labels


def _add_columns(path: Path, settings: FilesParams, collection: Collection) -> None:
    files = [path] if path.is_file() else _tables(path)
    for file in files:
        table = read_table(file, settings.encoding, settings.delimiter, settings.quoting)
        collection.rejected.update(table.rejected)
        if table.encoding in ("cp1252", "latin-1") and settings.encoding == "auto":
            collection.warnings.append(f"{file.name} is {table.encoding}, not UTF-8")
        for key, column in settings.columns.model_dump().items():
            if column is not None:
                table.require(column, f"ingest.files.columns.{key}, null = absent")
        images = Path(settings.images) if settings.images else file.parent
        for article in to_articles(table, settings, images, collection.rejected):
            collection.articles.append(article)
    if settings.columns.label is None:
        raise DataError(f"{path}: ingest.files.columns.label is null, expected a column of labels")


def _tables(folder: Path) -> list[Path]:
    found = sorted(file for file in folder.iterdir() if file.suffix.lower() in TABLES)
    if not found:
        raise DataError(f"{folder}: no table, expected {', '.join(TABLES)}")
    return found


def to_articles(
    table: Table, settings: FilesParams, images: Path, rejected: Counter[str]
) -> list[RawArticle]:
    """Rows of ``table`` by ``settings.columns``; without a label column all labels are ``None``.

    Raises:
        DataError: no row has a known label, or an id has lost digits.
    """
    columns = settings.columns
    articles: list[RawArticle] = []
    unknown: Counter[str] = Counter()
    for number, row in enumerate(table.rows):
        # a field that the table lacks is named None in the settings and "" here
        text = {
            key: row.get(name, "") if name else "" for key, name in columns.model_dump().items()
        }
        label = None
        if columns.label is not None:
            label = label_of(text["label"], settings)
            if label is None:
                unknown[text["label"].strip()] += 1
                continue
        picture = text["image"].strip()
        articles.append(
            RawArticle(
                id=check_id(text["id"], table.where) or f"{table.where}/{number}",
                title=text["title"],
                thread=text["thread"],
                body=text["body"],
                label=label,
                source=web_domain(text["source"]),
                event=text["event"].strip(),
                date=text["date"].strip()[:10],
                image=images / picture if picture else None,
            )
        )
    if unknown and not articles:
        raise DataError(
            f"{table.where}: labels {', '.join(map(repr, sorted(unknown)[:6]))}, expected some of "
            f"ingest.files.fake_labels {settings.fake_labels} or real_labels {settings.real_labels}"
        )
    for value, count in sorted(unknown.items()):
        reason = f"label {value!r} is neither fake nor real" if value else "no label"
        rejected[reason] += count
    return articles


def label_of(value: str, settings: FilesParams) -> int | None:
    """1 = fake, 0 = real, ``None`` = neither; letters of either case."""
    fold = value.strip().lower()
    if fold in {name.lower() for name in settings.fake_labels}:
        return 1
    return 0 if fold in {name.lower() for name in settings.real_labels} else None
