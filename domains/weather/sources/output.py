"""A forecast on disk, written lead by lead, from which a forecast that was killed goes on.

The work is done in a hidden Zarr store beside the output, with a note of how many leads are
complete and of what they were made; the store becomes the output, or is packed into a NetCDF file,
when all are.

Legend: S leads, C channels, H latitudes, W longitudes.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from domains.errors import DataError
from domains.files import whole_file, write_json
from domains.weather.science.calendars import TimeAxis
from domains.weather.science.channels import QUANTITIES, channel_title, channel_unit, split_channel
from domains.weather.science.dataset import consolidate, open_array
from domains.weather.science.grid import Grid

OUTPUTS = (".nc", ".zarr")

_NOTE = "progress.json"


class ForecastFile:
    """The output of one forecast.

    Args:
        output: ends in .nc or .zarr.
        fingerprint: of everything that the forecast depends on.
        frame: what ``forecast_frame`` gave.
        chunk_steps: leads in a chunk of the store.

    Raises:
        DataError: another ending, or something at ``output`` that is not a forecast.
    """

    def __init__(self, output: Path, fingerprint: str, frame: xr.Dataset, chunk_steps: int) -> None:
        check_output(output)
        self.output, self.fingerprint = output, fingerprint
        self.channels = [str(name) for name in frame.attrs["channels"]]
        self.part = output.with_name(f".{output.name}.part")
        self.store = self.part / "store"
        self.part.mkdir(parents=True, exist_ok=True)
        self._lock = self._locked()
        self.done = self._found()
        if self.done == 0:
            self._create(frame, chunk_steps)

    def _locked(self) -> int:
        """Hold the folder until ``close``: two forecasts would mix their leads."""
        folder = os.open(self.part, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(folder)
            raise DataError(
                f"{self.output}: another forecast is being written to it; wait for its end, or "
                "name another place"
            ) from error
        return folder

    def close(self) -> None:
        """Let another forecast go on, or begin."""
        os.close(self._lock)

    def _found(self) -> int:
        """Leads that an earlier process completed."""
        note = self.part / _NOTE
        if not note.is_file():
            return 0
        found = json.loads(note.read_text())
        return int(found["done"]) if found["fingerprint"] == self.fingerprint else 0

    def _create(self, frame: xr.Dataset, chunk_steps: int) -> None:
        import zarr

        (self.part / _NOTE).unlink(missing_ok=True)
        shutil.rmtree(self.store, ignore_errors=True)
        frame.to_zarr(self.store, mode="w", zarr_format=2, consolidated=False)
        group = zarr.open_group(self.store, mode="r+", zarr_format=2)
        sizes = frame.sizes
        shape = (sizes["lead_time"], sizes["latitude"], sizes["longitude"])
        for name in self.channels:
            array = group.create_array(
                name,
                shape=shape,
                chunks=(min(chunk_steps, shape[0]), *shape[1:]),
                dtype="float32",
                fill_value=float("nan"),
            )
            quantity = QUANTITIES[(split_channel(name) or (name, None))[0]]
            array.attrs.update(
                {
                    "_ARRAY_DIMENSIONS": ["lead_time", "latitude", "longitude"],
                    "units": channel_unit(name),
                    "long_name": channel_title(name),
                    "standard_name": quantity.standard_name,
                    "coordinates": " ".join(["time", "valid_time", *_height(name)]),
                }
            )

    def last_frames(self, count: int) -> NDArray[np.float32]:
        """(count, C, H, W) the last complete leads."""
        rows = slice(self.done - count, self.done)
        arrays = [open_array(self.store, name, "r") for name in self.channels]
        return np.stack([array[rows] for array in arrays], axis=1)

    def append(self, fields: NDArray[np.float32]) -> None:
        """Write the next leads (n, C, H, W); they count once all of them are on disk."""
        rows = slice(self.done, self.done + len(fields))
        for channel, name in enumerate(self.channels):
            open_array(self.store, name)[rows] = fields[:, channel]
        self.done += len(fields)
        write_json(self.part / _NOTE, {"fingerprint": self.fingerprint, "done": self.done})

    def finish(self, valid: NDArray[np.bool_]) -> None:
        """Put the output in place.

        Args:
            valid: (C, H, W), false where a forecast means nothing; NaN is written there.
        """
        self._empty(valid)
        if self.output.suffix == ".zarr":
            consolidate(self.store)
            shutil.rmtree(self.output, ignore_errors=True)
            os.replace(self.store, self.output)
            shutil.rmtree(self.part)
            return
        with xr.open_zarr(self.store, chunks=None, consolidated=False, decode_times=False) as store:
            coordinates = sorted(map(str, store.coords))
            ordered = xr.Dataset(
                {name: store[name].variable for name in self.channels},
                coords={name: store[name].variable for name in coordinates},
                attrs=store.attrs,
            )
            for name in ordered.variables:
                ordered[name].encoding = {}
            for name in self.channels:
                ordered[name].encoding["coordinates"] = " ".join(
                    ["time", "valid_time", *_height(name)]
                )
            packed = {name: {"zlib": True, "complevel": 4} for name in self.channels}
            with whole_file(self.output) as scratch:
                ordered.to_netcdf(scratch, engine="h5netcdf", encoding=packed)
        shutil.rmtree(self.part)

    def _empty(self, valid: NDArray[np.bool_]) -> None:
        """Only now: until the last lead, forecasts go on from what is on disk."""
        for name, mask in zip(self.channels, valid, strict=True):
            if mask.all():
                continue
            array = open_array(self.store, name)
            for first in range(0, array.shape[0], array.chunks[0]):
                rows = slice(first, first + array.chunks[0])
                array[rows] = np.where(mask, array[rows], np.float32(np.nan))


def check_output(output: Path) -> None:
    """Refuse what cannot be written to.

    Raises:
        DataError: another ending than .nc or .zarr, or a folder that is no Zarr store.
    """
    if output.suffix not in OUTPUTS:
        raise DataError(
            f"{output}: cannot write this kind of file, expected {' or '.join(OUTPUTS)}"
        )
    if output.suffix == ".nc" and output.is_dir():
        raise DataError(f"{output}: is a folder, expected a file to write to")
    if output.suffix == ".zarr" and output.exists() and not (output / ".zgroup").is_file():
        raise DataError(f"{output}: is there and is no Zarr store; name another place")


def _height(channel: str) -> dict[str, tuple]:
    """Name and content of the scalar coordinate that says where a channel lies."""
    quantity, level = split_channel(channel) or (channel, None)
    if level is not None:
        about = {"units": "hPa", "standard_name": "air_pressure", "positive": "down", "axis": "Z"}
        return {f"pressure_{level:g}": ((), level, about)}
    if quantity in ("2t", "10u", "10v"):
        metres = 2.0 if quantity == "2t" else 10.0
        about = {"units": "m", "standard_name": "height", "positive": "up", "axis": "Z"}
        return {f"height_{metres:g}": ((), metres, about)}
    return {}


def forecast_frame(
    start: TimeAxis, num_steps: int, step_h: float, grid: Grid, channels: Sequence[str], title: str
) -> xr.Dataset:
    """CF coordinates and attributes of a forecast from the one time ``start``."""
    lead = step_h * np.arange(1, num_steps + 1)
    valid = start.minutes[0] + np.rint(60 * lead).astype(np.int64)
    clock = {"units": start.units, "calendar": start.calendar}
    return xr.Dataset(
        coords={
            "time": ((), start.minutes[0], {**clock, "standard_name": "forecast_reference_time",
                                            "long_name": "last known state"}),
            "lead_time": ("lead_time", lead, {"units": "hours", "axis": "T",
                                              "standard_name": "forecast_period"}),
            "valid_time": ("lead_time", valid, {**clock, "standard_name": "time"}),
            "latitude": ("latitude", grid.latitude, {"units": "degrees_north", "axis": "Y",
                                                     "standard_name": "latitude"}),
            "longitude": ("longitude", grid.longitude, {"units": "degrees_east", "axis": "X",
                                                        "standard_name": "longitude"}),
            **{key: value for name in channels for key, value in _height(name).items()},
        },
        attrs={
            "title": title,
            "channels": list(channels),
            "Conventions": "CF-1.11",
        },
    )  # fmt: skip
