"""How late a sensor is, and attitudes moved in time by that much.

Legend: N samples.

Every inertial sensor filters before it samples, so its readings describe the motion some
milliseconds ago; at 5 rad/s each millisecond is 0.3° of attitude.  A filter cannot see the delay:
it needs a reference.  BROAD's sensor is 4.0 ms late (measured by ``latency_s`` on each of twelve
trials: 3.0 to 4.3 ms), which is a third of offline VQF's error there and says nothing about
another sensor.

VQF adds ``gyr[n] / rate`` at sample n, which takes a reading for the mean over the step before it;
readings of one instant put it half a step ahead.  Both together: see ``advance_s``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.ndimage import uniform_filter1d

from domains.imu_attitude.science import quaternions, tilt
from domains.imu_attitude.science.quaternions import Array
from domains.imu_attitude.science.recording import Recording
from domains.imu_attitude.science.truth import moving_of, reference_of

# Tilt errors slower than this are drift, not delay.
_SLOW_S = 2.0
_SAME_RATE = 0.01  # two rates that differ less are the same device's


def device_of(
    devices: Mapping[str, Mapping[str, Any]], rate_hz: float, name: str | None
) -> str | None:
    """Which of ``devices`` (name -> rate_hz, simulated) made a recording at ``rate_hz``.

    The one called ``name``; without a name (``None`` or "unknown") it is taken to be the real one
    of them that has this sampling rate; else the answer is ``None``.
    """
    is_named = name not in (None, "unknown")
    for known, about in devices.items():
        has_rate = abs(rate_hz / about["rate_hz"] - 1) < _SAME_RATE
        if known == name if is_named else has_rate and not about["simulated"]:
            return known
    return None


def advance_s(latency_s: float, rate_hz: float) -> float:
    """Seconds (negative: back) to move VQF's attitude so that it describes its own sample."""
    return latency_s - 0.5 / rate_hz


def moved(attitude: Array, rate: Array, seconds: float) -> Array:
    """``attitude`` (N, 4) after ``seconds`` more at ``rate`` (N, 3), rad/s, sensor frame."""
    return quaternions.multiply(attitude, quaternions.from_rotation_vector(rate * seconds))


def latency_s(recordings: Sequence[Recording], attitudes: Sequence[Array]) -> float:
    """Delay in seconds that explains most of the fast tilt errors of VQF's ``attitudes``.

    An attitude that is δ late is tilted by δ times the horizontal angular rate: least squares for
    δ over all moving samples, after both sides lost what is slower than 2 s.  The sensors are
    taken to be one device.

    Args:
        recordings: with reference.
        attitudes: offline VQF of each, (N, 4).
    """
    above = below = 0.0
    for recording, attitude in zip(recordings, attitudes, strict=True):
        up = tilt.true_up(attitude, reference_of(recording))
        rate = quaternions.rotate(attitude, recording.gyr)
        # Late by δ, the estimate sees the true vertical at z - δ (ω × z)
        effect = np.stack([-rate[:, 1], rate[:, 0]], axis=-1)
        known = np.isfinite(up[:, 0])  # a lost reference is NaN in all components
        error = np.where(known[:, None], up[:, :2], 0.0)
        width = max(1, round(_SLOW_S * recording.rate_hz))
        error = error - uniform_filter1d(error, width, axis=0)
        effect = effect - uniform_filter1d(effect, width, axis=0)
        counts = known & moving_of(recording)
        above += float(np.sum(error[counts] * effect[counts])) / recording.rate_hz
        below += float(np.sum(effect[counts] ** 2)) / recording.rate_hz
        half_step_s = 0.5 / recording.rate_hz
        above += half_step_s * float(np.sum(effect[counts] ** 2)) / recording.rate_hz
    return above / below if below > 0 else 0.0
