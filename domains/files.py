"""Files written whole or not at all, hashed, and fetched once."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from domains.errors import DataError


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A scratch path that becomes ``path`` when the block ends well and vanishes when it fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield scratch
        os.replace(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` so that ``path`` holds the old content or the new, never half of it."""
    with whole_file(path) as scratch:
        scratch.write_text(text)


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=2) + "\n")


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """A scratch folder that becomes ``out`` when the block ends well and vanishes when it fails.

    A process killed inside the block leaves the hidden scratch; the next one clears it.  Callers
    hold a lock: one writer at a time.
    """
    out = Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    scratch, old = (out.with_name(f".{out.name}.{what}") for what in ("part", "old"))
    for left in (scratch, old):
        shutil.rmtree(left, ignore_errors=True)
    scratch.mkdir()
    try:
        yield scratch
        if out.exists():
            os.replace(out, old)  # readers miss it for a moment, not while it is deleted
        os.replace(scratch, out)
    finally:
        for left in (scratch, old):
            shutil.rmtree(left, ignore_errors=True)


def hash_file(path: Path) -> str:
    """SHA-256 of one file, in hexadecimal."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def hash_folder(folder: Path) -> str:
    """SHA-256 over names and contents of all files in ``folder`` but ``card.json``."""
    digest = hashlib.sha256()
    for path in sorted(Path(folder).rglob("*")):
        if path.is_file() and path.name != "card.json":
            digest.update(f"{path.relative_to(folder)}\0{hash_file(path)}\n".encode())
    return digest.hexdigest()


def check_file(path: Path, sha256: str, domain: str) -> None:
    """Refuse the file at ``path`` if its SHA-256 is not ``sha256``.

    Raises:
        DataError: names the file and both sums.
    """
    if (found := hash_file(path)) != sha256:
        raise DataError(
            f"{domain}: {path}: SHA-256 is {found}, expected {sha256}: the file is damaged, cut "
            "short or another one; copy or download it again"
        )


def fetch(url: str, sha256: str | None, domain: str, mirror_path: str | None = None) -> Path:
    """Path of the file at ``url``, downloaded once and checked.

    ``CONVOY_MIRROR`` names a folder that is looked in before the network, at
    ``<mirror>/<mirror_path>`` (default: the last part of the address).  Downloads are kept in
    ``CONVOY_CACHE`` (default ``~/.cache/convoy``) under the domain's name, those without a known
    hash in a folder for each address.  A file from either is checked against ``sha256``.

    Args:
        url: official address.
        sha256: of the file there; ``None`` records it at the first download and holds to it (a
            file in ``CONVOY_MIRROR`` is then taken as it is).
        domain: folder of the cache to keep it in.
        mirror_path: place of the file below ``CONVOY_MIRROR``.

    Raises:
        DataError: not reachable, or the content is not what was expected.
    """
    name = Path(urlparse(url).path).name
    mirror = os.environ.get("CONVOY_MIRROR")
    if mirror and (found := Path(mirror) / (mirror_path or name)).is_file():
        if sha256 is not None:
            check_file(found, sha256, domain)
        return found
    cache = Path(os.environ.get("CONVOY_CACHE", Path.home() / ".cache" / "convoy")) / domain
    if sha256 is None:  # nothing else tells two files of one name apart
        cache /= hashlib.sha256(url.encode()).hexdigest()[:12]
    recorded = cache / f"{name}.sha256"
    if sha256 is None and recorded.is_file():
        sha256 = recorded.read_text().strip()
    import pooch

    try:
        path = Path(pooch.retrieve(url, known_hash=sha256, fname=name, path=cache))
    except Exception as error:
        where = f" or put it at {Path(mirror) / (mirror_path or name)}" if mirror else ""
        raise DataError(
            f"{domain}: could not fetch {url} ({type(error).__name__}: {error}); download it by "
            f"hand to {cache / name}{where}, or name a folder that has it in CONVOY_MIRROR"
        ) from error
    if sha256 is None:
        write_text(recorded, hash_file(path) + "\n")
    return path
