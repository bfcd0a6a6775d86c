"""Frame after frame from a decoder: in one go, or as the frames' signals come in.

Legend: B dances, T frames, D numbers of a pose, K channels of the signal.
"""

from __future__ import annotations

import torch
from torch import Tensor

from shared_layers import AutoConditionedLSTM

NEVER = 10**9
"""Own frames in a row: after the first frame the decoder hears nothing but itself."""

State = tuple[Tensor, Tensor] | None


def decode(
    decoder: AutoConditionedLSTM, frame: Tensor, signal: Tensor, state: State = None
) -> tuple[Tensor, State]:
    """The frames (B, T, D) that follow ``frame`` (B, 1, D), and the decoder's state after them.

    Cut into pieces it gives what it gives whole, if each piece gets the last frame and the state.

    Args:
        decoder: trained.
        frame: the frame before the first.
        signal: (B, T, K) of each frame to come.
        state: of the decoder after ``frame``; ``None`` at the beginning.
    """
    frames = []
    for t in range(signal.shape[1]):
        hidden, state = decoder.lstm(torch.cat((frame, signal[:, t : t + 1]), -1), state)
        change = decoder.head(hidden)
        frame = frame + change if decoder.residual else change
        frames.append(frame)
    if not frames:
        return frame[:, :0], state
    return torch.cat(frames, 1), state  # (B, T, D)
