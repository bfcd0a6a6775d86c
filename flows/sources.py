"""A user's own files: have they changed since they were ingested?

DVC knows the name in ``source``, not what lies there: ``dvc.yaml`` cannot depend on a file whose
name is a parameter.  So each ingest of a file or folder leaves a note of the names, sizes and times
it found, and a run of the suite ingests anew where they differ.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from domains.files import write_text
from flows.settings import Places


def resolved(places: Places, source: str) -> str:
    """``sample``, ``public`` and addresses as they are; a path, from the checkout, absolute."""
    if source in ("sample", "public") or "://" in source:
        return source
    return str((places.root / Path(source).expanduser()).resolve())


@contextmanager
def note_listing(places: Places, domain: str, source: str) -> Iterator[None]:
    """Keep what lay at ``source`` before the block, when the block ends well."""
    found = _listing(source)
    yield
    if found:
        write_text(_note(places, domain, source), found + "\n")


def has_changed(places: Places, domain: str, source: str) -> bool:
    """Whether other files lie at ``source`` than when they were last ingested here."""
    source = resolved(places, source)
    note, found = _note(places, domain, source), _listing(source)
    return bool(found) and note.is_file() and note.read_text().strip() != found


def _note(places: Places, domain: str, source: str) -> Path:
    return places.state / "sources" / domain / hashlib.sha256(source.encode()).hexdigest()[:16]


def _listing(source: str) -> str:
    """Hash of names, sizes and times of the files at ``source``; empty where there are none."""
    path = Path(source)
    if not path.is_absolute() or not path.exists():
        return ""
    files = [path]
    if path.is_dir():
        files = [Path(folder) / name for folder, _, names in os.walk(path) for name in names]
    digest = hashlib.sha256()
    for file in sorted(files):
        if file.is_file():  # no broken link
            facts = file.stat()
            digest.update(
                f"{file}\0{facts.st_size}\0{facts.st_mtime_ns}\n".encode("utf-8", "surrogateescape")
            )
    return digest.hexdigest()
