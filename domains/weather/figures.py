"""Pictures of an evaluation: ours blue, truth black, baselines grey.

Legend: S leads, C channels, H latitudes, W longitudes, K wavenumbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from numpy.typing import NDArray

from domains.contract import Figure, save_figure
from domains.weather.science.channels import channel_title
from domains.weather.science.scores import ACC_USEFUL, skill
from domains.weather.science.verification import Verification

OURS, TRUTH = "tab:blue", "black"
_STYLES = {
    "climatology": ("0.75", "-", "climatology"),
    "persistence": ("0.6", "--", "persistence"),
    "persistence_24h": ("0.6", ":", "24-hour persistence"),
    "resnet": ("0.3", "-.", "ResNet of equal size"),
    "short_alone": (OURS, ":", "ours, Short alone"),
    "ours": (OURS, "-", "ours, cascade"),
}


@dataclass(frozen=True)
class Example:
    """One forecast at the headline's lead.

    Args:
        start: when it begins, in words.
        truth: (C, H, W), SI units.
        ours: (C, H, W).
    """

    start: str
    truth: NDArray
    ours: NDArray


def draw(
    out: Path,
    found: Verification,
    world: Mapping[str, Any],
    names: Sequence[str],
    headline: tuple[str, float],
    example: Example,
) -> list[Figure]:
    """Write all pictures below ``out/figures``.

    Args:
        out: folder of the evaluation.
        found: all scores.
        world: what the fields are, see ``data.Fields.world``.
        names: channels to show, the headline's first.
        headline: channel and lead in h.
        example: fields of one forecast.
    """
    figures = [
        _maps(out, world, names[:2], headline[1], example),
        _by_lead(out, found, world, names[:2]),
        _scorecard(out, found),
    ]
    return figures + ([_spectrum(out, found, world, headline[0])] if found.powers else [])


def _maps(
    out: Path, world: Mapping[str, Any], names: Sequence[str], lead_h: float, example: Example
) -> Figure:
    """Truth, forecast and error of the middle start."""
    canvas = Canvas(figsize=(10, 2.3 * len(names) + 0.4), layout="constrained")
    grid = canvas.subplots(len(names), 3, squeeze=False, sharex=True, sharey=True)
    weights = np.cos(np.deg2rad(world["latitude"]))[:, None]
    rmses = []
    for row, name in zip(grid, names, strict=True):
        place = world["channels"].index(name)
        truth, ours = example.truth[place], example.ours[place]
        error = ours - truth
        rmses.append(float(np.sqrt((error**2 * weights).mean() / weights.mean())))
        limits = (float(truth.min()), float(truth.max()))
        size = float(np.abs(error).max()) or 1.0
        for axes, title, values, colours, (low, high) in (
            (row[0], "truth", truth, "viridis", limits),
            (row[1], "forecast", ours, "viridis", limits),
            (row[2], "forecast − truth", error, "RdBu_r", (-size, size)),
        ):
            mesh = axes.pcolormesh(
                world["longitude"], world["latitude"], values, cmap=colours, vmin=low, vmax=high,
                shading="nearest", rasterized=True,
            )  # fmt: skip
            axes.set_title(f"{name}, {title} ({world['units'][place]})", fontsize=9)
            if title != "truth":
                canvas.colorbar(mesh, ax=axes, shrink=0.8, pad=0.01)
        row[0].set_ylabel("latitude (°N)")
    for axes in grid[-1]:
        axes.set_xlabel("longitude (°E)")
    canvas.suptitle(f"Forecast for {lead_h:g} h after {example.start}", fontsize=10)
    errors = ", ".join(
        f"{name} {rmse:.3g} {world['units'][world['channels'].index(name)]}"
        for name, rmse in zip(names, rmses, strict=True)
    )
    return save_figure(
        canvas,
        out,
        "maps",
        f"Truth, forecast and error {lead_h:g} h after {example.start}, the middle one of the "
        f"test starts; RMSE of this forecast: {errors}.",
        "Rows of three maps: the forecast shows the waves of the truth, smoother; the error is "
        "largest in the middle latitudes.",
    )


def _by_lead(
    out: Path, found: Verification, world: Mapping[str, Any], names: Sequence[str]
) -> Figure:
    """RMSE and ACC against lead of all methods."""
    canvas = Canvas(figsize=(9.5, 3.2 * len(names)), layout="constrained")
    grid = canvas.subplots(len(names), 2, squeeze=False, sharex=True)
    count = len(found.rmse_of_cases("ours"))
    days = np.asarray(found.leads_h) / 24
    for (left, right), name in zip(grid, names, strict=True):
        place = world["channels"].index(name)
        for method, (colour, line, label) in _STYLES.items():
            if method not in found.methods:
                continue
            style = {"color": colour, "linestyle": line, "label": label}
            left.plot(days, found.rmse(method)[:, place], **style)
            if method != "climatology":
                right.plot(days, found.acc(method)[:, place], **style)
        left.set_title(f"RMSE of {name} ({world['units'][place]}), lower is better", fontsize=9)
        left.set_ylim(bottom=0)
        right.axhline(ACC_USEFUL, color=TRUTH, lw=0.6)
        right.set_title(f"ACC of {name}, higher is better (line: {ACC_USEFUL:g})", fontsize=9)
    for axes in grid[-1]:
        axes.set_xlabel("lead (days)")
    grid[0, 0].legend(fontsize=7)
    titles = " and ".join(_title(name) for name in names)
    return save_figure(
        canvas,
        out,
        "scores_by_lead",
        f"RMSE and anomaly correlation of {titles} against lead, mean over {count} forecasts, "
        "beside every baseline.",
        "Curves over lead time: ours starts near zero error and rises towards climatology; "
        "persistence rises fastest; correlations fall from one.",
    )


def _scorecard(out: Path, found: Verification) -> Figure:
    """RMSE of ours over the strongest simple baseline, channel by lead."""
    simple = [m for m in ("persistence", "persistence_24h", "climatology") if m in found.methods]
    strongest = np.min([found.rmse(method) for method in simple], axis=0)
    percent = -100 * skill(found.rmse("ours"), strongest).T  # (C, S)
    canvas = Canvas(figsize=(9, 1.4 + 0.26 * len(percent)), layout="constrained")
    axes = canvas.subplots()
    image = axes.imshow(percent, cmap="RdBu_r", vmin=-100, vmax=100, aspect="auto")
    axes.set(
        yticks=range(len(percent)),
        yticklabels=list(found.channels),
        xticks=range(len(found.leads_h)),
        xticklabels=[f"{lead:g}" for lead in found.leads_h],
        xlabel="lead (h)",
    )
    axes.tick_params(axis="both", labelsize=7)
    axes.set_title(
        "RMSE against the strongest of persistence and climatology, %; blue is better", fontsize=9
    )
    canvas.colorbar(image, ax=axes, label="%")
    return save_figure(
        canvas,
        out,
        "scorecard",
        f"RMSE of ours over that of the strongest simple baseline, % difference, by channel and "
        f"lead; {(percent < 0).sum()} of {percent.size} are better.",
        "A table of coloured cells, deep blue at short leads and paler at long ones.",
    )


def _spectrum(out: Path, found: Verification, world: Mapping[str, Any], name: str) -> Figure:
    """Zonal power of truth and forecasts: where a forecast has lost its small scales."""
    place = world["channels"].index(name)
    leads = list(found.spectrum_leads_h)
    canvas = Canvas(figsize=(3.4 * len(leads) + 1, 3.4), layout="constrained")
    grid = canvas.subplots(1, len(leads), squeeze=False, sharey=True)[0]
    for axes, lead_h in zip(grid, leads, strict=True):
        styles = {"truth": (TRUTH, "-", "truth"), **_STYLES}
        for method in ("truth", "resnet", "short_alone", "ours"):
            if (method, lead_h) in found.powers:
                colour, line, label = styles[method]
                power = found.power(method, lead_h)[place]
                axes.loglog(np.arange(1, len(power)), power[1:], line, color=colour, label=label)
        axes.set(xlabel="zonal wavenumber", title=f"{lead_h:g} h")
        _plain_ticks(axes, len(power) - 1)
    highest = found.power("truth", leads[0])[place].max()
    grid[0].set_ylim(bottom=1e-9 * highest)  # below lies what the grid cannot hold
    grid[0].set_ylabel(f"power of {name} (({world['units'][place]})²)")
    grid[0].legend(fontsize=7)
    lost = (
        1
        - found.power("ours", leads[-1])[place, 1:].sum()
        / found.power("truth", leads[-1])[place, 1:].sum()
    )
    return save_figure(
        canvas,
        out,
        "spectrum",
        f"Zonal power spectrum of {_title(name)} at 30–60° of latitude, mean over "
        f"{len(found.rmse_of_cases('ours'))} forecasts: at {leads[-1]:g} h, ours has "
        f"{100 * lost:.0f} % less power in all waves than the truth"
        + _noise(found.power("ours", leads[-1])[place], found.power("truth", leads[-1])[place]),
        "Curves of power against wavenumber: at long leads forecasts lie below the truth in the "
        "long waves, they blur; in the shortest waves they may lie far above it.",
    )


def _noise(ours: NDArray, truth: NDArray) -> str:
    """The end of a sentence: from which wavenumber up a forecast has more power (K,), if any."""
    (less,) = np.nonzero(ours <= truth)
    first = max(1, int(less[-1]) + 1 if len(less) else 1)
    if first >= len(ours):
        return "."
    more = ours[first:].sum() / max(float(truth[first:].sum()), np.finfo(float).tiny)
    times = f"{more:.2g} times as much" if more < 1000 else "over a thousand times as much"
    return f"; from wavenumber {first} up it has {times}, noise of its own."


def _plain_ticks(axes: Axes, highest: int) -> None:
    ticks = [wave for wave in (1, 2, 5, 10, 20, 50, 100, 200, 500) if wave <= highest]
    axes.set_xticks(ticks, [str(wave) for wave in ticks])
    axes.set_xticks([], minor=True)


def _title(name: str) -> str:
    """The channel in words."""
    try:
        return channel_title(name)
    except KeyError:
        return name
