"""The page on ``shared_layers``: what is live here, and what was measured, against PyTorch.

Nothing is timed when the report is written: the numbers are those that ``benchmarks`` left.
"""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

from flows import charts
from flows.git import last_change
from flows.settings import Places

_RESULTS = {
    "kernels": ("shared_layers_cpu.json", "python -m benchmarks.shared_layers"),
    "layers": ("shared_layers_layers_cpu.json", "python -m benchmarks.shared_layers.layers"),
}
"""What -> its file in ``benchmarks/results``, and the command that measures it anew."""


def layers_page(places: Places, out: Path) -> dict[str, Any]:
    """All that the page shows; draws its charts in ``out/layers``."""
    from shared_layers import kernels_info

    (out / "layers").mkdir()
    measured = {what: _measured(places, *source) for what, source in _RESULTS.items()}
    users = layer_users(places.root / "domains")
    if kernels := measured["kernels"]:
        _draw_kernels(kernels["rows"], out / "layers" / "kernels.png")
    if layers := measured["layers"]:
        _draw_layers(layers["rows"], out / "layers" / "layers.png")
        for row in layers["rows"]:
            row["users"] = users.get(row["layer"], [])
    return {"live": kernels_info(), "sources": _RESULTS, "users": users, **measured}


def layer_users(domains: Path) -> dict[str, list[str]]:
    """Public name of ``shared_layers`` -> the domains that import it."""
    found: dict[str, set[str]] = {}
    for path in sorted(domains.glob("*/**/*.py")):
        text = path.read_text()
        if "shared_layers" not in text:
            continue
        try:
            tree = ast.parse(text)
        except SyntaxError:  # of a domain that is being written; it uses nothing yet
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("shared_layers"):
                for name in node.names:
                    found.setdefault(name.name, set()).add(path.relative_to(domains).parts[0])
    return {name: sorted(users) for name, users in sorted(found.items())}


def _measured(places: Places, file: str, command: str) -> dict[str, Any] | None:
    """The rows of a results file, and when, where and how they were measured."""
    path = places.root / "benchmarks" / "results" / file
    if not path.is_file():
        return None
    found = json.loads(path.read_text())
    for row in found["rows"]:
        row["unit"] = "MB" if "ours_mb" in row else "ms"
    return {**found, "command": command, "date": last_change(places.root, path)}


def _draw_kernels(rows: list[dict[str, Any]], path: Path) -> None:
    groups: dict[str, list[float]] = {}
    for row in rows:
        if "ours_ms" in row:
            groups.setdefault(row["kernel"], []).append(row["ratio"])
    charts.ratios(groups, "Kernels: a dot for each case", path)


def _draw_layers(rows: list[dict[str, Any]], path: Path) -> None:
    twins = sorted((row for row in rows if "twin" in row), key=lambda row: -row["step_ratio"])
    groups = {f"{row['layer']} : {row['twin']}": [row["step_ratio"]] for row in twins}
    charts.ratios(groups, "Layers beside the torch layer they stand in for: training step", path)
