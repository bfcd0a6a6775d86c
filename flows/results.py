"""What a domain's evaluation left on disk, and its key number in words."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domains.contract import Figure, Metric
from domains.files import hash_file, write_text
from flows.runner import StageResult
from flows.settings import Places

STAGES = ("ingest", "train", "evaluate")


@dataclass(frozen=True)
class Result:
    """One domain's evaluation, read back.

    Args:
        domain: its name.
        metrics: the headline first.
        figures: with paths relative to ``folder``.
        notes: sentences a reader must see.
        params: the sections that the model was trained and evaluated with.
        folder: where it lies.
    """

    domain: str
    metrics: list[Metric]
    figures: list[Figure]
    notes: list[str]
    params: dict[str, Any]
    folder: Path


def read_result(places: Places, domain: str) -> Result | None:
    """The domain's evaluation, ``None`` when there is none yet."""
    folder = places.evaluation(domain)
    if not (folder / "summary.json").is_file():
        return None
    summary = json.loads((folder / "summary.json").read_text())
    if "params" not in summary:  # of an earlier version: it is stale
        return None
    return Result(
        domain,
        [Metric(**fields) for fields in summary["metrics"]],
        [Figure(**fields) for fields in summary["figures"]],
        summary["notes"],
        summary["params"],
        folder,
    )


def number(value: float, unit: str = "") -> str:
    """Three significant digits with the unit: ``0.382°``, ``12.1 µK``."""
    text = f"{value:.3g}"
    if "e" in text:
        text = f"{value:.0f}" if abs(value) >= 1 else f"{value:.2e}"
    return text if not unit else f"{text}{unit}" if unit == "°" else f"{text} {unit}"


def headline(metric: Metric) -> str:
    """One sentence: our number, the strongest baseline, by how much, over how many cases."""
    words = metric.name.replace("_", " ")
    sentence = f"{words} {number(metric.value, metric.unit)}"
    best = metric.best_baseline()
    if best is None:
        return f"{sentence} over {metric.n} cases, no baseline"
    name, value = best
    other = f"{name.replace('_', ' ')} {number(value, metric.unit)}"
    cases = f"over {metric.n} test {'case' if metric.n == 1 else 'cases'}"
    if metric.value == value:
        return f"{sentence}: equal to {other}, {cases}"
    change = abs(metric.value / value - 1) if value else math.inf
    much = f"{change:.0%} " if 0.005 <= change < math.inf else "under 1% " if value else ""
    side = "lower" if metric.value < value else "higher"
    verdict = "better" if metric.beats(value) else "worse"
    return f"{sentence}: {much}{side} ({verdict}) than {other}, {cases}"


def provenance_note(places: Places, stage: str, domain: str) -> Path:
    """Where the note on a stage's present output is kept."""
    made = {
        "ingest": places.dataset(domain) / "card.json",
        "train": places.model(domain) / "weights.safetensors",
        "evaluate": places.evaluation(domain) / "summary.json",
    }[stage]
    digest = hash_file(made)[:16] if made.is_file() else "none"
    return places.state / "provenance" / domain / f"{stage}-{digest}.json"


def provenance(places: Places, domain: str) -> dict[str, dict[str, Any]]:
    """Stage -> when, where and how long it ran here; empty for what came from elsewhere."""
    notes = {stage: provenance_note(places, stage, domain) for stage in STAGES}
    return {stage: json.loads(path.read_text()) for stage, path in notes.items() if path.is_file()}


def minutes_taken(places: Places, domain: str) -> float | None:
    """What the domain's present results took to make here, ``None`` where they are from a cache."""
    ran = provenance(places, domain)
    return sum(step["seconds"] for step in ran.values()) / 60 if ran else None


def note_failures(places: Places, results: Sequence[StageResult]) -> None:
    """Keep, for the report, what stopped each domain of a run that has ended; forget it if none."""
    failed = {result.domain: result for result in results if result.outcome == "failed"}
    for domain in {result.domain for result in results} - {""}:
        note = _failure_note(places, domain)
        if domain in failed:
            when = time.strftime("%Y-%m-%d %H:%M")
            stage, error = failed[domain].stage, failed[domain].error
            write_text(note, f"The latest run ({when}) failed at {stage}: {error}")
        else:
            forget_failure(places, domain)


def forget_failure(places: Places, domain: str) -> None:
    """The domain's results are up to date again."""
    _failure_note(places, domain).unlink(missing_ok=True)


def failure(places: Places, domain: str) -> str | None:
    """A sentence on what stopped the domain's latest run, ``None`` where nothing did."""
    note = _failure_note(places, domain)
    return note.read_text() if note.is_file() else None


def _failure_note(places: Places, domain: str) -> Path:
    return places.state / "failures" / f"{domain}.txt"


def results_digest(places: Places) -> str:
    """Hash of all evaluations on disk: which results a report shows."""
    digest = hashlib.sha256()
    for path in sorted(places.outputs.glob("evaluation/*/summary.json")):
        digest.update(f"{path.parent.name}\0{hash_file(path)}\n".encode())
    return digest.hexdigest()
