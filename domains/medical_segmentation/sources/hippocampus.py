"""Medical Segmentation Decathlon, Task04 Hippocampus: the ``public`` source.

A. L. Simpson et al., "A large annotated medical image dataset for the development and evaluation of
segmentation algorithms", 2019, arXiv:1902.09063; licence CC BY-SA 4.0.  260 T1-weighted MR crops
around one hippocampus (Vanderbilt University Medical Center), 1 mm, with anterior part (head) and
posterior part (body and tail) outlined by hand.  The Decathlon names no subjects: each case counts
as one.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from domains.errors import DataError
from domains.files import fetch
from domains.medical_segmentation.sources.archives import (
    DOMAIN,
    cache_folder,
    forget_sum,
    unpack,
)
from domains.medical_segmentation.sources.layouts import Layout, find_layout

ADDRESS = "https://msd-for-monai.s3-us-west-2.amazonaws.com/Task04_Hippocampus.tar"

MD5 = "9d24dba78a72977dbd1d2e110310f31b"
"""Of the archive, as MONAI 1.6 (``monai.apps.DecathlonDataset``) has it."""

MIRROR = "medical/hippocampus"
"""Folder of ``images`` and ``labels`` below ``CONVOY_MIRROR``; the archive may lie beside it."""

LABELS = {"anterior": 1, "posterior": 2}

NUM_CASES = 260


def hippocampus_layout() -> Layout:
    """The cases: those in the mirror, else all from the archive, unpacked once.

    Raises:
        DataError: the archive cannot be fetched or is another one.
    """
    mirror = os.environ.get("CONVOY_MIRROR")
    if mirror and (Path(mirror) / MIRROR / "images").is_dir():
        layout = find_layout(Path(mirror) / MIRROR)
    else:
        layout = find_layout(_unpacked() / "Task04_Hippocampus")
    layout.channels, layout.labels = ["T1 MR"], dict(LABELS)
    if absent := NUM_CASES - len(layout.cases):
        layout.rejected[f"case of {NUM_CASES} that is not in {MIRROR} of CONVOY_MIRROR"] = absent
    return layout


def _unpacked() -> Path:
    """Folder of the unpacked archive, in the cache."""
    folder = cache_folder() / "Task04_Hippocampus"
    if folder.is_dir():
        return folder
    archive = fetch(ADDRESS, None, DOMAIN, "medical/Task04_Hippocampus.tar")
    with open(archive, "rb") as stream:
        found = hashlib.file_digest(stream, "md5").hexdigest()
    if found != MD5:
        forget_sum(archive)
        raise DataError(
            f"{archive}: MD5 is {found}, expected {MD5}: the file is cut short or another one; "
            "remove it and run again"
        )
    return unpack(archive, folder)
