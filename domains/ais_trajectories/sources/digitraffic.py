"""Digitraffic's JSON of vessel locations (https://meri.digitraffic.fi/api/ais/v1/locations).

A state: the last position of each vessel, at most some tens of MB, so it is read at once.
AIS data © Fintraffic / Digitraffic, CC BY 4.0.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domains.ais_trajectories.sources.packed import open_bytes
from domains.errors import DataError

_NUMBERS = {"sog": "sog_kn", "cog": "cog_deg", "heading": "heading_deg", "navStat": "status"}


def read_locations(path: Path, rejected: Counter[str]) -> Iterator[dict[str, NDArray]]:
    """The one block of columns of a FeatureCollection of locations.

    ``timestampExternal`` is when the message came (ms since 1970); ``timestamp`` is only the
    second of the minute.

    Raises:
        DataError: not such a FeatureCollection.
    """
    with open_bytes(path) as stream:
        try:
            features = json.load(stream)["features"]
        except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
            raise DataError(
                f"ais_trajectories: {path}: not a FeatureCollection of Digitraffic's locations "
                f"({type(error).__name__}: {error}); set ingest.files.format to what it is"
            ) from error
    rows = [row for row in map(_row, features) if row is not None]
    rejected["feature without position, vessel or time"] += len(features) - len(rows)
    table = np.array(rows, dtype=np.float64).reshape(len(rows), 4 + len(_NUMBERS))
    names = ["vessel", "time_s", "longitude", "latitude", *_NUMBERS.values()]
    columns = {name: table[:, place] for place, name in enumerate(names)}
    columns["status"] = np.nan_to_num(columns["status"], nan=15)
    yield columns


def _row(feature: dict) -> list[float] | None:
    try:
        properties = feature["properties"]
        longitude, latitude = feature["geometry"]["coordinates"][:2]
        return [
            int(feature.get("mmsi") or properties["mmsi"]),
            properties["timestampExternal"] / 1000,
            float(longitude),
            float(latitude),
            *(float(properties.get(name, np.nan)) for name in _NUMBERS),
        ]
    except (KeyError, TypeError, ValueError):
        return None
