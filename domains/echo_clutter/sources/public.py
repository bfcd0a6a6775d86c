"""The authors' example clips, the ``public`` source, and the real cine inside pydicom.

M. Tabassian et al., github.com/MahdiTabassian/Deep-Clutter-Filtering, MIT: MPEG-4 videos of
512 × 256 pixels whose upper row is four panels of 128 × 128.  Synthetic clips, one of each of six
vendors: cluttered, the paper's 3-D filter, its 2-D filter, clean.  In-vivo clips of six subjects:
cluttered, 3-D, 2-D, another method's; their truth is unknown.  A letter is burnt into each panel:
its box is blacked and left out of the sector.  The codec is lossy: clean and filtered frames
differ by about 1.4 grey levels where there is no clutter at all.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domains.echo_clutter.params import FilesParams, PublicParams
from domains.echo_clutter.science.clips import Clip, Kind
from domains.echo_clutter.science.geometry import detect_sector, resize
from domains.echo_clutter.sources.collection import Collection
from domains.echo_clutter.sources.dicom import read_dicom
from domains.echo_clutter.sources.files import to_clip
from domains.echo_clutter.sources.video import read_video
from domains.errors import DataError
from domains.files import fetch

_ADDRESS = "https://raw.githubusercontent.com/MahdiTabassian/Deep-Clutter-Filtering"
# both commits are those that brought the files
_SYNTHETIC = (
    f"{_ADDRESS}/35df2908b2935573a4bcabc40ab37837db80a284/Filtering_results_videos/synthetic"
)
_IN_VIVO = f"{_ADDRESS}/e1faa1eb320a50a8ca22b3639bcc22e4971f015e/Filtering_results_videos/in-vivo"
MIRROR = "echo/video"
"""Folder below ``CONVOY_MIRROR`` with ``synthetic_<vendor>.mp4``, ``invivo_Subject<n>.mp4``."""

SHA256: dict[str, str | None] = {
    "GE": "3dc31e1505f8cd48fd928eda86546ab3e60426e923ae112300d21b624c5a6a0d",
    "Hitachi": "34ddad0d3aff53ac1d9b16c81a42708c2ebe3d100174d5bbffafaf9e639ab0fb",
    "Philips": "7c3d7a58d7671c4a275812996c4892b8cd47d69ab65aaf0f799b010136fbff9c",
    "Samsung": "864238025454c80d8d08116d5f4aa1160f29e6eaa2f4f95bb1d29a4a93344661",
    "Siemens": None,  # recorded at the first download
    "Toshiba": None,
}
NUM_IN_VIVO = 6

PANEL = 128
_PANELS = ("cluttered", "paper_3d", "paper_2d", "clean")
# (top, left, bottom, right) of the burnt-in letter
_LETTER: dict[str, tuple[int, int, int, int]] = {
    "published": (0, 26, 20, 50),
    "in_vivo": (0, 20, 24, 52),
}


def collect_public(settings: PublicParams, size: int) -> Collection:
    """The clips that ``settings`` names, by split.

    Raises:
        DataError: an unknown vendor or subject, a vendor in two lists, or a split left empty.
    """
    collection = Collection(
        title="published simulated clips of six vendors' look, with in-vivo clips",
        source="github.com/MahdiTabassian/Deep-Clutter-Filtering, arXiv:2401.13147",
        licence="MIT",
    )
    lists = {
        "train": settings.train_vendors,
        "validate": settings.validate_vendors,
        "test": settings.test_vendors,
    }
    _check(lists, settings.in_vivo_subjects)
    for split, vendors in lists.items():
        found = [_clip(vendor, size, collection) for vendor in vendors]
        collection.splits[split] = [clip for clip in found if clip is not None]
        if not collection.splits[split]:
            raise DataError(
                f"echo_clutter: none of the clips {vendors} of ingest.public.{split}_vendors is at "
                "hand; name vendors that CONVOY_MIRROR has, or unset it to download"
            )
    for subject in settings.in_vivo_subjects:
        clip = _clip(subject, size, collection)
        if clip is not None:
            collection.splits["in_vivo"].append(clip)
    collection.warnings.append(
        "the clips of different vendors may show the same five virtual hearts: a split by vendor "
        "is no proof against learning the anatomy"
    )
    return collection


def packaged_cine(size: int, files: FilesParams) -> Clip | None:
    """The real four-chamber cine inside the package pydicom (MIT); ``None`` where it is not."""
    import pydicom

    # not get_testdata_file: it downloads what it does not find
    path = Path(pydicom.__file__).parent / "data" / "test_files" / "examples_ybr_color.dcm"
    if not path.is_file():
        return None
    clip = to_clip(read_dicom(path), size, files.sector, are_clean=False)
    return replace(clip, name="pydicom_A4C", subject="pydicom example", view="A4C", kind="in_vivo")


def _check(lists: dict[str, list[str]], subjects: list[int]) -> None:
    """Refuse unknown and doubled names before anything is downloaded."""
    if wrong := [subject for subject in subjects if not 1 <= subject <= NUM_IN_VIVO]:
        raise DataError(
            f"echo_clutter: ingest.public.in_vivo_subjects: {wrong[0]}, expected 1 to {NUM_IN_VIVO}"
        )
    everywhere = [vendor for vendors in lists.values() for vendor in vendors]
    if unknown := sorted(set(everywhere) - set(SHA256)):
        raise DataError(
            f"echo_clutter: ingest.public: no vendor {unknown[0]}, expected some of "
            f"{', '.join(SHA256)}"
        )
    if twice := sorted({vendor for vendor in everywhere if everywhere.count(vendor) > 1}):
        raise DataError(
            f"echo_clutter: ingest.public: vendor {twice[0]} is named twice; each clip belongs to "
            "one split"
        )


def _clip(key: str | int, size: int, collection: Collection) -> Clip | None:
    """The clip of a vendor, or of an in-vivo subject by its number; counted where it is absent."""
    kind: Kind = "published" if isinstance(key, str) else "in_vivo"
    if isinstance(key, str):
        url, sha256, name = f"{_SYNTHETIC}/{key}.mp4", SHA256[key], f"synthetic_{key}"
    else:
        url, sha256, name = f"{_IN_VIVO}/Subject{key}.mp4", None, f"invivo_Subject{key}"
    mirror_path = f"{MIRROR}/{name}.mp4"
    if (mirror := os.environ.get("CONVOY_MIRROR")) and (
        (Path(mirror) / MIRROR).is_dir() and not (Path(mirror) / mirror_path).is_file()
    ):
        collection.reject(f"clip absent from {MIRROR} of CONVOY_MIRROR")
        return None
    path = fetch(url, sha256, "echo_clutter", mirror_path)
    cine = read_video(path)
    images = cut_panels(cine.frames, kind, str(path))
    shown = images["cluttered"] if kind == "in_vivo" else images["clean"]
    sector = detect_sector(shown)
    top, left, bottom, right = _LETTER[kind]
    sector[top:bottom, left:right] = False
    images, sector = _resized(images, sector, size)
    return Clip(
        name=name,
        sector=sector,
        frame_time_ms=cine.frame_time_ms,
        subject=f"in vivo {key}" if kind == "in_vivo" else "simulated by the authors",
        vendor=str(key) if kind == "published" else "unknown",
        view="apical",
        kind=kind,
        clutter='"by the authors"' if kind == "published" else "",
        **images,  # type: ignore[arg-type]
    )


def cut_panels(frames: NDArray[np.uint8], kind: Kind, where: str) -> dict[str, NDArray[np.uint8]]:
    """Panel name -> (T, 128, 128) of a video's ``frames`` (T, 256, 512), letters blacked.

    Raises:
        DataError: frames of another size.
    """
    if frames.shape[1:] != (2 * PANEL, 4 * PANEL):
        raise DataError(
            f"{where}: frames of {frames.shape[1:]}, expected {(2 * PANEL, 4 * PANEL)}: not one of "
            "the authors' clips"
        )
    top, left, bottom, right = _LETTER[kind]
    images = {}
    for number, name in enumerate(_PANELS[: 4 if kind == "published" else 3]):
        image = frames[:, :PANEL, number * PANEL : (number + 1) * PANEL].copy()
        image[:, top:bottom, left:right] = 0
        images[name] = image
    return images


def _resized(
    images: dict[str, NDArray[np.uint8]], sector: NDArray[np.bool_], size: int
) -> tuple[dict[str, NDArray[np.uint8]], NDArray[np.bool_]]:
    if size == PANEL:
        return images, sector
    shape = (size, size)
    small = {key: np.rint(resize(image, shape)).astype(np.uint8) for key, image in images.items()}
    return small, resize(sector, shape) > 0.5
