"""The test split, vessels and days never seen: ours beside every baseline on the same windows.

Errors are great-circle distances.  The headline is the mean at the last horizon over ships under
way; ships that lie have numbers of their own, since staying put is then a good forecast.

Legend: N windows, H steps ahead, K candidates.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from domains.ais_trajectories.data import (
    Goals,
    cut_windows,
    find_candidates,
    load_split,
    to_batch,
)
from domains.ais_trajectories.figures import draw_messages, draw_paths
from domains.ais_trajectories.models.message_data import to_batch as to_message_batch
from domains.ais_trajectories.models.paths import OURS
from domains.ais_trajectories.science import message_errors, path_metrics
from domains.ais_trajectories.science.message_errors import VARIABLES
from domains.ais_trajectories.science.messages import cut_messages
from domains.ais_trajectories.science.path_errors import (
    PathErrors,
    best_noise_ratio,
    distances_km,
    simple_paths,
)
from domains.ais_trajectories.train import Task
from domains.contract import Card, Evaluation, Metric
from domains.errors import DataError

AIM_LAST = 0.6
"""Error at the last horizon over that of constant velocity that the suite aims at."""

AIM_EACH = 1.05
"""Error over the better of persistence and constant velocity, at no horizon more."""


def evaluate(
    dataset: Path | str, task: Task, out: Path | str, *, evaluate: Mapping[str, Any], **_: Any
) -> Evaluation:
    """Score the test split of ``dataset``.

    Args:
        dataset: folder that ``ingest`` wrote.
        task: trained.
        out: folder for figures.
        evaluate: section ``evaluate``.

    Raises:
        DataError: the test split has no window, or no ship under way.
    """
    score = {"multipath": _evaluate_paths, "messages": _evaluate_messages}[task.network]
    is_simulated = "simulat" in Card.load(Path(dataset))[0].title.lower()
    mark = "Simulated traffic. " if is_simulated else ""
    metrics, cases, figures, notes = score(Path(dataset), task, Path(out), evaluate["stride"], mark)
    if is_simulated:
        notes.insert(
            0,
            "The traffic is simulated: the numbers show that the pipeline works, not how good it "
            "is at sea; for that, source: public or your own files.",
        )
    return Evaluation(metrics, cases, figures, notes)


# --- paths -----------------------------------------------------------------------------------


def _evaluate_paths(dataset: Path, task: Task, out: Path, stride: int, mark: str) -> tuple:
    plan = task.plan
    table = load_split(dataset, "test")
    cut = cut_windows(table, plan, stride, "test")
    goals = Goals.of(table, plan)
    held_out = cut_windows(load_split(dataset, "validate"), plan, stride, "validate")
    grids = task.grids()
    found = find_candidates(grids, cut, plan)
    batch = to_batch(cut, found)
    paths = {name: task.forecast_km(batch, name) for name in task.names}
    paths |= simple_paths(cut, best_noise_ratio(held_out))
    result = PathErrors.of(cut, paths)
    if not cut.is_moving.any():
        raise DataError(
            f"ais_trajectories: {dataset}: none of the {len(cut)} windows of the test split is of "
            "a ship under way; bring tracks that move"
        )
    metrics = path_metrics.by_horizon(result, OURS)
    short = {**batch, "track": batch["track"][:, -plan.min_context :]}
    hours = plan.min_context * plan.step_min / 60
    from_short = distances_km(cut, task.forecast_km(short))
    metrics.append(path_metrics.shorter_past(result, from_short, hours))
    ways = task.ways_km(batch, found)
    metrics.append(path_metrics.best_of(result, OURS, ways))
    metrics += path_metrics.geography(result, OURS)
    truth = {name: getattr(goals, name)[cut.point] for name in found}
    metrics += path_metrics.features(found, truth, grids, cut)
    figures = draw_paths(out, result, found, truth, ways, mark)
    return metrics, _path_cases(result), figures, _path_notes(result, metrics, task)


def _path_cases(result: PathErrors) -> pd.DataFrame:
    """One row per track: means over its windows under way."""
    cut, horizons = result.windows, result.horizons()
    table = pd.DataFrame({"case": [f"track {number}" for number in cut.track_id]})
    table["vessel"] = cut.vessel
    table["windows_under_way"] = cut.is_moving.astype(int)
    for label in reversed(horizons):
        for name, errors in result.errors_km.items():
            column = f"error_{label}" if name == OURS else f"error_{label}:{name}"
            table[column] = np.where(cut.is_moving, errors[:, horizons[label]], np.nan)
    grouped = table.groupby(["case", "vessel"], sort=False)
    means = grouped.mean(numeric_only=True)
    means["windows_under_way"] = grouped["windows_under_way"].sum()
    return means.reset_index()


def _path_notes(result: PathErrors, metrics: list[Metric], task: Task) -> list[str]:
    """Whether the aims are reached, and where a plain baseline or a peer is better."""
    by_name = {metric.name: metric for metric in metrics}
    labels = list(result.horizons())
    headline = metrics[0]
    ratio = headline.value / headline.baselines["constant_velocity"]
    notes = [
        f"{labels[-1]} ahead: {ratio:.2f} × constant velocity (aim ≤ {AIM_LAST}: "
        f"{'reached' if ratio <= AIM_LAST else 'missed'})."
    ]
    ratios = {}
    for label in labels:
        metric = by_name[f"error_{label}"]
        plain = min(metric.baselines["constant_velocity"], metric.baselines["persistence"])
        ratios[label] = metric.value / plain
    worst = max(ratios, key=lambda label: ratios[label])
    verdict = "reached" if ratios[worst] <= AIM_EACH else "missed"
    notes.append(
        f"Over the better of persistence and constant velocity: {ratios[worst]:.2f} at {worst}, "
        f"the worst horizon (aim ≤ {AIM_EACH}: {verdict})."
    )
    for kind, prefix in (("mean", "error"), ("median", "median_error")):
        lost = [
            f"{name} at {label}"
            for label in labels
            for name, value in by_name[f"{prefix}_{label}"].baselines.items()
            if value < by_name[f"{prefix}_{label}"].value
        ]
        if lost:
            notes.append(f"Better than ours in {kind} error, ships under way: {', '.join(lost)}.")
    shares = task.paths_model.guard(OURS).trust.mean(1).tolist()
    notes.append(
        f"Validation trusts the network with {shares[1]:.0%} of its correction to the plain "
        f"forecast under way and {shares[0]:.0%} at rest, mean over horizons."
    )
    return notes


# --- messages ----------------------------------------------------------------------------------


def _evaluate_messages(dataset: Path, task: Task, out: Path, stride: int, mark: str) -> tuple:
    config = task.config
    cut = cut_messages(dataset, "test", config["length"], config["max_gap_min"], stride)
    batch = to_message_batch(cut)
    contents = {name: task.next_message(batch, name) for name in task.names}
    contents |= message_errors.plain_contents(cut)
    answers = {name: message_errors.described(content, cut) for name, content in contents.items()}
    found = message_errors.errors(answers, cut)
    ours, metrics = task.names[0], []
    for variable in ("all", *VARIABLES, "distance_km"):
        values = {name: one[variable] for name, one in found.items()}
        known = np.isfinite(values[ours])
        means = {name: float(value[known].mean()) for name, value in values.items()}
        name, unit = (f"rpd_{variable}", "%") if variable != "distance_km" else ("distance", "km")
        what = {
            "all": f"relative percentage difference, mean over {', '.join(VARIABLES)}",
            "distance_km": "great-circle error of the next position",
        }.get(variable, f"relative percentage difference of the next {variable}")
        mine = means.pop(ours)
        metrics.append(Metric(name, mine, unit, "lower", int(known.sum()), means, what))
    cases = message_errors.by_track(found, cut, ours)
    lost = [name for name, value in metrics[0].baselines.items() if value < metrics[0].value]
    notes = [
        "The relative difference of a longitude or latitude depends on how far from 0° it is: read "
        "it beside the distance.",
        f"Lower than ours over all variables: {', '.join(lost) if lost else 'none'}.",
    ]
    return metrics, cases, draw_messages(out, metrics, mark), notes
