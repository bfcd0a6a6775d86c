"""The shipped simulation, ``source: sample``: a dry world in perpetual equinox, 300 days.

Written by ``sources/simulation.py``.  A simulation, not observations: no land, no moisture, no
seasons, no day, the same statistics at every longitude and mirrored at the equator.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from domains.weather.science.calendars import TimeAxis
from domains.weather.science.channels import PAPER
from domains.weather.science.grid import Grid
from domains.weather.sources.collection import Collection
from domains.weather.sources.spectral import read_fields, read_header

RECORD = Path(__file__).parent / "data" / "held_suarez_t21.nc"


def collect_sample() -> Collection:
    """Its frames every six hours; the calendar has 365 days, its first day is 1900-01-01."""
    header = read_header(RECORD)
    channels = sorted(header.channels, key=PAPER.index)
    minutes = round(60 * header.step_h) * np.arange(header.num_times, dtype=np.int64)
    longitude = 360 / header.num_longitudes * np.arange(header.num_longitudes, dtype=np.float64)

    def read(indices: np.ndarray) -> np.ndarray:
        return np.stack([read_fields(RECORD, header, name, indices) for name in channels], axis=1)

    return Collection(
        title="Held–Suarez simulation (dry dynamical core, T21, 8 layers), not observations",
        source="domains/weather/sources/simulation.py (dinosaur-dycore 1.2.1)",
        licence="BSD-3-Clause, as Convoy itself",
        channels=channels,
        grid=Grid(header.latitude, longitude),
        times=TimeAxis(minutes, "noleap"),
        read=read,
        is_zonally_symmetric=True,
        is_simulated=True,
    )
