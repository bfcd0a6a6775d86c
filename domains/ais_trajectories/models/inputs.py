"""What a path network sees of a batch in physical units, and how its answer becomes a path.

Legend: B batch, L fixes in, H steps out, Q knots of the decoder, K candidates, S static features.

Keys of a batch: ``track`` (B, L, 5) km east and north of the last fix, speed in knots, sine and
cosine of the course; ``place`` (B, 2) longitude and latitude of the last fix in degrees; ``kind``
(B,) ship type; ``candidates`` (B, 2, K, 3) km east, km north and probability of the most probable
route and destination cells; ``entropy`` (B, 2) in nat.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from domains.ais_trajectories.science.kinematics import VELOCITY_STEPS
from domains.ais_trajectories.science.windows import SHIP_TYPES

TRACK = 7
"""Features of a step: place, way since the step before, speed, course."""

_WAVES = 4
"""Octaves of sines that tell places apart, the longest twice as long as the region."""

_TYPE = 4


class Inputs(nn.Module):
    """Scales a batch by statistics of the training windows.

    Args:
        num_candidates: K; 0 leaves the probabilities out.
    """

    centre: Tensor
    extent: Tensor
    step_km: Tensor

    def __init__(self, num_candidates: int) -> None:
        super().__init__()
        self.num_candidates = num_candidates
        self.types = nn.Embedding(len(SHIP_TYPES), _TYPE)
        self.register_buffer("centre", torch.zeros(2))  # degrees, longitude and latitude
        self.register_buffer("extent", torch.ones(2))  # degrees, half the region
        self.register_buffer("step_km", torch.ones(()))  # root mean square way in a step
        self.num_static = 2 + 4 * _WAVES + _TYPE
        if num_candidates:
            self.num_static += 2 * 3 * num_candidates + 2

    def forward(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Steps (B, L, TRACK) and static features (B, S)."""
        track = batch["track"]
        way = torch.diff(track[..., :2], dim=1, prepend=track[:, :1, :2])
        steps = torch.cat(
            [
                track[..., :2] / (self.step_km * 10),
                way / self.step_km,
                track[..., 2:3] / 10,
                track[..., 3:],
            ],
            dim=-1,
        )
        degrees = nearest_turn(batch["place"], self.centre)
        place = (degrees - self.centre) / self.extent  # (B, 2), −1 to 1 in the region
        phase = place[..., None] * torch.pi * 2.0 ** torch.arange(_WAVES, device=place.device)
        parts = [place, phase.sin().flatten(1), phase.cos().flatten(1), self.types(batch["kind"])]
        if self.num_candidates:
            shown = batch["candidates"][:, :, : self.num_candidates]
            where = shown[..., :2] / (self.step_km * 36)  # about six hours of sailing
            # a far candidate of little probability must not drown the likely one
            parts += [(where * shown[..., 2:]).flatten(1), shown[..., 2].flatten(1)]
            parts.append(batch["entropy"])
        return steps, torch.cat(parts, dim=-1)


class PathHead(nn.Module):
    """Features of Q knots to a path of H steps, which starts out as constant velocity.

    At each knot the velocity of the last steps is kept to a share between 0 and 1 and a
    displacement is added; both are spread evenly over the steps that the knot stands for.

    Args:
        features: of a knot.
        steps_per_knot: H / Q.
    """

    def __init__(self, features: int, steps_per_knot: int) -> None:
        super().__init__()
        self.steps_per_knot = steps_per_knot
        self.hidden = nn.Linear(features, features)
        self.out = nn.Linear(features, 3)
        nn.init.zeros_(self.out.weight)
        with torch.no_grad():
            self.out.bias.copy_(torch.tensor([0.0, 0.0, 3.0]))  # keeps 95 % of the velocity

    def forward(self, knots: Tensor, track: Tensor, step_km: Tensor) -> Tensor:
        """Path (B, H, 2) in km from knots (B, Q, F) and the batch's track (B, L, 5)."""
        velocity = last_velocity(track)
        out = self.out(nn.functional.mish(self.hidden(knots))).float()
        kept = out[..., 2:].sigmoid()
        way = kept * velocity[:, None] + out[..., :2] * step_km  # (B, Q, 2) km per step
        return way.repeat_interleave(self.steps_per_knot, dim=1).cumsum(1)  # (B, H, 2)


def nearest_turn(place: Tensor, reference: Tensor) -> Tensor:
    """Places in degrees within 180° of longitude of ``reference``, as they are where they lie so.

    Args:
        place: (B, 2) longitude and latitude.
        reference: (2,).
    """
    away = place - reference
    return torch.where(away.abs() > 180, place - 360 * away.sign(), place)


def last_velocity(track: Tensor) -> Tensor:
    """Mean velocity (B, 2) in km per step of the last steps of ``track`` (B, L, 5)."""
    steps = min(VELOCITY_STEPS, track.shape[1] - 1)
    return (track[:, -1, :2] - track[:, -1 - steps, :2]) / steps


def straight_on(track: Tensor, horizon: int) -> Tensor:
    """Constant velocity, (B, H, 2) km: ``science.kinematics.constant_velocity`` as tensors."""
    ahead = torch.arange(1, horizon + 1, device=track.device, dtype=track.dtype)
    return ahead[:, None] * last_velocity(track)[:, None]
