"""What is scored: leads, the headline's channel, and the forecasts that the test split holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from domains.errors import DataError
from domains.weather.science.dataset import start_indices

USUAL = ("z500", "t850", "2t", "msl", "10u", "10v")
"""Channels that others report, the first first."""


def headline_channel(channels: Sequence[str], wanted: str | None) -> str:
    """``wanted``, or if that is ``None`` the first of the usual ones that is there.

    Raises:
        DataError: the dataset does not have it.
    """
    if wanted is None:
        return next((name for name in USUAL if name in channels), channels[0])
    if wanted not in channels:
        raise DataError(
            f"weather: evaluate.headline_channel {wanted} is not in the dataset, which has "
            f"{', '.join(channels)}"
        )
    return wanted


def scored_leads(section: Mapping[str, Any], step_h: float) -> tuple[list[float], list[float]]:
    """All leads in h, and those of the table.

    Args:
        section: ``evaluate``.
        step_h: of the dataset.

    Raises:
        DataError: the headline's lead or one of the table is none of them.
    """
    leads = [step_h * (lead + 1) for lead in range(round(24 * section["lead_days"] / step_h))]
    table = []
    for key, wanted in (
        ("headline_lead_h", [section["headline_lead_h"]]),
        ("table_leads_h", section["table_leads_h"]),
    ):
        for lead_h in wanted:
            place = round(lead_h / step_h) - 1
            if not 0 <= place < len(leads) or abs(leads[place] - lead_h) > 1e-6 * step_h:
                raise DataError(
                    f"weather: evaluate.{key} {lead_h:g} is not a multiple of the step "
                    f"({step_h:g} h) within evaluate.lead_days {section['lead_days']:g}"
                )
            if key == "table_leads_h":
                table.append(leads[place])
    return leads, table


def scored_starts(dataset: xr.Dataset, section: Mapping[str, Any]) -> NDArray[np.int64]:
    """Indices on ``time`` of the last known frame of each forecast that is scored.

    Args:
        dataset: of ``open_dataset``.
        section: ``evaluate``.

    Raises:
        DataError: the test split does not hold one.
    """
    step_h = float(dataset.attrs["step_h"])
    num_leads = len(scored_leads(section, step_h)[0])
    starts = start_indices(dataset, "test", num_leads)
    if per_day := steps_per_day(step_h):  # a day's frames must be known before it, without a gap
        run = dataset["run"].to_numpy()
        starts = starts[starts >= per_day - 1]
        starts = starts[run[starts - per_day + 1] == run[starts]]
    if len(starts) == 0:
        raise DataError(
            f"weather: the test split has no start with {per_day} known frames before and "
            f"{num_leads} after it; lower evaluate.lead_days or raise ingest.split.test_share"
        )
    return starts[:: section["start_every"]]


def steps_per_day(step_h: float) -> int:
    """Frames in 24 hours, 0 where the step does not divide them."""
    number = round(24 / step_h)
    return number if number and abs(number * step_h - 24) < 1e-6 else 0
