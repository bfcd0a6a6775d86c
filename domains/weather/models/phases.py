"""The order of learning inside one training: one step, Short's own forecasts, then Medium.

The paper names cascade and autoregressive training without their details; the order is that of its
lineage (FuXi, Chen et al. 2023, arXiv:2306.12873): pre-train on one step, fine-tune Short on its
own forecasts over a few steps, start Medium from Short and fine-tune it on the states that Short
hands over, and so on.  Everything is a function of the optimiser's step, so that a training that
was killed goes on exactly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Phases:
    """When which stage learns.

    Args:
        max_steps: optimiser steps in all.
        pretrain_share: of them on single steps of Short.
        short_share: of them on rollouts of Short; the stages after it share the rest equally.
        num_stages: 1 = Short alone, which then has the rest too.
        finetune_lr_share: peak rate of fine-tuning over that of pre-training.
    """

    max_steps: int
    pretrain_share: float
    short_share: float
    num_stages: int
    finetune_lr_share: float

    @property
    def pretrained(self) -> int:
        """Steps of pre-training."""
        return max(1, round(self.max_steps * self.pretrain_share))

    @property
    def starts(self) -> list[int]:
        """First step of each stage, Short's being 0, and ``max_steps`` at the end."""
        if self.num_stages == 1:
            return [0, self.max_steps]
        first = self.pretrained + round(self.max_steps * self.short_share)
        rest = (self.max_steps - first) / (self.num_stages - 1)
        return [0, *(first + round(rest * n) for n in range(self.num_stages))]

    def stage_at(self, step: int) -> int:
        """Number of the stage that learns at a step."""
        learning = [n for n, start in enumerate(self.starts[:-1]) if step >= start]
        return learning[-1]

    def is_pretraining(self, step: int) -> bool:
        """Whether a step learns from single forecast steps."""
        return step < self.pretrained

    def rate(self, stage: int, step: int) -> float:
        """Learning rate of a stage at a step over the peak of pre-training."""
        begin, end = self.starts[stage], self.starts[stage + 1]
        if stage == 0:
            return self._two_waves(step, end)
        return self.finetune_lr_share * wave(step, begin, end)

    def peer_rate(self, step: int) -> float:
        """The same for the peer, which has every step that the cascade has."""
        return self._two_waves(step, self.max_steps)

    def _two_waves(self, step: int, end: int) -> float:
        if self.is_pretraining(step):
            return wave(step, 0, self.pretrained)
        return self.finetune_lr_share * wave(step, self.pretrained, end)


def wave(step: int, begin: int, end: int) -> float:
    """A rate that rises over the first tenth of [begin, end), then falls as a cosine; 0 outside."""
    if not begin <= step < end:
        return 0.0
    rise = max(1, (end - begin) // 10)
    place = step - begin
    if place < rise:
        return (place + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (place - rise) / max(1, end - begin - rise)))


def sample_frames(num_stages: int, handover: int, rollout: int, reach: int) -> list[int]:
    """Frames of a training sample that any phase reads, counted from its first.

    The two that every forecast starts from, the truth of Short's rollout, and that of each later
    stage, which begins after ``handover`` steps of each stage before it.

    Args:
        rollout: steps that Short's fine-tuning forecasts.
        reach: steps from the hand-over to the last target of a later stage.
    """
    frames = {0, 1, *range(2, 2 + rollout)}
    for stage in range(1, num_stages):
        first = 2 + stage * handover
        frames |= set(range(first, first + reach))
    return sorted(frames)


def begin_choices(rollout: int, reach: int) -> Sequence[int]:
    """Steps after the hand-over at which a rollout of a later stage may begin to learn."""
    return range(0, reach - rollout + 1, rollout)
