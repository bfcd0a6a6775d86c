"""Pictures of an evaluation: ours blue, truth black, baselines grey.

Legend: N samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from domains.contract import Figure, save_figure
from domains.imu_attitude.science import quaternions
from domains.imu_attitude.science.quaternions import Array
from domains.imu_attitude.science.recording import Recording
from domains.imu_attitude.science.truth import moving_of, reference_of

if TYPE_CHECKING:
    from domains.imu_attitude.train import Task

OURS, TRUTH = "tab:blue", "black"
_GREYS = {
    "offline_vqf": ("0.15", "s"),
    "vqf": ("0.35", "o"),
    "riann": ("0.5", "^"),
    "madgwick": ("0.6", "v"),
    "mahony": ("0.7", "D"),
    "strapdown": ("0.8", "x"),
}
_NAMES = {"offline_vqf": "offline VQF", "vqf": "VQF", "riann": "RIANN"}
_RIVAL = {"offline": "offline_vqf", "causal": "vqf"}
_TICKS = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]  # deg


def draw(
    out: Path,
    task: Task,
    recordings: Sequence[Recording],
    cases: pd.DataFrame,
    inclinations: Sequence[Mapping[str, Array]],
    max_points: int,
) -> list[Figure]:
    """Write all pictures below ``out/figures``.

    Args:
        out: folder of the evaluation.
        task: trained.
        recordings: test trials with reference.
        cases: their table, same order.
        inclinations: of each, method -> inclination error (N,) in degrees.
        max_points: of a line.
    """
    mode = task.modes[0]
    figures = [
        _by_trial(out, task, cases),
        _over_time(out, mode, recordings, cases, inclinations, max_points),
    ]
    return [*figures, _attitude(out, task, recordings, cases, inclinations, max_points)]


def picks(cases: pd.DataFrame, metric: str) -> dict[str, int]:
    """Rows of the worst, the median and the best case, as the report's page names them."""
    ordered = cases.reset_index(drop=True).dropna(subset=[metric]).sort_values(metric).index
    return {
        "worst": int(ordered[-1]),
        "median": int(ordered[len(ordered) // 2]),
        "best": int(ordered[0]),
    }


def _whose(mode: str, errors: Mapping[str, Array]) -> str:
    """Says in a title where ours is but the filter below it."""
    rival = _RIVAL[mode]
    if np.allclose(errors[mode], errors[rival], rtol=0, atol=1e-5, equal_nan=True):
        return f"; ours is {_NAMES[rival]}'s own answer here"
    return ""


def _by_trial(out: Path, task: Task, cases: pd.DataFrame) -> Figure:
    """Error of each method on each trial, worst trial on top."""
    mode = task.modes[0]
    metric = f"inclination_rmse_{mode}"
    table = cases.sort_values(metric, ignore_index=True)
    canvas = Canvas(figsize=(7.2, 1.6 + 0.28 * len(table)), layout="constrained")
    axes = canvas.subplots()
    rows = np.arange(len(table))
    for name, (grey, marker) in _GREYS.items():
        if (column := f"{metric}:{name}") in table:  # a causal task has no offline VQF beside it
            axes.plot(table[column], rows, marker, color=grey, label=_NAMES.get(name, name), ms=5)
    fills = {"offline": OURS, "causal": "white"}
    for own in task.modes:
        axes.plot(
            table[f"inclination_rmse_{own}"],
            rows,
            "o",
            color=OURS,
            mfc=fills[own],
            ms=7,
            label=f"ours, {own}",
        )
    axes.set(xscale="log", yticks=rows, yticklabels=table["case"], xlabel="inclination RMSE (deg)")
    low, high = axes.dataLim.intervalx
    axes.xaxis.set_major_locator(FixedLocator(_TICKS))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    # half a marker's room on all sides
    axes.set(xlim=(low / 1.15, high * 1.15), ylim=(-0.6, len(table) - 0.4))
    axes.set_title(f"Inclination error by trial, degrees (lower is better), n = {len(table)}")
    axes.grid(axis="x", color="0.9")
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    rival = _RIVAL[mode]
    better = int((table[metric] < table[f"{metric}:{rival}"]).sum())
    return save_figure(
        canvas,
        out,
        "error_by_trial",
        f"Inclination RMSE over movement in degrees, by trial and method; {mode} ours is below "
        f"{_NAMES[rival]} in {better} of {len(table)} trials.",
        f"Dots on a logarithmic scale, one row for each of {len(table)} trials: ours in blue, "
        f"{'six' if mode == 'offline' else 'five'} filters in greys.",
    )


def _over_time(
    out: Path,
    mode: str,
    recordings: Sequence[Recording],
    cases: pd.DataFrame,
    inclinations: Sequence[Mapping[str, Array]],
    max_points: int,
) -> Figure:
    """Error over time in the worst, the median and the best trial."""
    chosen = picks(cases, f"inclination_rmse_{mode}")
    canvas = Canvas(figsize=(7.2, 5.4), layout="constrained")
    panels = canvas.subplots(3, 1, sharey=True)
    for axes, (kind, number) in zip(panels, chosen.items(), strict=True):
        recording, errors = recordings[number], inclinations[number]
        for name, colour in ((_RIVAL[mode], "0.55"), (mode, OURS)):
            label = "ours" if name == mode else _NAMES[name]
            axes.plot(
                *_thin(recording.time_s, errors[name], max_points),
                color=colour,
                lw=0.9,
                label=label,
            )
        value = cases[f"inclination_rmse_{mode}"].iloc[number]
        title = f"{kind}: {recording.name}, RMSE {value:.2f}°{_whose(mode, errors)}"
        axes.set_title(title, fontsize=10)
        axes.set_ylabel("deg")
        axes.set_ylim(bottom=0)
    axes.set_xlabel("time (s)")
    axes.legend(fontsize=8, loc="upper right")
    canvas.suptitle("Inclination error over time, degrees (greatest within each pixel column)")
    names = ", ".join(f"{kind} {recordings[number].name}" for kind, number in chosen.items())
    return save_figure(
        canvas,
        out,
        "error_over_time",
        f"Inclination error in degrees over time, ours ({mode}) and {_NAMES[_RIVAL[mode]]}: "
        f"{names}.",
        "Three stacked curves of error over time, ours in blue over the baseline in grey, for the "
        "worst, the median and the best trial.",
    )


def _attitude(
    out: Path,
    task: Task,
    recordings: Sequence[Recording],
    cases: pd.DataFrame,
    inclinations: Sequence[Mapping[str, Array]],
    max_points: int,
) -> Figure:
    """Roll and pitch, true and ours, over 20 s of the median trial."""
    mode = task.modes[0]
    number = picks(cases, f"inclination_rmse_{mode}")["median"]
    recording = recordings[number]
    first = int(np.flatnonzero(moving_of(recording))[0])
    part = slice(first, first + round(20 * recording.rate_hz))
    q = task.estimate(recording.gyr, recording.acc, recording.rate_hz, mode, recording.device)
    true = quaternions.roll_pitch(reference_of(recording)[part])
    ours = quaternions.roll_pitch(q.attitude[part])
    canvas = Canvas(figsize=(8, 4.2), layout="constrained")
    for axes, name, black, blue in zip(
        canvas.subplots(2, 1, sharex=True), ("roll", "pitch"), true, ours, strict=True
    ):
        step = max(1, len(black) // max_points)
        time_s = recording.time_s[part][::step]
        for angle, colour, width, label in (
            (black, TRUTH, 1.6, "truth"),
            (blue, OURS, 0.9, "ours"),
        ):
            line = quaternions.without_jumps(np.rad2deg(angle)[::step])
            axes.plot(time_s, line, color=colour, lw=width, label=label)
        axes.set_ylabel(f"{name} (deg)")
    axes.set_xlabel("time (s)")
    axes.legend(fontsize=8, loc="upper right")
    whose = _whose(mode, inclinations[number])
    canvas.suptitle(f"Attitude of the sensor in trial {recording.name}, degrees{whose}")
    return save_figure(
        canvas,
        out,
        "attitude",
        f"Roll and pitch in degrees over 20 s of the median trial {recording.name}: truth and ours "
        f"({mode}).",
        "Two stacked curves, roll and pitch; the blue estimate lies on the black truth.",
    )


def _thin(time_s: Array, values: Array, max_points: int) -> tuple[Array, Array]:
    """The greatest of ``values`` (N,) in each of ``max_points`` stretches, NaN where none is."""
    width = max(1, len(values) // max_points)
    count = len(values) // width
    cut = values[: count * width].reshape(count, width)
    # fmax skips NaN without the warning of nanmax on all-NaN rows
    return time_s[: count * width : width], np.fmax.reduce(cut, axis=1)
