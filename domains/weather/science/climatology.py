"""Climatology: what is usual at a place for the day of the year and the hour, from training alone.

The mean over all days of the record at each hour of the day, plus the first harmonics of the year
fitted by least squares (E. S. Epstein, "A spectral climatology", J. Climate 1, 1988): smooth in the
day of the year without a window.  A record too short for that gives less, and says so:

``zonal_mean``    a world without geography: mean over time and longitude
``mean``          fewer than ``MIN_DAYS_FOR_HOURS`` days: one mean field
``hour_of_day``   less than a year, or seasons that are missing: a mean for each hour of the day
``harmonics``     a year or more, all seasons: hours and harmonics of the year

Legend: T times, C channels, H latitudes, W longitudes, S hours of the day, J = 1 + 2 × harmonics.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

MIN_DAYS_FOR_HOURS = 10
"""A mean of fewer days is noisier than the daily cycle that it would show."""

MIN_DAYS_FOR_YEAR = 360

_CHUNK = 64  # times held in memory at once
_MOMENT_BYTES = 2 * 2**30  # of sums held in memory at once; more channels take another pass


def fit_climatology(
    fields: xr.DataArray,
    year_phase: NDArray,
    day_phase: NDArray,
    harmonics: int,
    days: float,
    is_zonally_symmetric: bool,
) -> xr.Dataset:
    """Coefficients of the climatology of ``fields``.

    Args:
        fields: (T, C, H, W), training split, read in pieces.
        year_phase: (T,) in [0, 1).
        day_phase: (T,) in [0, 1).
        harmonics: of the year; used where the record is long enough and has all seasons.
        days: that the record covers, number of frames × step.
        is_zonally_symmetric: whether no longitude differs from another.

    Returns:
        ``coefficient(slot, term, channel, latitude, longitude)`` float32, ``slot_phase(slot)``,
        and the attribute ``kind``; longitude has length one for a zonal mean.
    """
    if is_zonally_symmetric:
        kind, harmonics = "zonal_mean", 0
    elif days < MIN_DAYS_FOR_HOURS:
        kind, harmonics = "mean", 0
    elif days < MIN_DAYS_FOR_YEAR or misses_seasons(year_phase, day_phase, harmonics):
        kind, harmonics = "hour_of_day", 0
    else:
        kind = "harmonics"
    by_hour = kind in ("hour_of_day", "harmonics")
    slots = np.unique(day_phase) if by_hour else np.zeros(1)
    design = _terms(year_phase, harmonics)  # (T, J)
    place = np.searchsorted(slots, day_phase) if by_hour else np.zeros(len(day_phase), int)
    shape = (len(slots), design.shape[1], *fields.shape[1:])  # (S, J, C, H, W)
    solved = np.empty(shape, np.float32)
    group = max(1, _MOMENT_BYTES // (8 * int(np.prod(shape)) // shape[2]))
    for first in range(0, shape[2], group):
        channels = slice(first, first + group)
        solved[:, :, channels] = _solve(fields[:, channels], design, place, len(slots))
    if kind == "zonal_mean":
        solved = solved.mean(axis=-1, keepdims=True, dtype=np.float64).astype(np.float32)
    return xr.Dataset(
        {"coefficient": (("slot", "term", "channel", "latitude", "longitude"), solved)},
        coords={"slot_phase": ("slot", slots)},
        attrs={"kind": kind, "harmonics": harmonics},
    )


def misses_seasons(year_phase: NDArray, day_phase: NDArray, harmonics: int) -> bool:
    """Whether an hour of the day lacks a part of the year that ``harmonics`` would make up.

    A gap must be shorter than 1 / (1 + 2 × harmonics) of the year: evenly spaced, so many phases
    are what the terms need.  Ten summers are many days, and say nothing about winter.

    Args:
        year_phase: (T,) in [0, 1).
        day_phase: (T,) in [0, 1).
        harmonics: of the year.
    """
    if harmonics == 0:
        return False
    for slot in np.unique(day_phase):
        phases = np.sort(year_phase[day_phase == slot])
        gaps = np.diff(phases, append=phases[0] + 1)
        if gaps.max() >= 1 / (1 + 2 * harmonics):
            return True
    return False


def climatology_at(
    climatology: xr.Dataset, year_phase: NDArray, day_phase: NDArray, num_longitudes: int
) -> NDArray[np.float32]:
    """(T, C, H, W) usual fields at the given phases, in physical units.

    An hour of the day that the record did not have gets the nearest one that it had.

    Args:
        climatology: of ``fit_climatology`` or ``open_climatology``.
        year_phase: (T,) in [0, 1).
        day_phase: (T,) in [0, 1).
        num_longitudes: W; a zonal mean is spread over them.
    """
    slots = climatology["slot_phase"].to_numpy()
    away = np.abs(np.asarray(day_phase)[:, None] - slots[None])
    place = np.argmin(np.minimum(away, 1 - away), axis=1)
    design = _terms(np.asarray(year_phase), int(climatology.attrs["harmonics"]))
    coefficient = climatology["coefficient"].to_numpy()
    usual = np.einsum("tj,tjchw->tchw", design.astype(np.float32), coefficient[place])
    return np.broadcast_to(usual, (*usual.shape[:-1], num_longitudes))


def open_climatology(folder: Path | str) -> xr.Dataset:
    """The climatology in the dataset ``folder``."""
    return xr.open_zarr(Path(folder) / "climatology.zarr", chunks=None)


def _terms(year_phase: NDArray, harmonics: int) -> NDArray[np.float64]:
    """(T, J): one, then sine and cosine of each harmonic of the year."""
    angles = 2 * np.pi * np.outer(year_phase, np.arange(1, harmonics + 1))
    return np.concatenate([np.ones((len(year_phase), 1)), np.sin(angles), np.cos(angles)], axis=1)


def _solve(
    fields: xr.DataArray, design: NDArray, place: NDArray, num_slots: int
) -> NDArray[np.float64]:
    """(S, J, C, H, W) least squares of the normal equations, for each hour of the day."""
    moments = _moments(fields, design, place, num_slots)
    for slot in range(num_slots):
        rows = design[place == slot]
        flat = moments[slot].reshape(len(moments[slot]), -1)
        moments[slot] = np.linalg.solve(rows.T @ rows, flat).reshape(moments[slot].shape)
    return moments


def _moments(
    fields: xr.DataArray, design: NDArray, place: NDArray, num_slots: int
) -> NDArray[np.float64]:
    """(S, J, C, H, W) sums over time of field × term, in float64, reading a few times at once."""
    moments = np.zeros((num_slots, design.shape[1], *fields.shape[1:]))
    for first in range(0, fields.shape[0], _CHUNK):
        part = fields[first : first + _CHUNK].to_numpy()
        rows = slice(first, first + len(part))
        for slot in np.unique(place[rows]):
            chosen = place[rows] == slot
            moments[slot] += np.einsum(
                "tj,tchw->jchw", design[rows][chosen], part[chosen].astype(np.float64)
            )
    return moments
