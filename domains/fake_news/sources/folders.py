"""Articles as text files in folders named by their label: ``fake/``, ``real/``.

As Horne & Adali published theirs, titles lie in a parallel folder with the same file names
(``Fake_titles/``); folders around them name the parts of the corpus.
"""

from __future__ import annotations

from typing import Any

from domains.errors import DataError
from domains.fake_news.sources.archives import walk
from domains.fake_news.sources.collection import Collection, RawArticle
from domains.fake_news.sources.decoding import decode
from domains.fake_news.sources.html import read_page

TITLES = "_titles"


def add_folders(
    tree: Any, collection: Collection, fake: set[str], real: set[str], encoding: str = "auto"
) -> None:
    """Add every text below ``tree`` whose folder is named by a label, in any case.

    Args:
        tree: folder or ``zipfile.Path``.
        collection: to add to; other folders' texts are counted there.
        fake: names of folders that mean fake, in lower case.
        real: names that mean real.
        encoding: see ``decoding.decode``.

    Raises:
        DataError: no article in any such folder.
    """
    files = [file for file in walk(tree) if _is_text(file.name.lower())]
    by_place = {_place(file): file for file in files}
    latin, found = 0, 0
    for (folders, name), file in by_place.items():
        if not folders or folders[-1].lower().endswith(TITLES):
            continue
        kind = folders[-1].lower()
        if kind not in fake | real:
            collection.rejected[f"label {kind!r} is neither fake nor real"] += 1
            continue
        found += 1
        body, used = decode(file.read_bytes(), encoding, "/".join((*folders, name)))
        latin += used not in ("utf-8", "utf-16")
        title, source, date = "", "", ""
        if not name.lower().endswith(".txt"):
            page = read_page(body, name)
            title, body, source, date = page.title, page.body, page.source, page.date
        titles = by_place.get(((*folders[:-1], folders[-1] + TITLES), name))
        if titles is not None:
            title = decode(titles.read_bytes(), encoding, titles.name)[0]
        collection.articles.append(
            RawArticle(
                id="/".join((*folders, name)),
                title=title,
                body=body,
                label=int(kind in fake),
                source=source,
                origin=folders[-2] if len(folders) > 1 else "",
                date=date,
            )
        )
    if not found:
        expected = ", ".join(sorted(fake | real))
        raise DataError(
            f"{tree}: no .txt or .html in folders named {expected}; rename the folders or set "
            "ingest.files.fake_labels and real_labels"
        )
    if latin:
        collection.warnings.append(f"{latin} of {found} texts are cp1252, not UTF-8")


def _is_text(name: str) -> bool:
    return name.endswith((".txt", ".htm", ".html")) and not name.startswith(("readme", "licen"))


def _place(file: Any) -> tuple[tuple[str, ...], str]:
    """Names of the folders around a file below the tree, and its own; of three folders at most."""
    parents: list[str] = []
    parent = file.parent
    while parent.name and len(parents) < 3:
        parents.append(parent.name)
        parent = parent.parent
    return tuple(reversed(parents[:2])), file.name
