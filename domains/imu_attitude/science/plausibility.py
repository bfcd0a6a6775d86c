"""Are these numbers what they are said to be?  Units and ranges of an inertial recording.

Legend: N samples, K steps of ``_STEP_S``.

The gyroscope's unit is read off the physics.  Gravity stands still in the earth frame, so in the
sensor frame it turns backwards, ``ġ = −ω × g``.  Over each short step the change of the specific
force is compared with ``−∫ ω × a dt``; the slope of the one on the other is 1 for the right unit,
57.3 for rad/s taken for deg/s and 1/57.3 for the reverse.  Accelerations of the hand mostly average
out: the slope is 0.97 to 1.02 in BROAD's rotations, 0.4 to 0.9 where the sensor also moves, and has
no meaning where it only moves.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from domains.errors import DataError
from domains.imu_attitude.science.recording import Recording

GRAVITY_RANGE = (8.0, 11.0)
"""m/s², typical |specific force| of real recordings: sensors at rest read 9.82 to 9.95."""

MAX_RATE = 40.0
"""rad/s, beyond what handheld sensors measure (2000 deg/s = 35 rad/s is the common full scale)."""

_MIN_S = 2.0  # a shorter recording says too little about its units
_STEP_S = 0.1  # short against a turn, long against shocks
_HALFWAY = np.sqrt(180 / np.pi)  # slope half-way between two units on a logarithmic scale
# rad/s; on a swing the specific force follows the rope and the slope is 0 in the right unit too,
# but a swing is slower than this
_SWING_RATE = 8.0


def check_units(recording: Recording, key: str = "ingest.files") -> None:
    """Refuse a recording whose units cannot be rad/s and m/s².

    Args:
        recording: to check; one of less than 2 s passes.
        key: of ``params.yaml`` under which the units are declared, for the message.

    Raises:
        DataError: one line with what was found and which key to set.
    """
    if recording.duration_s < _MIN_S:
        return
    where = f"imu_attitude: {recording.name}"
    # fast movement raises |a| most of the time, but never all of the time
    quarter, median = np.quantile(np.linalg.norm(recording.acc, axis=1), (0.25, 0.5))
    low, high = GRAVITY_RANGE
    if not (quarter <= high and median >= low):
        remedy = "look for a wrong column, or for gravity taken out by the device"
        if low <= median * 9.80665 <= high:
            remedy = f"set {key}.acc_unit: g"
        elif low <= quarter / 9.80665 <= high:
            remedy = f"set {key}.acc_unit: m/s2"
        raise DataError(
            f"{where}: accelerometer reads {median:.3g} at rest (median), expected ≈ 9.8 m/s²; "
            f"{remedy}"
        )
    fast = float(np.quantile(np.linalg.norm(recording.gyr, axis=1), 0.99))
    slope, error = gyroscope_slope(recording)
    if fast >= MAX_RATE or (slope + 3 * error < 1 / _HALFWAY and fast > _SWING_RATE):
        raise DataError(
            f"{where}: gyroscope reads {fast:.3g} rad/s (99 % quantile) and gravity turns "
            f"{slope:.2g} times as fast, expected below {MAX_RATE:g} rad/s and 1; "
            f"set {key}.gyr_unit: deg/s"
        )
    if slope - 3 * error > _HALFWAY:
        raise DataError(
            f"{where}: gravity turns {slope:.2g} times as fast as the gyroscope says, expected 1; "
            f"set {key}.gyr_unit: rad/s"
        )


def gyroscope_slope(recording: Recording) -> tuple[float, float]:
    """How many times as fast as the gyroscope says gravity turns, and its standard error."""
    length = max(int(_STEP_S * recording.rate_hz), 1)
    num = len(recording) // length
    gyr, acc = recording.gyr.astype(np.float64), recording.acc.astype(np.float64)
    turned = -np.cross(gyr, acc)[: num * length].reshape(num, length, 3).sum(axis=1)
    turned = turned[1:] / recording.rate_hz  # (K, 3) m/s², expected change over a step
    # the step's change, each end smoothed over a step as the integral is: boxes shift by one
    smooth = acc[: num * length].reshape(num, length, 3).mean(axis=1)
    changed = np.diff(smooth, axis=0)  # (K, 3)
    turned = 0.5 * (turned + (np.r_[turned[:1], turned[:-1]]))
    power = float(np.sum(turned**2))
    if power == 0.0 or len(changed) < 3:
        return 1.0, np.inf
    slope = float(np.sum(changed * turned)) / power
    residual = float(np.sum((changed - slope * turned) ** 2)) / (3 * len(changed))
    return slope, float(np.sqrt(residual / power))


def saturated_samples(recording: Recording) -> int:
    """Number of samples at which the gyroscope stands at its limit.

    A limit shows as a plateau: an axis at its largest absolute value for three samples or more.
    """
    size = np.abs(recording.gyr)
    limit = size.max(axis=0)
    # the two ends of a 16-bit range differ by 3e-5; a slow turn (below 1 rad/s) has met no limit
    is_at_limit: NDArray[np.bool_] = (size >= limit * (1 - 4e-5)) & (limit > 1.0)
    run = is_at_limit[2:] & is_at_limit[1:-1] & is_at_limit[:-2]
    in_run = np.zeros_like(is_at_limit)
    for shift in range(3):
        in_run[shift : len(size) - 2 + shift] |= run
    return int(in_run.any(axis=1).sum())
