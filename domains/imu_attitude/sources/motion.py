"""A hand that turns and moves a sensor: attitude, angular rate and acceleration, all exact.

Legend: T times.

The attitude is a cubic rotation spline through random attitudes and the position a quintic spline
through random points of a box; both have closed-form derivatives.  They run on their own clock
``s(t)``, which stands still at rest and is brought up and down smoothly, so that rest is rest and
the chain rule still gives every derivative exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import BSpline, make_interp_spline
from scipy.spatial.transform import Rotation, RotationSpline

from domains.imu_attitude.science import quaternions
from domains.imu_attitude.science.quaternions import Array

GRAVITY = 9.81
"""m/s², straight up as specific force."""

_UP = np.array([0.0, 0.0, GRAVITY])
_RAMP_S = 0.6  # time over which a movement starts or stops


@dataclass(frozen=True)
class Kind:
    """How a trial moves.

    Args:
        turn_s: mean time in s between two random attitudes; 0 = the attitude hardly changes.
        move_s: mean time in s between two random points; 0 = no translation of the hand.
        breaks: number of rests in the middle of the movement.
        taps_per_s: shocks per second.
        break_s: length of a break in s, less in short trials.
    """

    turn_s: float
    move_s: float
    breaks: int = 0
    taps_per_s: float = 0.0
    break_s: float = 6.0


KINDS: dict[str, Kind] = {
    "slow_combined": Kind(turn_s=0.9, move_s=0.8),
    "fast_combined": Kind(turn_s=0.4, move_s=0.45),
    "slow_rotation": Kind(turn_s=0.9, move_s=0.0),
    "fast_translation": Kind(turn_s=0.0, move_s=0.45),
    "fast_rotation_with_breaks": Kind(turn_s=0.35, move_s=0.0, breaks=2),
    "slow_translation_with_breaks": Kind(turn_s=0.0, move_s=0.8, breaks=2),
    "tapping": Kind(turn_s=0.6, move_s=0.0, taps_per_s=1.0),
}
"""The kinds of movement that BROAD has, less the magnetic ones, which six axes do not feel.

Angular rate and acceleration have the size that BROAD's trials show: 1.7 to 7 rad/s and 0.6 to
6 m/s² root mean square.
"""


@dataclass(frozen=True)
class Motion:
    """The true motion at given times.

    Args:
        attitude: (T, 4), convention of ``science.quaternions``.
        rate: (T, 3) angular rate in rad/s, sensor frame.
        position: (T, 3) m, earth frame.
        force: (T, 3) specific force in m/s², sensor frame.
        moving: (T,) whether the clock runs.
    """

    attitude: Array
    rate: Array
    position: Array
    force: Array
    moving: np.ndarray


def simulate_motion(
    kind: Kind, time_s: Array, duration_s: float, rng: np.random.Generator
) -> Motion:
    """The motion of one trial of ``kind`` at ``time_s`` (T,) in [−∞, duration_s]."""
    rests = _rests(kind, duration_s)
    clock, speed, change = _clock(time_s, rests)
    turns = _rotation_spline(kind, clock[-1] + 1.0, rng)
    points = _position_spline(kind, clock[-1] + 1.0, rng)
    # centre of rotation to sensor, sensor frame, m: a sensor held in the hand
    lever = rng.uniform(-0.12, 0.12, 3)
    attitude = turns(clock).as_quat(scalar_first=True)
    # Chain rule: d/dt = ṡ d/ds, d²/dt² = ṡ² d²/ds² + s̈ d/ds
    rate = turns(clock, 1) * speed
    turning = turns(clock, 2) * speed**2 + turns(clock, 1) * change
    moving_s, moving_ss = points.derivative(1)(clock), points.derivative(2)(clock)
    hand = moving_ss * speed**2 + moving_s * change
    force = quaternions.rotate(quaternions.conjugate(attitude), hand + _UP)
    force += np.cross(turning, lever) + np.cross(rate, np.cross(rate, lever))
    return Motion(
        attitude=attitude,
        rate=rate,
        position=points(clock) + quaternions.rotate(attitude, lever),
        force=force,
        moving=speed[:, 0] > 0,
    )


def _rests(kind: Kind, duration_s: float) -> Array:
    """Start and end (R, 2) in s of the stretches at rest, the first and last included."""
    first, last = 5.0, duration_s - 3.0
    middles = first + (last - first) * np.arange(1, kind.breaks + 1) / (kind.breaks + 1)
    # in a short trial the breaks leave at least half of the time to move
    half = min(kind.break_s, (last - first) / (kind.breaks + 1) / 2) / 2
    inner = [(middle - half, middle + half) for middle in middles]
    return np.array([(-np.inf, first), *inner, (last, np.inf)])


def _clock(time_s: Array, rests: Array) -> tuple[Array, Array, Array]:
    """Motion time s (T,), its speed ṡ (T, 1) and ṡ's change s̈ (T, 1) at ``time_s``."""
    clock, speed, change = (np.zeros(len(time_s)) for _ in range(3))
    for start, stop in zip(rests[:-1, 1], rests[1:, 0], strict=True):
        for begin, sign in ((start, 1.0), (stop - _RAMP_S, -1.0)):
            # ṡ rises as the quintic smoothstep 6x⁵ − 15x⁴ + 10x³, whose integral is closed
            x = np.clip((time_s - begin) / _RAMP_S, 0.0, 1.0)
            after = np.maximum(time_s - begin - _RAMP_S, 0.0)
            clock += sign * (_RAMP_S * (x**6 - 3 * x**5 + 2.5 * x**4) + after)
            speed += sign * (6 * x**5 - 15 * x**4 + 10 * x**3)
            change += sign * 30 * x**2 * (1 - x) ** 2 / _RAMP_S
    # what is left of two ramps that cancel is rounding, not movement
    speed[np.abs(speed) < 1e-12] = 0.0
    return clock, speed[:, None], change[:, None]


def _knots(mean_s: float, end: float, rng: np.random.Generator) -> Array:
    steps = rng.uniform(0.6, 1.4, int(end / mean_s / 0.6) + 4) * mean_s
    return np.concatenate([[0.0], np.cumsum(steps)])


def _rotation_spline(kind: Kind, end: float, rng: np.random.Generator) -> RotationSpline:
    """Random attitudes, over 1 rad apart, or swaying by some degrees where none is asked for."""
    is_turning = kind.turn_s > 0
    knots = _knots(kind.turn_s if is_turning else 0.8, end, rng)
    start = Rotation.from_quat(quaternions.random(1, rng)[0], scalar_first=True)
    turns = rng.standard_normal((len(knots), 3)) * (0.9 if is_turning else 0.12)
    if not is_turning:
        return RotationSpline(knots, start * Rotation.from_rotvec(turns))
    attitudes = [start]
    for turn in turns[1:]:
        attitudes.append(attitudes[-1] * Rotation.from_rotvec(turn))
    return RotationSpline(knots, Rotation.concatenate(attitudes))


def _position_spline(kind: Kind, end: float, rng: np.random.Generator) -> BSpline:
    """Random points in a box of 0.6 m, in m; all one point where none is asked for."""
    knots = _knots(kind.move_s or 1.0, end, rng)
    points = rng.uniform(-0.3, 0.3, (len(knots), 3)) * (kind.move_s > 0)
    return make_interp_spline(knots, points, k=5)
