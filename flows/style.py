"""The suite's own figures look alike: ours blue, truth black, baselines grey."""

from __future__ import annotations

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

OURS = "#1f6fb4"
BASELINE = "#9a9a9a"


def apply() -> None:
    """Set the suite's look for all figures that follow."""
    plt.rcParams.update(
        {
            "figure.dpi": 100,
            "savefig.dpi": 100,
            "font.size": 9,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.alpha": 0.3,
            "svg.hashsalt": "convoy",  # the same figure is the same file
        }
    )
