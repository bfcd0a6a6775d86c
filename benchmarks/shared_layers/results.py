"""Where the benchmarks put their numbers: a JSON file, and tables in the library's README."""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy
import scipy
import torch

README = Path(__file__).parents[2] / "shared_layers" / "README.md"


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


def measured_on(about: dict[str, str]) -> str:
    """A sentence on the machine."""
    return (
        f"Measured on {about['processor']}, {about['instructions']}, one thread, "
        f"Python {about['python']}, torch {about['torch']}."
    )


def rounded(value: Any) -> Any:
    """Four significant digits: more is noise."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list) else value


def write_results(path: Path, rows: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Write the rows, one a line, under the machine's description, which is returned."""
    about = machine()
    path.parent.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(rounded(row), ensure_ascii=False) for row in rows)
    path.write_text(f'{{"machine": {json.dumps(about)},\n"rows": [\n{lines}\n]}}\n')
    return about


def section(name: str) -> str:
    """The README's text between ``<!-- name -->`` and ``<!-- /name -->``."""
    return _find(name)[1]


def replace_section(name: str, text: str) -> None:
    """Put ``text`` in place of that section."""
    found = _find(name)
    README.write_text(found.string[: found.start(1)] + text + "\n" + found.string[found.end(1) :])


def _find(name: str) -> re.Match[str]:
    found = re.search(rf"(?s)<!-- {name} -->\n(.*)<!-- /{name} -->", README.read_text())
    if found is None:
        raise SystemExit(f"{README}: expected the lines <!-- {name} --> and <!-- /{name} -->")
    return found
