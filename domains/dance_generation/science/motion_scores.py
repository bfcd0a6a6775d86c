"""How natural a dance is: its steps, its speed, its feet, and whether it lasts.

Legend: F frames, J joints, D numbers of a pose, K samples of a step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domains.dance_generation.science.motion_beats import joint_speed

SAMPLES_PER_BEAT = 8
OFFSETS = 16
"""Beats by which a step may be late (Yalta et al.)."""

_CONTACT_M = 0.02
"""m above a foot's own lowest height within which it counts as standing."""


def mean_joint_speed(positions: NDArray, fps: float) -> float:
    """Mean speed over joints and time of positions (F, J, 3), in m/s."""
    return float(joint_speed(positions, fps).mean())


def foot_sliding(positions: NDArray, feet: Sequence[int], fps: float) -> float:
    """Mean horizontal speed in m/s of the feet while they stand; 0 for feet that never slide.

    A foot stands between two frames in which it is within 2 cm of its lowest height.

    Args:
        positions: (F, J, 3) m, y up.
        feet: joints of the feet.
        fps: frames per second.
    """
    feet_at = positions[:, list(feet)]  # F, feet, 3
    is_low = feet_at[..., 1] <= feet_at[..., 1].min(axis=0) + _CONTACT_M
    stands = is_low[1:] & is_low[:-1]
    speed = np.linalg.norm(np.diff(feet_at[..., [0, 2]], axis=0), axis=-1) * fps
    return float(speed[stands].mean()) if stands.any() else 0.0


@dataclass(frozen=True)
class Drift:
    """What changes between the first and the last stretch of a long dance.

    Args:
        root_m: horizontal distance between the mean places of the root.
        pose_m: mean distance between the mean poses, joints relative to the root.
        speed_ratio: mean joint speed of the last stretch over that of the first; 1 = lasts, 0 = the
            dance has frozen.
    """

    root_m: float
    pose_m: float
    speed_ratio: float


def drift(positions: NDArray, fps: float, stretch_s: float = 30.0) -> Drift:
    """Drift between the first and the last ``stretch_s`` of positions (F, J, 3) in m."""
    num = min(int(stretch_s * fps), len(positions) // 2)
    first, last = positions[:num], positions[-num:]
    roots = last[:, 0].mean(axis=0) - first[:, 0].mean(axis=0)
    poses = [(part - part[:, :1]).mean(axis=0) for part in (first, last)]
    speeds = [mean_joint_speed(part, fps) for part in (first, last)]
    return Drift(
        root_m=float(np.hypot(roots[0], roots[2])),
        pose_m=float(np.linalg.norm(poses[1] - poses[0], axis=-1).mean()),
        speed_ratio=speeds[1] / speeds[0] if speeds[0] > 0 else 0.0,
    )


def on_beats(poses: NDArray, fps: float, beats_s: NDArray) -> NDArray[np.float64]:
    """Poses (beats − 1, 8, D) at eight instants of each beat, interpolated from poses (F, D)."""
    lengths = np.diff(beats_s)
    shares = np.arange(SAMPLES_PER_BEAT) / SAMPLES_PER_BEAT
    at = (np.asarray(beats_s)[:-1, None] + shares * lengths[:, None]) * fps
    frames = np.arange(len(poses))
    columns = [np.interp(at, frames, column) for column in poses.T]
    return np.stack(columns, -1)


def step_entropy(generated: NDArray, reference: NDArray, offsets: int = OFFSETS) -> float:
    """Relative entropy in nats of the danced steps to the reference step, mean over poses' numbers.

    Each number of the pose over one step is taken as a distribution over time (moved to be
    positive, divided by its sum), and Σ p·ln(p/q) compares generated p with reference q; the step
    may begin at any of ``offsets`` beats, the best counts (Yalta et al., section V, who sum over
    the numbers; the mean is the same up to their count and compares across skeletons).  0 = the
    same step.

    Args:
        generated: (G, K, D) the dance on the beat, from ``on_beats``.
        reference: (R, K, D) one step of R beats, R ≤ G.
        offsets: beats by which the step may be late.

    Raises:
        ValueError: the dance is shorter than the step.
    """
    beats = len(reference)
    if len(generated) < beats:
        raise ValueError(f"{len(generated)} beats generated, the reference step has {beats}")
    low = np.minimum(reference.min(axis=(0, 1)), generated.min(axis=(0, 1)))
    span = np.maximum(reference.max(axis=(0, 1)), generated.max(axis=(0, 1))) - low
    # a tenth of the span keeps the logarithm finite where a curve touches its lowest value
    positive = np.where(span > 0, span, 1.0) * 0.1 - low
    flat = (reference + positive).reshape(-1, reference.shape[-1])
    q = flat / flat.sum(axis=0)
    best = np.inf
    for offset in range(offsets):
        rolled = np.roll(generated, -offset, axis=0)
        steps = len(rolled) // beats
        p = (rolled[: steps * beats] + positive).reshape(steps, -1, reference.shape[-1])
        p = p / p.sum(axis=1, keepdims=True)
        best = min(best, float((p * np.log(p / q)).sum(axis=1).mean()))
    return best
