"""Folders and ZIP archives read the same way."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from domains.errors import DataError

MAX_UNPACKED = 4_000_000_000
"""Bytes; an archive that says it unpacks to more is refused."""


def open_tree(path: Path) -> Any:
    """``path`` itself for a folder, a ``zipfile.Path`` for a ZIP archive.

    Raises:
        DataError: neither, or an archive that is damaged or unpacks to too much.
    """
    if path.is_dir():
        return path
    if not zipfile.is_zipfile(path):
        raise DataError(f"{path}: expected a folder or a ZIP archive; unpack or download it again")
    archive = zipfile.ZipFile(path)
    size = sum(member.file_size for member in archive.infolist())
    if size > MAX_UNPACKED:
        raise DataError(f"{path}: unpacks to {size / 1e9:.0f} GB, expected a few MB; refused")
    return zipfile.Path(archive)


def walk(tree: Any) -> Iterator[Any]:
    """All files below ``tree``, folders and files by name; names that begin with a dot aside."""
    for item in sorted(tree.iterdir(), key=lambda entry: entry.name):
        if item.name.startswith((".", "__MACOSX")):
            continue
        if item.is_dir():
            yield from walk(item)
        else:
            yield item
