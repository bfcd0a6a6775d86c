"""From the vertical that a network sees per block to an attitude at every sample.

Legend: N samples, K blocks; ``up`` = x, y of the true vertical in VQF's earth frame.

The correction is the shortest rotation that takes the true vertical to +z, so it touches the tilt
alone and the heading stays VQF's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from domains.imu_attitude.science import quaternions
from domains.imu_attitude.science.earth_frame import BLOCK_RATE_HZ, block_number
from domains.imu_attitude.science.quaternions import Array

# A correction beyond 30° is no correction; it also keeps the vertical's z away from 0.
MAX_UP = 0.5


def upright(up: Array) -> Array:
    """``up`` (..., 2), shortened to ``MAX_UP``, as unit vectors (..., 3)."""
    length = np.linalg.norm(up, axis=-1, keepdims=True)
    up = up * np.minimum(1.0, MAX_UP / np.maximum(length, MAX_UP))
    return np.concatenate([up, np.sqrt(1.0 - np.sum(up**2, axis=-1, keepdims=True))], axis=-1)


def corrected(attitude: Array, up: Array) -> Array:
    """VQF's ``attitude`` (N, 4) with its tilt corrected by ``up`` (N, 2)."""
    tilt = quaternions.from_acceleration(upright(up))
    return quaternions.normalize(quaternions.multiply(tilt, attitude))


def true_up(attitude: Array, reference: Array) -> Array:
    """The true vertical (N, 3) in the earth frame of the estimate ``attitude`` (N, 4)."""
    back = quaternions.multiply(attitude, quaternions.conjugate(reference))
    return quaternions.rotate(back, np.array([0.0, 0.0, 1.0]))


def spread_causal(up: Array, num: int, rate_hz: float) -> Array:
    """``up`` (K, 2) at each of ``num`` samples: (N, 2), from past blocks alone.

    During block k the correction slides from the answer to block k - 2 to the answer to block
    k - 1, the newest there is; before the first answer it is zero.
    """
    time_s = np.arange(1, num + 1) / rate_hz
    block = block_number(time_s)
    padded = np.concatenate([np.zeros((2, 2)), up])
    last = np.minimum(block + 1, len(padded) - 1)
    before = np.minimum(block, len(padded) - 1)
    return slide(padded[before], padded[last], time_s, block)


def slide(before: Array, last: Array, time_s: Array, block: NDArray[np.int64]) -> Array:
    """Between ``before`` (N, 2) and ``last`` (N, 2), as far as ``time_s`` is into ``block``."""
    share = np.clip(time_s * BLOCK_RATE_HZ - block, 0.0, 1.0)
    return before + (last - before) * np.asarray(share)[..., None]


def spread_offline(up: Array, at: NDArray[np.int64], num: int) -> Array:
    """``up`` (K, 2) known at samples ``at`` (K,), straight lines between: (N, 2)."""
    if len(up) == 0:
        return np.zeros((num, 2))
    samples = np.arange(num)
    return np.stack([np.interp(samples, at, up[:, axis]) for axis in range(2)], axis=-1)
