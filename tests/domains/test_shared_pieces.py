"""What all domains take from the contract: the schedule, whole cases as batches, saved figures."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from matplotlib.figure import Figure as Canvas

from domains.contract import save_figure
from domains.task import one_at_a_time, warmup_cosine


def rates(num_steps: int, rise: int) -> list[float]:
    """The rate of each step, peak 1."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = warmup_cosine(optimizer, num_steps, rise)["lr_scheduler"]["scheduler"]
    found = []
    for _ in range(num_steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


def test_the_rate_rises_evenly_and_falls_as_a_cosine() -> None:
    found = rates(10, 4)
    assert found[:5] == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0])
    assert found[7] == pytest.approx(0.5)  # half way down
    assert found[5] + found[9] == pytest.approx(1.0)  # a cosine is symmetric about it


def test_a_training_of_one_step_has_a_rate() -> None:
    assert rates(1, 0) == [1.0]


def test_cases_of_different_sizes_come_as_they_are() -> None:
    cases = [{"x": torch.zeros(2)}, {"x": torch.ones(3)}]
    assert [len(batch["x"]) for batch in one_at_a_time(cases)] == [2, 3]


def test_a_figure_has_the_same_bytes_each_time(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        canvas = Canvas(figsize=(2, 1))
        canvas.subplots().plot([0, 1])
        figure = save_figure(canvas, tmp_path / folder, "line", "a line", "it rises")
    assert figure.file == "figures/line.png"
    one, two = (tmp_path / folder / figure.file for folder in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
