"""A network as a forecaster in physical units: the last two frames in, the next one out.

The statistics are buffers, so they travel in the checkpoint and no caller can forget them.  What
is learnt is the change over one step, in units of its own standard deviation: an untrained network
forecasts persistence.
"""

# B batch, C field channels, P position maps, E time features, H latitude, W longitude

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn


def position_maps(
    latitude: Sequence[float], longitude: Sequence[float], with_longitude: bool
) -> Tensor:
    """Where a grid point is, (P, H, W): the point of the unit sphere, or its latitude alone.

    Args:
        latitude, longitude: degrees.
        with_longitude: true gives sin φ, cos φ cos λ, cos φ sin λ; false, for a planet that is the
            same at every longitude, sin φ and cos φ.
    """
    phi = torch.tensor(latitude, dtype=torch.float64)[:, None] * math.pi / 180
    lam = torch.tensor(longitude, dtype=torch.float64)[None] * math.pi / 180
    if with_longitude:
        maps = [phi.sin() + 0 * lam, phi.cos() * lam.cos(), phi.cos() * lam.sin()]
    else:
        maps = [phi.sin() + 0 * lam, phi.cos() + 0 * lam]
    return torch.stack(maps).float()


class Forecaster(nn.Module):
    """One forecast step in physical units.

    Args:
        network: (B, 2·C + P, H, W) and time (B, E) → (B, C, H, W).
        num_channels: C.
        position: (P, H, W), see ``position_maps``.

    Shape:
        frames (B, 2, C, H, W), SI units, and time (B, E) → the next frame (B, C, H, W), SI units
    """

    mean: Tensor
    std: Tensor
    change_std: Tensor
    position: Tensor

    def __init__(self, network: nn.Module, num_channels: int, position: Tensor) -> None:
        super().__init__()
        self.network = network
        for name, value in (("mean", 0.0), ("std", 1.0), ("change_std", 1.0)):
            self.register_buffer(name, torch.full((num_channels,), value))
        self.register_buffer("position", position)

    def set_statistics(self, mean: Tensor, std: Tensor, change_std: Tensor) -> None:
        """Take mean and standard deviation of each channel, and that of its change over a step."""
        self.mean.copy_(mean)
        self.std.copy_(std)
        self.change_std.copy_(change_std)

    def forward(self, frames: Tensor, time: Tensor | None = None) -> Tensor:
        last = frames[:, 1].float()  # (B, C, H, W)
        shape = (-1, 1, 1)
        mean, std = self.mean.view(shape), self.std.view(shape)
        scale = self.change_std.view(shape)
        change = (last - frames[:, 0].float()) / scale
        position = self.position.expand(len(last), -1, -1, -1)
        x = torch.cat([(last - mean) / std, change, position], dim=1)  # (B, 2·C + P, H, W)
        return last + scale * self.network(x, time).float()
