"""The report: static pages from the results on disk, one for each domain and an index.

``headlines.json`` is the part DVC tracks; the pages beside it also show when and where things
ran, which differs from run to run.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from ruamel.yaml import YAML

from domains.contract import Card, Metric
from domains.errors import DataError
from domains.files import whole_folder, write_json
from flows import parameters, style
from flows.results import Result, headline, number, provenance, read_result, results_digest
from flows.settings import Places


def write_report(places: Places) -> Path:
    """Write all pages; returns the index.

    Raises:
        DataError: no domain has been evaluated yet.
    """
    names = list(parameters.load(places))
    results = [result for name in names if (result := read_result(places, name))]
    if not results:
        raise DataError(f"{places.outputs}/evaluation: nothing evaluated yet; run `convoy run`")
    pages = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters["number"] = number
    with whole_folder(places.report) as out:
        rows = [_row(places, result) for result in results]
        write_json(out / "headlines.json", {row["name"]: row["headline"] for row in rows})
        missing = [name for name in names if name not in {result.domain for result in results}]
        index = pages.get_template("index.html.j2").render(
            rows=rows, missing=missing, digest=results_digest(places)
        )
        (out / "index.html").write_text(index)
        for result in results:
            page = pages.get_template("domain.html.j2").render(**_page(places, result, out))
            (out / f"{result.domain}.html").write_text(page)
    return places.report / "index.html"


def _row(places: Places, result: Result) -> dict[str, Any]:
    metric = result.metrics[0]
    best = metric.best_baseline()
    ran = provenance(places, result.domain)
    return {
        "name": result.domain,
        "headline": headline(metric),
        "metric": metric,
        "baseline": best,
        "wins": best is None or metric.beats(best[1]),
        "minutes": sum(step["seconds"] for step in ran.values()) / 60 if ran else None,
        "data": Card.load(places.dataset(result.domain))[0].title,
    }


def _page(places: Places, result: Result, out: Path) -> dict[str, Any]:
    """All that a domain's page shows; copies its figures to ``out``."""
    pictures = out / result.domain
    pictures.mkdir()
    figures = []
    for figure in result.figures:
        shutil.copyfile(result.folder / figure.file, pictures / Path(figure.file).name)
        figures.append({**vars(figure), "file": f"{result.domain}/{Path(figure.file).name}"})
    cases = pd.read_csv(result.folder / "cases.csv")
    shown = _shown(cases, result.metrics[0])
    card, digest = Card.load(places.dataset(result.domain))
    params = parameters.read(places.params)[result.domain]
    curve = _curve(places.history(result.domain), pictures / "training_curve.png")
    return {
        "name": result.domain,
        "headline": headline(result.metrics[0]),
        "metrics": result.metrics,
        "baselines": _baselines(result.metrics),
        "notes": result.notes,
        "figures": figures,
        "curve": curve and f"{result.domain}/training_curve.png",
        "spread": _spread(cases, result.metrics[0]),
        "cases": shown.round(4).astype(str).to_dict("records"),
        "columns": list(shown.columns),
        "card": card,
        "digest": digest,
        "params": _yaml({result.domain: params}),
        "seed": params["train"]["seed"],
        "commit": _commit(provenance(places, result.domain)),
        "steps": provenance(places, result.domain),
        "command": f"convoy run {result.domain}",
    }


def is_current(places: Places) -> bool:
    """Whether the pages on disk show the results on disk."""
    index = places.report / "index.html"
    return index.is_file() and results_digest(places) in index.read_text()


def _commit(steps: dict[str, dict[str, Any]]) -> str:
    """The commit the evaluation ran at, as far as this machine knows."""
    evaluated = steps.get("evaluate")
    if evaluated is None:
        return "evaluated elsewhere, restored from the DVC cache"
    if "git.commit" not in evaluated:
        return "no git checkout"
    changed = " with local changes" if evaluated["git.dirty"] == "true" else ""
    return evaluated["git.commit"][:12] + changed


def _shown(cases: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    """The case, what describes it, and the headline by method; cases.csv has the rest.

    What describes a case stands left of the numbers; counts among those are results.
    """
    methods = [name for name in cases if name.partition(":")[0] == metric.name]
    left = list(cases)[: list(cases).index(methods[0])] if methods else list(cases)
    facts = [name for name in left if not pd.api.types.is_float_dtype(cases[name])]
    shown = cases[[*facts, *methods]]
    return shown.rename(columns={name: name.partition(":")[2] or "ours" for name in methods})


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


def _curve(history: Path, path: Path) -> bool:
    """Draw the training curve; ``False`` when there is no history."""
    if not history.is_file():
        return False
    rows = pd.read_csv(history)
    style.apply()
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6.4, 2.6), layout="constrained")
    if "train_loss" in rows:
        axes.plot(rows["step"], rows["train_loss"], color=style.BASELINE, label="training")
    axes.plot(rows["step"], rows["val_loss"], color=style.OURS, label="validation")
    best = rows["val_loss"].idxmin()
    axes.plot(rows["step"][best], rows["val_loss"][best], "o", color=style.OURS, label="kept")
    axes.set(xlabel="optimiser step", ylabel="loss", title="Loss by optimiser step")
    axes.legend(frameon=False)
    figure.savefig(path)
    plt.close(figure)
    return True


def _yaml(value: dict[str, Any]) -> str:
    from io import StringIO

    stream = StringIO()
    writer = YAML()
    writer.indent(mapping=2, sequence=4, offset=2)
    writer.dump(json.loads(json.dumps(value)), stream)
    return stream.getvalue()
