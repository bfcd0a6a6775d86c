"""The mean step: what the training dances do at each place of a step.

Legend: N steps, C cycles (common time, three-four), K samples of a cycle, D numbers of a pose,
F frames.

It gives a dance its first pose, and played over and over it is the plainest baseline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from domains.dance_generation.science.cycle import CYCLES

SAMPLES = 96
"""Of a cycle: 12 a beat of eight, 16 a beat of six."""


@dataclass(frozen=True)
class Danced:
    """One training dance.

    Args:
        vectors: (F, D) poses.
        passed: (F,) beats since the beginning of a bar, rising.
        cycle: beats of a step, 6 or 8.
        step: (F,) index of what is danced.
    """

    vectors: NDArray[np.float64]
    passed: NDArray[np.float64]
    cycle: int
    step: NDArray[np.int64]


class StepTable(nn.Module):
    """Mean poses by step, cycle and place; buffers, so they travel with the weights.

    Args:
        num_steps: N.
        size: D.
    """

    poses: Tensor
    is_known: Tensor

    def __init__(self, num_steps: int, size: int) -> None:
        super().__init__()
        self.register_buffer("poses", torch.zeros(num_steps, len(CYCLES), SAMPLES, size))
        self.register_buffer("is_known", torch.zeros(num_steps, len(CYCLES), dtype=torch.bool))

    def fill(self, dances: Sequence[Danced]) -> None:
        """Average the ``dances``; what leads over to another step is left out."""
        shape = tuple(self.poses.shape)
        total, count = np.zeros(shape), np.zeros(shape[:3])
        for dance in dances:
            _add(dance, total, count)
        seen = count > 0
        mean = total / np.maximum(count, 1)[..., None]
        for step, kind in np.argwhere(seen.any(-1)):
            mean[step, kind] = _bridged(mean[step, kind], seen[step, kind])
        self.poses.copy_(torch.from_numpy(mean))
        self.is_known.copy_(torch.from_numpy(seen.any(-1)))

    @property
    def known_steps(self) -> list[int]:
        """Steps that were danced in training."""
        return torch.nonzero(self.is_known.any(-1)).flatten().tolist()

    def at(self, step: NDArray, cycle: int, passed: NDArray) -> Tensor:
        """Mean poses (F, D).

        Args:
            step: (F,) index of the step.
            cycle: beats of it; a step that was only danced in the other one is stretched to it.
            passed: (F,) beats since the beginning of a bar.
        """
        chosen = torch.as_tensor(np.asarray(step, np.int64))
        kind = torch.full_like(chosen, CYCLES.index(cycle))
        kind = torch.where(self.is_known[chosen, kind], kind, 1 - kind)
        place = torch.as_tensor(np.asarray(passed, np.float64) % cycle * (SAMPLES / cycle))
        low = place.floor().long()
        share = (place - low).to(self.poses.dtype)[:, None]
        first = self.poses[chosen, kind, low % SAMPLES]
        return first + share * (self.poses[chosen, kind, (low + 1) % SAMPLES] - first)


def _add(dance: Danced, total: NDArray, count: NDArray) -> None:
    """Add the poses of ``dance`` at every sample instant to ``total``, in place."""
    per_beat = SAMPLES // dance.cycle
    first, last = np.ceil(dance.passed[0] * per_beat), np.floor(dance.passed[-1] * per_beat)
    sample = np.arange(first, last + 1)
    frame = np.interp(sample / per_beat, dance.passed, np.arange(len(dance.passed)))
    beat_later = np.interp(sample / per_beat + 1.0, dance.passed, np.arange(len(dance.passed)))
    low = np.minimum(frame.astype(int), len(dance.vectors) - 2)
    share = (frame - low)[:, None]
    poses = dance.vectors[low] + share * (dance.vectors[low + 1] - dance.vectors[low])
    stays = dance.step[low] == dance.step[beat_later.astype(int)]
    kind = CYCLES.index(dance.cycle)
    where = (dance.step[low][stays], kind, (sample % SAMPLES).astype(int)[stays])
    np.add.at(total, where, poses[stays])  # type: ignore[arg-type]
    np.add.at(count, where, 1.0)  # type: ignore[arg-type]


def _bridged(poses: NDArray, seen: NDArray) -> NDArray:
    """Poses (K, D) with the samples that nobody danced filled in from both sides."""
    at = np.flatnonzero(seen)
    around = np.r_[at - SAMPLES, at, at + SAMPLES]
    columns = [np.interp(np.arange(SAMPLES), around, np.tile(p[at], 3)) for p in poses.T]
    return np.stack(columns, -1)
