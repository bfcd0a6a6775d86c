"""AIS messages in CSV: three published layouts and tables of one's own, read in blocks with Polars.

Danish Maritime Authority (http://aisdata.ais.dk), NOAA MarineCadastre (before and since 2025),
Digitraffic's state of the Baltic, or the columns that ``ingest.files.columns`` names.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from domains.ais_trajectories.params import ColumnNames
from domains.ais_trajectories.sources.codes import MOBILES, SHIP_TYPES, STATUSES
from domains.ais_trajectories.sources.packed import BLOCK_BYTES, line_blocks
from domains.errors import DataError

DMA = {
    "time": "# Timestamp",
    "mobile": "Type of mobile",
    "vessel": "MMSI",
    "latitude": "Latitude",
    "longitude": "Longitude",
    "status": "Navigational status",
    "rot": "ROT",
    "sog": "SOG",
    "cog": "COG",
    "heading": "Heading",
    "ship_type": "Ship type",
}
MARINECADASTRE = {
    "time": "BaseDateTime",
    "vessel": "MMSI",
    "latitude": "LAT",
    "longitude": "LON",
    "sog": "SOG",
    "cog": "COG",
    "heading": "Heading",
    "status": "Status",
    "ship_type": "VesselType",
}
MARINECADASTRE_2025 = {
    "time": "base_date_time",
    "vessel": "mmsi",
    "latitude": "latitude",
    "longitude": "longitude",
    "sog": "sog",
    "cog": "cog",
    "heading": "heading",
    "status": "status",
    "ship_type": "vessel_type",
}
DIGITRAFFIC = {
    "time": "timestamp",
    "vessel": "mmsi",
    "longitude": "longitude",
    "latitude": "latitude",
    "sog": "sog",
    "cog": "cog",
    "heading": "heading",
    "status": "nav_stat",
    "ship_type": "ship_type",
}
LAYOUTS = {
    "dma": (DMA,),
    "marinecadastre": (MARINECADASTRE, MARINECADASTRE_2025),
    "digitraffic": (DIGITRAFFIC,),
}
_REQUIRED = ("time", "vessel", "longitude", "latitude")
_STANDARD = {"sog": "sog_kn", "cog": "cog_deg", "heading": "heading_deg", "rot": "rot_deg_min"}


def dialect_of(path: Path, header: str) -> str | None:
    """The published layout whose columns the ``header`` of ``path`` names, if any.

    Raises:
        DataError: the header is no line of CSV.
    """
    names = set(_names(path, header))
    for dialect, layouts in LAYOUTS.items():
        for layout in layouts:
            if {layout[key] for key in (*_REQUIRED, "sog", "cog", "status")} <= names:
                return dialect
    return None


def read_csv(
    path: Path,
    dialect: str,
    own: ColumnNames,
    rejected: Counter[str],
    warnings: list[str],
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[dict[str, NDArray]]:
    """Columns of the rows of ``path``, a block of the file at a time, in its order.

    Args:
        path: CSV, plain or packed.
        dialect: dma, marinecadastre, digitraffic or columns.
        own: names of the columns for ``columns``.
        rejected: reason -> rows that could not be read, added to.
        warnings: added to.
        block_bytes: read at a time.

    Raises:
        DataError: a column is missing, or the header is no line of CSV.
    """
    layout: dict[str, str] | None = None
    header: list[str] = []
    for text in line_blocks(path, block_bytes):
        if layout is None:
            first, _, text = text.partition(b"\n")
            header = _names(path, first.decode("utf-8-sig", errors="replace"))
            layout = _layout(path, dialect, own, header)
            if dialect == "digitraffic":
                warnings.append(
                    f"{path.name}: times are those of the query, up to hours after the message"
                )
        if text:
            yield _columns(_frame(text, header, layout, rejected), layout, dialect, rejected)


def _names(path: Path, header: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader([header.strip()]), [])]
    except csv.Error as error:  # a carriage return inside
        raise DataError(
            f"ais_trajectories: {path}: the first line is no header of a CSV, expected lines that "
            r"end in \n or \r\n; save the file again with such line ends"
        ) from error


def _layout(path: Path, dialect: str, own: ColumnNames, header: list[str]) -> dict[str, str]:
    """Quantity -> column of the file."""
    choices = LAYOUTS.get(dialect) or ({k: v for k, v in own.model_dump().items() if v},)
    for layout in choices:
        if all(layout[key] in header for key in _REQUIRED):
            wanted = layout if dialect == "columns" else {}
            if lost := [name for name in wanted.values() if name not in header]:
                raise _missing(path, lost, header, dialect)
            return {key: name for key, name in layout.items() if name in header}
    layout = choices[0]
    raise _missing(path, [layout[k] for k in _REQUIRED if layout[k] not in header], header, dialect)


def _missing(path: Path, lost: list[str], header: list[str], dialect: str) -> DataError:
    remedy = "ingest.files.columns" if dialect == "columns" else "ingest.files.format"
    return DataError(
        f"ais_trajectories: {path}: no column {', '.join(map(repr, lost))}, found "
        f"{', '.join(header[:12])}{' …' if len(header) > 12 else ''}; set {remedy}"
    )


def _frame(
    text: bytes, header: list[str], layout: dict[str, str], rejected: Counter[str]
) -> pl.DataFrame:
    """The wanted columns as text; null where a line is short, the first fields where it is long."""
    if b'"' in text:
        # an open quote would swallow the lines up to the next one
        lines = text.split(b"\n")
        whole = [line for line in lines if line.count(b'"') % 2 == 0]
        rejected["row with a quote that does not end"] += len(lines) - len(whole)
        text = b"\n".join(whole)
    wanted = sorted({header.index(name) for name in layout.values()})
    # Polars takes the number of fields from the first line, which may be cut: it gets one of ours
    numbers = ",".join(str(i) for i in range(len(header)))
    frame = pl.read_csv(
        io.BytesIO(numbers.encode() + b"\n" + text),
        columns=wanted,
        infer_schema=False,
        truncate_ragged_lines=True,
        encoding="utf8-lossy",
    )
    return frame.rename({str(i): header[i] for i in wanted})


def _columns(
    frame: pl.DataFrame, layout: dict[str, str], dialect: str, rejected: Counter[str]
) -> dict[str, NDArray]:
    number = {
        key: pl.col(name).str.strip_chars().cast(pl.Float64, strict=False)
        for key, name in layout.items()
    }
    is_whole = number["vessel"] == number["vessel"].floor()  # "316000001.0" is a whole number too
    vessel = pl.when(is_whole).then(number["vessel"]).cast(pl.Int64, strict=False)
    columns: dict[str, pl.Expr] = {
        "vessel": vessel,
        "time_s": _times(layout["time"], dialect),
        "longitude": number["longitude"],
        "latitude": number["latitude"],
    }
    columns |= {_STANDARD[key]: number[key] for key in _STANDARD if key in layout}
    words: dict[str, Callable[[], pl.Expr]] = {
        "status": lambda: _coded(layout["status"], STATUSES if dialect == "dma" else {}, 15),
        "ship_type": lambda: _coded(layout["ship_type"], SHIP_TYPES if dialect == "dma" else {}, 0),
        "mobile": lambda: _coded(layout["mobile"], MOBILES, 1),
    }
    for key, make in words.items():
        if key in layout:
            columns["message_type" if key == "mobile" else key] = make()
    table = frame.select(**columns)
    rejected["row without a whole number for the vessel"] += table["vessel"].null_count()
    table = table.filter(pl.col("vessel").is_not_null())
    return {
        name: table[name].fill_null(np.nan).to_numpy()
        if table[name].dtype == pl.Float64
        else table[name].to_numpy()
        for name in table.columns
    }


def _times(name: str, dialect: str) -> pl.Expr:
    """Seconds since 1970; null where the text is no time."""
    text = pl.col(name).str.strip_chars()
    if dialect == "dma":
        parsed = text.str.to_datetime("%d/%m/%Y %H:%M:%S", time_unit="us", strict=False)
        return parsed.dt.timestamp("us") / 1e6
    return seconds_of(text)


def seconds_of(text: pl.Expr) -> pl.Expr:
    """Seconds since 1970 of numbers and of ISO 8601 (UTC if it names no zone), else null."""
    number = text.cast(pl.Float64, strict=False)
    has_zone = text.str.contains(r":.*(Z|[+-]\d\d(:?\d\d)?)$")
    plain = text.str.replace("T", " ", literal=True)
    plain = plain.str.replace(r"^(\S+ \d\d:\d\d)($|Z|[+-])", "${1}:00${2}")  # without seconds
    local = plain.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False)
    zoned = (
        pl.when(has_zone)
        .then(plain.str.replace("Z", "+00:00", literal=True))
        .str.to_datetime("%Y-%m-%d %H:%M:%S%.f%#z", time_unit="us", time_zone="UTC", strict=False)
    )
    found = pl.coalesce(local.dt.timestamp("us"), zoned.dt.timestamp("us")) / 1e6
    return pl.coalesce(number, found)


def _coded(name: str, words: dict[str, int], missing: int) -> pl.Expr:
    """Numbers as they are, words by their code, anything else ``missing``."""
    text = pl.col(name).str.strip_chars()
    number = text.cast(pl.Float64, strict=False).cast(pl.Int16, strict=False)
    if words:
        coded = text.str.to_lowercase().replace_strict(words, default=None, return_dtype=pl.Int16)
        number = pl.coalesce(number, coded)
    return number.fill_null(missing)
