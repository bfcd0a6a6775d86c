"""Every test case on the scanner's own grid: ours and what can be had without a network.

Scores are means over the cases that have the structure; the same cases for every method.  A
structure that was not found at all counts with Dice 0 and the volume's diagonal, see
``science.scores``, and is counted; one that was found where there is none is counted too.

Legend: K structures; X, Y, Z voxels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from domains.contract import Evaluation, Metric
from domains.errors import DataError
from domains.medical_segmentation.data import labelled, load_prepared
from domains.medical_segmentation.figures import draw
from domains.medical_segmentation.science.baselines import Baselines, Structures
from domains.medical_segmentation.science.cases import Case, Catalogue, load_case
from domains.medical_segmentation.science.geometry import Grid
from domains.medical_segmentation.science.preparation import prepare
from domains.medical_segmentation.science.regions import to_regions
from domains.medical_segmentation.science.scores import Scores, score
from domains.medical_segmentation.train import Task

QUANTITIES = {
    "dice": ("", "higher", "Dice overlap"),
    "hd95_mm": ("mm", "lower", "95th percentile Hausdorff distance, missed = volume diagonal"),
    "nsd": ("", "higher", "share of the surface within {tolerance:g} mm"),
}
"""Score -> unit, direction, meaning."""

_FEW = 10  # cases below which a mean says little


@dataclass(frozen=True)
class Answers:
    """What each method found in one case.

    Args:
        case: as the scanner gave it.
        found: method -> structure -> (X, Y, Z).
    """

    case: Case
    found: Mapping[str, Mapping[str, NDArray[np.bool_]]]


def evaluate(
    dataset: Path | str, task: Task, out: Path | str, *, evaluate: Mapping[str, Any], **_: Any
) -> Evaluation:
    """Score the test cases of ``dataset``.

    Args:
        dataset: folder that ``ingest`` wrote.
        task: trained.
        out: folder for figures.
        evaluate: section ``evaluate``.

    Raises:
        DataError: no test case has a label.
    """
    catalogue = Catalogue.load(dataset)
    structures = structures_of(catalogue)
    others = Baselines(
        load_prepared(dataset, "train", task.plan), structures, bool(task.regions), task.patch
    )

    def answered(name: str) -> Answers:
        return answer(task, others, load_case(dataset, name), structures)

    # One case at a time: those of a large test set do not fit into memory together
    rows = [
        _row(answered(name), structures, evaluate["tolerance_mm"])
        for name in labelled(dataset, "test")
    ]
    table = pd.DataFrame(rows)
    metrics = _metrics(table, structures, evaluate["tolerance_mm"])
    figures = draw(Path(out), answered, structures, table, task)
    return Evaluation(metrics, table, figures, _notes(catalogue, table, structures, metrics))


def structures_of(catalogue: Catalogue) -> dict[str, list[int]]:
    """What is scored: the regions of a data set that has them, else its labels."""
    if catalogue.regions:
        return {name: list(values) for name, values in catalogue.regions.items()}
    return {name: [value] for name, value in catalogue.labels.items()}


def answer(task: Task, others: Baselines, case: Case, structures: Structures) -> Answers:
    """Ours (under the name ``ours``) and each baseline's, on the scanner's grid."""
    prepared = prepare(case, task.plan)
    found = {"ours": to_regions(task.segment_prepared(prepared), structures)}
    found |= others.answers(prepared)
    return Answers(
        case,
        {method: dict(zip(structures, masks, strict=True)) for method, masks in found.items()},
    )


def _row(one: Answers, structures: Structures, tolerance_mm: float) -> dict[str, Any]:
    assert one.case.label is not None
    grid = Grid(one.case.label.shape, one.case.affine)
    spacing = grid.spacing_mm.tolist()
    truth = dict(zip(structures, to_regions(one.case.label, structures), strict=True))
    row: dict[str, Any] = {"case": one.case.name}
    scores: dict[tuple[str, str], Scores] = {}
    for method, found in one.found.items():
        for name in structures:
            scores[method, name] = score(found[name], truth[name], spacing, tolerance_mm)
    for quantity in QUANTITIES:
        for method in one.found:
            there = [getattr(scores[method, k], quantity) for k in structures if truth[k].any()]
            row[_column(quantity, "mean", method)] = np.mean(there) if there else np.nan
    for name in structures:
        for quantity in QUANTITIES:
            for method in one.found:
                row[_column(quantity, name, method)] = getattr(scores[method, name], quantity)
        row[f"true_ml_{name}"] = float(truth[name].sum()) * grid.voxel_ml
        row[f"found_ml_{name}"] = float(one.found["ours"][name].sum()) * grid.voxel_ml
        for method in one.found:
            row[_column("missed", name, method)] = int(scores[method, name].is_missed)
            row[_column("invented", name, method)] = int(scores[method, name].is_invented)
    return row


def _column(quantity: str, structure: str, method: str) -> str:
    """Name of a column: a baseline's behind a colon."""
    return f"{quantity}_{structure}" + ("" if method == "ours" else f":{method}")


def _metrics(table: pd.DataFrame, structures: Structures, tolerance_mm: float) -> list[Metric]:
    """Means over the cases that have the structure, the mean Dice of all structures first."""
    metrics = []
    for name in ("mean", *structures):
        own = table if name == "mean" else table[table[f"true_ml_{name}"] > 0]
        for quantity, (unit, better, meaning) in QUANTITIES.items():
            own = own[np.isfinite(own[_column(quantity, name, "ours")])]
            if own.empty:
                continue
            what = "all structures" if name == "mean" else name
            metrics.append(
                Metric(
                    name=_column(quantity, name, "ours"),
                    value=float(own[_column(quantity, name, "ours")].mean()),
                    unit=unit,
                    better="higher" if better == "higher" else "lower",
                    n=len(own),
                    baselines={
                        other: float(own[_column(quantity, name, other)].mean())
                        for other in Baselines.names
                    },
                    description=f"{what}: {meaning.format(tolerance=tolerance_mm)}, mean over "
                    "cases that have it",
                )
            )
    if not metrics:
        raise DataError("medical_segmentation: no test case has a labelled voxel: nothing to score")
    return [*metrics, *_counts(table, structures)]


def _counts(table: pd.DataFrame, structures: Structures) -> list[Metric]:
    """How many structures were missed, and how many were found where there is none."""

    def total(kind: str, method: str) -> float:
        return float(sum(table[_column(kind, name, method)].sum() for name in structures))

    meanings = {
        "missed": "structures that are there and were not found at all",
        "invented": "structures that were found in cases without them",
    }
    return [
        Metric(
            name=f"{kind}_structures",
            value=total(kind, "ours"),
            unit="",
            better="lower",
            n=len(table) * len(structures),
            baselines={other: total(kind, other) for other in Baselines.names},
            description=meaning,
        )
        for kind, meaning in meanings.items()
    ]


def _notes(
    catalogue: Catalogue,
    table: pd.DataFrame,
    structures: Structures,
    metrics: Sequence[Metric],
) -> list[str]:
    """What a reader of the numbers must know."""
    notes = []
    if catalogue.kind != "real":
        notes.append(
            "The cases are simulated anatomy: the numbers show that the pipeline works, not how "
            "good it is on patients; for that, source: public."
        )
    lost = [
        f"{metric.name} ({metric.value:.3g} against {best[1]:.3g} of {best[0]})"
        for metric in metrics
        if (best := metric.best_baseline())
        and metric.name not in _COUNTS
        and not metric.beats(best[1])
    ]
    if lost:
        notes.append(f"Not better than the strongest baseline: {', '.join(lost)}.")
    for name in structures:
        absent = int((table[f"true_ml_{name}"] == 0).sum())
        if absent:
            notes.append(
                f"{absent} of {len(table)} test cases have no {name}, left out of its means."
            )
    if len(table) < _FEW:
        notes.append(f"{len(table)} test cases: a mean over so few says little.")
    return notes


_COUNTS = ("missed_structures", "invented_structures")
