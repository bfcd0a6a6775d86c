"""``python -m benchmarks.shared_layers``: every kernel against what a user would call instead.

One thread, CPU time, interleaved, the minimum; correctness is checked in the same run. Prints a
table and writes ``benchmarks/results/shared_layers_cpu.json``; ``--write`` also puts it into the
README of the library, ``--from-results`` does so without measuring, ``--only NAME`` runs one
script.
"""

from __future__ import annotations

import argparse
import importlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.shared_layers.results import measured_on, replace_section, write_results

SCRIPTS = ("mlstm", "depthwise", "causal_conv1d", "log_bessel", "reversible")
# How a kernel's name starts -> what a user would otherwise call.
AGAINST = {
    "mLSTM": "published parallel form",
    "depthwise training step": "eager PyTorch, better layout",
    "depthwise layer": "eager PyTorch, same layout",
    "causal": "`F.conv1d`, transposed",
    "log I": "SciPy `log(ive) + x`",
    "log K": "SciPy `log(kve) − x`",
    "reversible": "the same blocks kept",
}
RESULTS = Path(__file__).parents[1] / "results" / "shared_layers_cpu.json"


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


AIMS_MISSED = "**missed**"


def readme_number(value: float) -> str:
    """Three digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def kernel_table(rows: Sequence[dict[str, Any]], about: dict[str, str]) -> str:
    """The README's section on kernels: every row that has an aim, and the machine."""
    lines = [
        measured_on(about),
        "`OMP_NUM_THREADS=1 python -m benchmarks.shared_layers --write` makes this table. Times in",
        "ms of CPU, memory in MB; *theirs : ours* is what is aimed at, higher is better. *Error*:",
        "the largest difference over the largest value, float32 against the other form, mLSTM",
        "against float64; log-Bessel: absolute or relative, whichever is less, against mpmath.",
        "",
        "| kernel | case | against | ours | theirs | theirs : ours | aim | error |",
        "|---|---|---|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        if row.get("bar") is None:
            continue
        unit = "mb" if "ours_mb" in row else "ms"
        against = next(word for start, word in AGAINST.items() if row["kernel"].startswith(start))
        times = [
            readme_number(row[key]) if (key := f"{who}_{unit}") in row else "–"
            for who in ("ours", "theirs")
        ]
        missed = "" if row["ratio"] >= row["bar"] else f" {AIMS_MISSED}"
        error = f"{row['error']:.0e}" if "error" in row else "–"
        cells = [row["kernel"], row["case"], against, *times]
        cells += [f"{row['ratio']:.2f}", f"≥ {row['bar']:g}{missed}", error]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=SCRIPTS, help="run one script and write nothing")
    parser.add_argument("--write", action="store_true", help="update the README's table too")
    parser.add_argument(
        "--from-results", action="store_true", help="write the README from the last results"
    )
    options = parser.parse_args()
    if options.from_results:
        last = json.loads(RESULTS.read_text())
        replace_section("kernels", kernel_table(last["rows"], last["machine"]))
        return
    only = options.only
    rows: list[dict[str, Any]] = []
    for name in [only] if only else SCRIPTS:
        rows += importlib.import_module(f"benchmarks.shared_layers.{name}").run()
    misses = print_table(rows)
    print(f"{misses} of {len(rows)} rows miss their bar")
    if only:
        return
    about = write_results(RESULTS, rows)
    if options.write:
        replace_section("kernels", kernel_table(rows, about))


if __name__ == "__main__":
    main()
