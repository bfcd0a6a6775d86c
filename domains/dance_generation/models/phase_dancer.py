"""Ours: a decoder that is told where in the beat, the bar and the step the music is.

Legend: B dances, T frames, D numbers of a pose, K channels of the signal.

The auto-conditioned decoder of Yalta et al. (three LSTM layers that hear their own last pose) with
the place in the step instead of sound: it need not learn what a beat sounds like, so it follows
music it has never heard as well as the grid of beats is right.  A style code says which step is
danced; the first pose is given, and in training noise on it teaches the decoder to come back.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from domains.dance_generation.models.decoding import NEVER
from shared_layers import AutoConditionedLSTM

STYLE = 8
"""Channels of the style code."""

_CHANNELS = 13
_BEATS = (0.25, 0.5, 1.0, 2.0)
_FIRST_NOISE = 0.2  # deviations, on the first pose in training


def step_signal(passed: Tensor, cycle: Tensor) -> Tensor:
    """Cosine and sine (B, T, 13) at ¼, ½, 1 and 2 beats, a bar and the step; the metre last.

    Args:
        passed: (B, T) beats since the beginning of a bar.
        cycle: (B,) beats of a step, 8 or 6.
    """
    whole = cycle[:, None].to(passed.dtype)  # B, 1
    periods = torch.stack([*(part + 0 * whole for part in _BEATS), whole / 2, whole], -1)
    angle = 2 * math.pi * (passed[..., None] / periods)  # B, T, 6
    three = (whole == 6).to(passed.dtype).expand_as(passed)[..., None]
    return torch.cat([angle.cos(), angle.sin(), three], -1)


class PhaseDancer(nn.Module):
    """Poses from the place in the step.

    Args:
        size: D.
        num_steps: different steps.
        hidden: width of the LSTM layers.
    """

    hears = False
    is_bounded = False

    def __init__(self, size: int, num_steps: int, hidden: int) -> None:
        super().__init__()
        self.style = nn.Embedding(num_steps, STYLE)
        self.decoder = AutoConditionedLSTM(
            size,
            hidden,
            num_layers=3,
            truth_length=1,
            condition_length=NEVER,
            signal_features=_CHANNELS + STYLE,
        )

    def signal(self, cues: Mapping[str, Tensor], state: None = None) -> tuple[Tensor, None]:
        """(B, T, K) for the decoder, from ``passed`` (B, T), ``cycle`` (B,) and ``step`` (B, T)."""
        place = step_signal(cues["passed"], cues["cycle"])
        return torch.cat([place, self.style(cues["step"])], -1), None

    def losses(self, frames: Tensor, cues: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Errors of the frames (B, T + 1, D) after the first, and of their changes."""
        signal, _ = self.signal(cues)
        return pose_losses(self.decoder, frames, signal)


def pose_losses(decoder: AutoConditionedLSTM, frames: Tensor, signal: Tensor) -> dict[str, Tensor]:
    """Mean squared error ``loss_pose`` and, of the changes from frame to frame, ``loss_speed``.

    Args:
        decoder: that is fed its own frames.
        frames: (B, T + 1, D) with deviation 1.
        signal: (B, T + 1, K).
    """
    start = frames[:, :1] + _FIRST_NOISE * torch.randn_like(frames[:, :1])
    made = decoder(torch.cat([start, frames[:, 1:-1]], 1), signal[:, 1:])  # B, T, D
    true = frames[:, 1:]
    changes = made.diff(dim=1), true.diff(dim=1)
    return {"loss_pose": F.mse_loss(made, true), "loss_speed": F.mse_loss(*changes)}
