"""Other recordings that could have been: each keeps the laws of motion, so its truth is exact.

Legend: N samples.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from domains.imu_attitude.science import quaternions
from domains.imu_attitude.science.quaternions import Array
from domains.imu_attitude.science.recording import Recording
from domains.imu_attitude.science.truth import reference_of

# Slowest rate in Hz that thinning leaves: VQF needs several samples per turn.
_MIN_RATE_HZ = 80.0


def augmented(
    recording: Recording,
    rng: np.random.Generator,
    gyr_bias: float,
    acc_bias: float,
) -> Recording:
    """Another recording with a reference, from one that has it.

    Args:
        recording: the original.
        rng: all randomness.
        gyr_bias: standard deviation of an added gyroscope bias, rad/s.
        acc_bias: ... of an added accelerometer bias, m/s².
    """
    length = len(recording)
    if rng.random() < 0.7:  # begin in mid-motion
        recording = recording.cut(int(rng.integers(0, length // 3)), length)
    recording = thinned(recording, int(rng.integers(1, 4)))
    if rng.random() < 0.5:
        recording = mirrored(recording)
    return remounted(recording, rng, gyr_bias, acc_bias)


def thinned(recording: Recording, step: int) -> Recording:
    """Every ``step``-th sample, or as many as leave at least 80 Hz."""
    step = max(1, min(step, int(recording.rate_hz / _MIN_RATE_HZ)))
    part = slice(None, None, step)
    return replace(
        recording,
        rate_hz=recording.rate_hz / step,
        gyr=recording.gyr[part],
        acc=recording.acc[part],
        reference=reference_of(recording)[part],
        moving=None if recording.moving is None else recording.moving[part],
        time_s=recording.time_s[part],
    )


def mirrored(recording: Recording) -> Recording:
    """The recording of the same motion seen in a vertical mirror (y to -y, in both frames).

    Angular rate is an axial vector: its x and z change sign, y does not.
    """
    return replace(
        recording,
        gyr=recording.gyr * np.array([-1.0, 1.0, -1.0]),
        acc=recording.acc * np.array([1.0, -1.0, 1.0]),
        reference=reference_of(recording) * np.array([1.0, -1.0, 1.0, -1.0]),
    )


def remounted(
    recording: Recording, rng: np.random.Generator, gyr_bias: float, acc_bias: float
) -> Recording:
    """The same motion of a sensor glued on another way round, with other biases."""
    mount = quaternions.random(1, rng)[0]
    matrix = _matrix(mount)
    return replace(
        recording,
        gyr=recording.gyr @ matrix.T + gyr_bias * rng.standard_normal(3),
        acc=recording.acc @ matrix.T + acc_bias * rng.standard_normal(3),
        reference=quaternions.multiply(reference_of(recording), quaternions.conjugate(mount)),
    )


def _matrix(q: Array) -> Array:
    return np.stack([quaternions.rotate(q, axis) for axis in np.eye(3)], axis=-1)
