"""Sizes beyond half or twice the training cases' are told, all others are not."""

from __future__ import annotations

import numpy as np
import pytest

from domains.medical_segmentation.science.geometry import Grid
from domains.medical_segmentation.science.plausibility import doubts

SEEN = {
    "extent_mm": [[30.0, 40.0, 30.0], [40.0, 60.0, 40.0]],
    "volume_ml": {"1": [1.0, 2.0], "2+4": [0.0, 3.0]},
}
STRUCTURES = {"front": [1], "back": [2, 4], "rest": [3]}


@pytest.mark.parametrize(
    ("shape", "found_ml", "sentences"),
    [
        ((30, 40, 25), (1.5, 1.0, 0.0), []),
        ((30, 40, 25), (0.5, 6.0, 0.0), []),
        ((30, 40, 25), (0.49, 0.0, 0.0), ["front has 0.49 ml, in the training cases 1 to 2 ml"]),
        ((30, 40, 25), (4.1, 6.1, 0.0), ["front has 4.1 ml", "back has 6.1 ml"]),
        ((30, 40, 25), (1.0, 1.0, 0.1), ["rest has 0.1 ml, in the training cases 0 to 0 ml"]),
        (
            (30, 121, 25),
            (1.0, 1.0, 0.0),
            ["the volume spans 30 × 121 × 50 mm, the training volumes 30 × 40 × 30 to 40 × 60 × 4"],
        ),
    ],
)
def test_what_is_far_from_all_training_cases_is_told(
    shape: tuple[int, int, int], found_ml: tuple[float, ...], sentences: list[str]
) -> None:
    turned = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 2.0]])
    affine = np.eye(4)
    affine[:3, :3] = turned
    grid = Grid((shape[1], shape[0], shape[2]), affine)
    told = doubts(SEEN, grid, STRUCTURES, dict(zip(STRUCTURES, found_ml, strict=True)))
    assert len(told) == len(sentences)
    assert all(sentence in line for sentence, line in zip(sentences, told, strict=True))
