"""What an error counts in the loss: cos φ of its cell, whether that holds data, its channel."""

# C channels, H latitude, W longitude

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from domains.weather.science.channels import split_channel
from domains.weather.science.grid import latitude_weights


def cell_weights(latitude: Sequence[float], valid: NDArray[np.bool_]) -> Tensor:
    """(C, H, W) weight of each cell: cos φ where it holds data, zero elsewhere; mean one.

    Args:
        latitude: (H,), degrees.
        valid: (C, H, W), false where a value was filled in.
    """
    weights = latitude_weights(np.asarray(latitude))[:, None] * valid
    weights = weights / weights.mean((-2, -1), keepdims=True)
    return torch.from_numpy(weights.astype(np.float32))


def channel_weights(channels: Sequence[str], kind: str) -> Tensor:
    """(C,) weight of each channel, mean one.

    Args:
        channels: such as ``z500``.
        kind: ``uniform``; or ``pressure``, where a level counts as its pressure over the mean of
            all levels and the surface as one, so that thin air high up counts less (Lam et al.
            2023, arXiv:2212.12794).
    """
    if kind == "uniform":
        return torch.ones(len(channels))
    found = [split_channel(name) for name in channels]
    levels = [None if one is None else one[1] for one in found]
    known = [level for level in levels if level is not None]
    mean = sum(known) / len(known) if known else 1.0
    weights = torch.tensor([1.0 if level is None else level / mean for level in levels])
    return weights / weights.mean()
