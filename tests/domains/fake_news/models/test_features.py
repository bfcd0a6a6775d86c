"""Explicit features on a common scale."""

from __future__ import annotations

import math

import torch

from domains.fake_news.models.features import Standardise


def test_training_features_get_mean_zero_and_spread_one() -> None:
    values = torch.tensor([[1.0, 5.0], [3.0, 5.0], [7.0, 5.0], [math.nan, 5.0]])
    scale = Standardise(2)
    scale.set_statistics(values)
    found = scale(values)
    assert abs(float(found[:3, 0].mean())) < 1e-6
    assert abs(float(found[:3, 0].square().mean()) - 1) < 1e-5
    assert found[3, 0] == 0  # unknown
    assert (found[:, 1] == 0).all()  # never varies


def test_counts_enter_by_their_logarithm() -> None:
    scale = Standardise(1)
    torch.testing.assert_close(
        scale(torch.tensor([[math.e - 1], [1 - math.e]])), torch.tensor([[1.0], [-1.0]])
    )
