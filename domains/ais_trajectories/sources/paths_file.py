"""Predicted paths as GeoJSON (RFC 7946) or GeoParquet, one feature for each path.

Legend: B vessels, K paths of each, H steps.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from domains.ais_trajectories.science.tracks import cut_at_antimeridian

_DIGITS = 6  # of a degree: 0.1 m


@dataclass(frozen=True)
class _Path:
    """One path: its facts, and its points (H + 1,) from the last fix on."""

    vessel: int
    number: int
    probability: float
    ship_type: int
    time_s: NDArray
    longitude: NDArray
    latitude: NDArray

    def lines(self) -> list[NDArray]:
        """Pieces (N, 2) that do not cross 180°."""
        return [
            np.round(piece, _DIGITS) for piece in cut_at_antimeridian(self.longitude, self.latitude)
        ]


def _paths(
    context: Mapping[str, NDArray],
    longitude: NDArray,
    latitude: NDArray,
    probability: NDArray,
    step_min: float,
) -> Iterator[_Path]:
    for row, vessel in enumerate(context["vessel"].tolist()):
        now_s = context["time_s"][row, -1]
        time_s = now_s + 60 * step_min * np.arange(longitude.shape[2] + 1)
        for number in range(longitude.shape[1]):
            yield _Path(
                vessel,
                number + 1,
                float(probability[row, number]),
                int(context["ship_type"][row]),
                time_s,
                np.append(context["longitude"][row, -1], longitude[row, number]),
                np.append(context["latitude"][row, -1], latitude[row, number]),
            )


def write_geojson(
    path: Path,
    context: Mapping[str, NDArray],
    longitude: NDArray,
    latitude: NDArray,
    probability: NDArray,
    step_min: float,
) -> None:
    """Write a FeatureCollection of (Multi)LineStrings.

    Args:
        path: of the file.
        context: vessel, ship_type (B,); time_s, longitude, latitude (B, L), the last one now.
        longitude: (B, K, H) in degrees.
        latitude: likewise.
        probability: (B, K).
        step_min: minutes between points.
    """
    with open(path, "w", encoding="utf-8") as stream:
        stream.write('{"type": "FeatureCollection", "features": [')
        for number, one in enumerate(_paths(context, longitude, latitude, probability, step_min)):
            stream.write(",\n" if number else "\n")
            json.dump(_feature(one, step_min), stream)
        stream.write("\n]}\n")


def _feature(one: _Path, step_min: float) -> dict:
    lines = [line.tolist() for line in one.lines()]
    kind = "LineString" if len(lines) == 1 else "MultiLineString"
    return {
        "type": "Feature",
        "geometry": {"type": kind, "coordinates": lines[0] if len(lines) == 1 else lines},
        "properties": {
            "vessel": one.vessel,
            "path": one.number,
            "probability": round(one.probability, 4),
            "ship_type": one.ship_type,
            "start": _iso(one.time_s[:1])[0],
            "step_min": step_min,
            "times": _iso(one.time_s),
            "longitude": np.round(one.longitude, _DIGITS).tolist(),
            "latitude": np.round(one.latitude, _DIGITS).tolist(),
        },
    }


def _iso(time_s: NDArray) -> list[str]:
    stamps = np.rint(time_s).astype(np.int64).astype("datetime64[s]")
    return [f"{stamp}Z" for stamp in stamps.astype(str)]


def write_geoparquet(
    path: Path,
    context: Mapping[str, NDArray],
    longitude: NDArray,
    latitude: NDArray,
    probability: NDArray,
    step_min: float,
) -> None:
    """Write the same as ``write_geojson`` as GeoParquet, times in s since 1970."""
    import shapely

    found = list(_paths(context, longitude, latitude, probability, step_min))
    shapes = []
    for one in found:
        lines = [shapely.LineString(line) for line in one.lines()]
        shapes.append(lines[0] if len(lines) == 1 else shapely.MultiLineString(lines))
    kinds = sorted({shape.geom_type for shape in shapes})
    geo = {
        "version": "1.1.0",
        "primary_column": "geometry",
        "columns": {"geometry": {"encoding": "WKB", "geometry_types": kinds}},
    }
    columns = {
        "vessel": pa.array([one.vessel for one in found], pa.int64()),
        "path": pa.array([one.number for one in found], pa.int16()),
        "probability": pa.array([one.probability for one in found], pa.float64()),
        "ship_type": pa.array([one.ship_type for one in found], pa.int16()),
        "step_min": pa.array([step_min] * len(found), pa.float64()),
        "time_s": pa.array([one.time_s for one in found], pa.list_(pa.float64())),
        "longitude": pa.array([one.longitude for one in found], pa.list_(pa.float64())),
        "latitude": pa.array([one.latitude for one in found], pa.list_(pa.float64())),
        "geometry": pa.array([shapely.to_wkb(shape) for shape in shapes], pa.binary()),
    }
    table = pa.table(columns).replace_schema_metadata({"geo": json.dumps(geo)})
    pq.write_table(table, path, compression="zstd")
