"""The user's own NetCDF, Zarr and GRIB files as one collection.

Channels may be spread over files and so may times; what is kept are the times that every channel
has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domains.errors import DataError
from domains.files import fetch
from domains.weather.params import FilesParams
from domains.weather.science.calendars import TimeAxis
from domains.weather.science.channels import PAPER
from domains.weather.sources.collection import Collection
from domains.weather.sources.normalise import UNKNOWN, Piece, pieces_of
from domains.weather.sources.openers import GRIB, NETCDF, ZARR, open_file, open_store


def collect_files(source: str, settings: FilesParams) -> Collection:
    """All channels in ``source`` on the times that they share.

    Args:
        source: a file, a Zarr store, a folder of such, or an address.
        settings: ``ingest.files``.

    Raises:
        DataError: a file that cannot be used, grids that differ, or a channel that is missing.
    """
    pieces: list[Piece] = []
    left_out: dict[str, str] = {}
    for where, datasets in _open(source, settings):
        of_file: list[Piece] = []
        for dataset in datasets:
            found, skipped = pieces_of(dataset, where, settings)
            of_file += found
            left_out.update(skipped)
        _refuse_doubles(of_file, where)
        pieces += of_file
    reasons = "".join(f"; {name}: {why}" for name, why in left_out.items() if why != UNKNOWN)
    collection = stack(pieces, source, settings.channels, reasons)
    collection.is_zonally_symmetric = settings.is_zonally_symmetric
    for reason in sorted(set(left_out.values())):
        those = sorted(name for name, why in left_out.items() if why == reason)
        collection.warnings.append(f"left out {len(those)} variables: {', '.join(those)}: {reason}")
    return collection


def _open(source: str, settings: FilesParams) -> list[tuple[str, list]]:
    """Where, and the datasets there, for each file of ``source``."""
    if "://" in source:
        if Path(source).suffix.lower() in (*NETCDF, *GRIB):
            source = str(fetch(source, None, "weather"))
        else:
            return [(source, [open_store(source)])]
    path = Path(source).expanduser()
    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    if path.is_dir() and not _is_store(path):
        files = sorted(
            p for p in path.iterdir() if _is_store(p) or p.suffix.lower() in (*NETCDF, *GRIB, *ZARR)
        )
        if not files:
            raise DataError(
                f"{path}: no fields in this folder, expected files {', '.join((*NETCDF, *GRIB))} "
                "or Zarr stores"
            )
    else:
        files = [path]
    return [(str(file), open_file(file, settings.select)) for file in files]


def _is_store(path: Path) -> bool:
    marks = (".zgroup", ".zmetadata", "zarr.json", ".zarray")
    return path.is_dir() and any((path / mark).is_file() for mark in marks)


def _refuse_doubles(pieces: Sequence[Piece], where: str) -> None:
    """A channel that one file holds twice at one time is two things under one name."""
    seen: dict[str, Piece] = {}
    for piece in pieces:
        other = seen.setdefault(piece.channel, piece)
        if other is not piece and np.isin(piece.times.minutes, other.times.minutes).any():
            raise DataError(
                f"{where}: channel {piece.channel} is there several times ({other.array.name} and "
                f"{piece.array.name}); choose with ingest.files.select, for GRIB by its keys, e.g. "
                "{stepType: instant} or {dataType: an}, or with ingest.files.rename"
            )


@dataclass(frozen=True)
class _Track:
    """Where a channel's frames are: number of the piece and index in it, for each time (T,)."""

    piece: NDArray[np.int64]
    index: NDArray[np.int64]
    minutes: NDArray[np.int64]
    doubles: int


def stack(
    pieces: Sequence[Piece], source: str, wanted: Sequence[str] | None, reasons: str = ""
) -> Collection:
    """``pieces`` side by side.

    Args:
        pieces: of one file or many.
        source: for messages.
        wanted: channels in order; ``None`` = all, in the paper's order.
        reasons: why other variables were left out, the end of a message.

    Raises:
        DataError: no channel, one that is wanted and missing, or grids or calendars that differ.
    """
    found = {piece.channel for piece in pieces}
    if not found:
        raise DataError(
            f"{source}: no variable is known as a channel, expected names such as z, t2m, msl or "
            f"temperature; name yours in ingest.files.rename: {{their_name: t850}}{reasons}"
        )
    if missing := [name for name in wanted or () if name not in found]:
        raise DataError(
            f"{source}: {', '.join(missing)} missing, found {', '.join(_in_order(found))}; mend "
            f"ingest.files.channels, or name the variable in ingest.files.rename{reasons}"
        )
    channels = list(wanted) if wanted else _in_order(found)
    pieces = [piece for piece in pieces if piece.channel in channels]
    _check_alike(pieces)
    tracks = [_track(pieces, channel) for channel in channels]
    minutes = tracks[0].minutes
    for track in tracks[1:]:
        minutes = np.intersect1d(minutes, track.minutes)
    if len(minutes) == 0:
        raise DataError(f"{source}: no time at which all of {', '.join(channels)} are there")
    everything = np.unique(np.concatenate([track.minutes for track in tracks]))
    collection = Collection(
        title=f"fields from {Path(source).name}",
        source=source,
        licence="the user's own",
        channels=channels,
        grid=pieces[0].grid,
        times=TimeAxis(minutes, pieces[0].times.calendar),
        read=lambda rows: _read(pieces, tracks, minutes[rows]),
    )
    if dropped := len(everything) - len(minutes):
        collection.rejected["frame that not every channel has"] = dropped
    if doubles := sum(track.doubles for track in tracks):
        collection.rejected["field that is there twice"] = doubles
    if unsaid := [piece for piece in pieces if piece.unit is None]:
        those = sorted({p.channel + " (a height in m)" * (p.quantity == "gh") for p in unsaid})
        collection.warnings.append(
            f"{len(those)} channels say no unit and were taken as SI: {', '.join(those)}"
        )
    return collection


def _in_order(channels: set[str]) -> list[str]:
    """The paper's order, then by name."""
    return sorted(channels, key=lambda name: (PAPER.index(name) if name in PAPER else 999, name))


def _check_alike(pieces: Sequence[Piece]) -> None:
    first = pieces[0]
    for piece in pieces[1:]:
        for axis in ("latitude", "longitude"):
            ours, theirs = getattr(first.grid, axis), getattr(piece.grid, axis)
            if len(ours) != len(theirs) or not np.allclose(ours, theirs, atol=1e-3):
                raise DataError(
                    f"{piece.where}: {len(theirs)} values of {axis} from {theirs[0]:g} to "
                    f"{theirs[-1]:g}, expected {len(ours)} from {ours[0]:g} to {ours[-1]:g} as in "
                    f"{first.where}; regrid one of them"
                )
        if piece.times.calendar != first.times.calendar and {
            piece.times.calendar,
            first.times.calendar,
        } != {"standard", "proleptic_gregorian"}:
            raise DataError(
                f"{piece.where}: calendar {piece.times.calendar}, expected "
                f"{first.times.calendar} as in {first.where}"
            )  # fmt: skip


def _track(pieces: Sequence[Piece], channel: str) -> _Track:
    own = [number for number, piece in enumerate(pieces) if piece.channel == channel]
    minutes = np.concatenate([pieces[number].times.minutes for number in own])
    numbers = np.concatenate([np.full(len(pieces[n].times.minutes), n) for n in own])
    indices = np.concatenate([np.arange(len(pieces[n].times.minutes)) for n in own])
    kept, first = np.unique(minutes, return_index=True)
    return _Track(numbers[first], indices[first], kept, len(minutes) - len(kept))


def _read(
    pieces: Sequence[Piece], tracks: Sequence[_Track], minutes: NDArray[np.int64]
) -> NDArray[np.float32]:
    """(n, C, H, W); levels of one variable are read together, as they lie in the file."""
    height, width = len(pieces[0].grid.latitude), len(pieces[0].grid.longitude)
    out = np.empty((len(minutes), len(tracks), height, width), np.float32)
    jobs: dict[tuple[int, bytes], list[tuple[int, Piece, NDArray]]] = {}
    for channel, track in enumerate(tracks):
        place = np.searchsorted(track.minutes, minutes)
        for number in np.unique(track.piece[place]):
            rows = np.flatnonzero(track.piece[place] == number)
            piece, inner = pieces[number], track.index[place[rows]]
            jobs.setdefault((id(piece.array), inner.tobytes()), []).append((channel, piece, rows))
    for (_, places), members in jobs.items():
        piece = members[0][1]
        array = piece.array
        if piece.time_dim is not None:
            array = array.isel({piece.time_dim: _slice(np.frombuffer(places, np.int64))})
        if piece.level is not None:
            levels = [member[1].level[1] for member in members if member[1].level]
            array = array.isel({piece.level[0]: levels}).load()
        for position, (channel, member, rows) in enumerate(members):
            one = array if piece.level is None else array.isel({piece.level[0]: position})
            out[rows, channel] = member.arranged(one)
    return out


def _slice(indices: NDArray[np.int64]) -> slice | NDArray[np.int64]:
    """A slice where the indices are even: readers take it in one go."""
    steps = np.diff(indices)
    if len(steps) and steps[0] > 0 and (steps == steps[0]).all():
        return slice(int(indices[0]), int(indices[-1]) + 1, int(steps[0]))
    return indices
