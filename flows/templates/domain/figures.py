"""Pictures of an evaluation: ours blue, truth black, baselines grey.

Legend: N training points.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Canvas
from numpy.typing import NDArray

from domains.contract import Figure, save_figure
from domains.template_domain.science.baselines import straight_line

if TYPE_CHECKING:
    from domains.template_domain.train import Task

OURS, TRUTH, BASELINE = "tab:blue", "black", "0.5"


def draw(
    out: Path, task: Task, test: pd.DataFrame, fitted: tuple[NDArray, NDArray], num_groups: int
) -> Figure:
    """Write ``figures/curve.png`` below ``out``: the first test groups with both answers.

    Args:
        out: folder of the evaluation.
        task: trained.
        test: points ``group``, ``x``, ``y`` of the test groups, m.
        fitted: x and y (N,) of the training points in m, to which the baseline is fitted.
        num_groups: how many groups to show.
    """
    groups = list(test["group"].unique())[:num_groups]
    canvas = Canvas(figsize=(3.2 * len(groups) + 1, 3.2), layout="constrained")
    panels = canvas.subplots(1, len(groups), sharex=True, sharey=True, squeeze=False)[0]
    x = np.linspace(test["x"].min(), test["x"].max(), 200)
    for axes, group in zip(panels, groups, strict=True):
        own = test[test["group"] == group]
        axes.plot(own["x"], own["y"], ".", color=TRUTH, label="measured")
        axes.plot(x, straight_line(*fitted, x), color=BASELINE, label="straight line")
        axes.plot(x, task.estimate(x), color=OURS, label="ours")
        axes.set(title=f"test group {group}", xlabel="x [m]")
    panels[0].set_ylabel("y [m]")
    panels[0].legend(fontsize=8, loc="upper left")
    shown = f"{len(groups)} of {test['group'].nunique()} test groups"
    return save_figure(
        canvas,
        out,
        "curve",
        f"y [m] against x [m] of {shown}: points, our curve, the straight line",
        f"Scatter of y against x for {shown}, with our curve in blue and the straight line in grey",
    )
