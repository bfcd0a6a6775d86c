"""``python -m benchmarks.shared_layers``: every kernel against what a user would call instead.

One thread, CPU time, interleaved, the minimum; correctness is checked in the same run. Prints a
table and writes ``benchmarks/results/shared_layers_cpu.json``. ``--only NAME`` runs one script.
"""

from __future__ import annotations

import argparse
import importlib
import json
import platform
from pathlib import Path
from typing import Any

import numpy
import scipy
import torch

SCRIPTS = ("mlstm", "depthwise", "causal_conv1d", "log_bessel", "reversible")
RESULTS = Path(__file__).parents[1] / "results" / "shared_layers_cpu.json"


def machine() -> dict[str, str]:
    """Processor and versions."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((li.split(":")[1].strip() for li in lines if li.startswith("model name")), "?")
    return {
        "processor": model,
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "scipy": scipy.__version__,
        "threads": "1",
    }


def number(value: Any, digits: int = 2) -> str:
    """A table cell."""
    return "" if value is None else f"{value:.{digits}f}"


def print_table(rows: list[dict[str, Any]]) -> int:
    """The table; returns how many rows miss their bar."""
    misses = 0
    print(f"{'kernel':<36} {'case':<48} {'ours':>9} {'theirs':>9} {'ratio':>7} {'bar':>5}  error")
    for row in rows:
        unit = "mb" if "ours_mb" in row else "ms"
        is_missed = row.get("bar") is not None and row["ratio"] < row["bar"]
        misses += is_missed
        error = f"{row['error']:.0e}" if "error" in row else ""
        print(
            f"{row['kernel']:<36} {row['case']:<48} {number(row.get(f'ours_{unit}')):>9} "
            f"{number(row.get(f'theirs_{unit}')):>9} {number(row['ratio']):>7} "
            f"{number(row.get('bar')):>5}  {error} {'MISSED' if is_missed else ''}"
        )
    return misses


def rounded(value: Any) -> Any:
    """Four significant digits: more is noise."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list) else value


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=SCRIPTS, help="run one script and write nothing")
    only = parser.parse_args().only
    rows: list[dict[str, Any]] = []
    for name in [only] if only else SCRIPTS:
        rows += importlib.import_module(f"benchmarks.shared_layers.{name}").run()
    misses = print_table(rows)
    print(f"{misses} of {len(rows)} rows miss their bar")
    if not only:
        RESULTS.parent.mkdir(exist_ok=True)
        lines = ",\n".join(json.dumps(rounded(row)) for row in rows)
        text = f'{{"machine": {json.dumps(machine())},\n"rows": [\n{lines}\n]}}\n'
        RESULTS.write_text(text)


if __name__ == "__main__":
    main()
