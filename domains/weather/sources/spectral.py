"""Fields on a Gaussian grid as packed spherical harmonics: how the simulated record is shipped.

The core computes with spherical harmonics up to T21, so its fields on 32 × 64 points hold no more
than that; as in spectral GRIB, coefficients of few bits take a third of the room of packed points.
Winds are stored times cos φ, which is smooth at the poles.  A coefficient is rounded to a multiple
of a step chosen so that the rounding error of the field is ``QUANTISATION`` of the standard
deviation of its change from frame to frame.

Legend: T times, N latitudes north → south, M longitudes, L degree of the truncation, K coefficients
(L + 1)²: the real parts for orders 0 … L, then the imaginary parts for orders 1 … L.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domains.files import whole_file

TRUNCATION = 22
QUANTISATION = 0.015
WINDS = ("u", "v")
"""First letters of channels that are stored times cos φ."""

_CHUNK_COEFFICIENTS = 16


def gaussian_latitudes(num: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Latitudes in degrees, north → south, and their quadrature weights, which sum to 2."""
    sines, weights = np.polynomial.legendre.leggauss(num)
    return np.rad2deg(np.arcsin(sines))[::-1], weights[::-1]


def basis(latitude: NDArray, num_longitudes: int, degree: int) -> NDArray[np.float64]:
    """(K, N, M) real spherical harmonics on the grid, orthonormal in the mean over the sphere."""
    from scipy.special import sph_legendre_p_all

    polar = np.deg2rad(90 - np.asarray(latitude))
    # (L + 1, 2 L + 1, N), normalised so that its square times sin θ integrates to 1 / 2π
    legendre = sph_legendre_p_all(degree, degree, polar)[0] * np.sqrt(4 * np.pi)
    turn = 2 * np.pi * np.arange(num_longitudes) / num_longitudes
    rows = []
    for part in (np.cos, np.sin):
        for order in range(0 if part is np.cos else 1, degree + 1):
            wave = part(order * turn) * (np.sqrt(2) if order else 1.0)
            rows += [np.outer(legendre[n, order], wave) for n in range(order, degree + 1)]
    return np.stack(rows)


def analyse(fields: NDArray, latitude: NDArray, weights: NDArray, degree: int) -> NDArray:
    """(T, K) coefficients of fields (T, N, M) on a Gaussian grid, by its quadrature."""
    maps = basis(latitude, fields.shape[-1], degree) * (weights / weights.sum())[:, None]
    return np.einsum("tnm,knm->tk", fields, maps, optimize=True) / fields.shape[-1]


def synthesise(
    coefficients: NDArray, latitude: NDArray, num_longitudes: int, degree: int
) -> NDArray:
    """(T, N, M) fields of coefficients (T, K)."""
    maps = basis(latitude, num_longitudes, degree)
    return (coefficients @ maps.reshape(len(maps), -1)).reshape(-1, *maps.shape[1:])


def write_record(
    path: Path, fields: Mapping[str, NDArray], latitude: NDArray, step_h: float
) -> None:
    """Pack channels (T, N, M) on the Gaussian ``latitude`` into a NetCDF file at ``path``."""
    import h5netcdf

    expected, weights = gaussian_latitudes(len(latitude))
    np.testing.assert_allclose(latitude, expected, atol=1e-3)
    num_times, _, num_longitudes = next(iter(fields.values())).shape
    num_coefficients = (TRUNCATION + 1) ** 2
    with whole_file(path) as scratch, h5netcdf.File(scratch, "w") as file:
        file.attrs["title"] = "Held-Suarez simulation, not observations"
        file.attrs["calendar"] = "noleap"
        file.attrs["truncation"] = TRUNCATION
        file.attrs["num_latitudes"] = len(latitude)
        file.attrs["num_longitudes"] = num_longitudes
        file.attrs["step_h"] = step_h
        file.dimensions = {"time": num_times, "coefficient": num_coefficients}
        for name, values in fields.items():
            _pack(file, name, values, latitude, weights)


def _pack(file: Any, name: str, values: NDArray, latitude: NDArray, weights: NDArray) -> None:
    scaled = values.astype(np.float64)
    mean = float(scaled.mean())
    scaled -= mean
    if name[0] in WINDS:
        scaled *= np.cos(np.deg2rad(latitude))[:, None]
    coefficients = analyse(scaled, latitude, weights, TRUNCATION)
    # the rounding error of K coefficients, step²/12 each, adds up in the field's mean square
    change = np.sqrt(np.mean(np.sum(np.diff(coefficients, axis=0) ** 2, axis=1)))
    step = QUANTISATION * change * np.sqrt(12 / coefficients.shape[1])
    whole = np.diff(np.rint(coefficients / step), axis=0, prepend=0)  # changes are small numbers
    if np.abs(whole).max() > np.iinfo(np.int16).max:
        raise ValueError(f"{name}: a coefficient does not fit into 16 bits")
    variable = file.create_variable(
        name,
        ("time", "coefficient"),
        data=whole.astype(np.int16),
        chunks=(len(whole), _CHUNK_COEFFICIENTS),
        compression="gzip",
        compression_opts=9,
        shuffle=True,
    )
    variable.attrs["step"] = step
    variable.attrs["mean"] = mean


@dataclass(frozen=True)
class Header:
    """What a packed record says of itself."""

    channels: tuple[str, ...]
    latitude: NDArray[np.float64]
    num_longitudes: int
    num_times: int
    step_h: float
    truncation: int


def read_header(path: Path) -> Header:
    """Channels, grid and times of the record at ``path``."""
    import h5netcdf

    with h5netcdf.File(path, "r") as file:
        return Header(
            channels=tuple(file.variables),
            latitude=gaussian_latitudes(int(file.attrs["num_latitudes"]))[0],
            num_longitudes=int(file.attrs["num_longitudes"]),
            num_times=len(file.dimensions["time"]),
            step_h=float(file.attrs["step_h"]),
            truncation=int(file.attrs["truncation"]),
        )


def read_fields(path: Path, header: Header, name: str, indices: NDArray) -> NDArray[np.float32]:
    """(n, N, M) of one channel at the times ``indices`` (n,)."""
    import h5netcdf

    with h5netcdf.File(path, "r") as file:
        variable = file.variables[name]
        whole = np.cumsum(variable[: int(indices.max()) + 1], axis=0, dtype=np.int64)[indices]
        step, mean = float(variable.attrs["step"]), float(variable.attrs["mean"])
    values = synthesise(whole * step, header.latitude, header.num_longitudes, header.truncation)
    if name[0] in WINDS:
        values /= np.cos(np.deg2rad(header.latitude))[:, None]
    return (values + mean).astype(np.float32)
