"""Declared columns picked out of a file's arrays, as numbers.

Legend: N rows of a file.
"""

from __future__ import annotations

import difflib
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domains.errors import DataError
from domains.imu_attitude.sources.readers import Arrays


def select(arrays: Arrays, name: str | list[str], letters: str, key: str, path: Path) -> NDArray:
    """The declared column or array as numbers: (N,), or (N, len(letters)).

    Args:
        arrays: all of the file.
        name: an array's name, what the columns begin with, or the columns in order.
        letters: components in order, ``xyz``, ``wxyz`` or ``xyzw``; empty for a single column.
        key: below ``ingest.files.columns``, for the message.
        path: of the file, for the message.

    Raises:
        DataError: a name that is not there, columns in another order, or another shape.
    """
    names = [name] if isinstance(name, str) else list(name)
    width = len(letters) or 1
    if width > 1 and len(names) == 1 and names[0] not in arrays:
        names = _columns_of_group(arrays, names[0], letters, key, path)
    for one in names:
        if one not in arrays:
            near = difflib.get_close_matches(one, arrays, n=1, cutoff=0.3)
            hint = f"nearest is {near[0]!r}" if near else f"found {', '.join(list(arrays)[:12])}"
            raise DataError(f"{path}: no column {one!r} ({hint}); set ingest.files.columns.{key}")
    parts = [_numbers(arrays[one], one, path) for one in names]
    values = parts[0] if len(parts) == 1 else np.stack([np.ravel(part) for part in parts], axis=-1)
    if width == 1:
        return np.ravel(values)
    if values.ndim == 2 and values.shape[0] == width and values.shape[1] != width:
        values = values.T  # MATLAB users keep time along the second axis
    if values.ndim != 2 or values.shape[1] != width:
        raise DataError(
            f"{path}: {key} ({', '.join(names)}) has shape {values.shape}, expected (N, {width}); "
            f"set ingest.files.columns.{key}"
        )
    return values


def _columns_of_group(arrays: Arrays, group: str, letters: str, key: str, path: Path) -> list[str]:
    """Columns whose names begin with ``group``, which must be as many and in the order declared."""
    names = [column for column in arrays if column.startswith(group)]
    if not names:
        return [group]
    # gyr_x, Gyroscope X (deg/s): the letter that stands alone behind the group's name
    found = [re.findall(r"(?<![a-z])[wxyz](?![a-z])", one[len(group) :].lower()) for one in names]
    order = "".join(one[0] for one in found if one)
    if len(names) != len(letters) or order not in ("", letters):
        raise DataError(
            f"{path}: {len(names)} columns begin with {group!r} ({', '.join(names)}), expected "
            f"{len(letters)} in the order {letters}; list them in ingest.files.columns.{key}"
        )
    return names


def _numbers(values: np.ndarray, name: str, path: Path) -> NDArray:
    if values.dtype.kind in "biuf":
        return values
    for row, value in enumerate(values):
        try:
            float(value)
        except (TypeError, ValueError) as error:
            raise DataError(
                f"{path}: column {name!r}, sample {row}: {value!r} is not a number; "
                "correct it or leave it empty"
            ) from error
    return values.astype(np.float64)
