"""Horne & Adali 2017: US political news of 2016, the text part of ``public``.

B. D. Horne, S. Adali, "This Just In: Fake News Packs a Lot in Title, Uses Simpler, Repetitive
Content in Text Body, More Similar to Satire than Real News", NECO 2017.  Two parts, collected in
different ways: Buzzfeed (labels by article, from BuzzFeed News) and Random (labels by publisher,
real, fake and satire).  Publishers are not named, so the honest test is one part against the other.
"""

from __future__ import annotations

from pathlib import Path

from domains.errors import DataError
from domains.fake_news.sources.archives import open_tree
from domains.fake_news.sources.collection import Collection, RawArticle
from domains.fake_news.sources.folders import add_folders
from domains.fake_news.sources.tables import read_table
from domains.files import fetch

COMMIT = "874fa896e37baa71ba5502bc1fa5830c640feaaf"
ADDRESS = (
    f"https://raw.githubusercontent.com/BenjaminDHorne/fakenewsdata1/{COMMIT}/"
    "Horne2017_FakeNewsData.zip"
)
SHA256 = "f7fc71295bcda5d0e29b5555929353fa877976885e21b573f3fac9fbaa088bbd"
MIRROR = "news/Horne2017_FakeNewsData.zip"

PARTS = ("Buzzfeed", "Random")
LICENCE = "BSD-style, redistribution with notice; © 2017 B. D. Horne, S. Adali; cite NECO 2017"


def collect_horne(path: Path | None = None) -> Collection:
    """Both parts; satire is counted out.

    Args:
        path: the archive, the unpacked folder or JSON lines with the fields set, label, file,
            title, text; ``None`` fetches the archive.

    Raises:
        DataError: not reachable, or not this corpus.
    """
    collection = Collection(
        title="Horne & Adali 2017: US political news of 2016, two parts",
        source=f"{ADDRESS} (Horne & Adali, NECO 2017)",
        licence=LICENCE,
        group_by=("origin",),
        leave_out=PARTS,
    )
    path = path or fetch(ADDRESS, SHA256, "fake_news", MIRROR)
    if path.suffix.lower() in (".jsonl", ".json"):
        _add_lines(path, collection)
    else:
        add_folders(open_tree(path), collection, {"fake"}, {"real"})
        collection.articles = [
            RawArticle(**{**vars(article), "origin": _part(article.origin, path)})
            for article in collection.articles
        ]
    return collection


def _part(folder: str, path: Path) -> str:
    """Buzzfeed or Random, from the folder's name (``Random Poltical News Dataset``, as it is)."""
    for part in PARTS:
        if folder.startswith(part):
            return part
    raise DataError(
        f"{path}: folder {folder!r}, expected names that begin with {' or '.join(PARTS)}; unpack "
        "Horne2017_FakeNewsData.zip as it is"
    )


def _add_lines(path: Path, collection: Collection) -> None:
    table = read_table(path)
    for column in ("set", "label", "file", "title", "text"):
        table.require(column, "another ingest.files.format: this one is Horne's")
    collection.rejected.update(table.rejected)
    for row in table.rows:
        if row["label"] not in ("fake", "real"):
            collection.rejected[f"label {row['label']!r} is neither fake nor real"] += 1
            continue
        collection.articles.append(
            RawArticle(
                id=f"{row['set']}/{row['label']}/{row['file']}",
                title=row["title"],
                body=row["text"],
                label=int(row["label"] == "fake"),
                origin=_part(row["set"], path),
            )
        )
