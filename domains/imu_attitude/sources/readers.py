"""CSV, NPZ, HDF5 and MAT files as named arrays; nothing is unpickled and nothing is repaired."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from domains.errors import DataError

Arrays = dict[str, np.ndarray]

_NUMBER = re.compile(r"^\s*([+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?|nan|[+-]?inf)?\s*$", re.I)


def read_arrays(path: Path) -> Arrays:
    """All arrays of the file at ``path`` by name; a value inside a group is ``group/name``.

    Raises:
        DataError: no such file, an unknown kind, an empty or a damaged file.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file; expected a recording as {', '.join(READERS)}")
    if path.suffix.lower() not in READERS:
        raise DataError(f"{path}: unknown kind of file, expected one of {', '.join(READERS)}")
    if path.stat().st_size == 0:
        raise DataError(f"{path}: the file is empty, expected a recording; export it again")
    try:
        arrays = READERS[path.suffix.lower()](path)
    except DataError:
        raise
    except Exception as error:  # four parsers of foreign bytes fail in more ways than can be listed
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DataError(
            f"{path}: damaged or cut short ({reason}), expected a whole {path.suffix} file; "
            "copy or export it again"
        ) from error
    if not arrays or all(np.size(value) == 0 for value in arrays.values()):
        raise DataError(f"{path}: holds no samples, expected a recording; export it again")
    return arrays


def _read_csv(path: Path) -> Arrays:
    with open(path, "rb") as binary:
        if b"\0" in binary.read(4096):
            raise DataError(f"{path}: not a text file, expected CSV; check its ending")
    # a header in another encoding (°/s, m/s²) costs a letter, not the recording
    with open(path, encoding="utf-8-sig", errors="replace") as stream:
        head = [line.rstrip("\r\n") for line in islice(stream, 5)]
    separator = max(";\t,", key=head[0].count)
    if separator not in head[0]:
        separator = r"\s+"
        head = [line.strip() for line in head]  # blanks at an end part no columns
    rows = [re.split(separator, line) for line in head]
    num_header = next(
        (i for i, row in enumerate(rows) if all(_NUMBER.match(cell) for cell in row) and any(row)),
        len(rows) if len(rows) < 5 else 1,
    )
    if num_header == len(rows):
        raise DataError(f"{path}: a header and no samples, expected a recording; export it again")
    # with ";" between columns, numbers may be written 9,81
    decimal = "," if separator != "," and "," in head[num_header] else "."
    table = pd.read_csv(
        path,
        sep=separator,
        header=None,
        skiprows=num_header,
        decimal=decimal,
        low_memory=False,
        encoding_errors="replace",
    )
    names = _column_names(rows[:num_header], table.shape[1])
    return {name: table.iloc[:, i].to_numpy() for i, name in enumerate(names) if name}


def _column_names(header: list[list[str]], count: int) -> list[str]:
    """One name per column; of two header rows the first names groups: ``Gyroscope X``."""
    if not header:
        return [str(index) for index in range(count)]
    names, group = [], ""
    for index in range(count):
        parts = [row[index].strip().strip('"') if index < len(row) else "" for row in header]
        if len(parts) > 1:
            group = parts[0] or group
            parts = [group, *parts[1:]] if any(parts[1:]) else parts
        names.append(" ".join(part for part in parts if part))
    return names


def _read_npz(path: Path) -> Arrays:
    if not zipfile.is_zipfile(path):  # numpy would take it for a pickle
        raise zipfile.BadZipFile("not an NPZ archive")
    try:
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
    except ValueError as error:
        if "pickle" not in str(error):
            raise
        raise DataError(
            f"{path}: holds pickled Python objects, which may run code and are never loaded; "
            "expected plain arrays; save each with numpy.savez(name=array)"
        ) from error


def _read_hdf5(path: Path, is_matlab: bool = False) -> Arrays:
    import h5py

    arrays: Arrays = {}

    def visit(name: str, item: Any) -> None:
        for key, value in item.attrs.items():
            arrays.setdefault(f"{name}/{key}".lstrip("/"), np.asarray(value))
        if isinstance(item, h5py.Dataset) and item.dtype.kind in "biuf":
            # MATLAB writes the last axis first
            arrays[name] = item[()].T if is_matlab else item[()]

    with h5py.File(path, "r") as file:
        visit("", file)
        file.visititems(visit)
    return {key: value for key, value in arrays.items() if value.dtype.kind in "biuf"}


def _read_mat(path: Path) -> Arrays:
    from scipy.io import loadmat

    try:
        content = loadmat(path, simplify_cells=True)
    except NotImplementedError:  # version 7.3 is HDF5
        return _read_hdf5(path, is_matlab=True)
    return dict(_flatten(content, ""))


def _flatten(content: dict[str, Any], prefix: str):
    for key, value in content.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{key}/")
        elif not key.startswith("__") and np.asarray(value).dtype.kind in "biuf":
            yield f"{prefix}{key}", np.asarray(value)


READERS: dict[str, Callable[[Path], Arrays]] = {
    ".csv": _read_csv,
    ".txt": _read_csv,
    ".tsv": _read_csv,
    ".npz": _read_npz,
    ".h5": _read_hdf5,
    ".hdf5": _read_hdf5,
    ".mat": _read_mat,
}
