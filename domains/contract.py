"""What a domain is: the types that pass between a domain folder and the flows.

A domain is a folder ``domains/<name>/`` with four functions, each in the file of its name::

    ingest.py    ingest(source, out, **params)          -> Card        raw files -> tidy dataset
    train.py     build(dataset, **params)               -> (Task, DataModule)
    evaluate.py  evaluate(dataset, task, out, **params) -> Evaluation  test split, with baselines
    predict.py   predict(task, input, output, **params)                the user's file -> answer
                 infer(task, arrays) -> arrays, example_input(task)    the same on named arrays

The package does not re-export them: its attribute ``predict`` and the module ``predict`` would
take each other's place.  ``params`` is the domain's block of ``params.yaml`` without ``format``
and ``source``: the mappings ``ingest, model, train, evaluate``, already checked by
``params.Params``.  ``source`` is ``sample``, ``public`` or a path or URL.  ``Task`` and
``DataModule`` are in ``domains/task.py``.  Nothing here knows Prefect, DVC or MLflow.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from domains.errors import DataError
from domains.files import hash_folder, write_json

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure as Canvas

__all__ = ["Card", "Evaluation", "Figure", "Metric", "domain_function", "save_figure"]

_FILES = {"ingest": "ingest", "build": "train", "evaluate": "evaluate", "predict": "predict"}


def domain_function(domain: str, name: str) -> Any:
    """The domain's function ``ingest``, ``build``, ``evaluate`` or ``predict``."""
    return getattr(import_module(f"domains.{domain}.{_FILES[name]}"), name)


@dataclass(frozen=True)
class Metric:
    """One number of the test split beside the same number of each baseline.

    Args:
        name: snake_case, e.g. ``inclination_rmse``.
        value: ours.
        unit: physical unit, ``""`` for pure numbers.
        better: which direction is good.
        n: number of cases (trials, subjects, ...) behind the number.
        baselines: name of the baseline -> its value on the same cases.
        description: what is averaged over what, one sentence.
    """

    name: str
    value: float
    unit: str
    better: Literal["lower", "higher"]
    n: int
    baselines: Mapping[str, float] = field(default_factory=dict)
    description: str = ""

    def __post_init__(self) -> None:
        if self.better not in ("lower", "higher"):
            raise ValueError(f"Metric {self.name}: better is lower or higher, not {self.better!r}")
        if self.n < 1:
            raise ValueError(f"Metric {self.name}: n = {self.n}, a number needs a case")

    def best_baseline(self) -> tuple[str, float] | None:
        """Name and value of the strongest baseline that has a number, ``None`` without one."""
        known = {name: value for name, value in self.baselines.items() if not math.isnan(value)}
        if not known:
            return None
        pick = min if self.better == "lower" else max
        name = pick(known, key=lambda key: known[key])
        return name, known[name]

    def beats(self, other: float) -> bool:
        """Whether our value is better than ``other``; any number is better than NaN."""
        if math.isnan(other):
            return not math.isnan(self.value)
        return self.value < other if self.better == "lower" else self.value > other


@dataclass(frozen=True)
class Figure:
    """A picture that ``evaluate`` wrote below its ``out`` folder.

    Args:
        file: path relative to ``out``, e.g. ``figures/error_by_trial.png``.
        caption: what is seen, with quantity, unit and count.
        alt: the same for those who cannot see it: what the picture shows, in words.
    """

    file: str
    caption: str
    alt: str


def save_figure(canvas: Canvas, out: Path, name: str, caption: str, alt: str) -> Figure:
    """Write ``out/figures/<name>.png``, the same bytes on every run, and return its ``Figure``."""
    file = f"figures/{name}.png"
    (out / "figures").mkdir(parents=True, exist_ok=True)
    canvas.savefig(out / file, dpi=90, metadata={"Software": None}, pil_kwargs={"optimize": True})
    return Figure(file, caption, alt)


@dataclass(frozen=True)
class Evaluation:
    """Result of ``evaluate``: the first metric is the domain's headline.

    Args:
        metrics: numbers of the test split, the key number first.
        cases: one row per test case; first column ``case``, then one column per quantity and
            method, named ``<metric>`` for ours and ``<metric>:<baseline>`` for baselines.
        figures: pictures written below ``out``.
        notes: sentences a reader must see (fallbacks used, bars missed, what is simulated).
    """

    metrics: Sequence[Metric]
    cases: pd.DataFrame
    figures: Sequence[Figure]
    notes: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not self.metrics:
            raise ValueError("an Evaluation needs at least one Metric, the headline first")
        if len(self.cases) == 0 or self.cases.columns[0] != "case":
            raise ValueError("Evaluation.cases needs at least one row and 'case' as first column")

    @property
    def headline(self) -> Metric:
        """The domain's key number."""
        return self.metrics[0]


@dataclass(frozen=True)
class Card:
    """What a dataset is, written beside it as ``card.json``.

    Args:
        title: one line, says whether the data are simulated.
        source: where the raw data came from (package, simulator, address, path).
        licence: of the raw data.
        units: variable -> unit.
        splits: split -> identifiers (subjects, trials, events ...) in it.
        counts: what was kept, e.g. ``{"trials": 12, "samples": 600000}``.
        rejected: reason -> number of records refused or dropped.
        warnings: counted warnings, one sentence each.
    """

    title: str
    source: str
    licence: str
    units: Mapping[str, str]
    splits: Mapping[str, Sequence[str]]
    counts: Mapping[str, int]
    rejected: Mapping[str, int] = field(default_factory=dict)
    warnings: Sequence[str] = ()

    def save(self, folder: Path) -> None:
        """Write ``card.json`` with the SHA-256 of all other files in ``folder``."""
        write_json(folder / "card.json", {**asdict(self), "sha256": hash_folder(folder)})

    @staticmethod
    def load(folder: Path) -> tuple[Card, str]:
        """The card in ``folder`` and the SHA-256 of the data it was written for.

        Raises:
            DataError: no card there.
        """
        path = Path(folder) / "card.json"
        if not path.is_file():
            raise DataError(f"{path}: no data card; run the ingest step of this domain first")
        fields = json.loads(path.read_text())
        digest = fields.pop("sha256")
        return Card(**fields), digest
