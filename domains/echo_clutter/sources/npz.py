"""Cines as NumPy archives: arrays ``frames`` or ``cluttered`` and ``clean``, without pickles."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domains.echo_clutter.sources.cine import Cine
from domains.errors import DataError


def read_npz(path: Path) -> Cine:
    """The cine in one archive: ``frames`` or ``cluttered`` and, if known, ``clean`` (T, H, W).

    Also read: ``sector`` (H, W), ``frame_time_ms`` and ``pixel_mm`` (one number each), and
    ``axes``, ``THW`` or ``HWT``, the order of the axes where their lengths leave it open.

    Raises:
        DataError: damaged, pickled, or arrays of another kind.
    """
    try:
        # opened here: numpy leaves damaged files open
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path}: not a readable archive ({str(error).splitlines()[0]}); save plain arrays "
            "with numpy.savez"
        ) from error
    given = next((key for key in ("frames", "cluttered", "clean") if key in arrays), None)
    if given is None:
        raise DataError(
            f"{path}: arrays {sorted(arrays)}, expected frames (time, depth, width), or cluttered "
            "and clean"
        )
    frames = _time_first(_grey(arrays[given], path, given), arrays, path, given)
    clean = frames if given == "clean" else None
    if "clean" in arrays and given != "clean":
        clean = _time_first(_grey(arrays["clean"], path, "clean"), arrays, path, "clean")
    if clean is not None and clean.shape != frames.shape:
        raise DataError(f"{path}: {given} {frames.shape} and clean {clean.shape} differ in shape")
    sector = arrays.get("sector")
    if sector is not None and sector.shape != frames.shape[1:]:
        raise DataError(f"{path}: sector {sector.shape}, expected {frames.shape[1:]}")
    return Cine(
        name=path.name,
        frames=frames,
        file=str(path),
        frame_time_ms=_number(arrays, "frame_time_ms"),
        pixel_mm=_number(arrays, "pixel_mm"),
        clean=clean,
        sector=None if sector is None else sector.astype(bool),
        is_cluttered=given == "cluttered",
    )


def _grey(values: NDArray, path: Path, key: str) -> NDArray[np.uint8]:
    if values.ndim != 3 or values.dtype.kind not in "uif" or not values.size:
        raise DataError(
            f"{path}: {key} is {values.dtype} of shape {values.shape}, expected grey levels "
            "(time, depth, width)"
        )
    if not np.isfinite(values).all():
        count = int((~np.isfinite(values)).sum())
        raise DataError(f"{path}: {key} has {count} pixels without a number, expected 0 to 255")
    if values.min() < 0 or values.max() > 255 or (values.dtype.kind == "f" and values.max() <= 1):
        raise DataError(
            f"{path}: {key} goes from {values.min():g} to {values.max():g}, expected display grey "
            "levels 0 to 255; scale it"
        )
    return np.rint(values).astype(np.uint8)


def _time_first(
    frames: NDArray[np.uint8], arrays: dict[str, NDArray], path: Path, key: str
) -> NDArray[np.uint8]:
    """``frames`` as (T, H, W): as ``axes`` says, else only if their shape can be no other."""
    if "axes" in arrays:
        axes = str(np.ravel(arrays["axes"])[0])
        if axes not in ("THW", "HWT"):
            raise DataError(f"{path}: axes is {axes!r}, expected 'THW' or 'HWT'")
        return frames if axes == "THW" else np.ascontiguousarray(np.moveaxis(frames, -1, 0))
    first, second, last = frames.shape
    is_square = second == last  # of the images, if time is first
    if not is_square and (
        first == second or first > max(second, last) or last < min(first, second)
    ):
        raise DataError(
            f"{path}: {key} of shape {frames.shape} may have time last, expected (time, depth, "
            "width); add axes='THW' to the archive if time is first, axes='HWT' if it is last"
        )
    return frames


def _number(arrays: dict[str, NDArray], key: str) -> float:
    return float(np.ravel(arrays[key])[0]) if key in arrays else math.nan


def write_npz(path: Path, frames: NDArray[np.uint8], frame_time_ms: float, pixel_mm: float) -> None:
    """Write ``frames`` (T, H, W) with the two numbers; the same input gives the same bytes."""
    with open(path, "wb") as stream:
        np.savez_compressed(
            stream, frames=frames, axes="THW", frame_time_ms=frame_time_ms, pixel_mm=pixel_mm
        )
