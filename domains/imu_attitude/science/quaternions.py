"""Unit quaternions for attitude: algebra, conventions, and BROAD's three errors.

Legend: ``...`` any leading axes, last axis 4 = (w, x, y, z) or 3 = (x, y, z).

The one convention inside the domain: a quaternion is (w, x, y, z), of unit length, and turns a
vector from the sensor frame into the earth frame, ``v_earth = q ⊗ v_sensor ⊗ q*``.  The earth
frame is ENU: x east, y north, z up.  Without a magnetometer east and north are only *some* two
horizontal directions at right angles; up is up.  ``q`` and ``-q`` are the same attitude; files
hold the one with w ≥ 0 (``canonical``).  ``convert`` gives the same attitude in the reader's own
convention, ``convert_back`` takes it from there.

All functions take and return float64 NumPy arrays and let NaN through.

Errors: D. Laidig, M. Caruso, A. Cereatti, T. Seel, "BROAD - A Benchmark for Robust Inertial
Orientation Estimation", Data 6(7), 2021, doi:10.3390/data6070072, section 4.1; written here with
arctangents instead of their arc cosines, which lose half the digits near zero error.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Order = Literal["wxyz", "xyzw"]
Frame = Literal["ENU", "NED", "NWU"]
Direction = Literal["sensor_to_earth", "earth_to_sensor"]

_HALF = np.sqrt(0.5)
# Rotation that takes ENU coordinates of a vector to those of the named earth frame.
_FROM_ENU: dict[str, Array] = {
    "ENU": np.array([1.0, 0.0, 0.0, 0.0]),
    "NED": np.array([0.0, _HALF, _HALF, 0.0]),
    "NWU": np.array([_HALF, 0.0, 0.0, -_HALF]),
}


def identity(num: int | None = None) -> Array:
    """The attitude of a sensor aligned with the earth frame: (4,), or ``num`` of them (num, 4)."""
    one = np.array([1.0, 0.0, 0.0, 0.0])
    return one if num is None else np.tile(one, (num, 1))


def random(num: int, rng: np.random.Generator) -> Array:
    """``num`` attitudes (num, 4), uniform over all rotations."""
    return normalize(rng.standard_normal((num, 4)))


def normalize(q: ArrayLike) -> Array:
    """``q`` (..., 4) at unit length; all zeros, which is no attitude, becomes NaN."""
    q = np.asarray(q, dtype=np.float64)
    norm = np.linalg.norm(q, axis=-1, keepdims=True)
    return q / np.where(norm > 0, norm, np.nan)


def canonical(q: ArrayLike) -> Array:
    """The same attitudes (..., 4) with w ≥ 0, the sign that files hold."""
    q = np.asarray(q, dtype=np.float64)
    return np.where(q[..., :1] < 0, -q, q)


def conjugate(q: ArrayLike) -> Array:
    """The inverse rotation of unit ``q`` (..., 4)."""
    return np.asarray(q, dtype=np.float64) * np.array([1.0, -1.0, -1.0, -1.0])


def multiply(p: ArrayLike, q: ArrayLike) -> Array:
    """Hamilton product ``p ⊗ q`` (..., 4): first turn by ``q``, then by ``p``."""
    pw, px, py, pz = np.moveaxis(np.asarray(p, dtype=np.float64), -1, 0)
    qw, qx, qy, qz = np.moveaxis(np.asarray(q, dtype=np.float64), -1, 0)
    return np.stack(
        [
            pw * qw - px * qx - py * qy - pz * qz,
            pw * qx + px * qw + py * qz - pz * qy,
            pw * qy - px * qz + py * qw + pz * qx,
            pw * qz + px * qy - py * qx + pz * qw,
        ],
        axis=-1,
    )


def rotate(q: ArrayLike, v: ArrayLike) -> Array:
    """``q ⊗ v ⊗ q*``: sensor-frame vectors ``v`` (..., 3) in the earth frame, unit of ``v``."""
    q, v = np.asarray(q, dtype=np.float64), np.asarray(v, dtype=np.float64)
    w, xyz = q[..., :1], q[..., 1:]
    turn = 2.0 * np.cross(xyz, v)
    return v + w * turn + np.cross(xyz, turn)


def from_rotation_vector(r: ArrayLike) -> Array:
    """Attitude change (..., 4) of a turn by ``|r|`` rad about ``r`` (..., 3)."""
    r = np.asarray(r, dtype=np.float64)
    angle = np.linalg.norm(r, axis=-1, keepdims=True)
    # sin(angle/2)/angle without 0/0: np.sinc(x) is sin(pi x)/(pi x)
    return np.concatenate([np.cos(angle / 2), r * 0.5 * np.sinc(angle / (2 * np.pi))], axis=-1)


def to_rotation_vector(q: ArrayLike) -> Array:
    """Rotation vector (..., 3) in rad of ``q`` (..., 4), of length ≤ π."""
    q = canonical(q)
    w, xyz = q[..., :1], q[..., 1:]
    sine = np.linalg.norm(xyz, axis=-1, keepdims=True)
    angle = 2.0 * np.arctan2(sine, w)
    return xyz * np.where(sine > 1e-12, angle / np.where(sine > 1e-12, sine, 1.0), 2.0)


def from_acceleration(acc: ArrayLike) -> Array:
    """Attitude (..., 4) of zero heading turn in which specific force ``acc`` (..., 3) points up.

    The shortest rotation of the measured direction onto +z; upside down (−z) it turns about x.
    Right only while the sensor is not accelerated: the usual first guess of a filter.
    """
    acc = np.asarray(acc, dtype=np.float64)
    ax, ay, az = np.moveaxis(acc / np.linalg.norm(acc, axis=-1, keepdims=True), -1, 0)
    zero = np.zeros_like(az)
    q = np.stack([1.0 + az, ay, -ax, zero], axis=-1)
    is_upside_down = (1.0 + az < 1e-9)[..., None]
    return normalize(np.where(is_upside_down, [0.0, 1.0, 0.0, 0.0], q))


def slerp(p: ArrayLike, q: ArrayLike, fraction: ArrayLike) -> Array:
    """The attitude (..., 4) at ``fraction`` (...) in [0, 1] of the shortest way from p to q."""
    step = to_rotation_vector(multiply(conjugate(p), q))
    return multiply(p, from_rotation_vector(step * np.asarray(fraction)[..., None]))


def resample(q: ArrayLike, time_s: ArrayLike, new_time_s: ArrayLike) -> Array:
    """Attitudes ``q`` (N, 4) known at ``time_s`` (N,) at the times ``new_time_s`` (M,): (M, 4).

    Between two samples by ``slerp``; NaN where one of the two neighbours that are used is NaN,
    and outside the known times the first or last attitude.
    """
    q, known_s = np.asarray(q, dtype=np.float64), np.asarray(time_s, dtype=np.float64)
    at = np.interp(np.asarray(new_time_s, dtype=np.float64), known_s, np.arange(len(known_s)))
    before = np.floor(at + 1e-9).astype(int)
    after = np.minimum(before + 1, len(known_s) - 1)
    fraction = np.clip(at - before, 0.0, 1.0)
    is_exact = fraction < 1e-9
    after = np.where(is_exact, before, after)
    return slerp(q[before], q[after], fraction)


def without_jumps(angle_deg: Array) -> Array:
    """Angles (N,) in degrees for a line: NaN where it would run from +180 to −180, the same."""
    return np.where(np.abs(np.diff(angle_deg, prepend=angle_deg[:1])) > 180, np.nan, angle_deg)


def roll_pitch(q: ArrayLike) -> tuple[Array, Array]:
    """Roll in (−π, π] and pitch in [−π/2, π/2] (rad, each (...)) of ``q`` (..., 4), z-y'-x''."""
    w, x, y, z = np.moveaxis(np.asarray(q, dtype=np.float64), -1, 0)
    roll = np.arctan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y))
    return roll, np.arcsin(np.clip(2 * (w * y - x * z), -1.0, 1.0))


# --- the reader's own convention -----------------------------------------------------------------


def convert(
    q: ArrayLike,
    order: Order = "wxyz",
    frame: Frame = "ENU",
    direction: Direction = "sensor_to_earth",
) -> Array:
    """Our ``q`` (..., 4) as another convention writes it, sign so that w ≥ 0.

    Args:
        q: (w, x, y, z), sensor → earth, ENU.
        order: of the four numbers returned.
        frame: earth frame; the sensor's own axes stay as they are in every choice.
        direction: ``earth_to_sensor`` returns the inverse rotation.

    Returns:
        The same attitude, (..., 4).
    """
    _check(order, frame, direction)
    q = canonical(multiply(_FROM_ENU[frame], q))
    if direction == "earth_to_sensor":
        q = conjugate(q)
    return q[..., [1, 2, 3, 0]] if order == "xyzw" else q


def convert_back(
    q: ArrayLike,
    order: Order = "wxyz",
    frame: Frame = "ENU",
    direction: Direction = "sensor_to_earth",
) -> Array:
    """Attitudes ``q`` (..., 4) of another convention in ours; the inverse of ``convert``."""
    _check(order, frame, direction)
    q = np.asarray(q, dtype=np.float64)
    if order == "xyzw":
        q = q[..., [3, 0, 1, 2]]
    if direction == "earth_to_sensor":
        q = conjugate(q)
    return canonical(multiply(conjugate(_FROM_ENU[frame]), q))


def _check(order: str, frame: str, direction: str) -> None:
    for found, choices in ((order, Order), (frame, Frame), (direction, Direction)):
        if found not in get_args(choices):
            raise ValueError(f"quaternion convention: {found!r} is none of {get_args(choices)}")


# --- errors by BROAD's protocol ------------------------------------------------------------------


def _earth_error(estimate: ArrayLike, reference: ArrayLike) -> Array:
    """Magnitudes (..., 4) of the error quaternion in the earth frame, estimate ⊗ reference*."""
    return np.abs(multiply(normalize(estimate), conjugate(normalize(reference))))


def total_error(estimate: ArrayLike, reference: ArrayLike) -> Array:
    """Angle (...) in rad, 0 to π, of the whole rotation between two attitudes (..., 4)."""
    w, x, y, z = np.moveaxis(_earth_error(estimate, reference), -1, 0)
    return 2 * np.arctan2(np.sqrt(x * x + y * y + z * z), w)


def heading_error(estimate: ArrayLike, reference: ArrayLike) -> Array:
    """Angle (...) in rad, 0 to π, of the part of the error that turns about the vertical."""
    w, _, _, z = np.moveaxis(_earth_error(estimate, reference), -1, 0)
    return 2 * np.arctan2(z, w)


def inclination_error(estimate: ArrayLike, reference: ArrayLike) -> Array:
    """Angle (...) in rad, 0 to π, between the two attitudes' ideas of where up is."""
    w, x, y, z = np.moveaxis(_earth_error(estimate, reference), -1, 0)
    return 2 * np.arctan2(np.hypot(x, y), np.hypot(w, z))


def rms_over_movement(error: ArrayLike, moving: ArrayLike | None = None) -> float:
    """Root mean square of ``error`` (N,) where ``moving`` (N,) and not NaN; NaN when none is left.

    Args:
        error: any unit, which the result has too.
        moving: samples that count; ``None`` counts all.
    """
    known: Array = np.asarray(error, dtype=np.float64)
    if moving is not None:
        known = known[np.asarray(moving, dtype=bool)]
    known = known[np.isfinite(known)]
    return float(np.sqrt(np.mean(known**2))) if known.size else float("nan")
