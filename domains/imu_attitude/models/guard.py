"""When not to trust the network: a recording unlike those it was trained on gets VQF's answer.

Legend: K blocks, C channels of ``science.earth_frame``.  No labels are used, and only the past,
so the causal form and the stream can be guarded in the same way.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.signal import lfilter
from torch import Tensor, nn

from domains.imu_attitude.science.earth_frame import decay
from domains.imu_attitude.science.quaternions import Array

# Vertical acceleration, |acceleration|, |turn rate|, vibration
_WATCHED = [2, 12, 13, 15]
_MARGIN = 0.5  # of the training range, allowed beyond each end of it
_HORIZON_S = 10.0
# Share of the last seconds spent out of range at which trust begins to fall, and is gone
_FALL, _GONE = 0.25, 0.5
_KEEP = decay(_HORIZON_S)


class Guard(nn.Module):
    """Ranges of the training channels, and the largest correction they called for."""

    low: Tensor
    high: Tensor
    max_up: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("low", torch.full((len(_WATCHED),), -torch.inf))
        self.register_buffer("high", torch.full((len(_WATCHED),), torch.inf))
        self.register_buffer("max_up", torch.tensor(0.5))

    def set_statistics(self, x: Tensor, up: Tensor) -> None:
        """Take the ranges from training channels ``x`` (K, C) and true verticals ``up`` (K, 2)."""
        # NumPy's quantile has no limit on the number of values, torch's has
        ends = np.quantile(x[:, _WATCHED].numpy(), [0.001, 0.999], axis=0)
        low, high = torch.from_numpy(ends)
        self.low.copy_(low - _MARGIN * (high - low))
        self.high.copy_(high + _MARGIN * (high - low))
        self.max_up.fill_(1.5 * float(np.quantile(up.norm(dim=-1).numpy(), 0.999)))

    def is_outside(self, channels: NDArray[np.float32]) -> NDArray[np.float64]:
        """1 for each block (K,) of ``channels`` (K, C) out of range, else 0."""
        watched = channels[:, _WATCHED]
        low, high = self.low.cpu().numpy(), self.high.cpu().numpy()
        return np.any((watched < low) | (watched > high), axis=1).astype(np.float64)

    def held(self, up: Array, outside: Array) -> Array:
        """The corrections ``up`` (K, 2), at most ``max_up`` long, times the trust (K,) in them.

        Args:
            up: the network's.
            outside: (K,) running share of blocks out of range, ``running_share``.
        """
        length = np.linalg.norm(up, axis=-1)
        longest = float(self.max_up)
        trust = np.clip((_GONE - outside) / (_GONE - _FALL), 0.0, 1.0)
        return up * (trust * np.minimum(1.0, longest / np.maximum(length, longest)))[:, None]


def running_share(is_outside: Array) -> Array:
    """Share (K,) of the last 10 s out of range, from a flag (K,) per block."""
    return np.asarray(lfilter([1 - _KEEP], [1, -_KEEP], is_outside))


def next_share(share: float, is_outside: float) -> float:
    """``running_share`` for one more block."""
    return _KEEP * share + (1 - _KEEP) * is_outside


def untrusted(outside: Array) -> float:
    """Share of the blocks (K,) in which VQF's answer was used in whole or in part."""
    return float(np.mean(outside > _FALL)) if len(outside) else 0.0
