"""Fields into the store in pieces, and what is wrong with them: missing cells, wrong units.

Legend: T times, C channels, H latitudes, W longitudes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from domains.errors import DataError
from domains.weather.science.channels import check_mean
from domains.weather.science.dataset import (
    GAP,
    chunk_times,
    mark_runs,
    open_array,
    write_fields,
    write_frames,
)
from domains.weather.sources.collection import Collection

_PIECE_BYTES = 256 * 2**20
"""Read at once: sources are often chunked along time, and each chunk is unpacked whole."""


@dataclass(frozen=True)
class Quality:
    """What was found.

    Args:
        incomplete: frames that lack cells which other frames have; in no split.
        filled: cells (of all channels) that no frame has.
    """

    incomplete: int
    filled: int


def fill_store(path: Path, frame: xr.Dataset, collection: Collection, missing: str) -> Quality:
    """Create the store at ``path`` and put all fields of ``collection`` into it.

    Args:
        path: ``fields.zarr``.
        frame: everything but the fields.
        collection: (T, C, H, W).
        missing: ``refuse`` or ``nearest``, for cells that never have a value.

    Raises:
        DataError: cells without a value, or a channel in another unit.
    """
    write_frames(path, frame)
    shape = frame["valid"].shape  # (C, H, W)
    present = np.zeros(shape, np.int64)
    absent = np.zeros((len(collection), *shape[:1]), np.int64)  # cells of each frame and channel
    total, count = np.zeros(shape[0]), np.zeros(shape[0])
    for indices in _pieces(len(collection), shape):
        fields = collection.read(indices)
        finite = np.isfinite(fields)
        present += finite.sum(axis=0)
        absent[indices] = (~finite).sum(axis=(2, 3))
        total += np.where(finite, fields, 0).sum(axis=(0, 2, 3), dtype=np.float64)
        count += finite.sum(axis=(0, 2, 3))
        if indices[0] == 0:  # before hours of reading
            _check_units(collection, total, count)
        write_fields(path, int(indices[0]), fields)
    valid = present > 0
    if not count.all():
        raise DataError(
            f"{collection.source}: {collection.channels[int(np.argmin(count))]} has no value at "
            "all, expected some; leave it out of the channels"
        )
    _check_units(collection, total, count)
    never = (~valid).sum(axis=(1, 2))  # (C,)
    _check_missing(collection, never, missing)
    is_incomplete = (absent > never).any(axis=1)
    if is_incomplete.sum() > len(collection) // 2:
        raise DataError(
            f"{collection.source}: {is_incomplete.sum()} of {len(collection)} frames have missing "
            "cells that other frames have, expected few; fill them first, or cut them off with "
            "ingest.region"
        )
    _mark(path, frame, valid, is_incomplete)
    if never.any():
        _fill(path, valid, len(collection))
    return Quality(int(is_incomplete.sum()), int(never.sum()))


def _pieces(num_times: int, shape: tuple[int, ...]) -> list[NDArray[np.int64]]:
    chunk = chunk_times(shape)
    step = chunk * max(1, _PIECE_BYTES // (4 * int(np.prod(shape)) * chunk))
    return [np.arange(first, min(first + step, num_times)) for first in range(0, num_times, step)]


def _check_units(collection: Collection, total: NDArray, count: NDArray) -> None:
    """Refuse means (C,) that no weather has; a channel without values has none."""
    for name, one, number in zip(collection.channels, total, count, strict=True):
        if number:
            check_mean(name, float(one / number), collection.source)


def _check_missing(collection: Collection, never: NDArray, missing: str) -> None:
    if not never.any() or missing == "nearest":
        return
    cells = len(collection.grid.latitude) * len(collection.grid.longitude)
    worst = int(np.argmax(never))
    raise DataError(
        f"{collection.source}: {int(np.sum(never > 0))} of {len(never)} channels have cells "
        f"without a value ({collection.channels[worst]}: {never[worst]} of {cells}); cut them off "
        "with ingest.region, or set ingest.files.missing: nearest to fill and never score them"
    )


def _mark(
    path: Path, frame: xr.Dataset, valid: NDArray[np.bool_], is_incomplete: NDArray[np.bool_]
) -> None:
    """Write ``valid``, and take incomplete frames out of the splits and runs."""
    split = frame["split"].to_numpy().copy()
    split[is_incomplete] = GAP
    run = mark_runs(frame["time"].to_numpy(), split, frame.attrs["step_h"])
    for name, values in (("valid", valid), ("split", split), ("run", run)):
        open_array(path, name)[:] = values


def _fill(path: Path, valid: NDArray[np.bool_], num_times: int) -> None:
    """Give cells that never have a value that of the nearest cell that has."""
    field = open_array(path, "field")
    for indices in _pieces(num_times, valid.shape):
        rows = slice(int(indices[0]), int(indices[-1]) + 1)
        field[rows] = fill_nearest(field[rows], valid)


def fill_nearest(fields: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.float32]:
    """``fields`` (n, C, H, W) with the value of the nearest cell, in rows and columns, that is
    ``valid`` (C, H, W)."""
    from scipy.ndimage import distance_transform_edt

    filled = fields.copy()
    for channel, mask in enumerate(valid):
        row, column = distance_transform_edt(~mask, return_distances=False, return_indices=True)
        filled[:, channel] = fields[:, channel][:, row, column]
    return filled
