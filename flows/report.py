"""The report: static pages from the results on disk: an index, each domain, the layers.

``headlines.json`` is the part DVC tracks; the pages beside it also show when and where things
ran and what came out before, which differs from run to run.
"""

from __future__ import annotations

import hashlib
from importlib import import_module
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from domains.contract import Card
from domains.errors import DataError
from domains.files import whole_folder, write_json
from flows import parameters
from flows.charts import sparkline
from flows.domain_page import absent_page, domain_page
from flows.layers_page import layers_page
from flows.locks import lock
from flows.results import Result, headline, minutes_taken, number, read_result, results_digest
from flows.runs import read_runs, scored, trouble
from flows.settings import Places


def write_report(places: Places) -> Path:
    """Write all pages; returns the index.

    Raises:
        DataError: no domain has been evaluated yet.
    """
    with lock(places.locks / "report_pages.lock"):
        return _write(places)


def _write(places: Places) -> Path:
    names = list(parameters.load(places))
    results = {name: result for name in names if (result := read_result(places, name))}
    if not results:
        raise DataError(f"{places.outputs}/evaluation: nothing evaluated yet; run `convoy run`")
    pages = templates()
    with whole_folder(places.report) as out:
        rows = [_row(places, name, results.get(name)) for name in names]
        headlines = {row["name"]: row["headline"] for row in rows if row["name"] in results}
        write_json(out / "headlines.json", headlines)
        index = pages.get_template("index.html.j2").render(
            rows=rows, digest=_digest(places), title="Results"
        )
        (out / "index.html").write_text(index)
        for name in names:
            found = results.get(name)
            shown = domain_page(places, found, out) if found else absent_page(places, name)
            template = pages.get_template("domain.html.j2" if found else "absent.html.j2")
            page = template.render(**shown, what=_what(name), title=name)
            (out / f"{name}.html").write_text(page)
        layers = pages.get_template("layers.html.j2")
        (out / "layers.html").write_text(layers.render(**layers_page(places, out), title="Layers"))
    return places.report / "index.html"


def refresh_report(places: Places) -> Path | None:
    """The index, written anew if it does not show the results and runs on disk.

    DVC keeps the numbers, not the pages: those of restored results and of a failure after the
    report are made here.  ``None`` while nothing is evaluated.
    """
    index = places.report / "index.html"
    with lock(places.locks / "report_pages.lock"):
        is_current = index.is_file() and _digest(places) in index.read_text()
        if not is_current and list(places.outputs.glob("evaluation/*/summary.json")):
            _write(places)
    return index if index.is_file() else None


def templates() -> Environment:
    """The templates of all pages; a name that one asks for and nobody gives is an error."""
    pages = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters["number"] = number
    return pages


def _digest(places: Places) -> str:
    """Hash of what the pages show and what changes: results, records of runs, failures."""
    digest = hashlib.sha256(results_digest(places).encode())
    for path in sorted(places.spool.glob("*/*/records.jsonl")):
        digest.update(f"{path.relative_to(places.spool)}\0{path.stat().st_size}\n".encode())
    for path in sorted(places.state.glob("failures/*.txt")):
        digest.update(f"{path.name}\0{path.read_text()}\n".encode())
    return digest.hexdigest()


def _row(places: Places, name: str, result: Result | None) -> dict[str, Any]:
    """A domain's row of the index."""
    runs = read_runs(places, name)
    row = {
        "name": name,
        "what": _what(name),
        "trouble": trouble(places, name, runs),
        "metric": None,
    }
    if result is None:
        return row
    metric = result.metrics[0]
    best = metric.best_baseline()
    values = [run.metric(metric).value for run in scored(runs, metric)][-20:]
    return {
        **row,
        "headline": headline(metric),
        "metric": metric,
        "baseline": best,
        "wins": best is None or metric.beats(best[1]),
        "minutes": minutes_taken(places, name),
        "data": Card.load(places.dataset(name))[0].title,
        "values": values,
        "line": sparkline(values) if len(values) > 1 else None,
    }


def _what(name: str) -> str:
    """What the domain is, the first line of its docstring."""
    return (import_module(f"domains.{name}").__doc__ or "").strip().partition("\n")[0]
