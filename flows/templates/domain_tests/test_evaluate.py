"""Every method is scored on the same groups, and the numbers are those of the definition."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from domains.template_domain.evaluate import evaluate
from domains.template_domain.science.points import load_points
from domains.template_domain.train import Task


def test_the_error_is_the_mean_over_groups(
    task: Task, dataset: Path, tmp_path: Path, params: dict
) -> None:
    result = evaluate(dataset, task, tmp_path, **params)
    train, test = load_points(dataset, "train"), load_points(dataset, "test")
    errors = [
        np.sqrt(np.mean((own["y"] - train["y"].mean()) ** 2)) for _, own in test.groupby("group")
    ]
    assert result.headline.baselines["training_mean"] == pytest.approx(np.mean(errors))
    assert result.headline.n == 2
    assert list(result.cases["points"]) == [20, 20]


def test_the_figure_is_the_same_file_every_time(
    task: Task, dataset: Path, tmp_path: Path, params: dict
) -> None:
    first, second = (
        (tmp_path / name / evaluate(dataset, task, tmp_path / name, **params).figures[0].file)
        for name in ("first", "second")
    )
    assert first.read_bytes() == second.read_bytes()
