"""A motion as a file gives it, and the checks every file must pass.

Legend: F frames, J joints.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domains.dance_generation.science.motion_beats import check_frame_rate
from domains.dance_generation.science.skeleton import (
    Skeleton,
    body_joints,
    foot_joints,
    joint_positions,
)
from domains.errors import DataError

UNIT_M = {"m": 1.0, "cm": 0.01, "mm": 0.001, "inch": 0.0254}

_HEIGHT_M = (0.9, 2.4)  # of people, from the lowest joint to the highest
_JUMP = 10.0  # times the fastest of the other steps between frames


@dataclass(frozen=True)
class Take:
    """One motion.

    Args:
        name: unique among the takes.
        skeleton: of the file.
        fps: frames per second; NaN where the file does not say.
        root_position: (F, 3) m, y up.
        rotations: (F, J, 3, 3) in the parent's frame.
        warnings: what was found on the way, counted.
    """

    name: str
    skeleton: Skeleton
    fps: float
    root_position: NDArray[np.float64]
    rotations: NDArray[np.float64]
    warnings: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.root_position)

    @property
    def duration_s(self) -> float:
        """Length in s."""
        return len(self) / self.fps

    def positions(self) -> NDArray[np.float64]:
        """(F, J, 3) joint positions in m."""
        return joint_positions(self.skeleton, self.root_position, self.rotations)

    def body_positions(self) -> NDArray[np.float64]:
        """(F, body joints, 3) in m: all joints but fingers and eyes."""
        return self.positions()[:, list(body_joints(self.skeleton))]


def read_take(path: Path, fps: float | None = None, unit: str = "cm") -> Take:
    """The motion in a BVH file, an AIST++ pickle or an NPZ, checked.

    Args:
        path: the file.
        fps: true frame rate; ``None`` = as the file says, refused where nobody dances so fast.
        unit: of lengths in the file, key of ``UNIT_M`` (BVH and NPZ with channels).

    Raises:
        DataError: not such a file, cut short, of another unit, z up, or its frame rate lies.
    """
    reader = _readers().get(path.suffix.lower())
    if reader is None:
        raise DataError(f"{path}: no motion file, expected one of {', '.join(_readers())}")
    take = reader(path, UNIT_M[unit])
    return checked(replace(take, fps=fps) if fps else take, path, is_declared=fps is not None)


def _readers() -> dict[str, Callable[[Path, float], Take]]:
    from domains.dance_generation.sources.aist import read_aist
    from domains.dance_generation.sources.bvh import read_bvh
    from domains.dance_generation.sources.npz import read_npz

    return {".bvh": read_bvh, ".pkl": read_aist, ".npz": read_npz}


def checked(take: Take, path: Path | str, *, is_declared: bool) -> Take:
    """``take`` if it is a person who dances, without a rest pose in front.

    Raises:
        DataError: see ``read_take``.
    """
    if not np.isfinite(take.root_position).all() or not np.isfinite(take.rotations).all():
        frame = int(np.argmin(np.isfinite(take.rotations).all(axis=(1, 2, 3))))
        raise DataError(
            f"{path}: a value that is no number, first near frame {frame}; export again"
        )
    if np.isnan(take.fps):
        raise DataError(f"{path}: does not say its frames per second; set ingest.files.fps")
    if not 5.0 <= take.fps <= 1000.0:
        raise DataError(
            f"{path}: {take.fps:.4g} frames per second, expected 5 to 1000; set ingest.files.fps"
        )
    if len(take) < take.fps:
        raise DataError(
            f"{path}: {len(take)} frames at {take.fps:.4g} per second, expected at least a second"
        )
    _check_size(take, path)
    feet = list(foot_joints(take.skeleton))
    take = _without_rest_pose(take, path)
    if not is_declared:
        check_frame_rate(take.positions()[:, feet], take.fps, str(path), "ingest.files.fps")
    return take


def _check_size(take: Take, path: Path | str) -> None:
    offsets = np.array(take.skeleton.offsets_m)[1:]
    extent = np.abs(offsets).sum(axis=0)
    if extent[2] > 2 * extent[1]:
        raise DataError(
            f"{path}: the bones lie along z ({extent[2]:.2f} m) rather than y ({extent[1]:.2f} m), "
            "expected y up; export it with y up"
        )
    low, high = _HEIGHT_M
    height = take.skeleton.height_m
    if low <= height <= high:
        return
    raw = height / take.skeleton.unit_m
    fitting = [unit for unit, metres in UNIT_M.items() if low <= raw * metres <= high]
    remedy = f"set ingest.files.unit: {fitting[0]}" if fitting else "scale the file"
    raise DataError(
        f"{path}: the skeleton is {height:.3g} m tall, expected {low:g} to {high:g} m; {remedy}"
    )


def _without_rest_pose(take: Take, path: Path | str) -> Take:
    """Without the first frame where it is a rest pose that the motion jumps away from."""
    step = np.linalg.norm(np.diff(take.positions(), axis=0), axis=-1).mean(axis=-1)  # F - 1
    if step[0] <= _JUMP * np.max(step[1:]) or step[0] < 0.02:
        return take
    warning = f"{path}: dropped the first of {len(take)} frames, a rest pose before the motion"
    return replace(
        take,
        root_position=take.root_position[1:],
        rotations=take.rotations[1:],
        warnings=(*take.warnings, warning),
    )
