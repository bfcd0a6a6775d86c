"""AIS messages in (Geo)Parquet: columns by name, positions from columns or point geometries."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from domains.ais_trajectories.params import ColumnNames
from domains.ais_trajectories.sources.tables import seconds_of
from domains.errors import DataError

_BATCH_ROWS = 65_536
_REPORT = {"sog": "sog_kn", "cog": "cog_deg", "heading": "heading_deg", "rot": "rot_deg_min"}
_CODES = {"status": 15, "ship_type": 0}
_DEGREES = ("OGC:CRS84", "EPSG:4326")


def read_geoparquet(
    path: Path, names: ColumnNames, rejected: Counter[str]
) -> Iterator[dict[str, NDArray]]:
    """Columns of the rows of ``path``, a batch at a time.

    A column of the dataset's own name (``sog_kn`` for sog …) serves where the named one is
    missing, so what ``ingest`` wrote can be read again.

    Raises:
        DataError: a column is missing or of another type, or the geometries are not in degrees.
    """
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(
            f"ais_trajectories: {path}: not a Parquet file ({str(error).splitlines()[0]}); copy it "
            "again, or set ingest.files.format to what it is"
        ) from error
    with file:
        found = file.schema_arrow.names
        places = _places(path, names, found)
        if "geometry" in places:
            _check_degrees(path, file)
        for batch in file.iter_batches(_BATCH_ROWS, columns=sorted(set(places.values()))):
            yield _columns(path, batch, places, rejected)


def _places(path: Path, names: ColumnNames, found: list[str]) -> dict[str, str]:
    """Quantity -> column of the file."""
    standard = {"time": "time_s", **_REPORT}
    places = {}
    for quantity, name in names.model_dump().items():
        for choice in (name, standard.get(quantity, quantity)):
            if choice in found:
                places[quantity] = choice
                break
    if not {"longitude", "latitude"} <= set(places) and "geometry" in found:
        places = {k: v for k, v in places.items() if k not in ("longitude", "latitude")}
        places["geometry"] = "geometry"
    needed = ["vessel", "time", *([] if "geometry" in places else ["longitude", "latitude"])]
    if lost := [quantity for quantity in needed if quantity not in places]:
        raise DataError(
            f"ais_trajectories: {path}: no column for {', '.join(lost)}, found "
            f"{', '.join(found[:12])}; set ingest.files.columns"
        )
    return places


def _check_degrees(path: Path, file: pq.ParquetFile) -> None:
    text = (file.schema_arrow.metadata or {}).get(b"geo")
    column = json.loads(text)["columns"].get("geometry", {}) if text else {}
    if column.get("crs") is None:
        return
    identity = column["crs"].get("id", {})
    code = f"{identity.get('authority')}:{identity.get('code')}"
    if code not in _DEGREES:
        raise DataError(
            f"ais_trajectories: {path}: geometries are in {code}, expected degrees "
            f"({' or '.join(_DEGREES)}); reproject them, e.g. with geopandas' to_crs"
        )


def _columns(
    path: Path, batch: pa.RecordBatch, places: dict[str, str], rejected: Counter[str]
) -> dict[str, NDArray]:
    def numbers(quantity: str) -> NDArray:
        column = batch[places[quantity]]
        try:
            found = (
                _seconds(column) if quantity == "time" else column.cast(pa.float64(), safe=False)
            )
        except pa.ArrowException as error:
            wanted = "timestamps, s since 1970 or ISO 8601" if quantity == "time" else "numbers"
            raise DataError(
                f"ais_trajectories: {path}: column {places[quantity]!r} holds {column.type}, "
                f"expected {wanted}; set ingest.files.columns"
            ) from error
        return found.fill_null(np.nan).to_numpy(False)

    vessel = numbers("vessel")
    is_named = (np.abs(vessel) < 2**53) & (vessel == np.floor(vessel))
    rejected["row without a whole number for the vessel"] += int((~is_named).sum())
    columns = {"vessel": vessel[is_named].astype(np.int64), "time_s": numbers("time")}
    if "geometry" in places:
        import shapely

        points = shapely.from_wkb(batch[places["geometry"]].to_numpy(False))
        columns["longitude"], columns["latitude"] = shapely.get_x(points), shapely.get_y(points)
    else:
        columns["longitude"], columns["latitude"] = numbers("longitude"), numbers("latitude")
    columns |= {_REPORT[name]: numbers(name) for name in _REPORT if name in places}
    columns |= {
        name: np.nan_to_num(numbers(name), nan=missing).astype(np.int16)
        for name, missing in _CODES.items()
        if name in places
    }
    return {k: v if k == "vessel" else v[is_named] for k, v in columns.items()}


def _seconds(column: pa.Array) -> pa.Array:
    """Seconds since 1970; null where a text is no time."""
    if pa.types.is_timestamp(column.type):
        # unsafe: what is finer than a microsecond may be lost
        microseconds = column.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
        return pc.divide(microseconds.cast(pa.float64()), 1e6)
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return column.cast(pa.float64())
    text = pl.Series(column.cast(pa.string()))
    return pl.select(seconds_of(pl.lit(text))).to_series().to_arrow()
