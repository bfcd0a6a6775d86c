"""Pictures of an evaluation: ours blue, truth black, baselines grey.

Legend: N windows, H steps ahead, K candidates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from domains.ais_trajectories.models.paths import OURS
from domains.ais_trajectories.science import scores
from domains.ais_trajectories.science.coastline import coastline
from domains.ais_trajectories.science.hexgrid import Candidates
from domains.ais_trajectories.science.path_errors import PathErrors, places
from domains.contract import Figure, Metric, save_figure

BLUE, TRUTH = "tab:blue", "black"
_GREYS = {
    "constant_velocity": ("0.35", "--"),
    "persistence": ("0.75", ":"),
    "kalman": ("0.6", "-."),
    "elman": ("0.75", "-"),
    "gru": ("0.55", "-"),
    "lstm": ("0.25", (0, (6, 1))),
}
_OTHER = ("0.5", "-")
_BINS = 10


def draw_paths(
    out: Path,
    result: PathErrors,
    found: Mapping[str, Candidates],
    truth: Mapping[str, NDArray],
    ways_km: NDArray,
    mark: str,
) -> list[Figure]:
    """Write the pictures of a path evaluation below ``out/figures``.

    Args:
        out: folder of the evaluation.
        result: errors of all methods.
        found: candidates of route and destination.
        truth: true cell (N,) of each, −1 where unknown.
        ways_km: (N, K, H, 2) paths to the most probable destinations.
        mark: stands before each title; says that traffic is simulated.
    """
    return [
        _tracks(out, result, found, ways_km, mark),
        _by_horizon(out, result, mark),
        _calibration(out, result, found, truth, mark),
    ]


def picks(errors: NDArray, which: NDArray) -> dict[str, int]:
    """Rows of the 95th percentile, the median and the best tenth among the windows at ``which``."""
    rows = np.flatnonzero(which & np.isfinite(errors))
    ordered = rows[np.argsort(errors[rows], kind="stable")]
    places_ = {"one in twenty is worse": 0.95, "median": 0.5, "one in ten is better": 0.1}
    return {name: int(ordered[int(share * (len(ordered) - 1))]) for name, share in places_.items()}


def _tracks(
    out: Path, result: PathErrors, found: Mapping[str, Candidates], ways_km: NDArray, mark: str
) -> Figure:
    """Past, truth and forecasts of a bad, a median and a good window on the coast."""
    label, step = list(result.horizons().items())[-1]
    errors = result.errors_km[OURS][:, step]
    chosen = picks(errors, result.windows.is_moving)
    canvas = Canvas(figsize=(11, 4.4), layout="constrained")
    panels = canvas.subplots(1, len(chosen))
    for axes, (kind, row) in zip(panels, chosen.items(), strict=True):
        _one_track(axes, result, row, found["destination"].probability[row], ways_km[row])
        axes.set_title(f"{kind}: {errors[row]:.0f} km off\nafter {label}", fontsize=10)
    handles, labels = panels[0].get_legend_handles_labels()
    canvas.legend(handles, labels, loc="outside lower center", ncols=6, fontsize=8)
    coast = "" if coastline() else "; no coastline is at hand"
    canvas.suptitle(f"{mark}Tracks under way, {label} ahead, degrees east and north")
    names = "; ".join(f"{kind}: {errors[row]:.0f} km" for kind, row in chosen.items())
    return save_figure(
        canvas,
        out,
        "tracks",
        f"Past, true and forecast path of three test windows, with the paths to the most probable "
        f"destinations. Error after {label}: {names}{coast}.",
        "Three maps: a black past and true path, the blue forecast, thinner blue paths to other "
        "likely destinations, and the grey dashed straight course.",
    )


def _one_track(
    axes: Axes, result: PathErrors, row: int, probability: NDArray, ways_km: NDArray
) -> None:
    cut = result.windows.take(np.array([row]))
    seen = []

    def line(longitude: NDArray, latitude: NDArray, **style: object) -> None:
        # on the side of 180° where the ship is
        start = cut.longitude[0, -1]
        lon = start + (np.asarray(longitude) - start + 180) % 360 - 180
        axes.plot(lon, latitude, **style)  # type: ignore[arg-type]
        seen.append(np.stack([lon, latitude]))

    for number, way in enumerate(ways_km):
        lon, lat = places(cut, way[None])
        label = "if bound for a likely destination (wider: likelier)" if number == 0 else None
        width = 0.4 + 2.0 * float(probability[number])
        line(lon[0], lat[0], color="lightskyblue", lw=width, label=label)
    straight = places(cut, result.paths_km["constant_velocity"][row : row + 1])
    line(straight[0][0], straight[1][0], color="0.55", ls="--", lw=1, label="constant velocity")
    line(cut.future_longitude[0], cut.future_latitude[0], color=TRUTH, lw=1.6, label="truth")
    line(cut.longitude[0], cut.latitude[0], color=TRUTH, lw=3.2, label="past")
    ours = places(cut, result.paths_km[OURS][row : row + 1])
    line(ours[0][0], ours[1][0], color=BLUE, lw=1.6, label="forecast")
    axes.plot(cut.longitude[0, -1], cut.latitude[0, -1], "o", color=TRUTH, ms=5)
    for ring in coastline():
        axes.plot(ring[:, 0], ring[:, 1], color="0.8", lw=0.8, zorder=0)
    everything = np.concatenate(seen, axis=1)
    low, high = np.nanmin(everything, axis=1), np.nanmax(everything, axis=1)
    stretch = 1 / np.cos(np.deg2rad((low[1] + high[1]) / 2))
    half = 0.58 * max((high[0] - low[0]) / stretch, high[1] - low[1], 0.1)
    middle = (low + high) / 2
    axes.set_xlim(middle[0] - half * stretch, middle[0] + half * stretch)
    axes.set_ylim(middle[1] - half, middle[1] + half)
    axes.set_aspect(stretch)
    axes.tick_params(labelsize=8)


def _by_horizon(out: Path, result: PathErrors, mark: str) -> Figure:
    """Mean error of each method against time ahead."""
    cut = result.windows
    hours = np.arange(1, cut.future_longitude.shape[1] + 1) * cut.step_min / 60
    canvas = Canvas(figsize=(9, 4), layout="constrained")
    counts = []
    for axes, (title, which) in zip(
        canvas.subplots(1, 2),
        {"under way": cut.is_moving, "at rest": ~cut.is_moving}.items(),
        strict=True,
    ):
        counts.append(int(which.sum()))
        axes.set_title(f"{title}, n = {counts[-1]} windows", fontsize=10)
        axes.set_xlabel("hours ahead")
        if counts[-1]:
            _means(axes, result, hours, which)
    canvas.axes[0].set_ylabel("mean error (km)")
    canvas.axes[0].legend(fontsize=8)
    canvas.suptitle(f"{mark}Great-circle error against horizon, km (lower is better)")
    return save_figure(
        canvas,
        out,
        "error_by_horizon",
        f"Mean great-circle error in km against hours ahead, {counts[0]} windows under way and "
        f"{counts[1]} at rest.",
        "Two plots with logarithmic axes: the blue curve is ours, grey ones are the baselines.",
    )


def _means(axes: Axes, result: PathErrors, hours: NDArray, which: NDArray) -> None:
    for name, errors in result.errors_km.items():
        known = np.isfinite(errors) & which[:, None]
        count = known.sum(0)
        mean = np.where(known, errors, 0.0).sum(0) / np.maximum(count, 1)
        seen = count > 0
        if name == OURS:
            axes.plot(hours[seen], mean[seen], color=BLUE, lw=2.2, label="ours", zorder=5)
            continue
        grey, dashes = _GREYS.get(name, _OTHER)
        axes.plot(
            hours[seen], mean[seen], color=grey, ls=dashes, lw=1, label=name.replace("_", " ")
        )
    axes.set(xscale="log", yscale="log")
    axes.set_xticks([hour for hour in (1, 2, 3, 6, 12, 24) if hour <= hours[-1]])
    axes.minorticks_off()
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.grid(color="0.9")


def _calibration(
    out: Path,
    result: PathErrors,
    found: Mapping[str, Candidates],
    truth: Mapping[str, NDArray],
    mark: str,
) -> Figure:
    """How often a route or destination cell of a given probability is the true one."""
    canvas = Canvas(figsize=(8, 4), layout="constrained")
    text = []
    for axes, (name, candidates) in zip(canvas.subplots(1, 2), found.items(), strict=True):
        asked = result.windows.is_moving & (truth[name] >= 0)
        right = candidates.cells[asked] == truth[name][asked][:, None]
        said, was, count = scores.calibration(
            candidates.probability[asked].ravel(), right.ravel(), _BINS
        )
        axes.plot([0, 1], [0, 1], color="0.75", lw=1)
        axes.plot(said, was, color=BLUE, lw=1)
        axes.scatter(said, was, s=10 + 120 * count / max(1, count.max()), color=BLUE)
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="probability given", aspect="equal")
        first = float(right[:, 0].mean()) if len(right) else float("nan")
        axes.set_title(f"{name}: first is right in {first:.0%}", fontsize=10)
        text.append(f"{name} {first:.0%} of {int(asked.sum())}")
    canvas.axes[0].set_ylabel("share that was true")
    canvas.suptitle(f"{mark}Probabilities of route and destination cells, ships under way")
    return save_figure(
        canvas,
        out,
        "calibration",
        "Probability of the candidates against the share that came true; size = number of "
        f"candidates. The most probable one was right: {', '.join(text)} windows.",
        "Two plots of blue dots about the grey diagonal of perfect calibration.",
    )


def draw_messages(out: Path, metrics: Sequence[Metric], mark: str) -> list[Figure]:
    """Write the picture of a message evaluation below ``out/figures``."""
    shown = [metric for metric in metrics if metric.name.startswith("rpd_")]
    methods = list(shown[0].baselines)
    canvas = Canvas(figsize=(8, 4), layout="constrained")
    axes = canvas.subplots()
    width = 0.8 / (len(methods) + 1)
    places_ = np.arange(len(shown))
    for number, method in enumerate(["ours", *methods]):
        values = [m.value if method == "ours" else m.baselines[method] for m in shown]
        colour = BLUE if method == "ours" else str(0.85 - 0.6 * number / (len(methods) + 1))
        axes.bar(places_ + number * width, values, width, color=colour, label=method)
    axes.set_xticks(places_ + 0.4 - width / 2, [m.name.removeprefix("rpd_") for m in shown])
    axes.set(yscale="log", ylabel="mean relative difference (%)")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.legend(fontsize=8, ncols=3)
    axes.set_title(
        f"{mark}The next message, variable by variable, % (lower is better), n = {shown[0].n}",
        fontsize=10,
    )
    return [
        save_figure(
            canvas,
            out,
            "next_message",
            f"Relative percentage difference of the next message by variable, n = {shown[0].n}.",
            "Groups of bars on a logarithmic scale: ours blue, baselines grey.",
        )
    ]
