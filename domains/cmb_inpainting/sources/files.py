"""The user's own FITS files: masks, and complete skies to score on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from domains.cmb_inpainting.params import IngestParams
from domains.cmb_inpainting.sources.collection import Collection
from domains.cmb_inpainting.sources.fits_maps import (
    SUFFIXES,
    SkyMap,
    check_coordinates,
    is_fits,
    read_map,
    read_mask,
)
from domains.errors import DataError
from domains.files import fetch


def collect_files(source: str, settings: IngestParams) -> Collection:
    """The masks and skies of a file, a folder of files, or an address.

    A file whose values are all 0 or 1 is a mask, everything else a sky.

    Raises:
        DataError: nothing there, a file that is neither, another nside than ``ingest.nside``,
            coordinates that are not Galactic, or two files of one name.
    """
    collection = Collection(
        title="simulated CMB skies behind masks of the user",
        source=source,
        licence="as the owner of the files says",
    )
    for path in _find(source):
        sky = read_map(path)
        if sky.nside != settings.nside:
            raise DataError(
                f"{path}: nside = {sky.nside}, expected ingest.nside = {settings.nside}; set "
                f"ingest.nside: {sky.nside}, or change the file with healpy.ud_grade"
            )
        check_coordinates(sky, "G", "all skies and masks here")
        ending = next((end for end in SUFFIXES if path.name.lower().endswith(end)), "")
        name = path.name[: len(path.name) - len(ending)]
        if name in collection.masks or name in collection.real:
            raise DataError(
                f"{path}: a second file called {name}, expected one; rename or remove it"
            )
        if is_mask(sky):
            sky, collection.masks[name] = read_mask(path)
        else:
            collection.real[name] = sky.microkelvin(settings.unit)[0]
        collection.warnings += sky.warnings
    if not collection.masks:
        collection.title = "simulated CMB skies behind a simulated Galaxy; real skies of the user"
    return collection


def is_mask(sky: SkyMap) -> bool:
    """Whether all values are 0 or 1 (or missing)."""
    known = sky.values[np.isfinite(sky.values)]
    return bool(known.size) and bool(np.isin(known, (0.0, 1.0)).all())


def _find(source: str) -> list[Path]:
    if "://" in source:
        return [fetch(source, None, "cmb_inpainting")]
    path = Path(source)
    if path.is_dir():
        found = sorted(file for file in path.iterdir() if is_fits(file))
        if not found:
            raise DataError(f"{source}: no file ending in {', '.join(SUFFIXES)}")
        return found
    if not path.exists():
        raise DataError(f"{source}: no such file or folder, expected FITS files, sample or public")
    return [path]
