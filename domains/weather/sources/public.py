"""ERA5 as WeatherBench 2 keeps it: a Zarr store by its address, some channels, some years.

S. Rasp et al., "WeatherBench 2: A Benchmark for the Next Generation of Data-Driven Global Weather
Models", JAMES 2024, arXiv:2308.15560.  The stores are public; ``gs://`` addresses are read over
https without an account.  ARCO-ERA5's stores have the same layout.  A copy below the folder that
``CONVOY_MIRROR`` names, ``weather/<name of the store>``, is taken before the network.

What has been read is kept in ``CONVOY_CACHE`` piece by piece, so that an ingest that was cut short
goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domains.errors import DataError
from domains.files import whole_file
from domains.weather.params import FilesParams, PublicParams
from domains.weather.science.calendars import TimeAxis, parse_time
from domains.weather.sources.collection import Collection
from domains.weather.sources.files import stack
from domains.weather.sources.normalise import Piece, pieces_of
from domains.weather.sources.openers import open_store

LICENCE = (
    "Copernicus licence, redistribution with attribution: contains modified Copernicus Climate "
    "Change Service information"
)

_PIECE_BYTES = 128 * 2**20
"""Size of a piece in the cache: a year of six channels at 64 × 32, a few hours at 0.25°."""


def collect_public(params: PublicParams) -> Collection:
    """The channels and years that ``params`` names.

    Raises:
        DataError: the store cannot be reached, lacks a channel, or does not reach to those years.
    """
    address = locate(params.address)
    settings = FilesParams(
        channels=params.channels, rename={}, select={}, missing="refuse",
        is_zonally_symmetric=False,
    )  # fmt: skip
    pieces, _ = pieces_of(open_store(address), address, settings)
    if missing := [name for name in params.channels if name not in {p.channel for p in pieces}]:
        raise DataError(
            f"{address}: {', '.join(missing)} missing, expected a store that has all of "
            "ingest.public.channels; take them out there, or name another ingest.public.address"
        )
    pieces = [_as_share(piece) for piece in pieces]
    whole = stack(pieces, address, params.channels)
    whole.title = "ERA5 reanalysis (WeatherBench 2)"
    whole.source = params.address
    whole.licence = LICENCE
    return keep_years(whole, params.first_year, params.last_year)


def _as_share(piece: Piece) -> Piece:
    """Relative humidity that names no unit is a share: so WeatherBench 2 derives it."""
    return replace(piece, unit="1") if piece.quantity == "r" and piece.unit is None else piece


def locate(address: str) -> str:
    """The store's copy in the mirror if there is one, else its address."""
    mirror = os.environ.get("CONVOY_MIRROR")
    if mirror and (copy := Path(mirror) / "weather" / Path(address).name).is_dir():
        return str(copy)
    return address


def keep_years(collection: Collection, first_year: int, last_year: int) -> Collection:
    """The frames of these calendar years.

    Raises:
        DataError: a year of which the record has no frame.
    """
    minutes, calendar = collection.times.minutes, collection.times.calendar
    begin = parse_time(f"{first_year}-01-01", calendar, "ingest.public.first_year")
    end = parse_time(f"{last_year + 1}-01-01", calendar, "ingest.public.last_year")
    years = collection.times.years
    for key, year in (("first_year", first_year), ("last_year", last_year)):
        if year not in years:
            raise DataError(f"weather: ingest.public.{key}: {year}, but {collection.span()}")
    return collection.at_times(np.flatnonzero((minutes >= begin) & (minutes < end)))


def cached(collection: Collection, reading: FilesParams) -> Collection:
    """The same, each piece read from the cache if it is there and put into it if not.

    Args:
        collection: from an address.
        reading: how it was read; another reading is another place in the cache.
    """
    shape = collection.shape
    length = max(1, _PIECE_BYTES // (4 * int(np.prod(shape))))
    folder = _folder(collection, length, reading)
    read = collection.read

    def read_cached(indices: NDArray[np.int64]) -> NDArray[np.float32]:
        out = np.empty((len(indices), *shape), np.float32)
        for number in np.unique(indices // length):
            rows = indices // length == number
            first = int(number) * length
            path = folder / f"{number:06d}.npy"
            if not path.is_file():
                fields = read(np.arange(first, min(first + length, len(collection))))
                with whole_file(path) as scratch, open(scratch, "wb") as stream:
                    np.save(stream, fields, allow_pickle=False)
            piece = np.load(path, mmap_mode="r", allow_pickle=False)
            out[rows] = piece[indices[rows] - first]
        return out

    return Collection(**{**vars(collection), "read": read_cached})


def _folder(collection: Collection, length: int, reading: FilesParams) -> Path:
    """Of the cache, by what is in it."""
    root = Path(os.environ.get("CONVOY_CACHE", Path.home() / ".cache" / "convoy"))
    facts = [
        collection.source,
        collection.channels,
        collection.grid.latitude.tolist(),
        collection.grid.longitude.tolist(),
        _text(collection.times),
        reading.model_dump(mode="json"),
        length,
    ]
    digest = hashlib.sha256(json.dumps(facts).encode()).hexdigest()
    return root / "weather" / digest[:16]


def _text(times: TimeAxis) -> str:
    return hashlib.sha256(times.minutes.tobytes() + times.calendar.encode()).hexdigest()
