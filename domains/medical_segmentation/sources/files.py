"""Folders of cases, the user's own or public, as a collection."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from domains.errors import DataError
from domains.files import fetch, hash_file
from domains.medical_segmentation.params import IngestParams
from domains.medical_segmentation.sources.archives import DOMAIN, cache_folder, unpack
from domains.medical_segmentation.sources.collection import Collection
from domains.medical_segmentation.sources.layouts import Layout, find_layout
from domains.medical_segmentation.sources.volumes import read_case


def collect_public(settings: IngestParams) -> Collection:
    """MSD Task04 Hippocampus."""
    from domains.medical_segmentation.sources.hippocampus import ADDRESS, hippocampus_layout

    layout = hippocampus_layout()
    collection = Collection(
        title="MSD Task04 Hippocampus: real T1 MR with anterior and posterior part by hand",
        source=f"{ADDRESS} (arXiv:1902.09063)",
        licence="CC BY-SA 4.0, A. L. Simpson et al.; Vanderbilt University Medical Center",
        name="MSD Task04 Hippocampus",
        kind="real",
        channels=layout.channels,
        labels=layout.labels,
    )
    return _filled(collection, layout, settings)


def collect_files(source: str, settings: IngestParams) -> Collection:
    """The cases of a folder, or of a .tar, .tar.gz or .zip at an address.

    Raises:
        DataError: nothing there, or no layout that is known.
    """
    folder = _download(source) if source.startswith(("http://", "https://")) else Path(source)
    if not folder.is_dir():
        raise DataError(
            f"{source}: no such folder, expected sample, public, or a folder of cases (MSD, "
            "nnU-Net, BraTS, images/ and labels/); BraTS must be asked for at "
            "synapse.org/brats by its users themselves"
        )
    layout = find_layout(folder)
    collection = Collection(
        title="volumes of the user",
        source=source,
        licence="as the owner of the files says",
        name=layout.kind,
        kind="real",
        channels=layout.channels,
        labels=settings.labels or layout.labels,
        regions=layout.regions,
        paint=layout.paint,
    )
    return _filled(collection, layout, settings)


def _filled(collection: Collection, layout: Layout, settings: IngestParams) -> Collection:
    for name, files in sorted(layout.cases.items()):
        collection.readers[name] = partial(
            read_case,
            name,
            files.images,
            files.label,
            settings.tolerance_mm,
            settings.allow_missing_affine,
            collection.note,
        )
    collection.rejected |= layout.rejected
    return collection


def _download(address: str) -> Path:
    """Folder of the unpacked archive at ``address``: the only folder in it, if it has but one."""
    archive = fetch(address, None, DOMAIN)
    # named by content: another archive of the same name is another folder
    folder = cache_folder() / f"{archive.name}-{hash_file(archive)[:16]}"
    if not folder.is_dir():
        unpack(archive, folder)
    children = list(folder.iterdir())
    return children[0] if len(children) == 1 and children[0].is_dir() else folder
