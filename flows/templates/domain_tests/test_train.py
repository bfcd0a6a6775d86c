"""The network scales by its buffers and can learn a batch by heart."""

from __future__ import annotations

from pathlib import Path

import torch

from domains.template_domain.data import points_of
from domains.template_domain.train import Task


def test_statistics_are_those_of_the_training_points(task: Task, dataset: Path) -> None:
    points = points_of(dataset, "train")
    torch.testing.assert_close(task.curve.mean, points.mean(0))
    torch.testing.assert_close(task.curve.spread, points.std(0))


def test_it_learns_a_batch_by_heart(task: Task, dataset: Path) -> None:
    points = points_of(dataset, "train")[:8]
    optimizer = torch.optim.Adam(task.parameters(), lr=0.03)
    for _ in range(600):
        optimizer.zero_grad()
        loss = (task.curve(points[:, 0]) - points[:, 1]).square().mean()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.02 * points[:, 1].var().item()
