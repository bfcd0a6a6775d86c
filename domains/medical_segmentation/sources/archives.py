"""Archives of cases, unpacked once into the cache."""

from __future__ import annotations

import os
import shutil
import tarfile
import zipfile
from pathlib import Path

from domains.errors import DataError
from domains.files import whole_folder

DOMAIN = "medical_segmentation"


def cache_folder() -> Path:
    """Where downloads of this domain are kept: ``CONVOY_CACHE``, else ``~/.cache/convoy``."""
    return Path(os.environ.get("CONVOY_CACHE", Path.home() / ".cache" / "convoy")) / DOMAIN


def forget_sum(archive: Path) -> None:
    """Drop the sum that was recorded of a damaged download: the next is not to be held to it."""
    if archive.parent.resolve().is_relative_to(cache_folder().resolve()):  # a mirror's stays
        archive.with_name(f"{archive.name}.sha256").unlink(missing_ok=True)


def _extract(content: tarfile.TarFile, folder: Path) -> None:
    """Files and folders alone, inside ``folder``: the first Pythons 3.11 have no safe filter."""
    for member in content:
        target = (folder / member.name).resolve()
        stream = content.extractfile(member) if member.isreg() else None
        if not target.is_relative_to(folder.resolve()) or (stream is None and not member.isdir()):
            raise tarfile.TarError(f"{member.name} is a link, or lies outside")
        if stream is not None:
            target.parent.mkdir(parents=True, exist_ok=True)
            with stream, open(target, "wb") as copy:
                shutil.copyfileobj(stream, copy)


def unpack(archive: Path, folder: Path) -> Path:
    """``folder`` with the content of ``archive``, whole or not at all.

    Raises:
        DataError: it is no .tar, .tar.gz or .zip, or is cut short.
    """
    try:
        with whole_folder(folder) as scratch:
            if zipfile.is_zipfile(archive):
                with zipfile.ZipFile(archive) as packed:
                    packed.extractall(scratch)
            else:
                with tarfile.open(archive) as content:
                    _extract(content, scratch)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        forget_sum(archive)
        raise DataError(
            f"{archive}: cannot be unpacked ({type(error).__name__}), expected a whole .tar, "
            ".tar.gz or .zip; remove it and run again"
        ) from error
    return folder
