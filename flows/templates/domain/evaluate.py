"""The test groups scored: ours and every baseline, in the same run, group by group."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from domains.contract import Card, Evaluation, Metric
from domains.errors import DataError
from domains.template_domain.figures import draw
from domains.template_domain.science.baselines import BASELINES
from domains.template_domain.science.points import load_points
from domains.template_domain.train import Task

METRIC = "rmse"


def evaluate(
    dataset: Path, task: Task, out: Path, *, evaluate: Mapping[str, Any], **_: Any
) -> Evaluation:
    """Score the test groups of ``dataset``.

    Args:
        dataset: folder that ``ingest`` wrote.
        task: trained.
        out: folder for figures.
        evaluate: section ``evaluate``.

    Raises:
        DataError: there is no test group.
    """
    train, test = (load_points(Path(dataset), split) for split in ("train", "test"))
    if test.empty:
        raise DataError(f"template_domain: {dataset}: no test group; ingest again")
    fitted = (train["x"].to_numpy(), train["y"].to_numpy())
    x = test["x"].to_numpy()
    answers = {"": task.estimate(x)} | {name: fit(*fitted, x) for name, fit in BASELINES.items()}
    cases = _cases(test, answers)
    metric = Metric(
        name=METRIC,
        value=float(cases[METRIC].mean()),
        unit="m",
        better="lower",
        n=len(cases),
        baselines={name: float(cases[f"{METRIC}:{name}"].mean()) for name in BASELINES},
        description="root mean square error of y over the points of a group, mean over groups",
    )
    figure = draw(Path(out), task, test, fitted, evaluate["figure_groups"])
    return Evaluation([metric], cases, [figure], _notes(Card.load(Path(dataset))[0], metric))


def _cases(test: pd.DataFrame, answers: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """A row for each test group: its points, and the error in m by method (ours is ``""``)."""
    squares = pd.DataFrame(
        {
            f"{METRIC}:{name}".removesuffix(":"): (answer - test["y"]) ** 2
            for name, answer in answers.items()
        }
    )
    errors = squares.groupby(test["group"], sort=False).mean().pow(0.5)
    errors.insert(0, "points", test.groupby("group", sort=False).size())
    return errors.rename_axis("case").reset_index()


def _notes(card: Card, metric: Metric) -> list[str]:
    """What a reader must see."""
    notes = [f"Data: {card.title}."]
    name, value = metric.best_baseline() or ("", float("inf"))
    if not metric.beats(value):
        notes.append(f"Ours is not better than {name.replace('_', ' ')}.")
    return notes
