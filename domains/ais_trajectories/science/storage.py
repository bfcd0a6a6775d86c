"""The dataset's tables on disk: Parquet with fixed columns, the same bytes for the same rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import ArrayLike, NDArray

from domains.errors import DataError

SPLITS = ("train", "validate", "test")
UNUSED = "unused"
"""Split of rows whose vessel belongs to one split and whose time to another."""

_POSITION = {"vessel": "int64", "time_s": "float64", "longitude": "float64", "latitude": "float64"}
_MOTION = {"sog_kn": "float32", "cog_deg": "float32"}
_REPORT = {**_MOTION, "heading_deg": "float32", "rot_deg_min": "float32"}

COLUMNS: dict[str, dict[str, str]] = {
    "tracks": {
        "split": "string",
        "track_id": "int32",
        **_POSITION,
        **_MOTION,
        "ship_type": "int16",
        "is_moving": "bool",
    },
    "messages": {
        "split": "string",
        "track_id": "int32",
        **_POSITION,
        **_REPORT,
        "ship_type": "int16",
        "status": "int16",
    },
    "flagged": {"reason": "string", **_POSITION, **_REPORT, "message_type": "int16"},
    "voyages": {
        "vessel": "int64",
        "departure_s": "float64",
        "arrival_s": "float64",
        "origin": "string",
        "destination": "string",
        "destination_longitude": "float64",
        "destination_latitude": "float64",
    },
}
"""Table -> column -> type at rest."""

_ROWS_PER_GROUP = 131_072
_GEO = {  # https://geoparquet.org/releases/v1.1.0; no CRS given means OGC:CRS84
    "version": "1.1.0",
    "primary_column": "geometry",
    "columns": {"geometry": {"encoding": "WKB", "geometry_types": ["Point"]}},
}


class TableWriter:
    """Appends rows to ``<folder>/<table>.parquet``; a context manager.

    Args:
        folder: of the dataset.
        table: a key of ``COLUMNS``; ``tracks`` also gets point geometries.
    """

    def __init__(self, folder: Path, table: str) -> None:
        self._table = table
        fields = [pa.field(name, _arrow(kind)) for name, kind in COLUMNS[table].items()]
        metadata = None
        if table == "tracks":
            fields.append(pa.field("geometry", pa.binary()))
            metadata = {"geo": json.dumps(_GEO)}
        self._schema = pa.schema(fields, metadata=metadata)
        self._path = folder / f"{table}.parquet"

    def __enter__(self) -> TableWriter:
        self._writer = pq.ParquetWriter(self._path, self._schema, compression="zstd")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.close()

    def append(self, columns: Mapping[str, ArrayLike]) -> None:
        """Write rows, given as one array (N,) per column of ``COLUMNS``."""
        arrays = [
            pa.array(np.asarray(columns[field.name]), type=field.type)
            for field in self._schema
            if field.name != "geometry"
        ]
        if self._table == "tracks":
            arrays.append(_points(columns["longitude"], columns["latitude"]))
        rows = pa.Table.from_arrays(arrays, schema=self._schema)
        self._writer.write_table(rows, row_group_size=_ROWS_PER_GROUP)


def write_table(folder: Path, table: str, columns: Mapping[str, ArrayLike]) -> None:
    """Write a whole table at once."""
    with TableWriter(folder, table) as writer:
        writer.append(columns)


def read_table(
    folder: Path, table: str, columns: Sequence[str] | None = None, split: str | None = None
) -> dict[str, NDArray]:
    """Column -> array (N,) of ``<folder>/<table>.parquet``, in the order at rest.

    Args:
        folder: of the dataset.
        table: a key of ``COLUMNS``.
        columns: those wanted; ``None`` = all but the geometry.
        split: rows of this split alone.

    Raises:
        DataError: the table is not there.
    """
    path = Path(folder) / f"{table}.parquet"
    if not path.is_file():
        raise DataError(f"ais_trajectories: {path} is missing; run the ingest step first")
    names = list(columns if columns is not None else COLUMNS[table])
    rows = pq.read_table(path, columns=names, filters=split and [("split", "=", split)])
    return {name: rows[name].to_numpy() for name in names}


def _arrow(kind: str) -> pa.DataType:
    return {"string": pa.string(), "bool": pa.bool_()}.get(kind) or pa.from_numpy_dtype(
        np.dtype(kind)
    )


def _points(longitude: ArrayLike, latitude: ArrayLike) -> pa.Array:
    """Well-known binary of points (N,): byte order, type 1, x, y."""
    x = np.asarray(longitude, dtype=np.float64)
    points = np.zeros(len(x), dtype=[("order", "u1"), ("type", "<u4"), ("x", "<f8"), ("y", "<f8")])
    points["order"], points["type"], points["x"], points["y"] = 1, 1, x, np.asarray(latitude)
    size = points.dtype.itemsize
    offsets = pa.py_buffer(np.arange(len(x) + 1, dtype=np.int32) * np.int32(size))
    return pa.Array.from_buffers(
        pa.binary(), len(x), [None, offsets, pa.py_buffer(points.tobytes())]
    )
