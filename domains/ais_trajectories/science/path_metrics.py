"""The numbers of a path evaluation, each beside its baselines.

Legend: N windows, H steps ahead, K candidates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from domains.ais_trajectories.science import geodesy, scores
from domains.ais_trajectories.science.hexgrid import Candidates, HexGrid
from domains.ais_trajectories.science.path_errors import PathErrors, distances_km, places
from domains.ais_trajectories.science.windows import Windows
from domains.contract import Metric


def by_horizon(result: PathErrors, ours: str) -> list[Metric]:
    """Mean at each horizon, the last first; then medians, ships that lie, and the path's end."""
    moving = result.windows.is_moving
    horizons = result.horizons()
    last = list(horizons)[-1]
    metrics = []
    for label in (last, *list(horizons)[:-1]):
        errors = result.at(horizons[label], moving)
        metrics += _summary(
            f"error_{label}", errors, ours, np.mean, f"mean {label} ahead, under way"
        )
    for label in (last, *list(horizons)[:-1]):
        errors = result.at(horizons[label], moving)
        metrics += _summary(
            f"median_error_{label}", errors, ours, np.median, f"median {label} ahead, under way"
        )
    for label in (next(iter(horizons)), last):
        still = result.at(horizons[label], ~moving)
        metrics += _summary(
            f"error_{label}_still", still, ours, np.mean, f"mean {label} ahead, at rest"
        )
    everything = np.ones(len(moving), bool)
    what = "mean at the last known point of each window, all ships"
    return metrics + _summary("final_displacement", result.final(everything), ours, np.mean, what)


def _summary(
    name: str,
    errors: Mapping[str, NDArray],
    ours: str,
    mean: Callable[[NDArray], float],
    what: str,
) -> list[Metric]:
    """One metric in km with all other methods as baselines; none where there is no case."""
    count = len(errors[ours])
    if count == 0:
        return []
    values = {method: float(mean(one)) for method, one in errors.items()}
    value = values.pop(ours)
    what = f"great-circle error, {what}"
    return [Metric(name, value, "km", "lower", count, values, what)]


def shorter_past(result: PathErrors, errors: NDArray, hours: float) -> Metric:
    """The headline from the shortest past that training showed."""
    label, step = list(result.horizons().items())[-1]
    known = result.windows.is_moving & np.isfinite(errors[:, step])
    longer = result.at(step, result.windows.is_moving)
    return Metric(
        f"error_{label}_from_{hours:g}h",
        float(errors[known, step].mean()),
        "km",
        "lower",
        int(known.sum()),
        {name: float(longer[name].mean()) for name in ("constant_velocity", "persistence")},
        f"as error_{label}, from the last {hours:g} h of the past alone",
    )


def best_of(result: PathErrors, ours: str, ways_km: NDArray) -> Metric:
    """The nearest of several paths at the last horizon: the truth chooses, so it flatters."""
    label, step = list(result.horizons().items())[-1]
    cut = result.windows
    count = ways_km.shape[1]
    errors = np.stack([distances_km(cut, ways_km[:, k])[:, step] for k in range(count)])
    known = cut.is_moving & np.isfinite(errors[0])
    return Metric(
        f"error_{label}_best_of_{count}",
        float(errors[:, known].min(0).mean()),
        "km",
        "lower",
        int(known.sum()),
        {"single_forecast": float(result.errors_km[ours][known, step].mean())},
        f"as error_{label}, the nearest of the paths to the {count} most probable destinations; "
        "the truth picks it, so compare it with other best-of-k alone",
    )


def geography(result: PathErrors, ours: str) -> list[Metric]:
    """R² and relative percentage difference of longitude and latitude at the last horizon.

    Longitudes are compared on the truth's side of 180°.
    """
    label, step = list(result.horizons().items())[-1]
    cut = result.windows
    known = cut.is_moving & np.isfinite(cut.future_longitude[:, step])
    true = {"longitude": cut.future_longitude, "latitude": cut.future_latitude}
    said = {name: places(cut, path) for name, path in result.paths_km.items()}
    metrics = []
    kinds: tuple[tuple[str, str, Literal["lower", "higher"], Callable, str], ...] = (
        ("r2", "", "higher", _r_squared, "R²; geography alone makes it high"),
        ("rpd", "%", "lower", _mean_rpd, "relative percentage difference, mean"),
    )
    for number, (axis, future) in enumerate(true.items()):
        y = future[known, step]
        values = {
            name: geodesy.nearest_longitude(both[number][known, step], y)
            for name, both in said.items()
        }
        for kind, unit, better, score, what in kinds:
            found = {name: score(y, p) for name, p in values.items()}
            mine = found.pop(ours)
            text = f"{what}, {axis} {label} ahead, under way"
            name = f"{kind}_{axis}_{label}"
            metrics.append(Metric(name, mine, unit, better, len(y), found, text))
    return metrics


def _r_squared(true: NDArray, predicted: NDArray) -> float:
    """R² of degrees (N,) in whose mean 179° and −179° are neighbours."""
    turns = geodesy.nearest_longitude(true, true[:1]) - true
    return scores.r_squared(true + turns, predicted + turns)


def _mean_rpd(true: NDArray, predicted: NDArray) -> float:
    return float(scores.relative_percentage_difference(true, predicted).mean())


def features(
    found: Mapping[str, Candidates],
    truth: Mapping[str, NDArray],
    grids: Mapping[str, HexGrid],
    cut: Windows,
) -> list[Metric]:
    """F1 of the most probable route and destination cell, ships under way."""
    metrics = []
    for name, candidates in found.items():
        asked = cut.is_moving & (truth[name] >= 0)
        if not asked.any():
            continue
        true = truth[name][asked]
        guess = np.full(len(true), grids[name].most_common())
        metrics.append(
            Metric(
                f"{name}_f1",
                scores.weighted_f1(true, candidates.cells[asked, 0]),
                "",
                "higher",
                len(true),
                {"most_common": scores.weighted_f1(true, guess)},
                f"weighted F1 of the most probable {name} cell, under way; in the paper "
                f"{'about 0.85' if name == 'route' else 'about 0.75'} on other data",
            )
        )
    return metrics
