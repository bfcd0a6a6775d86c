"""A trained filter and the user's cine to the same cine without clutter: DICOM, video or NPZ.

Legend: T frames, H rows, W columns of the file's own grid; S rows and columns of the network's.

The network sees the square around the sector at its own size.  What it takes away there is brought
to the file's grid and subtracted from the file's own frames, so their resolution is kept, and so
are size, frame number and frame time.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from domains.echo_clutter.params import FilesParams, PredictParams
from domains.echo_clutter.science.geometry import Window
from domains.echo_clutter.sources.cine import MIN_FRAMES, Cine
from domains.echo_clutter.sources.dicom_writer import write_dicom
from domains.echo_clutter.sources.files import find_files, read_cine
from domains.echo_clutter.sources.npz import write_npz
from domains.echo_clutter.sources.video import WRITABLE, write_video
from domains.errors import DataError
from domains.files import whole_file

_log = logging.getLogger(__name__)

OUTPUTS = (".dcm", *WRITABLE, ".npz")


class Filter(Protocol):
    """What a trained task of this domain can do."""

    def filter(self, clip: NDArray, sector: NDArray | None = None) -> NDArray[np.float32]:
        """The clip (T, H, W) without clutter, grey levels 0 to 255, unchanged off the sector."""


def predict(
    task: Filter, input: Path | str, output: Path | str, **params: Mapping[str, Any]
) -> None:
    """Write the cine ``input`` without clutter to ``output``.

    Args:
        task: a trained task.
        input: DICOM, video or NPZ file, or a folder of them.
        output: ends in .dcm, .mp4 (lossy), .avi (lossless) or .npz; it appears whole or not at
            all.  For a folder, the folder that gets a .dcm of the same name for each file, in the
            same sub-folder.
        **params: the domain's block; ``ingest.size``, ``ingest.files`` and ``evaluate.predict``
            are read.

    Raises:
        DataError: the input cannot be used, or the output has another ending.
    """
    files = FilesParams.model_validate(params["ingest"]["files"])
    wanted = PredictParams.model_validate(params["evaluate"]["predict"])
    for source, place in _places(Path(input), Path(output)):
        _check_side_by_side(place, wanted)
        cine = read_cine(source, files)
        if place.suffix.lower() in WRITABLE and not cine.frame_time_ms > 0:
            raise DataError(
                f"{source}: the time between frames is unknown, expected one for a video; set "
                "ingest.files.frame_time_ms"
            )
        if len(cine.frames) < MIN_FRAMES:
            cine.warnings.append(
                f"{cine.name}: {len(cine.frames)} frames: clutter that stands still cannot be told "
                "from tissue by its motion"
            )
        sector = cine.find_sector(files.sector)
        doubt = cine.why_text_may_stay(sector, files.sector)
        if wanted.deidentify and doubt:
            cine.warnings.append(
                f"{cine.name}: {doubt}: text that is burnt into the frames may stay, look before "
                "you share"
            )
        _warn(cine.warnings)
        if wanted.deidentify and files.sector == "auto":
            cine.check_blackable(sector)
        filtered = filter_cine(task, cine, sector, int(params["ingest"]["size"]))
        before = cine.frames
        if wanted.deidentify:
            before, filtered = before * sector, filtered * sector
        with whole_file(place) as scratch:
            if place.suffix.lower() == ".dcm":
                write_dicom(
                    scratch,
                    filtered,
                    cine,
                    deidentify=wanted.deidentify,
                    is_blacked=wanted.deidentify and files.sector == "auto",
                    is_established=doubt is None,
                )
            else:
                shown = (before, filtered) if wanted.side_by_side else (filtered,)
                _write(scratch, place.suffix.lower(), shown, cine)


def filter_cine(
    task: Filter, cine: Cine, sector: NDArray[np.bool_], size: int
) -> NDArray[np.uint8]:
    """The frames (T, H, W) of ``cine`` without clutter; off the sector they are as they were.

    Args:
        task: a trained task.
        cine: as read.
        sector: (H, W) true inside the image.
        size: S, depth and width that the network was trained at.
    """
    window = Window.around(sector, size)
    small_sector = window.cut(sector) > 0.5
    small = np.clip(window.cut(cine.frames * sector), 0, 255)  # (T, S, S)
    change = task.filter(small, small_sector) - small
    frames = cine.frames.astype(np.float32)
    frames += window.put_back(change, frames.shape[1:]) * sector  # (T, H, W)
    return np.rint(np.clip(frames, 0, 255)).astype(np.uint8)


def infer(task: Filter, arrays: Mapping[str, NDArray]) -> dict[str, NDArray[np.float32]]:
    """``filtered`` (T, H, W), grey levels 0 to 255, for one clip at the network's size.

    Args:
        task: a trained task.
        arrays: ``cluttered`` (T, H, W), grey levels 0 to 255; ``sector`` (H, W), not zero inside
            the image, may be left out.

    Raises:
        DataError: an array is missing, of another shape, or not of grey levels.
    """
    if "cluttered" not in arrays:
        raise DataError("echo_clutter: cluttered is missing, expected grey levels (T, H, W)")
    frames = np.asarray(arrays["cluttered"], dtype=np.float32)
    sector = np.asarray(arrays["sector"]) != 0 if "sector" in arrays else None
    if sector is not None and sector.shape != frames.shape[1:]:
        raise DataError(
            f"echo_clutter: sector {sector.shape} and frames {frames.shape}, expected (H, W) and "
            "(T, H, W)"
        )
    return {"filtered": task.filter(frames, sector)}


def example_input(_: Any) -> dict[str, NDArray]:
    """Ten simulated frames of 64 × 64 pixels with near-field clutter, as ``infer`` takes them."""
    from domains.echo_clutter.science.clutter import draw_clutter
    from domains.echo_clutter.sources.simulator import simulate_clip

    clip = simulate_clip(1, "normal", "A", frames=10, size=64, seed=0)
    assert clip.clean is not None
    drawn = draw_clutter(0, clip.sector, len(clip), {"near_field": 1.0})
    return {
        "cluttered": drawn.add(clip.clean, clip.sector),
        "sector": clip.sector.astype(np.uint8),
    }


def _places(input: Path, output: Path) -> list[tuple[Path, Path]]:
    """Each file to read and the file to write for it."""
    is_file = output.suffix.lower() in OUTPUTS
    if input.is_dir():
        if is_file or output.is_file():
            raise DataError(f"{output}: the input is a folder, expected a folder to write to")
        places = [
            (path, output / path.relative_to(input).with_suffix(".dcm"))
            for path in find_files(str(input))
        ]
        if len({place for _, place in places}) < len(places):
            raise DataError(f"{input}: two files differ in their ending alone; rename one")
    elif not is_file:
        raise DataError(f"{output}: cannot write this kind of file, expected {', '.join(OUTPUTS)}")
    else:
        places = [(path, output) for path in find_files(str(input))]
    for source, place in places:
        if source.resolve() == place.resolve():
            raise DataError(f"{place}: is the input itself; write the answer to another place")
    return places


def _check_side_by_side(place: Path, wanted: PredictParams) -> None:
    """Refuse what ``evaluate.predict.side_by_side`` cannot be done for."""
    if wanted.side_by_side and place.suffix.lower() not in WRITABLE:
        raise DataError(
            f"{place}: cannot hold two clips beside each other, expected {' or '.join(WRITABLE)}; "
            "name a video, or set evaluate.predict.side_by_side: false"
        )


def _write(path: Path, suffix: str, shown: Sequence[NDArray[np.uint8]], cine: Cine) -> None:
    """A video of one or more clips beside each other, or an archive of the last of them."""
    if suffix == ".npz":
        write_npz(path, shown[-1], cine.frame_time_ms, cine.pixel_mm)
    else:
        write_video(path, np.concatenate(shown, axis=2), cine.frame_time_ms, suffix)


def _warn(sentences: Sequence[str]) -> None:
    for sentence in sentences:
        _log.warning("warning: echo_clutter: %s", sentence)
