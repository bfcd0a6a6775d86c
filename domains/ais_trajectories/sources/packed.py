"""Files as plain bytes, whether gzip, a zip archive of one file, or neither; in blocks of lines."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from domains.errors import DataError

BLOCK_BYTES = 4 << 20
_MAX_LINE_BYTES = 1 << 20


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of ``path``, unpacked while they are read.

    Raises:
        DataError: the packing is damaged, or a zip archive holds more than one file.
    """
    suffix = path.suffix.lower()
    try:
        if suffix == ".gz":
            with gzip.open(path) as stream:
                yield stream  # type: ignore[misc]
        elif suffix == ".zip":
            with zipfile.ZipFile(path) as archive, archive.open(_only(archive, path)) as inside:
                yield inside
        else:
            with open(path, "rb") as plain:
                yield plain
    except (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(
            f"ais_trajectories: {path}: {error}: the file is damaged or cut short; copy or "
            "download it again"
        ) from error


def _only(archive: zipfile.ZipFile, path: Path) -> str:
    names = [name for name in archive.namelist() if not name.endswith("/")]
    if len(names) != 1:
        raise DataError(
            f"ais_trajectories: {path}: holds {len(names)} files, expected one; unpack it and "
            "name the folder as source"
        )
    return names[0]


def line_blocks(path: Path, block_bytes: int = BLOCK_BYTES) -> Iterator[bytes]:
    """The bytes of ``path`` in blocks of whole lines, each ending in a newline.

    Raises:
        DataError: a line without end: not a text.
    """
    with open_bytes(path) as stream:
        rest = b""
        while chunk := stream.read(block_bytes):
            head, newline, tail = chunk.rpartition(b"\n")
            if newline:
                yield rest + head + newline
                rest = tail
            else:
                rest += tail
            if len(rest) > max(_MAX_LINE_BYTES, block_bytes):
                raise DataError(
                    f"ais_trajectories: {path}: no line ends within {len(rest)} bytes, expected "
                    "text; set ingest.files.format to what the file is"
                )
        if rest:
            yield rest + b"\n"
