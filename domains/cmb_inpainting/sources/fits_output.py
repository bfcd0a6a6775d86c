"""A filled map in FITS: the user's own file with other values behind the mask.

Legend: N pixels.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import healpy
import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from domains.cmb_inpainting.sources.fits_maps import SUFFIXES, SkyMap, is_fits, load
from domains.errors import DataError
from domains.files import whole_file

_CARDS = ("PIXTYPE", "ORDERING", "COORDSYS", "NSIDE", "FIRSTPIX", "LASTPIX", "INDXSCHM")
_CHECKSUMS = ("CHECKSUM", "DATASUM")


def check_output(path: Path) -> None:
    """Refuse an output that is no FITS file.

    Raises:
        DataError: another ending.
    """
    if not is_fits(path):
        raise DataError(
            f"{path}: cannot write this kind of file, expected one of {', '.join(SUFFIXES)}"
        )


def write_filled(
    path: Path,
    sky: SkyMap,
    scale: float,
    filled: NDArray,
    is_filled: NDArray[np.bool_],
    tables: Mapping[str, Mapping[str, NDArray]],
    history: Sequence[str],
) -> None:
    """Write a copy of the file of ``sky`` to ``path``, whole or not at all.

    Other pixels, columns, tables and cards stay as they are, bit for bit; checksums, which would
    be wrong, go, and ``history`` is added.

    Args:
        path: output, gzipped if it ends in .gz.
        sky: what was read.
        scale: µK in one unit of the file.
        filled: (N,), µK, RING.
        is_filled: (N,), RING, where ``filled`` replaces what the file has.
        tables: extension name -> column -> (N,), µK, RING; written behind in unit and order of
            the file.
        history: lines for the header.

    Raises:
        DataError: a column of integers or scaled numbers, which cannot hold the fill.
    """
    file = load(sky.path)
    table = file[sky.table]
    number = table.data.names.index(sky.column) + 1
    column = table.data[sky.column]
    if column.dtype.kind != "f" or f"TSCAL{number}" in table.header:
        raise DataError(
            f"{sky.path}: column {sky.column} is stored as integers or scaled, expected plain "
            "floating-point numbers; write the map again as float32 (healpy.write_map)"
        )
    flat, replaced = column.reshape(-1).copy(), _ordered(is_filled, sky)
    flat[replaced] = (_ordered(filled, sky)[replaced] / scale).astype(flat.dtype)
    table.data[sky.column] = flat.reshape(column.shape)
    for key in _CHECKSUMS:
        table.header.remove(key, ignore_missing=True)
    for line in history:
        table.header.add_history(line)
    for name, columns in tables.items():
        values = {column: _ordered(one, sky) / scale for column, one in columns.items()}
        file.append(_table(name, values, sky, table.header))
    buffer = io.BytesIO()
    file.writeto(buffer, output_verify="ignore")
    content = buffer.getvalue()
    if path.name.lower().endswith(".gz"):
        content = gzip.compress(content, mtime=0)  # no time stamp: the same bytes every time
    with whole_file(path) as scratch:
        scratch.write_bytes(content)


def _ordered(ring: NDArray, sky: SkyMap) -> NDArray:
    """Values (N,) in the order of the file."""
    if sky.order == "ring":
        return ring
    return ring[healpy.nest2ring(sky.nside, np.arange(len(ring)))]


def _table(
    name: str, columns: Mapping[str, NDArray], sky: SkyMap, header: fits.Header
) -> fits.BinTableHDU:
    """A table of further maps with the HEALPix cards of the first."""
    table = fits.BinTableHDU.from_columns(
        [
            fits.Column(column, "E", unit=sky.unit or None, array=values.astype(np.float32))
            for column, values in columns.items()
        ],
        name=name,
    )
    for key in _CARDS:
        if key in header:
            table.header[key] = (header[key], header.comments[key])
    return table
