"""Whether a clean clone gives the numbers of the sample run that ``dvc.lock`` records.

    python -m benchmarks.reproduce [DOMAIN ...]     clone, run, compare; exit code 1 on a difference
    python -m benchmarks.reproduce --write          take the numbers at hand as the reference

The clone has the committed code, ``params.yaml`` and ``dvc.lock``, and no cache: every stage runs.
On a processor of the kind that made the reference the numbers are equal to the last bit; elsewhere
BLAS rounds in another order, training carries that on, and ``TOLERANCE`` is what is asked for.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "benchmarks" / "results" / "sample_metrics.json"

TOLERANCE = 0.05
"""Largest difference of a number, as a share of the largest among ours and the baselines'."""

Numbers = Mapping[str, Mapping[str, float]]
"""Metric -> method -> value, as in ``metrics.json``."""


def differences(reference: Numbers, found: Numbers) -> tuple[bool, list[str]]:
    """Whether all numbers are equal to the last bit, and those that are beyond the tolerance."""
    beyond = []
    for metric in sorted({*reference, *found}):
        old, new = reference.get(metric, {}), found.get(metric, {})
        if old.keys() != new.keys():
            beyond.append(f"{metric}: expected {sorted(old)}, found {sorted(new)}")
            continue
        scale = max((abs(value) for value in old.values()), default=0.0)
        for method, value in old.items():
            # written so that a NaN is a difference
            if not abs(new[method] - value) <= TOLERANCE * scale and value != new[method]:
                beyond.append(f"{metric}, {method}: expected {value:g}, found {new[method]:g}")
    return reference == found, beyond


def metrics_of(root: Path, domain: str) -> Numbers:
    """Numbers of the evaluation in the checkout ``root``."""
    return json.loads((root / "outputs/evaluation" / domain / "metrics.json").read_text())


def clone(folder: Path) -> None:
    """The committed state of this checkout, without outputs and cache."""
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)


def main() -> int:
    """Compare, or write the reference; the exit code."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("domains", nargs="*", help="none means all")
    arguments.add_argument("--write", action="store_true", help="write the reference")
    given = arguments.parse_args()
    if given.write:
        folders = sorted((ROOT / "outputs/evaluation").glob("*/metrics.json"))
        numbers = {path.parent.name: metrics_of(ROOT, path.parent.name) for path in folders}
        REFERENCE.write_text(json.dumps(numbers, indent=1) + "\n")
        return 0
    return compare(given.domains)


def compare(domains: Sequence[str]) -> int:
    """Run a clone and print a line for each domain; 1 where one differs."""
    reference = json.loads(REFERENCE.read_text())
    code = 0
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "clone"
        clone(root)
        command = [sys.executable, "-m", "flows", "run", "--no-server", *domains]
        here = {key: value for key, value in os.environ.items() if not key.startswith("CONVOY_")}
        subprocess.run(command, cwd=root, env=here, check=True)
        for domain in domains or reference:
            is_equal, beyond = differences(reference[domain], metrics_of(root, domain))
            verdict = "equal to the last bit" if is_equal else f"within {TOLERANCE:.0%}"
            print(f"{domain}: {'; '.join(beyond) or verdict}")
            code |= bool(beyond)
    return code


if __name__ == "__main__":
    sys.exit(main())
