"""HEALPix maps and masks in FITS: read with all their oddities, and written back as they came.

Files are read column by column as they are, never reordered in passing: ordering, unit, type and
names are facts of the file that the filled map keeps.

Legend: N pixels.
"""

from __future__ import annotations

import gzip
import io
import warnings
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import healpy
import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning
from numpy.typing import NDArray

from domains.cmb_inpainting.science.sphere import Order
from domains.cmb_inpainting.sources.units import unit_scale
from domains.errors import DataError

SUFFIXES = (".fits", ".fit", ".fits.gz", ".fit.gz")

_GZIP = b"\x1f\x8b"
_UNREADABLE = (OSError, EOFError, zlib.error, AstropyWarning, fits.VerifyError)

_UNSEEN_BELOW = -1e29  # UNSEEN is −1.6375e30; rounding to float32 moves it


@dataclass(frozen=True)
class SkyMap:
    """One column of a HEALPix file.

    Args:
        path: of the file.
        table: number of the FITS table in the file.
        column: name of the column.
        nside: as its length says.
        order: ``ring`` or ``nest``, of ``values``.
        values: (N,) float64, in the unit of the file; NaN where UNSEEN, NaN or infinite.
        unit: its unit card, ``""`` without.
        coordinates: its COORDSYS card, G, E or C; ``""`` without.
        warnings: what was assumed, one sentence each.
    """

    path: Path
    table: int
    column: str
    nside: int
    order: Order
    values: NDArray[np.float64]
    unit: str
    coordinates: str = ""
    warnings: list[str] = field(default_factory=list)

    def ring(self) -> NDArray[np.float64]:
        """The values in RING order."""
        return self.values if self.order == "ring" else healpy.reorder(self.values, n2r=True)

    def microkelvin(self, unit: str) -> tuple[NDArray[np.float64], float]:
        """The values in RING order and µK, and how many µK one unit of the file is.

        Args:
            unit: ``auto``, or K, mK, uK whatever the card says.

        Raises:
            DataError: no temperature, or no way to tell.
        """
        scale, assumed = unit_scale(self.unit, self.values, unit, str(self.path))
        if assumed:
            self.warnings.append(assumed)
        return self.ring() * scale, scale


def is_fits(path: Path) -> bool:
    """Whether the name ends as FITS files do."""
    return path.name.lower().endswith(SUFFIXES)


def read_map(path: Path, column: str | None = None) -> SkyMap:
    """A column of the first HEALPix table of a file.

    Args:
        path: FITS, gzipped or not.
        column: name or number from 1; ``None`` = the first.

    Raises:
        DataError: no FITS file, no HEALPix map in it, a spectrum, or part of the sky alone.
    """
    path = Path(path)
    file = load(path)
    number = _first_table(file, path)
    header, data = file[number].header, file[number].data
    _refuse_partial(header, data, path)
    name = _column_name(data.names, column, path)
    raw = np.asarray(data[name]).ravel()
    if raw.dtype.kind not in "fiu":
        raise DataError(f"{path}: column {name} holds {raw.dtype}, expected numbers")
    values = raw.astype(np.float64)  # also: to native byte order, FITS has the other
    unit = header.get(f"TUNIT{data.names.index(name) + 1}") or ""
    bad_data = header.get("BAD_DATA")
    assumed: list[str] = []
    nside = _nside(len(values), header, path, assumed)
    order = _order(header, path, assumed)
    is_bad = ~np.isfinite(values) | (values < _UNSEEN_BELOW)
    if isinstance(bad_data, (int, float)):
        is_bad |= np.isclose(values, bad_data, rtol=1e-6, atol=0)
    values[is_bad] = np.nan
    return SkyMap(
        path, number, name, nside, order, values, unit.strip(), _coordinates(header), assumed
    )


def read_mask(path: Path, column: str | None = None) -> tuple[SkyMap, NDArray[np.bool_]]:
    """The column that is a mask, and the mask (N,) in RING order, True where observed.

    Values between 0 and 1 are apodised masks: everything below 1 counts as masked.

    Raises:
        DataError: values outside 0 to 1, nothing observed, or not a HEALPix map.
    """
    sky = read_map(path, column)
    values = sky.ring()
    known = values[np.isfinite(values)]
    if known.size and (known.min() < 0 or known.max() > 1):
        raise DataError(
            f"{path}: column {sky.column} reads {known.min():.4g} to {known.max():.4g}, expected a "
            "mask of 0 (masked) and 1 (observed)"
        )
    mask = np.nan_to_num(values, nan=0.0) >= 1 - 1e-6
    if partly := int(((known > 0) & (known < 1 - 1e-6)).sum()):
        sky.warnings.append(f"{path}: {partly} pixels between 0 and 1 count as masked")
    if not mask.any():
        raise DataError(f"{path}: the mask leaves no pixel observed, expected 1 where observed")
    return sky, mask


def check_coordinates(sky: SkyMap, expected: str, whose: str) -> None:
    """Refuse a map that says to be in other coordinates; one that does not say passes.

    Args:
        sky: as read.
        expected: G, E or C; ``""`` = anything.
        whose: what has these, for the message.

    Raises:
        DataError: another COORDSYS card.
    """
    if expected and sky.coordinates not in ("", expected):
        raise DataError(
            f"{sky.path}: COORDSYS = {sky.coordinates}, expected {expected} as {whose}; turn it "
            "with healpy.Rotator"
        )


def load(path: Path) -> fits.HDUList:
    """The whole FITS file in memory; what astropy cannot read becomes one line.

    Raises:
        DataError: no such file, empty, damaged, or of another kind.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file, expected a HEALPix map in FITS")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", AstropyWarning)  # a truncated file only warns
            content = path.read_bytes()
            if content[:2] == _GZIP:
                content = gzip.decompress(content)
            with fits.open(io.BytesIO(content), lazy_load_hdus=False) as file:
                for table in file:
                    _ = table.data
        return file
    except (*_UNREADABLE, TypeError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(
            f"{path}: not a whole FITS file ({reason}); copy or download it again"
        ) from error


def _coordinates(header: Any) -> str:
    """G, E or C for a COORDSYS card as instruments write it, ``""`` for none or unknown."""
    card = str(header.get("COORDSYS", "")).strip().upper()
    if card in ("EQUATORIAL", "CELESTIAL"):
        return "C"
    return card[:1] if card[:1] in ("G", "E", "C") and card != "UNKNOWN" else ""


def _first_table(file: Any, path: Path) -> int:
    for number, table in enumerate(file):
        if isinstance(table, (fits.BinTableHDU, fits.TableHDU)) and table.columns.names:
            return number
    shapes = [table.shape for table in file if getattr(table, "shape", None)]
    found = f"an image of shape {shapes[0]}" if shapes else "no data"
    raise DataError(
        f"{path}: {found}, expected a binary table with a HEALPix map; project flat images to "
        "HEALPix first"
    )


def _refuse_partial(header: Any, data: Any, path: Path) -> None:
    explicit = str(header.get("INDXSCHM", "")).strip().upper() == "EXPLICIT"
    if explicit or str(header.get("OBJECT", "")).strip().upper() == "PARTIAL":
        raise DataError(
            f"{path}: {len(data)} pixels of part of the sky (INDXSCHM EXPLICIT), expected all "
            "12·nside²; write it whole, UNSEEN where nothing is (healpy.write_map, partial=False)"
        )


def _column_name(names: list[str], column: str | None, path: Path) -> str:
    if column is None:
        return names[0]
    if column in names:
        return column
    if column.isdigit() and 1 <= int(column) <= len(names):
        return names[int(column) - 1]
    raise DataError(f"{path}: no column {column!r}, found {', '.join(names)}; or a number from 1")


def _nside(length: int, header: Any, path: Path, assumed: list[str]) -> int:
    nside = round((length / 12) ** 0.5)
    card = header.get("NSIDE")
    if 12 * nside**2 != length or (card is not None and int(card) != nside):
        expected = f"12·{card}² = {12 * int(card) ** 2}" if card else "12·nside²"
        is_spectrum = length < 12 * int(card or 16) ** 2
        hint = "this looks like a spectrum C_ℓ, not a map" if is_spectrum else "not a HEALPix map"
        raise DataError(f"{path}: {length} values in a column, expected {expected} pixels; {hint}")
    if nside & (nside - 1):
        raise DataError(
            f"{path}: nside = {nside}, expected a power of two; change it with healpy.ud_grade"
        )
    if card is None:
        assumed.append(f"{path}: no NSIDE card, {length} pixels make nside = {nside}")
    return nside


def _order(header: Any, path: Path, assumed: list[str]) -> Order:
    card = str(header.get("ORDERING", "")).strip().upper()
    if card in ("NEST", "NESTED"):
        return "nest"
    if card == "RING":
        return "ring"
    if card:
        raise DataError(f"{path}: ORDERING = {card!r}, expected RING or NESTED; mend the header")
    assumed.append(f"{path}: no ORDERING card, RING assumed")
    return "ring"
