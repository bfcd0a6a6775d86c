"""The dataset on disk: one table of points with the split of each group."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

SPLITS = ("train", "validate", "test")
UNITS = {"group": "name", "x": "m", "y": "m"}
"""Columns of a table of points and their units."""

_FILE = "points.csv"


def save_points(folder: Path, table: pd.DataFrame) -> None:
    """Write ``table`` with the columns of ``UNITS`` and ``split``."""
    table.to_csv(folder / _FILE, index=False)


def load_points(dataset: Path, split: str) -> pd.DataFrame:
    """The points of one split: ``group``, ``x`` in m, ``y`` in m."""
    table = pd.read_csv(dataset / _FILE, dtype={"group": str})
    return table.loc[table["split"] == split, list(UNITS)].reset_index(drop=True)
