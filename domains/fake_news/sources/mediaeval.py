"""MediaEval 2016 Verifying Multimedia Use, development set: posts with pictures, in ``public``.

C. Boididou and others, "Verifying information with multimedia content on Twitter", Multimedia Tools
and Applications 77, 2018.  Every picture has one label and names spell it (``sandy_fake_01``), so
names are dropped, and the honest test leaves a whole event out.  The pictures were deleted from the
repository later; they come from the commit that brought them.
"""

from __future__ import annotations

import csv
import io
import os
import re
from datetime import datetime
from pathlib import Path, PurePath
from typing import Any

from domains.errors import DataError
from domains.fake_news.sources.archives import open_tree, walk
from domains.fake_news.sources.collection import Collection, RawArticle, Readable
from domains.fake_news.sources.tables import Table, check_id, read_table
from domains.files import fetch

COMMIT = "fe6b416a9ec8fd1a0b19cc20f3379d8ad9a1433e"
ADDRESS = f"https://codeload.github.com/MKLab-ITI/image-verification-corpus/zip/{COMMIT}"
MIRROR = "news/mediaeval2016_dev"
"""Below ``CONVOY_MIRROR``: a folder with ``posts.tsv`` or ``posts.txt``, and the pictures."""

TEST_EVENTS = ("boston", "sandy", "nepal")
"""The events with both labels and more than 500 posts; each is left out once."""

LICENCE = "repository Apache-2.0; posts and pictures are their authors'"
_NAMES = {
    "post_id": ("post_id", "tweetId"),
    "text": ("text", "post_text", "tweetText"),
    "images": ("image_id", "image_id(s)", "imageId(s)"),
    "label": ("label",),
}


def collect_mediaeval(path: Path | None = None) -> Collection:
    """The posts whose picture is at hand; others are counted.

    Args:
        path: folder or ZIP archive with the posts and the pictures; ``None`` takes the mirror's or
            fetches the archive of the repository.

    Raises:
        DataError: not reachable, or not this corpus.
    """
    tree = open_tree(path or _locate())
    files = list(walk(tree))
    posts = [f for f in files if f.name in ("posts.tsv", "posts.txt")]
    # an archive of the whole repository holds the sets of other years
    posts = [f for f in posts if "mediaeval2016/devset" in str(f)] or posts
    if len(posts) != 1:
        raise DataError(f"{tree}: {len(posts)} files posts.tsv or posts.txt, expected one; "
                        "name the folder of the development set")  # fmt: skip
    collection = Collection(
        title="MediaEval 2016 Verifying Multimedia Use, development set: posts with pictures",
        source=f"{ADDRESS} (Boididou and others 2018)",
        licence=LICENCE,
        is_posts=True,
        group_by=("event",),
        leave_out=TEST_EVENTS,
    )
    table = read_table(posts[0], "utf-8", "tab", "none")
    collection.rejected.update(table.rejected)
    _add_posts(table, _pictures(files), _sizes(files), collection)
    return collection


def _locate() -> Path:
    mirror = os.environ.get("CONVOY_MIRROR")
    if mirror and (Path(mirror) / MIRROR).is_dir():
        return Path(mirror) / MIRROR
    return fetch(ADDRESS, None, "fake_news", f"{MIRROR}.zip")


def _pictures(files: list[Any]) -> dict[str, Readable]:
    """Name without ending -> file; the archive has stray texts among the pictures."""
    found: dict[str, Readable] = {}
    for file in files:
        if PurePath(file.name).suffix.lower() in (".jpg", ".jpeg", ".png", ".gif"):
            found.setdefault(PurePath(file.name).stem, file)
    return found


def _sizes(files: list[Any]) -> dict[str, tuple[int, int]]:
    """Original width and height by picture, where ``images.csv`` tells them of reduced copies."""
    for file in files:
        if file.name == "images.csv":
            rows = csv.DictReader(io.StringIO(file.read_bytes().decode()))
            return {r["image_id"]: (int(r["orig_w"]), int(r["orig_h"])) for r in rows}
    return {}


def _add_posts(
    table: Table,
    pictures: dict[str, Readable],
    sizes: dict[str, tuple[int, int]],
    collection: Collection,
) -> None:
    columns = {key: _column(table, names) for key, names in _NAMES.items()}
    for row in table.rows:
        label = row[columns["label"]].strip()
        if label not in ("fake", "real"):
            collection.rejected[f"label {label!r} is neither fake nor real"] += 1
            continue
        names = [name.strip() for name in row[columns["images"]].split(",") if name.strip()]
        name = next((name for name in names if name in pictures), None)
        if name is None:
            collection.rejected["post whose picture is absent"] += 1
            continue
        collection.articles.append(
            RawArticle(
                id=check_id(row[columns["post_id"]], table.where),
                title="",
                body=row[columns["text"]],
                label=int(label == "fake"),
                event=row.get("event") or re.split(r"_(?:fake|real)?_?\d", name)[0],
                date=post_date(row.get("timestamp", "")),
                image=pictures[name],
                image_size=sizes.get(name),
            )
        )


def _column(table: Table, names: tuple[str, ...]) -> str:
    for name in names:
        if name in table.rows[0]:
            return name
    table.require(names[0], "the file of MediaEval's posts")
    raise AssertionError("require raises")


def post_date(text: str) -> str:
    """``Wed Apr 17 18:57:37 +0000 2013`` -> ``2013-04-17``; "" where it is no such date."""
    try:
        return datetime.strptime(text.strip(), "%a %b %d %H:%M:%S %z %Y").date().isoformat()
    except ValueError:
        return ""
