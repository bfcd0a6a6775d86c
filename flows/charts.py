"""Charts of the report: a training, a key number over runs, speed against PyTorch.

Each function writes one PNG in the suite's style; colours never carry a meaning alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from domains.contract import Metric
from flows import style

_TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
"""Ratios that are named on an axis."""


def training_curve(history: Path, path: Path) -> bool:
    """Loss by optimiser step; ``False`` when there is no history."""
    if not history.is_file():
        return False
    rows = pd.read_csv(history)
    canvas, axes = _canvas(6.4, 2.6)
    if "train_loss" in rows:
        axes.plot(rows["step"], rows["train_loss"], color=style.BASELINE, label="training")
    axes.plot(rows["step"], rows["val_loss"], color=style.OURS, label="validation")
    best = rows["val_loss"].idxmin()
    axes.plot(rows["step"][best], rows["val_loss"][best], "o", color=style.OURS, label="kept")
    axes.set(xlabel="optimiser step", ylabel="loss", title="Loss by optimiser step")
    axes.legend(frameon=False)
    canvas.savefig(path)
    return True


def key_number(metrics: Sequence[Metric], current: int | None, path: Path) -> None:
    """The key number run by run, beside the strongest baseline of each run.

    Args:
        metrics: one for each run, oldest first.
        current: place of the run whose model is on disk.
        path: of the PNG.
    """
    canvas, axes = _canvas(6.4, 2.4)
    places = range(1, len(metrics) + 1)
    rivals = [best[1] if (best := metric.best_baseline()) else None for metric in metrics]
    pairs = [(x, y) for x, y in zip(places, rivals, strict=True) if y is not None]
    if pairs:
        axes.plot(*zip(*pairs, strict=True), "s--", color=style.BASELINE, label="best baseline")
    values = [metric.value for metric in metrics]
    axes.plot(places, values, "o-", color=style.OURS, label="ours")
    if current is not None:
        axes.plot(
            current + 1, values[current], "o", ms=12, mfc="none", mec=style.OURS, label="shown here"
        )
    first = metrics[0]
    unit = f" [{first.unit}]" if first.unit else ""
    name = first.name.replace("_", " ")
    axes.set(xlabel="run", ylabel=f"{name}{unit}", title=f"{name}{unit}, {first.better} is better")
    axes.set_xticks(list(places)[:: max(1, len(metrics) // 10)])
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    canvas.savefig(path)


def ratios(groups: Mapping[str, Sequence[float]], title: str, path: Path) -> None:
    """Dots on a logarithmic axis, a row for each group: how many times faster ours is.

    Args:
        groups: name -> time of the other divided by ours, a value for each case.
        title: of the chart.
        path: of the PNG.
    """
    canvas, axes = _canvas(8.4, 0.9 + 0.24 * len(groups))
    for row, values in enumerate(groups.values()):
        for side, filled in (("faster", style.OURS), ("slower", "white")):
            chosen = [value for value in values if (value >= 1) == (side == "faster")]
            axes.plot(
                chosen, [row] * len(chosen), "o", ms=5, mfc=filled, mec=style.OURS, linestyle="none"
            )
    axes.axvline(1.0, color="black", linewidth=1)
    axes.set_yticks(range(len(groups)), list(groups))
    axes.set_ylim(len(groups) - 0.5, -0.5)
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.set_xticks([tick for tick in _TICKS if low <= tick <= high])
    axes.set_xticks([], minor=True)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}×")
    axes.set(title=title, xlabel="time of the other / ours (right of 1× ours is faster)")
    canvas.savefig(path)


def sparkline(values: Sequence[float]) -> str:
    """Points of an SVG polyline in a box of 96 by 20 with a margin of 3."""
    low, high = min(values), max(values)
    share = [(value - low) / (high - low) if high > low else 0.5 for value in values]
    step = 96 / max(1, len(values) - 1)
    return " ".join(f"{3 + step * place:.1f},{23 - 20 * y:.1f}" for place, y in enumerate(share))


def _canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """An empty figure of that size in inches with one pair of axes."""
    style.apply()
    canvas = Figure(figsize=(width, height), layout="constrained")
    return canvas, canvas.subplots()
