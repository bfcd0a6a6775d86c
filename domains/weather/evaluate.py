"""Forecasts from the test split, ours and every baseline's, scored on the same starts.

Baselines: persistence (the last known field), 24-hour persistence (the last known field of the
same hour of the day), climatology of the training split, Short alone at every lead, and a plain
ResNet of equal size that was trained for as many steps.

Legend: n forecasts at once, C channels, H latitudes, W longitudes, S leads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from domains.contract import Evaluation, Metric
from domains.errors import DataError
from domains.weather.data import Fields
from domains.weather.figures import Example, draw
from domains.weather.science.calendars import TimeAxis
from domains.weather.science.climatology import climatology_at, open_climatology
from domains.weather.science.leads import (
    USUAL,
    headline_channel,
    scored_leads,
    scored_starts,
    steps_per_day,
)
from domains.weather.science.scores import ACC_USEFUL, last_lead_ahead
from domains.weather.science.verification import Verification, persistence_24h_offset
from domains.weather.train import Task

SIMPLE = ("persistence", "persistence_24h", "climatology")
"""Baselines that learn nothing but means."""

_AT_ONCE_BYTES = 2**24  # small enough that a block's activations stay near the processor
_MAX_TABLE_CHANNELS = 8


def evaluate(
    dataset: Path | str, task: Task, out: Path | str, *, evaluate: Mapping[str, Any], **_: Any
) -> Evaluation:
    """Score forecasts that start in the test split of ``dataset``.

    Args:
        dataset: folder that ``ingest`` wrote.
        task: trained.
        out: folder for figures.
        evaluate: section ``evaluate``.

    Raises:
        DataError: the dataset is another world than the task's, the headline is not among its
            channels and leads, or the test split is too short.
    """
    fields = Fields(dataset)
    _check(fields, task)
    leads_h, table_h = scored_leads(evaluate, task.step_h)
    starts = scored_starts(fields.dataset, evaluate)
    found = Verification(
        task.channels,
        leads_h,
        task.cell_weights.double().cpu().numpy(),
        np.array(task.latitude),
        table_h if task.world["is_global"] else (),
    )
    name = headline_channel(task.channels, evaluate["headline_channel"])
    headline = (name, leads_h[round(evaluate["headline_lead_h"] / task.step_h) - 1])
    example = _verify(fields, task, dataset, starts, found, headline)
    names = _table_channels(task.channels, headline[0])
    metrics = _metrics(found, task.world["units"], names, headline, table_h)
    labels = TimeAxis(fields.dataset["time"].to_numpy()[starts], task.calendar).labels()
    cases = _cases(found, labels, names, table_h)
    figures = draw(Path(out), found, task.world, names, headline, example)
    return Evaluation(metrics, cases, figures, _notes(found, fields, headline))


def _verify(
    fields: Fields,
    task: Task,
    dataset: Path | str,
    starts: NDArray,
    found: Verification,
    headline: tuple[str, float],
) -> Example:
    """Score all forecasts into ``found``; keep the fields of the middle start."""
    climatology = open_climatology(dataset)
    frame_bytes = fields.frames(starts[:1]).nbytes
    at_once = max(1, _AT_ONCE_BYTES // (16 * frame_bytes))
    kept: dict[str, NDArray] = {}
    middle = len(starts) // 2
    for first in range(0, len(starts), at_once):
        batch = starts[first : first + at_once]
        rollouts = _forecasts(fields, task, batch, len(found.leads_h))
        for lead in range(len(found.leads_h)):
            valid = batch + lead + 1
            truth = fields.frames(valid)
            usual = climatology_at(
                climatology, fields.year_phase[valid], fields.day_phase[valid], truth.shape[-1]
            )
            made = {name: next(steps).cpu().numpy() for name, steps in rollouts.items()}
            made |= _simple(fields, batch, lead, steps_per_day(task.step_h), usual)
            found.add(lead, made, truth, usual)
            if first <= middle < first + at_once and lead == found.place(headline[1]):
                row = middle - first
                kept = {"truth": truth[row], "ours": made["ours"][row]}
    label = TimeAxis(fields.dataset["time"].to_numpy()[starts[[middle]]], task.calendar).labels()
    return Example(label[0], **kept)


def _forecasts(
    fields: Fields, task: Task, starts: NDArray, num_leads: int
) -> dict[str, Iterator[torch.Tensor]]:
    """Method -> its forecasts, lead by lead, of all starts of a batch."""
    frames = torch.from_numpy(np.stack([fields.frames(starts - 1), fields.frames(starts)], axis=1))
    phases = (fields.year_phase[starts], fields.day_phase[starts])
    networks = {"ours": "cascade"}
    if task.model["cascade"] > 1:
        networks["short_alone"] = "short"
    if task.peer is not None:
        networks["resnet"] = "peer"
    return {
        name: task.forecast(frames, *phases, num_leads, network=network)
        for name, network in networks.items()
    }


def _simple(
    fields: Fields, starts: NDArray, lead: int, per_day: int, usual: NDArray
) -> dict[str, NDArray]:
    """Fields (n, C, H, W) of the baselines without learning at a lead, counted from 0."""
    simple = {"persistence": fields.frames(starts)}
    if per_day:
        simple["persistence_24h"] = fields.frames(
            starts + persistence_24h_offset(lead + 1, per_day)
        )
    return {**simple, "climatology": usual}


def _metrics(
    found: Verification,
    units: Sequence[str],
    names: Sequence[str],
    headline: tuple[str, float],
    table_h: Sequence[float],
) -> list[Metric]:
    """The headline, then RMSE and ACC of each channel and lead, then how long ours is ahead."""
    count = len(found.rmse_of_cases("ours"))
    tables = {
        "rmse": {method: found.rmse(method) for method in found.methods},
        "rmse_wb2": {method: found.rmse_wb2(method) for method in found.methods},
        "acc": {method: found.acc(method) for method in found.methods},
    }
    texts = {
        "rmse": "root mean square error, weighted by cos(latitude); root per forecast, then mean",
        "rmse_wb2": "the same with the root after the mean over forecasts, as WeatherBench 2",
        "acc": "anomaly correlation with the training climatology, not centred",
    }

    def metric(score: str, name: str, lead_h: float) -> Metric:
        place = (found.place(lead_h), list(found.channels).index(name))
        values = {method: float(table[place]) for method, table in tables[score].items()}
        if score == "acc":
            values.pop("climatology")  # it has no anomaly
        return Metric(
            f"{name}_{score}_{lead_h:g}h",
            values.pop("ours"),
            "" if score == "acc" else str(units[place[1]]),
            "higher" if score == "acc" else "lower",
            count,
            values,
            f"{name} {lead_h:g} h ahead: {texts[score]}",
        )

    metrics = [metric("rmse", *headline)]
    metrics += [metric("rmse", n, h) for n in names for h in table_h if (n, h) != headline]
    metrics += [metric("rmse_wb2", headline[0], lead_h) for lead_h in table_h]
    metrics += [metric("acc", name, lead_h) for name in names for lead_h in table_h]
    return metrics + _ahead(found, headline[0], count)


def leads_ahead(found: Verification, name: str, method: str) -> dict[str, float]:
    """Baseline -> last lead, h, up to which ``method`` has the smaller RMSE in a channel."""
    place = list(found.channels).index(name)
    own = found.rmse(method)[:, place]
    return {
        other: last_lead_ahead(own, found.rmse(other)[:, place], found.leads_h)
        for other in SIMPLE
        if other in found.methods
    }


def _ahead(found: Verification, name: str, count: int) -> list[Metric]:
    """How many hours ours is ahead of each simple baseline, beside the learnt ones."""
    learnt = [method for method in found.methods if method not in SIMPLE]
    hours = {method: leads_ahead(found, name, method) for method in learnt}
    return [
        Metric(
            f"{name}_hours_ahead_of_{other}",
            hours["ours"][other],
            "h",
            "higher",
            count,
            {method: hours[method][other] for method in learnt if method != "ours"},
            f"last lead, of at most {found.leads_h[-1]:g} h, up to which the RMSE of {name} is "
            f"below that of {other} at every lead",
        )
        for other in hours["ours"]
    ]


def _cases(
    found: Verification, labels: Sequence[str], names: Sequence[str], table_h: Sequence[float]
) -> pd.DataFrame:
    """One row for each start: RMSE of each channel and lead of the table, of each method."""
    columns: dict[str, Any] = {"case": list(labels)}
    cases = {method: found.rmse_of_cases(method) for method in found.methods}
    for name in names:
        for lead_h in table_h:
            place = (found.place(lead_h), list(found.channels).index(name))
            for method, values in cases.items():
                column = f"{name}_rmse_{lead_h:g}h" + ("" if method == "ours" else f":{method}")
                columns[column] = values[:, *place]
    return pd.DataFrame(columns)


def _table_channels(channels: Sequence[str], headline: str) -> list[str]:
    """The headline's channel and the first others, at most ``_MAX_TABLE_CHANNELS``."""
    usual = [name for name in USUAL[:4] if name in channels]
    order = [headline, *usual, *channels]
    return list(dict.fromkeys(order))[:_MAX_TABLE_CHANNELS]


def _notes(found: Verification, fields: Fields, headline: tuple[str, float]) -> list[str]:
    """What a reader must see beside the numbers."""
    name, place = headline[0], list(found.channels).index(headline[0])
    notes = []
    if fields.dataset.attrs.get("is_simulated"):
        notes.append("The fields are a Held–Suarez simulation, not observations: no seasons, no "
                     "day, no ground. Scores say nothing about the weather outside.")  # fmt: skip
    hours = leads_ahead(found, name, "ours")
    horizon = found.leads_h[-1]
    notes.append(
        f"In {name}, ours has the smaller RMSE up to: "
        + ", ".join(f"{value:g} h ({other})" for other, value in hours.items())
        + f"; forecasts end at {horizon:g} h."
    )
    ours = found.rmse("ours")[:, place]
    for rival, text in (
        ("short_alone", "Short alone, which stopped learning where Medium began"),
        ("resnet", "the ResNet of equal size"),
    ):
        if rival in found.methods:
            behind = np.asarray(found.leads_h)[ours > found.rmse(rival)[:, place]]
            last = ours[-1] / found.rmse(rival)[-1, place]
            lost = f"behind at {_ranges(behind)}" if len(behind) else "nowhere behind"
            notes.append(
                f"Against {text}, ours is {lost}, and has {last:.2f} × its RMSE at the last lead "
                f"({name})."
            )
    acc = found.acc("ours")[:, place]
    useful = [lead for lead, value in zip(found.leads_h, acc, strict=True) if value > ACC_USEFUL]
    notes.append(
        f"ACC of {name} is above {ACC_USEFUL:g} at {len(useful)} of {len(acc)} leads"
        + (f", the last {useful[-1]:g} h." if useful else ".")
    )
    return notes


def _ranges(leads_h: NDArray) -> str:
    """``6–48 h``: the first and the last, and how many where some between are missing."""
    if len(leads_h) == 1:
        return f"{leads_h[0]:g} h"
    return f"{len(leads_h)} leads from {leads_h[0]:g} to {leads_h[-1]:g} h"


def _check(fields: Fields, task: Task) -> None:
    """Refuse a dataset that the task was not trained for."""
    for key in ("channels", "latitude", "longitude", "step_h", "calendar"):
        if fields.world[key] != task.world[key]:
            raise DataError(
                f"weather: the dataset's {key} is not that of the trained model; train it again"
            )
