"""Error of the line beside a fixed slope."""

from pathlib import Path
from typing import Any

import pandas as pd
import torch

from domains.contract import Evaluation, Figure, Metric
from domains.toy.data import points
from domains.toy.figures import draw


def evaluate(dataset: Path, task: torch.nn.Module, out: Path, **params: Any) -> Evaluation:
    """Mean absolute error [m] per test point."""
    test = points(dataset, "test")
    with torch.no_grad():
        ours = (task(test[:, :1]) - test[:, 1:]).abs().squeeze(1)
    other = (params["evaluate"]["slope"] * test[:, 0] - test[:, 1]).abs()
    cases = pd.DataFrame({"case": [f"p{i}" for i in range(len(test))], "error": ours.tolist()})
    draw(test, out / "figures" / "line.png")
    metric = Metric(
        "error", float(ours.mean()), "m", "lower", len(test), {"fixed_slope": float(other.mean())}
    )
    return Evaluation([metric], cases, [Figure("figures/line.png", "Points [m]", "points")])
