"""Archives of cases, unpacked once into the cache."""

from __future__ import annotations

import os
import tarfile
import zipfile
from pathlib import Path

from domains.errors import DataError
from domains.files import whole_folder

DOMAIN = "medical_segmentation"


def cache_folder() -> Path:
    """Where downloads of this domain are kept: ``CONVOY_CACHE``, else ``~/.cache/convoy``."""
    return Path(os.environ.get("CONVOY_CACHE", Path.home() / ".cache" / "convoy")) / DOMAIN


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
                    content.extractall(scratch, filter="data")
    except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise DataError(
            f"{archive}: cannot be unpacked ({type(error).__name__}), expected a whole .tar, "
            ".tar.gz or .zip; remove it and run again"
        ) from error
    return folder
