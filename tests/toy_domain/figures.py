"""The toy's picture."""

from pathlib import Path

import torch


def draw(points: torch.Tensor, path: Path) -> None:
    """Points (N, 2) as dots."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3, 2))
    figure.subplots().plot(points[:, 0], points[:, 1], "k.")
    figure.savefig(path)
