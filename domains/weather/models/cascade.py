"""The cascade: PuYun-Short for the first leads, PuYun-Medium after it, and so on.

Section "cascade" of arXiv:2409.02123 and the authors' inference code: the forecaster of step s is
``min(s // handover, last)``, and the hand-over is nothing but that: the two frames which Short
made are what Medium goes on from.
"""

# B batch, C field channels, E time features, H latitude, W longitude

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

STAGES = ("short", "medium", "long")
"""Names of the forecasters in order; the paper uses the first two for ten days."""


class Cascade(nn.Module):
    """Forecasters that take turns by lead.

    A stage that has not been trained yet is never asked: the last trained one goes on for it.

    Args:
        stages: forecasters in order, of one shape; the first is Short.
        handover: steps that each but the last makes.

    Shape:
        frames (B, 2, C, H, W), time (B, E) or None, step → the next frame (B, C, H, W)
    """

    num_trained: Tensor

    def __init__(self, stages: list[nn.Module], handover: int) -> None:
        super().__init__()
        self.stages = nn.ModuleDict(dict(zip(STAGES, stages, strict=False)))
        self.handover = handover
        self.register_buffer("num_trained", torch.ones((), dtype=torch.long))

    def stage_of(self, step: int) -> int:
        """Number of the stage that makes step ``step``, the first step being 0."""
        return min(step // self.handover, int(self.num_trained) - 1)

    def stage(self, number: int) -> nn.Module:
        """The forecaster of that number."""
        return self.stages[STAGES[number]]

    def start_stage(self, number: int) -> None:
        """Let a stage start from the weights of the one before it; from now on it is used."""
        self.stage(number).load_state_dict(self.stage(number - 1).state_dict())
        self.num_trained.fill_(number + 1)

    def forward(self, frames: Tensor, time: Tensor | None, step: int) -> Tensor:
        return self.stage(self.stage_of(step))(frames, time)


def rollout(
    cascade: nn.Module,
    frames: Tensor,
    times: Tensor | None,
    num_steps: int,
    *,
    first_step: int = 0,
    recompute: bool = False,
) -> Iterator[Tensor]:
    """Forecast frames (B, C, H, W) one after the other: each output is the next input.

    Args:
        cascade: takes frames, time and the step's number.
        frames: (B, 2, C, H, W), the two last known frames, SI units.
        times: (B, ≥ num_steps, E), time features of each step; None for a network without.
        num_steps: how many frames.
        first_step: number of the first step; above 0 where a forecast is continued.
        recompute: whether the backward pass computes each step's activations again.
    """
    for number in range(num_steps):
        time = None if times is None else times[:, number]  # (B, E)
        step = first_step + number
        if recompute and torch.is_grad_enabled():
            following = checkpoint(cascade, frames, time, step, use_reentrant=False)
        else:
            following = cascade(frames, time, step)
        yield following
        frames = torch.stack([frames[:, 1], following], dim=1)  # (B, 2, C, H, W)
