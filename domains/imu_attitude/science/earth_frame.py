"""What a tilt-correcting network is shown: a recording as VQF sees it, in blocks of 0.07 s.

Legend: N samples, K blocks, C = ``NUM_CHANNELS``, H = ``len(HORIZONS_S)``.

VQF (Laidig & Seel 2023, arXiv:2203.17024) turns the recording into an earth frame whose vertical
is a little wrong: by gyroscope drift, and because over its 3 s horizon the accelerations do not
quite average out.  Only the direction of the true vertical in that frame is left to be learned,
and it changes slowly, so that blocks at ``BLOCK_RATE_HZ`` hold all that matters whatever the
sampling rate.  Block k has the samples of the time (k, k + 1] / BLOCK_RATE_HZ.

Channels of a block (all means over its samples)::

    0:3    acceleration in VQF's earth frame, g, without gravity: x, y, z
    3:12   what each gyroscope axis j = 1, 2, 3 adds to the turn rate of that frame, rad/s: x, y, z
    12     |acceleration| - 1, g
    13     |turn rate|, rad/s
    14     share of samples at which VQF detects rest
    15     log10 of the variance of the acceleration within the block, g²
    16:C   the vertical as seen in VQF's frame (x, y; 0 = agrees with VQF) by averaging over the
           past H horizons; offline two pairs for each, past and future

The averages of 16:C are taken in the strapdown frame, which only the gyroscope moves: there a mean
acceleration over seconds *is* the vertical.  They are what VQF with another time constant would
say, so a network that weighs them chooses the filter's gain from moment to moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from vqf import VQF, offlineVQF

Array = NDArray[np.float64]
Mode = Literal["offline", "causal"]
MODES: tuple[Mode, ...] = get_args(Mode)

BLOCK_RATE_HZ = 100 / 7  # a whole number of samples per block at 285.714 Hz and at 100 Hz
HORIZONS_S = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
GRAVITY = 9.80665  # m/s², standard gravity (CGPM 1901)
NUM_SCALARS = 4  # channels 12 to 15

# Columns of ``per_sample``: 14 channels, rest, |acceleration|², strapdown acceleration.
_NUM_MEANS = 19


def num_channels(mode: Mode) -> int:
    """C: channels of a block."""
    return 16 + 2 * len(HORIZONS_S) * (2 if mode == "offline" else 1)


@dataclass(frozen=True)
class Anchor:
    """VQF's answer at every sample.

    Args:
        attitude: (N, 4) sensor → VQF's earth frame.
        strapdown: (N, 4) sensor → the frame that integrates the gyroscope alone.
        bias: (N, 3) gyroscope bias in rad/s.
        is_resting: (N,) rest detected.
    """

    attitude: Array
    strapdown: Array
    bias: Array
    is_resting: NDArray[np.bool_]


@dataclass(frozen=True)
class Blocks:
    """The recording in blocks: channels (K, C), first sample and one past the last (K,) each."""

    channels: NDArray[np.float32]
    start: NDArray[np.int64]
    stop: NDArray[np.int64]


def anchor(gyr: Array, acc: Array, rate_hz: float, mode: Mode) -> Anchor:
    """VQF of a whole recording: ``causal`` its real-time form, ``offline`` its smoother.

    Args:
        gyr: (N, 3) in rad/s, sensor frame.
        acc: (N, 3) in m/s², sensor frame.
        rate_hz: samples per second.
    """
    gyr = np.ascontiguousarray(gyr, dtype=np.float64)
    acc = np.ascontiguousarray(acc, dtype=np.float64)
    if mode == "causal":
        state = VQF(1 / rate_hz).updateBatchFullState(gyr, acc)
        keys = ("quat6D", "gyrQuat", "bias", "restDetected")
        return Anchor(*(state[key] for key in keys))
    state = offlineVQF(gyr, acc, None, 1 / rate_hz)
    # Without bias estimation VQF's own gyroscope quaternion is plain strapdown integration.
    plain = VQF(1 / rate_hz, motionBiasEstEnabled=False, restBiasEstEnabled=False)
    strapdown = plain.updateBatchFullState(gyr - state["bias"], acc)["gyrQuat"]
    return Anchor(state["quat6D"], strapdown, state["bias"], state["restDetected"])


def matrices(q: Array) -> Array:
    """Rotation matrices (N, 3, 3) of unit quaternions (N, 4)."""
    w, x, y, z = q.T
    out = np.empty((len(q), 3, 3))
    out[:, 0, 0] = 1 - 2 * (y * y + z * z)
    out[:, 0, 1] = 2 * (x * y - w * z)
    out[:, 0, 2] = 2 * (x * z + w * y)
    out[:, 1, 0] = 2 * (x * y + w * z)
    out[:, 1, 1] = 1 - 2 * (x * x + z * z)
    out[:, 1, 2] = 2 * (y * z - w * x)
    out[:, 2, 0] = 2 * (x * z - w * y)
    out[:, 2, 1] = 2 * (y * z + w * x)
    out[:, 2, 2] = 1 - 2 * (x * x + y * y)
    return out


def per_sample(vqf: Anchor, gyr: Array, acc: Array) -> Array:
    """The quantities (N, 19) whose means over a block make its channels."""
    turn = matrices(vqf.attitude)
    unbiased = gyr - vqf.bias
    out = np.empty((len(gyr), _NUM_MEANS))
    out[:, 0:3] = (turn @ (acc / GRAVITY)[:, :, None])[:, :, 0]
    out[:, 2] -= 1.0
    out[:, 3:12] = (turn * unbiased[:, None, :]).transpose(0, 2, 1).reshape(-1, 9)
    out[:, 12] = np.sqrt(np.einsum("ni,ni->n", acc, acc)) / GRAVITY - 1.0
    out[:, 13] = np.sqrt(np.einsum("ni,ni->n", unbiased, unbiased))
    out[:, 14] = vqf.is_resting
    out[:, 15] = np.einsum("ni,ni->n", out[:, :3], out[:, :3])
    out[:, 16:19] = (matrices(vqf.strapdown) @ (acc / GRAVITY)[:, :, None])[:, :, 0]
    return out


def block_number(time_s: NDArray[np.float64]) -> NDArray[np.int64]:
    """Block in which the sample that ends at ``time_s`` (s since the start) lies."""
    return np.ceil(time_s * BLOCK_RATE_HZ - 1e-6).astype(np.int64) - 1


def block_edges(num: int, rate_hz: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First sample and one past the last (K,) of each complete block of ``num`` samples."""
    number = block_number(np.arange(1, num + 2) / rate_hz)
    edges = np.flatnonzero(np.diff(number, prepend=-1))
    return edges[:-1], edges[1:]


def block_scalars(means: Array) -> Array:
    """Channels 0:16 (K, 16) from the means (K, 19) of ``per_sample``."""
    variance = means[:, 15] - np.einsum("ni,ni->n", means[:, :3], means[:, :3])
    return np.concatenate(
        [means[:, :15], np.log10(1e-6 + np.maximum(variance, 0.0))[:, None]], axis=1
    )


def decay(horizon_s: float) -> float:
    """Weight that a running mean over ``horizon_s`` keeps from one block to the next."""
    return float(np.exp(-1 / (BLOCK_RATE_HZ * horizon_s)))


def vertical(frame: Array, mean: Array) -> Array:
    """x, y (K, 2) of the direction of ``mean`` (K, 3), turned by matrices ``frame`` (K, 3, 3)."""
    seen = (frame @ mean[:, :, None])[:, :, 0]
    return seen[:, :2] / np.sqrt(np.einsum("ni,ni->n", seen, seen))[:, None]


def blocks(vqf: Anchor, gyr: Array, acc: Array, rate_hz: float, mode: Mode) -> Blocks:
    """The channels of a whole recording.

    Args:
        vqf: ``anchor`` of it in the same mode.
        gyr: (N, 3) in rad/s, sensor frame.
        acc: (N, 3) in m/s², sensor frame.
        rate_hz: samples per second, at least ``BLOCK_RATE_HZ``.
    """
    start, stop = block_edges(len(gyr), rate_hz)
    if len(start) == 0:
        empty = np.zeros((0, num_channels(mode)), dtype=np.float32)
        return Blocks(empty, start, stop)
    inside = per_sample(vqf, np.asarray(gyr, float), np.asarray(acc, float))[: stop[-1]]
    means = np.add.reduceat(inside, start, axis=0) / (stop - start)[:, None]  # (K, 19)
    at = reference_sample(start, stop, mode)
    frame = matrices(vqf.attitude[at]) @ matrices(vqf.strapdown[at]).transpose(0, 2, 1)
    seen = []
    for horizon_s in HORIZONS_S:
        keep = decay(horizon_s)
        # A running mean that starts from nothing is too short, not wrong: only its direction counts
        past = lfilter([1 - keep], [1, -keep], means[:, 16:19], axis=0)
        seen.append(vertical(frame, past))
        if mode == "offline":
            future = lfilter([1 - keep], [1, -keep], means[::-1, 16:19], axis=0)[::-1]
            seen.append(vertical(frame, future))
    channels = np.concatenate([block_scalars(means), *seen], axis=1)
    return Blocks(channels.astype(np.float32), start, stop)


def reference_sample(
    start: NDArray[np.int64], stop: NDArray[np.int64], mode: Mode
) -> NDArray[np.int64]:
    """The sample (K,) whose vertical a block stands for: its last one, offline its middle one."""
    return (start + stop) // 2 if mode == "offline" else stop - 1
