"""When a dancer beats time: the instants at which the body comes to rest.

Legend: F frames, J joints, B beats.

A motion beat is a local minimum of the mean speed of the joints, smoothed by a Gaussian: R. Li et
al., "AI Choreographer: Music Conditioned 3D Dance Generation with AIST++", ICCV 2021,
arXiv:2101.08779, section 5.2 (σ = 5 frames at 60 per second in the authors' evaluation).  Here σ
is in seconds, so 30 and 60 frames per second give the same beats, and a speed lies between the two
frames that it is the difference of; a minimum is placed between frames.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from domains.errors import DataError

SMOOTH_S = 5 / 60
"""s, standard deviation of the Gaussian over the speed (AIST++)."""

_FASTEST_STEPS = 200.0
"""Steps per minute; the quickstep, the fastest of the ballroom dances, has 50 bars of four."""

_FEW_STEPS = 8


def joint_speed(positions: NDArray, fps: float) -> NDArray[np.float64]:
    """Mean speed of the joints (F − 1,) in m/s; entry i belongs to the instant (i + ½)/fps.

    Args:
        positions: (F, J, 3) m.
        fps: frames per second.
    """
    moved = np.diff(positions, axis=0)
    return np.asarray(np.linalg.norm(moved, axis=-1).mean(axis=-1) * fps, np.float64)


def smoothed_speed(positions: NDArray, fps: float) -> NDArray[np.float64]:
    """``joint_speed`` after the Gaussian of ``SMOOTH_S``."""
    return gaussian_filter1d(joint_speed(positions, fps), SMOOTH_S * fps, mode="nearest")


def motion_beats(positions: NDArray, fps: float) -> NDArray[np.float64]:
    """Instants (B,) in s of all motion beats of positions (F, J, 3) in m.

    A body that stands still has none.
    """
    speed = smoothed_speed(positions, fps)
    left, inner, right = speed[:-2], speed[1:-1], speed[2:]
    at = np.flatnonzero((inner < left) & (inner <= right))
    # the vertex of the parabola through three speeds, which a coarse frame rate would round
    bend = left[at] - 2 * inner[at] + right[at]
    return (at + 1.5 + 0.5 * (left[at] - right[at]) / bend) / fps


def step_period(feet: NDArray) -> float:
    """Frames from one step to the next that is typical of the dance; 0 where the feet tell nothing.

    A step begins where a foot's speed rises above 0.3 of its own 95th percentile; the median of the
    intervals between the beginnings of either foot's steps.  It is counted in frames, with nothing
    in seconds, so a wrong frame rate does not change it.

    Args:
        feet: (F, feet, 3) m.
    """
    speed = np.linalg.norm(np.diff(feet, axis=0), axis=-1)  # F - 1, feet
    speed = gaussian_filter1d(speed, 2.0, axis=0)
    moves = speed > 0.3 * np.percentile(speed, 95, axis=0)
    starts = np.flatnonzero((moves[1:] & ~moves[:-1]).sum(axis=1))
    return float(np.median(np.diff(starts))) if len(starts) >= _FEW_STEPS else 0.0


def check_frame_rate(feet: NDArray, fps: float, where: str, key: str) -> None:
    """Refuse a frame rate at which nobody dances: the header of the file lies.

    The CMU takes of a well-known public set say 120 frames per second and were recorded at 60:
    their feet step every 28 frames, 257 times a minute by the header and 129 times in truth.

    Args:
        feet: (F, feet, 3) m.
        fps: frames per second as the file says.
        where: file, for the message.
        key: of ``params.yaml`` that declares the true rate.

    Raises:
        DataError: the steps are faster than dances are; names a rate that would do.
    """
    frames = step_period(feet)
    per_minute = 60.0 * fps / frames if frames else 0.0
    if per_minute > _FASTEST_STEPS:
        raise DataError(
            f"{where}: its header says {fps:.4g} frames per second, but the feet step every "
            f"{frames:.3g} frames, {per_minute:.0f} times a minute, expected at most "
            f"{_FASTEST_STEPS:.0f}; set {key} to the true rate (perhaps {fps / 2:.4g})"
        )
