"""What a domain's page shows: numbers, figures, cases, data, runs, provenance."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pandas as pd
from ruamel.yaml import YAML

from domains.contract import Card, Metric
from flows import charts
from flows.results import Result, headline, number, provenance
from flows.runs import Run, changes, read_runs, scored, trouble
from flows.settings import Places, tracking_uri

_SHOWN_CASES = 100
_SHOWN_RUNS = 20
_SHOWN_CHANGES = 3


def domain_page(places: Places, result: Result, out: Path) -> dict[str, Any]:
    """All that the page of ``result`` shows; copies and draws its figures in ``out``."""
    pictures = out / result.domain
    pictures.mkdir()
    figures = []
    for figure in result.figures:
        shutil.copyfile(result.folder / figure.file, pictures / Path(figure.file).name)
        figures.append({**vars(figure), "file": f"{result.domain}/{Path(figure.file).name}"})
    cases = pd.read_csv(result.folder / "cases.csv")
    shown = _shown(cases, result.metrics[0])
    card, digest = Card.load(places.dataset(result.domain))
    steps = provenance(places, result.domain)
    return {
        "name": result.domain,
        "headline": headline(result.metrics[0]),
        "metrics": result.metrics,
        "baselines": _baselines(result.metrics),
        "notes": result.notes,
        "figures": figures,
        "curve": charts.training_curve(
            places.history(result.domain), pictures / "training_curve.png"
        ),
        "spread": _spread(cases, result.metrics[0]),
        "cases": [[_cell(value) for value in row] for row in shown[:_SHOWN_CASES].to_numpy()],
        "num_cases": len(shown),
        "columns": {name: pd.api.types.is_numeric_dtype(shown[name]) for name in shown},
        "card": card,
        "digest": digest,
        "params": _yaml({result.domain: result.params}),
        "seed": result.params["train"]["seed"],
        "commit": _commit(steps.get("evaluate")),
        "steps": {stage: {**step, "commit": _commit(step)} for stage, step in steps.items()},
        "command": f"convoy run {result.domain}",
        "history": _history(places, result.domain, result.metrics[0], pictures),
    }


def absent_page(places: Places, domain: str) -> dict[str, Any]:
    """The page of a domain without results: what became of its runs, and what to do."""
    return {"name": domain, "trouble": trouble(places, domain, read_runs(places, domain))}


def _history(places: Places, domain: str, metric: Metric, pictures: Path) -> dict[str, Any]:
    """The key number run by run, newest first; draws it where there are two or more."""
    runs = read_runs(places, domain)
    with_number = scored(runs, metric)
    shown = with_number[-_SHOWN_RUNS:]
    metrics = [run.metric(metric) for run in shown]
    rows = []
    first = len(with_number) - len(shown)
    for place, (run, own) in enumerate(zip(shown, metrics, strict=True), start=first):
        what = changes(run, with_number[place - 1] if place else None)
        more = len(what) - _SHOWN_CHANGES
        rows.append(
            {
                "run": run,
                "metric": own,
                "number": place + 1,
                "changes": what[:_SHOWN_CHANGES] + ([f"{more} more"] if more > 0 else []),
            }
        )
    if len(shown) > 1:
        charts.key_number(metrics, _place_of_current(shown), pictures / "key_number.png")
    uri = tracking_uri(places)
    return {
        "rows": rows[::-1],
        "count": len(with_number),
        "without": len(runs) - len(with_number),
        "trouble": trouble(places, domain, runs),
        "elsewhere": None if uri.startswith("sqlite:") else urlparse(uri).hostname,
    }


def _place_of_current(runs: list[Run]) -> int | None:
    return next((place for place, run in enumerate(runs) if run.is_current), None)


def _commit(step: Mapping[str, Any] | None) -> str:
    """The commit a stage ran at, as far as this machine knows."""
    if step is None:
        return "evaluated elsewhere, restored from the DVC cache"
    if "git.commit" not in step:
        return "no git checkout"
    changed = " with local changes" if step["git.dirty"] == "true" else ""
    return step["git.commit"][:12] + changed


def _shown(cases: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    """The case, what describes it, and the headline by method; cases.csv has the rest.

    What describes a case stands left of the numbers; counts among those are results.
    """
    methods = [name for name in cases if name.partition(":")[0] == metric.name]
    left = list(cases)[: list(cases).index(methods[0])] if methods else list(cases)
    facts = [name for name in left if not pd.api.types.is_float_dtype(cases[name])]
    shown = cases[[*facts, *methods]]
    return shown.rename(columns={name: name.partition(":")[2] or "ours" for name in methods})


def _cell(value: Any) -> str:
    """A value of the case table in words; what is missing is a dash."""
    if isinstance(value, float):
        return "–" if math.isnan(value) else number(value)
    return str(value)


def _baselines(metrics: list[Metric]) -> list[str]:
    """Every baseline of any metric, in the order they first appear."""
    return list(dict.fromkeys(name for metric in metrics for name in metric.baselines))


def _spread(cases: pd.DataFrame, metric: Metric) -> list[tuple[str, str, float]]:
    """Best, median and worst case by the headline's column."""
    if metric.name not in cases:
        return []
    ordered = cases.dropna(subset=[metric.name])
    ordered = ordered.sort_values(metric.name, ascending=metric.better == "lower")
    picks = (("best", 0), ("median", len(ordered) // 2), ("worst", len(ordered) - 1))
    return [
        (word, str(ordered["case"].iloc[place]), float(ordered[metric.name].iloc[place]))
        for word, place in picks
        if len(ordered)
    ]


def _yaml(value: dict[str, Any]) -> str:
    stream = StringIO()
    writer = YAML()
    writer.indent(mapping=2, sequence=4, offset=2)
    writer.dump(json.loads(json.dumps(value)), stream)
    return stream.getvalue()
