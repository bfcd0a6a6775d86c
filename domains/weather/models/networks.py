"""The networks by name, at the size that the section ``model`` gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from domains.weather.models.puyun import puyun
from domains.weather.models.resnet import count_parameters, resnet_of_size

TIME_COLUMNS = {
    "none": (),
    "day": (1, 3, 5, 7, 9, 11),
    "year": tuple(range(12)),
}
"""Which of the twelve numbers of ``science.calendars.embeddings`` a network is told."""

_SIZES = ("stages", "blocks", "patch")


def make_network(
    kind: str, model: Mapping[str, Any], num_channels: int, num_maps: int, is_global: bool
) -> nn.Module:
    """The network ``puyun``, or the ``resnet`` of its size, not yet trained.

    Args:
        kind: name.
        model: section ``model``.
        num_channels: C.
        num_maps: position maps that go in beside two frames.
        is_global: whether longitude wraps.
    """
    modes = ("replicate", "circular" if is_global else "replicate")
    common: dict[str, Any] = {key: model[key] for key in _SIZES}
    common |= {"in_channels": 2 * num_channels + num_maps, "out_channels": num_channels}
    common |= {"time_features": len(TIME_COLUMNS[model["time"]])}
    common |= {"padding_modes": modes, "recompute": model["recompute"] == "blocks"}
    own: dict[str, Any] = {
        key: model[key] for key in ("dim", "kernel_size", "dilation", "expansion")
    }
    if kind == "puyun":
        return puyun(**common, **own)
    with torch.device("meta"):
        size = count_parameters(puyun(**common, **own))
    return resnet_of_size(size, **common)
