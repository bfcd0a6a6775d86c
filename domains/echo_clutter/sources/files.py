"""The user's own cines: found, read by what they are, cut to the network's size."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from domains.echo_clutter.params import FilesParams
from domains.echo_clutter.science.clips import Clip
from domains.echo_clutter.science.geometry import Window
from domains.echo_clutter.sources.cine import MIN_FRAMES, Cine
from domains.echo_clutter.sources.collection import Collection
from domains.echo_clutter.sources.dicom import is_dicom, read_dicom
from domains.echo_clutter.sources.npz import read_npz
from domains.echo_clutter.sources.splits import check_patients, split_clips
from domains.echo_clutter.sources.video import SUFFIXES, read_video
from domains.errors import DataError
from domains.files import fetch

_DICOM = (".dcm", ".dicom", ".ima")
_IMPORTANT = (*_DICOM, ".npz", *SUFFIXES)


def find_files(source: str) -> list[Path]:
    """Cines at a path or URL: one file, or those of a folder and the folders in it, by name.

    Raises:
        DataError: nothing there.
    """
    if "://" in source:
        return [fetch(source, None, "echo_clutter")]
    path = Path(source).expanduser()
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise DataError(f"echo_clutter: {path}: no such file or folder")
    found = [p for p in sorted(path.rglob("*")) if p.is_file() and _is_cine(p)]
    if not found:
        raise DataError(
            f"echo_clutter: {path}: no cine in the folder, expected DICOM (with or without .dcm), "
            f"{', '.join(('.npz', *SUFFIXES))}"
        )
    return found


def _is_cine(path: Path) -> bool:
    if path.suffix.lower() in _IMPORTANT:
        return True
    return path.suffix == "" and not path.name.startswith(".") and is_dicom(path)


def read_cine(path: Path, settings: FilesParams) -> Cine:
    """The cine in one file, by its content (DICOM) or its ending.

    Raises:
        DataError: unreadable, or of no known kind.
    """
    suffix = path.suffix.lower()
    if path.stat().st_size == 0:
        raise DataError(f"{path}: the file is empty")
    reader: Callable[[Path], Cine]
    if suffix in _DICOM or is_dicom(path):
        reader = read_dicom
    elif suffix == ".npz":
        reader = read_npz
    elif suffix in SUFFIXES:
        reader = read_video
    else:
        raise DataError(
            f"{path}: of no known kind, expected DICOM, {', '.join(('.npz', *SUFFIXES))}"
        )
    cine = reader(path)
    if settings.frame_time_ms is not None:
        cine.frame_time_ms = settings.frame_time_ms
        cine.warnings = [line for line in cine.warnings if "no FrameTime" not in line]
    return cine


def to_clip(cine: Cine, size: int, sector_mode: str, are_clean: bool) -> Clip:
    """``cine`` cut to the square around its sector and resized to ``size`` pixels.

    Args:
        cine: as it came from the file.
        size: depth and width of the clip.
        sector_mode: ``ingest.files.sector``.
        are_clean: frames without a truth beside them are the truth.
    """
    sector = cine.find_sector(sector_mode)
    window = Window.around(sector, size)
    small = window.cut(sector.astype(np.float32)) > 0.5
    images = {"cluttered": cine.frames, "clean": cine.clean}
    if cine.clean is None and are_clean and not cine.is_cluttered:
        images = {"cluttered": None, "clean": cine.frames}
    elif cine.clean is cine.frames:  # an archive of clean frames alone
        images["cluttered"] = None
    cut = {
        key: np.rint(np.clip(window.cut(frames) * small, 0, 255)).astype(np.uint8)
        for key, frames in images.items()
        if frames is not None
    }
    return Clip(
        name=_plain(cine.name),
        sector=small,
        frame_time_ms=cine.frame_time_ms,
        pixel_mm=cine.pixel_mm * window.side / size,
        vendor=cine.vendor,
        subject=Path(cine.name).stem,
        kind="user",
        clean=cut.get("clean"),
        cluttered=cut.get("cluttered"),
    )


def collect_files(source: str, settings: FilesParams, size: int) -> Collection:
    """Clips of the user's files by split; those without truth are ``in_vivo``.

    Raises:
        DataError: an unreadable file, none usable, or a name in two lists.
    """
    collection = Collection(
        title="cines of the user, clutter added where they are taken for clean",
        source="files of the user",  # not where they lie: folders are named after patients too
        licence="the user's",
    )
    clips: list[Clip] = []
    patients: dict[str, str] = {}
    files: dict[str, str] = {}
    for path in find_files(source):
        cine = read_cine(path, settings)
        collection.warnings += cine.warnings
        if len(cine.frames) < MIN_FRAMES:
            collection.reject(f"fewer than {MIN_FRAMES} frames")
            continue
        clips.append(to_clip(cine, size, settings.sector, settings.are_clean))
        name = clips[-1].name
        if name in files:
            raise DataError(
                f"echo_clutter: {source}: two files are named {name} or hold the same DICOM "
                "frames; rename one or leave one out"
            )
        patients[name], files[name] = patient_of(cine), _plain(path.name)
    known = [clip for clip in clips if clip.clean is not None]
    collection.splits["in_vivo"] = [clip for clip in clips if clip.clean is None]
    if known:
        collection.warnings.append(
            f"{len(known)} clips are taken for free of clutter; where they are not, the filter "
            "learns to leave clutter in"
        )
        collection.splits |= split_clips(known, files, settings, collection)
        check_patients(collection.splits, patients)
    return collection


def _plain(name: str) -> str:
    """A file's name without its ending and without signs that a path cannot have."""
    return re.sub(r"[^A-Za-z0-9-]+", "_", Path(name).stem)


def patient_of(cine: Cine) -> str:
    """Whose heart it is, to keep one patient in one split; never written anywhere."""
    known = cine.header.get("PatientID") if cine.header is not None else None
    return str(known) if known else cine.name
