"""A trained network and a recording to the attitude at every sample.

Legend: N samples, K blocks or windows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from domains.imu_attitude.models.golroudbari import WindowNetwork
from domains.imu_attitude.models.guard import Guard, running_share, untrusted
from domains.imu_attitude.models.hybrid import TiltNetwork
from domains.imu_attitude.models.windows import WindowTrial
from domains.imu_attitude.science import latency, quaternions, tilt
from domains.imu_attitude.science.earth_frame import (
    BLOCK_RATE_HZ,
    Mode,
    anchor,
    blocks,
    reference_sample,
)
from domains.imu_attitude.science.quaternions import Array
from domains.imu_attitude.science.recording import Recording

MIN_RATE_HZ = 2 * BLOCK_RATE_HZ  # a block of one sample has no mean


@dataclass(frozen=True)
class Estimate:
    """Attitude (N, 4), convention of ``science.quaternions``, and where VQF answered instead."""

    attitude: Array
    notes: tuple[str, ...] = ()


@torch.no_grad()
def hybrid_attitude(
    network: TiltNetwork, guard: Guard, recording: Recording, advance_s: float
) -> Estimate:
    """VQF's attitude with its tilt corrected by ``network`` wherever ``guard`` trusts it.

    Args:
        network: of the mode wanted.
        guard: with the training ranges.
        recording: reference not needed.
        advance_s: seconds to move VQF's attitude by (``Task.advance_s``).
    """
    gyr = np.asarray(recording.gyr, dtype=np.float64)
    acc = np.asarray(recording.acc, dtype=np.float64)
    rate_hz, mode = recording.rate_hz, network.mode
    vqf = anchor(gyr, acc, rate_hz, mode)
    in_time = latency.moved(vqf.attitude, gyr - vqf.bias, advance_s)
    if rate_hz < MIN_RATE_HZ:
        note = f"VQF alone: {rate_hz:g} Hz, the network needs at least {MIN_RATE_HZ:.1f} Hz"
        return Estimate(in_time, (note,))
    seen = blocks(vqf, gyr, acc, rate_hz, mode)
    if len(seen.channels) == 0:
        return Estimate(in_time, ("VQF alone: shorter than 0.07 s",))
    device = network.trust.device
    up = network(torch.from_numpy(seen.channels)[None].to(device))[0].double().cpu().numpy()
    outside = running_share(guard.is_outside(seen.channels))
    up = guard.held(up, outside)
    if mode == "causal":
        up = tilt.spread_causal(up, len(gyr), rate_hz)
    else:
        at = reference_sample(seen.start, seen.stop, mode)
        up = tilt.spread_offline(up, at, len(gyr))
    notes: tuple[str, ...] = ()
    if (share := untrusted(outside)) > 0:
        notes = (f"unlike the training data in {share:.0%} of the time: VQF's answer there",)
    return Estimate(tilt.corrected(in_time, up), notes)


@torch.no_grad()
def window_attitude(
    network: WindowNetwork, recording: Recording, rate_hz: float, place: int, stride_s: float
) -> Estimate:
    """Tilt by one of the paper's networks, heading by VQF.

    Args:
        network: the paper's.
        recording: reference not needed; shorter than a window it gets VQF's attitude.
        rate_hz: that the network was built for.
        place: sample of a window that its answer stands for.
        stride_s: between windows.
    """
    mode: Mode = "causal" if place == network.window - 1 else "offline"
    vqf = anchor(recording.gyr, recording.acc, recording.rate_hz, mode)
    trial = WindowTrial.of(recording, rate_hz)
    step = max(1, round(stride_s * trial.rate_hz))
    starts = range(0, len(trial.acc) - network.window + 1, step)
    if not starts:
        return Estimate(vqf.attitude, ("VQF alone: shorter than a window",))
    device = next(network.parameters()).device
    seen = []
    for first in range(0, len(starts), 256):
        windows = [trial.window(s, network.window, place) for s in starts[first : first + 256]]
        parts = {key: torch.stack([w[key] for w in windows]) for key in ("acc", "gyr", "rate_hz")}
        acc, gyr, rate = (parts[key].to(device) for key in ("acc", "gyr", "rate_hz"))
        seen.append(network(acc, gyr, rate).double().cpu())
    at = trial.last[np.asarray(starts) + place]
    vertical = quaternions.rotate(vqf.attitude[at], torch.cat(seen).numpy())  # (K, 3)
    spread = (
        _hold(vertical, at, len(recording))
        if mode == "causal"
        else _lines(vertical, at, len(recording))
    )
    tilted = quaternions.from_acceleration(spread)
    return Estimate(quaternions.normalize(quaternions.multiply(tilted, vqf.attitude)))


def _hold(vertical: Array, at: NDArray[np.int64], num: int) -> Array:
    """The newest answer (K, 3) at each of ``num`` samples; VQF's vertical before the first."""
    newest = np.searchsorted(at, np.arange(num), side="right")
    return np.concatenate([[[0.0, 0.0, 1.0]], vertical])[newest]


def _lines(vertical: Array, at: NDArray[np.int64], num: int) -> Array:
    """Straight lines between the answers (K, 3), as unit vectors (N, 3)."""
    samples = np.arange(num)
    spread = np.stack([np.interp(samples, at, vertical[:, i]) for i in range(3)], axis=-1)
    return functional.normalize(torch.from_numpy(spread), dim=-1).numpy()
