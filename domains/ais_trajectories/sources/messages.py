"""The columns that every reader gives, and which reader reads what.

A reader yields blocks: column -> array (N,), in the order of the file.  Values that a source does
not have are NaN (status 15, ship type 0); "not available" values of AIS stay as they were sent,
``science.cleaning`` counts them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domains.ais_trajectories.params import FilesParams
from domains.errors import DataError

Block = dict[str, NDArray]

COLUMNS: dict[str, tuple[str, float]] = {
    "time_s": ("float64", np.nan),
    "vessel": ("int64", 0),
    "message_type": ("int16", 1),
    "longitude": ("float64", np.nan),
    "latitude": ("float64", np.nan),
    "sog_kn": ("float32", np.nan),
    "cog_deg": ("float32", np.nan),
    "heading_deg": ("float32", np.nan),
    "rot_deg_min": ("float32", np.nan),
    "status": ("int16", 15),
    "ship_type": ("int16", 0),
}
"""Column -> type, and what stands where a source has no such column."""

STATIC_TYPES = (5, 24)
"""Message types that carry no position: they tell a vessel's type."""

ENDINGS = (".csv", ".txt", ".nmea", ".nm4", ".ais", ".log", ".json", ".geojson", ".parquet")
_PACKED = (".gz", ".zip")


def complete(columns: Block) -> Block:
    """The columns in their types, with those that were missing."""
    length = len(columns["vessel"])
    return {
        name: np.asarray(columns[name], dtype=kind)
        if name in columns
        else np.full(length, missing, dtype=kind)
        for name, (kind, missing) in COLUMNS.items()
    }


def find_files(source: str) -> list[Path]:
    """The files of ``source``: a file, or those in a folder, by name.

    Raises:
        DataError: nothing there that a reader takes.
    """
    path = Path(source).expanduser()
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise DataError(
            f"ais_trajectories: {source}: no such file or folder, expected AIS messages "
            f"({', '.join(ENDINGS)}, also in .gz or .zip)"
        )
    found = sorted(file for file in path.rglob("*") if file.is_file() and _ending(file) in ENDINGS)
    if not found:
        raise DataError(
            f"ais_trajectories: {source}: no file of AIS messages in this folder, expected "
            f"{', '.join(ENDINGS)}, also in .gz or .zip"
        )
    return found


def read_messages(
    path: Path, files: FilesParams, rejected: Counter[str], warnings: list[str]
) -> Iterator[Block]:
    """Blocks of the messages in one file.

    Args:
        path: of the file.
        files: how to read it.
        rejected: reason -> lines or rows that were refused, added to.
        warnings: sentences on what the file lacks, added to.

    Raises:
        DataError: the file is not what its format says, or of no known format.
    """
    kind = files.format if files.format != "auto" else guess_format(path)
    refuse = files.bad_sentences == "refuse"
    if kind == "nmea":
        from domains.ais_trajectories.sources.nmea.reader import read_nmea

        blocks = read_nmea(path, rejected, refuse)
    elif kind == "geoparquet":
        from domains.ais_trajectories.sources.geoparquet import read_geoparquet

        blocks = read_geoparquet(path, files.columns, rejected)
    elif kind == "digitraffic" and _ending(path) in (".json", ".geojson"):
        from domains.ais_trajectories.sources.digitraffic import read_locations

        blocks = read_locations(path, rejected)
    else:
        from domains.ais_trajectories.sources.tables import read_csv

        blocks = read_csv(path, kind, files.columns, rejected, warnings)
    for block in blocks:
        yield complete(block)


def guess_format(path: Path) -> str:
    """The format of ``path`` by its ending and its first lines.

    Raises:
        DataError: none that is known, or text without line ends.
    """
    from domains.ais_trajectories.sources.packed import open_bytes
    from domains.ais_trajectories.sources.tables import dialect_of

    ending = _ending(path)
    if ending == ".parquet":
        return "geoparquet"
    with open_bytes(path) as stream:
        head = stream.read(65536)
    if ending in (".json", ".geojson"):
        return "digitraffic"
    if any(mark in head for mark in (b"!AIVD", b"!BSVD", b"!ABVD", b"!ANVD", b"$PGHP", b"VDM,")):
        return "nmea"
    header = head.partition(b"\n")[0].decode("utf-8-sig", errors="replace").strip()
    if dialect := dialect_of(path, header):
        return dialect
    raise DataError(
        f"ais_trajectories: {path}: of no known format, its first line is {header[:80]!r}; set "
        "ingest.files.format, and for a table of your own ingest.files.columns"
    )


def _ending(path: Path) -> str:
    endings = [suffix.lower() for suffix in path.suffixes]
    if endings and endings[-1] in _PACKED:
        endings.pop()
    return endings[-1] if endings else ".csv" if path.suffix.lower() == ".zip" else ""
