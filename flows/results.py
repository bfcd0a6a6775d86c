"""What a domain's evaluation left on disk, and its key number in words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domains.contract import Figure, Metric
from flows.settings import Places


@dataclass(frozen=True)
class Result:
    """One domain's evaluation, read back.

    Args:
        domain: its name.
        metrics: the headline first.
        figures: with paths relative to ``folder``.
        notes: sentences a reader must see.
        folder: where it lies.
    """

    domain: str
    metrics: list[Metric]
    figures: list[Figure]
    notes: list[str]
    folder: Path


def read_result(places: Places, domain: str) -> Result | None:
    """The domain's evaluation, ``None`` when there is none yet."""
    folder = places.evaluation(domain)
    if not (folder / "summary.json").is_file():
        return None
    summary = json.loads((folder / "summary.json").read_text())
    return Result(
        domain,
        [Metric(**fields) for fields in summary["metrics"]],
        [Figure(**fields) for fields in summary["figures"]],
        summary["notes"],
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
    change = abs(metric.value / value - 1) if value else float("inf")
    side = "lower" if metric.value < value else "higher"
    verdict = "better" if metric.beats(value) else "worse"
    return (
        f"{sentence}: {change:.0%} {side} ({verdict}) than {name.replace('_', ' ')} "
        f"{number(value, metric.unit)}, over {metric.n} test cases"
    )


def provenance(places: Places, domain: str) -> dict[str, dict[str, Any]]:
    """Stage -> when, where and how long it ran here; empty when it came from a cache."""
    folder = places.state / "provenance" / domain
    return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
