"""What a source hands to ``ingest``: raw articles, and where they come from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol


class Readable(Protocol):
    """A file on disk, in a ZIP archive or in memory."""

    @property
    def name(self) -> str:
        """File name without folder."""

    def read_bytes(self) -> bytes:
        """The whole content."""


@dataclass(frozen=True)
class MemoryFile:
    """A file that was never written."""

    name: str
    content: bytes

    def read_bytes(self) -> bytes:
        return self.content


@dataclass(frozen=True)
class RawArticle:
    """One article or post before cleaning; "" means unknown.

    Args:
        id: text, never a number: 18 digits do not fit into a float.
        title: headline.
        body: text.
        label: 1 = fake, 0 = real; ``None`` where it is not asked for, as in ``predict``.
        thread: headline of the thread.
        source: publisher or web domain.
        event: what it reports on.
        origin: named part of the corpus.
        date: ``2016-11-08``.
        image: its picture.
        image_size: width and height of the original in px, where ``image`` is a copy.
    """

    id: str
    title: str
    body: str
    label: int | None
    thread: str = ""
    source: str = ""
    event: str = ""
    origin: str = ""
    date: str = ""
    image: Readable | None = None
    image_size: tuple[int, int] | None = None


@dataclass
class Collection:
    """Articles of one source with the facts that the data card tells.

    Args:
        title: one line, says whether the data are synthetic.
        source: where they come from.
        licence: of the raw data.
        is_posts: posts and claims, which are short, instead of articles.
        group_by: proposal for ``ingest.split.group_by``.
        leave_out: proposal for ``ingest.split.leave_out``.
    """

    title: str
    source: str
    licence: str
    is_posts: bool = False
    group_by: tuple[str, ...] = ("source", "event")
    leave_out: tuple[str, ...] | None = None
    articles: list[RawArticle] = field(default_factory=list)
    rejected: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)
