"""The dataset at rest: ``fields.zarr`` with its splits, opened lazily; where samples may begin.

Legend: T times, C channels, H latitudes north → south, W longitudes ascending.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from domains.errors import DataError
from domains.files import write_text
from domains.weather.science.calendars import TimeAxis
from domains.weather.science.grid import Grid

SPLITS = ("train", "validate", "test")
GAP = -1
"""Value of ``split`` between two blocks."""

ASKED_BY = {
    "train": "train.rollout_steps, or model.handover_steps and train.reach_steps",
    "validate": "train.validate_steps",
    "test": "evaluate.lead_days",
}
"""Keys that say how many steps ahead a sample of a split needs."""

_CHUNK_BYTES = 8 * 2**20


def open_dataset(folder: Path | str) -> xr.Dataset:
    """``fields.zarr`` of the dataset ``folder``; arrays are read when they are used.

    Raises:
        DataError: no dataset there.
    """
    path = Path(folder) / "fields.zarr"
    if not path.is_dir():
        raise DataError(f"{path}: no dataset; run the ingest step of weather first")
    return xr.open_zarr(path, chunks=None, decode_times=False)


def times_of(dataset: xr.Dataset) -> TimeAxis:
    """Its times."""
    return TimeAxis(dataset["time"].to_numpy(), dataset.attrs["calendar"])


def start_indices(dataset: xr.Dataset, split: str, num_leads: int) -> NDArray[np.int64]:
    """Indices t on ``time`` such that t − 1, t, …, t + ``num_leads`` are in one split and one run.

    Args:
        dataset: of ``open_dataset``.
        split: ``train``, ``validate`` or ``test``.
        num_leads: steps ahead that a sample needs.

    Raises:
        DataError: no such place, and how many frames in a row would be needed.
    """
    inside = dataset["split"].to_numpy() == SPLITS.index(split)
    run = dataset["run"].to_numpy()
    length = num_leads + 2
    starts: list[int] = []
    for number in np.unique(run[inside]):
        (rows,) = np.nonzero(inside & (run == number))
        starts.extend(range(rows[0] + 1, rows[-1] + 2 - num_leads - 1))
    if not starts:
        longest = max((int(np.sum(inside & (run == n))) for n in np.unique(run)), default=0)
        raise DataError(
            f"weather: split {split} has at most {longest} frames in a row, {length} are needed "
            f"for {num_leads} steps ahead; lower {ASKED_BY[split]}, give a longer record, or "
            "other ingest.split"
        )
    return np.array(starts, np.int64)


def mark_runs(minutes: NDArray[np.int64], split: NDArray[np.int8], step_h: float) -> NDArray:
    """(T,) int32 number of the uninterrupted stretch that each frame is in, from 0."""
    breaks = (np.diff(minutes) != round(60 * step_h)) | (np.diff(split) != 0)
    return np.concatenate([[0], np.cumsum(breaks)]).astype(np.int32)


def frame_dataset(
    times: TimeAxis,
    grid: Grid,
    split: NDArray[np.int8],
    valid: NDArray[np.bool_],
    attributes: dict,
) -> xr.Dataset:
    """Everything of ``fields.zarr`` but the fields themselves.

    Args:
        times: (T,).
        grid: latitudes (H,), longitudes (W,).
        split: (T,) see the package's docstring.
        valid: (C, H, W).
        attributes: ``channels, units, step_h, is_zonally_symmetric, is_simulated, title``.
    """
    degrees = {
        "latitude": {"units": "degrees_north", "standard_name": "latitude"},
        "longitude": {"units": "degrees_east", "standard_name": "longitude"},
    }
    time = {"units": times.units, "calendar": times.calendar, "standard_name": "time"}
    return xr.Dataset(
        {
            "valid": (("channel", "latitude", "longitude"), valid),
            "split": ("time", split, {"flag_values": [-1, 0, 1, 2], "flag_meanings": "gap train "
                                      "validate test"}),
            "run": ("time", mark_runs(times.minutes, split, attributes["step_h"])),
            "year_phase": ("time", times.year_phase),
            "day_phase": ("time", times.day_phase),
        },
        coords={
            "time": ("time", times.minutes, time),
            "channel": ("channel", np.array(attributes["channels"])),
            "latitude": ("latitude", grid.latitude, degrees["latitude"]),
            "longitude": ("longitude", grid.longitude, degrees["longitude"]),
        },
        attrs={
            **attributes,
            "calendar": times.calendar,
            "is_global": grid.is_global,
            "has_poles": grid.has_poles,
            "Conventions": "CF-1.11",
        },
    )  # fmt: skip


def chunk_times(frame_shape: tuple[int, ...]) -> int:
    """How many frames of (C, H, W) float32 go into a chunk of the store: 8 MiB, at least one."""
    return max(1, _CHUNK_BYTES // (4 * int(np.prod(frame_shape))))


def write_frames(path: Path, frame: xr.Dataset) -> None:
    """Create the store ``fields.zarr`` with an empty ``field`` that ``write_fields`` fills."""
    import zarr

    shape = tuple(frame.sizes[name] for name in ("time", "channel", "latitude", "longitude"))
    frame.to_zarr(path, mode="w", zarr_format=2, consolidated=False)
    array = zarr.open_group(path, mode="r+", zarr_format=2).create_array(
        "field",
        shape=shape,
        chunks=(min(shape[0], chunk_times(shape[1:])), *shape[1:]),
        dtype="float32",
        fill_value=float("nan"),
    )
    array.attrs["_ARRAY_DIMENSIONS"] = ["time", "channel", "latitude", "longitude"]
    consolidate(path)


def consolidate(path: Path) -> None:
    """Gather the metadata of a Zarr store in one file, in an order that no file system decides."""
    import zarr

    zarr.consolidate_metadata(path, zarr_format=2)
    note = path / ".zmetadata"
    write_text(note, json.dumps(json.loads(note.read_text()), indent=4, sort_keys=True) + "\n")


def write_fields(path: Path, first: int, fields: NDArray[np.float32]) -> None:
    """Put ``fields`` (n, C, H, W) into the store from time index ``first`` on."""
    open_array(path, "field")[first : first + len(fields)] = fields


def open_array(path: Path, name: str, mode: Literal["r", "r+"] = "r+") -> Any:
    """The array ``name`` of the store, to be read or written in place."""
    import zarr

    return zarr.open_array(path / name, mode=mode, zarr_format=2)
