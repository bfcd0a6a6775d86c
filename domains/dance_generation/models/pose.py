"""A pose as the vector that a network learns, and back.

Legend: J joints, M joints that move, D = 3 + 6 M numbers of a pose, ``...`` any leading axes.

The vector holds the root's place in m and the 6-D rotations of the joints that move anywhere in
the training data; the others (fingers) keep the rotation they had.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from domains.dance_generation.science.rotations import from_6d

_SMALLEST = 0.01  # m or 1: what moves less than this is not blown up to unit deviation
_MARGIN = 0.9  # the authors' range is -0.9 to 0.9


class PoseCodec(nn.Module):
    """Root place and rotations to normalised vectors and back; statistics are buffers.

    Args:
        num_joints: J.
        moving: indices of the M joints that move.
    """

    still: Tensor
    mean: Tensor
    deviation: Tensor
    low: Tensor
    high: Tensor

    def __init__(self, num_joints: int, moving: Sequence[int]) -> None:
        super().__init__()
        self.moving = list(moving)
        self.size = 3 + 6 * len(self.moving)
        self.register_buffer("still", torch.zeros(num_joints, 6))
        for name, fill in (("mean", 0.0), ("deviation", 1.0), ("low", -1.0), ("high", 1.0)):
            self.register_buffer(name, torch.full((self.size,), fill))

    def set_statistics(self, vectors: Tensor, still: Tensor) -> None:
        """Statistics of ``vectors`` (N, D), and the ``still`` rotations (J, 6)."""
        self.still.copy_(still)
        self.mean.copy_(vectors.mean(0))
        self.deviation.copy_(vectors.std(0).clamp(min=_SMALLEST))
        self.low.copy_(vectors.amin(0))
        self.high.copy_(vectors.amax(0))

    def standard(self, vector: Tensor) -> Tensor:
        """``vector`` (..., D) with mean 0 and deviation 1."""
        return (vector - self.mean) / self.deviation

    def from_standard(self, standard: Tensor) -> Tensor:
        """The inverse of ``standard``."""
        return standard * self.deviation + self.mean

    def bounded(self, vector: Tensor) -> Tensor:
        """``vector`` (..., D) between -0.9 and 0.9, as Yalta et al. scale it."""
        return _MARGIN * (2.0 * (vector - self.low) / self._span() - 1.0)

    def from_bounded(self, bounded: Tensor) -> Tensor:
        """The inverse of ``bounded``."""
        return (bounded / _MARGIN + 1.0) / 2.0 * self._span() + self.low

    def motion(self, vector: Tensor) -> tuple[Tensor, Tensor]:
        """Root (..., 3) in m and rotations (..., J, 3, 3) of ``vector`` (..., D)."""
        lead = vector.shape[:-1]
        six = self.still.expand(*lead, *self.still.shape).clone()
        six[..., self.moving, :] = vector[..., 3:].unflatten(-1, (len(self.moving), 6))
        return vector[..., :3], from_6d(six)  # (..., 3), (..., J, 3, 3)

    def _span(self) -> Tensor:
        return (self.high - self.low).clamp(min=_SMALLEST)
