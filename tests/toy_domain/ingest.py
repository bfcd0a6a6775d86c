"""Points on y = 2x + noise, or the user's CSV."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from domains.contract import Card
from domains.errors import DataError


def ingest(source: str, out: Path, **params: Any) -> Card:
    """Write ``points.csv`` with a split column."""
    if source == "sample":
        draw = np.random.default_rng(0)
        x = draw.normal(size=params["ingest"]["num_points"])
        table = pd.DataFrame({"x": x, "y": 2 * x + 0.1 * draw.normal(size=len(x))})
    else:
        if not Path(source).is_file():
            raise DataError(f"{source}: no such file")
        table = pd.read_csv(source)
        if list(table.columns) != ["x", "y"]:
            raise DataError(f"{source}: expected columns x, y, found {list(table.columns)}")
    table["split"] = ["train", "validate", "test", "train"] * (len(table) // 4)
    table.to_csv(out / "points.csv", index=False)
    names = {name: [name] for name in ("train", "validate", "test")}
    return Card(
        "points on a line, simulated", source, "none", {"x": "m"}, names, {"points": len(table)}
    )
