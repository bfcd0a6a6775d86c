"""NetCDF, Zarr and GRIB files to lazily read xarray datasets, times not decoded.

GRIB through cfgrib without its index files: it writes them beside the data, fails where the folder
is read-only, and complains when the data have moved.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path

import xarray as xr

from domains.errors import DataError

NETCDF = (".nc", ".nc4", ".cdf", ".netcdf", ".h5")
GRIB = (".grib", ".grib1", ".grib2", ".grb", ".grb1", ".grb2")
ZARR = (".zarr",)

_REMOTE = {
    "gs://": "https://storage.googleapis.com/",
}
"""Public buckets are also plain web addresses, for which no further package is needed."""


def open_file(path: Path, select: Mapping[str, int | float | str]) -> list[xr.Dataset]:
    """The datasets in ``path``: one, or for GRIB one for each kind of level.

    Args:
        path: a file, or the folder of a Zarr store.
        select: ``ingest.files.select``; keys with capitals are GRIB filter keys.

    Raises:
        DataError: not such a file, damaged, or GRIB messages that do not fit together.
    """
    suffix = path.suffix.lower()
    if path.is_dir():
        return [open_store(str(path))]
    if path.stat().st_size == 0:
        raise DataError(f"{path}: empty file")
    if suffix in GRIB:
        return _open_grib(path, select)
    if suffix not in NETCDF:
        raise DataError(
            f"{path}: cannot read this kind of file, expected one of "
            f"{', '.join((*NETCDF, *ZARR, *GRIB))}"
        )
    try:
        return [xr.open_dataset(path, decode_times=False, decode_timedelta=False)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path}: cannot be read as NetCDF ({str(error).splitlines()[0]}); it is damaged, cut "
            "short, or another format: copy it again"
        ) from error


def open_store(address: str) -> xr.Dataset:
    """The Zarr store at a folder, or at an ``https://`` or ``gs://`` address.

    Raises:
        DataError: nothing there, not reachable, or not a Zarr store.
    """
    for scheme, web in _REMOTE.items():
        address = address.replace(scheme, web, 1) if address.startswith(scheme) else address
    is_remote = "://" in address
    options: tuple[bool, ...] = (True,) if is_remote else (True, False)
    reasons = []
    for consolidated in options:
        try:
            return xr.open_zarr(
                address,
                chunks=None,
                consolidated=consolidated,
                decode_times=False,
                decode_timedelta=False,
            )
        except Exception as error:
            reasons.append(f"{type(error).__name__}: {(str(error) or 'no text').splitlines()[0]}")
    remedy = (
        "check the address and the network, or put a copy of the store into the folder that "
        "CONVOY_MIRROR names; a store on the web needs consolidated metadata"
        if is_remote
        else "expected a folder with .zgroup, .zmetadata or zarr.json"
    )
    raise DataError(f"{address}: cannot be opened as a Zarr store ({reasons[0]}); {remedy}")


def _open_grib(path: Path, select: Mapping[str, int | float | str]) -> list[xr.Dataset]:
    import cfgrib

    filters = {key: value for key, value in select.items() if key != key.lower()}
    options = {"indexpath": "", "filter_by_keys": filters}
    try:
        with warnings.catch_warnings():
            # cfgrib merges by xarray's old defaults, on purpose
            warnings.simplefilter("ignore", FutureWarning)
            datasets = cfgrib.open_datasets(str(path), backend_kwargs=options)
    except cfgrib.DatasetBuildError as error:
        raise DataError(
            f"{path}: its messages do not fit into one array ({str(error).splitlines()[0]}); name "
            "some with ingest.files.select, e.g. {typeOfLevel: isobaricInhPa} or {shortName: z}"
        ) from error
    except (EOFError, OSError, ValueError, cfgrib.messages.eccodes.CodesInternalError) as error:
        raise DataError(
            f"{path}: cannot be read as GRIB ({type(error).__name__}: {error}); it is damaged or "
            "cut short: copy it again"
        ) from error
    if not any(dataset.data_vars for dataset in datasets):
        chosen = f" that match ingest.files.select: {filters}" if filters else ""
        raise DataError(f"{path}: no GRIB messages{chosen}")
    return datasets
