"""A parametric dancer: a simulated body that reaches a key pose on every beat.

Legend: F frames, J joints, B beats.

Not motion capture, and the card says so.  Between two beats every quantity follows the minimum-jerk
curve (T. Flash, N. Hogan, "The coordination of arm movements", J. Neuroscience 5(7), 1985): it
leaves and arrives at rest, so the motion beats are the music's by construction.  Feet that stand
do not move at all: legs follow from hips and feet by the law of cosines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domains.dance_generation.science.beat_grid import beat_position
from domains.dance_generation.science.rotations import about, unit
from domains.dance_generation.science.skeleton import (
    POSITIONS,
    Skeleton,
    Vector,
    joint_positions,
)
from domains.dance_generation.sources.steps import QUANTITIES, step_keys

_THIGH_M, _SHIN_M, _ANKLE_M = 0.42, 0.42, 0.08
_HIPS_M = 0.89  # height of the hips; the legs are a little bent
_STANCE_M = 0.10  # a foot's distance from the middle
_LIFT_M = 0.10  # a foot that travels
_DIP_M = 0.015  # of the hips between two beats

_BONES: dict[str, tuple[str, Vector]] = {
    # joint: its parent and the bone to it, m; proportions of a body of 1.7 m
    "hips": ("", (0.0, 0.0, 0.0)),
    "spine": ("hips", (0.0, 0.10, 0.0)),
    "chest": ("spine", (0.0, 0.22, 0.0)),
    "neck": ("chest", (0.0, 0.20, 0.0)),
    "head": ("neck", (0.0, 0.10, 0.0)),
    "left_collar": ("chest", (0.04, 0.15, 0.0)),
    "left_arm": ("left_collar", (0.14, 0.0, 0.0)),
    "left_forearm": ("left_arm", (0.0, -0.28, 0.0)),
    "left_hand": ("left_forearm", (0.0, -0.25, 0.0)),
    "right_collar": ("chest", (-0.04, 0.15, 0.0)),
    "right_arm": ("right_collar", (-0.14, 0.0, 0.0)),
    "right_forearm": ("right_arm", (0.0, -0.28, 0.0)),
    "right_hand": ("right_forearm", (0.0, -0.25, 0.0)),
    "left_thigh": ("hips", (0.09, -0.04, 0.0)),
    "left_shin": ("left_thigh", (0.0, -_THIGH_M, 0.0)),
    "left_foot": ("left_shin", (0.0, -_SHIN_M, 0.0)),
    "right_thigh": ("hips", (-0.09, -0.04, 0.0)),
    "right_shin": ("right_thigh", (0.0, -_THIGH_M, 0.0)),
    "right_foot": ("right_shin", (0.0, -_SHIN_M, 0.0)),
}
_ENDS: dict[str, Vector] = {
    "head": (0.0, 0.18, 0.0),
    "left_hand": (0.0, -0.15, 0.0),
    "right_hand": (0.0, -0.15, 0.0),
    "left_foot": (0.0, -0.06, 0.16),
    "right_foot": (0.0, -0.06, 0.16),
}
_NAMES = tuple(_BONES)
_TURNS = ("Zrotation", "Xrotation", "Yrotation")

SKELETON = Skeleton(
    names=_NAMES,
    parents=tuple(-1 if not up else _NAMES.index(up) for up, _ in _BONES.values()),
    offsets_m=tuple(offset for _, offset in _BONES.values()),
    channels=tuple((*POSITIONS, *_TURNS) if not up else _TURNS for up, _ in _BONES.values()),
    end_sites=tuple((_NAMES.index(name), offset) for name, offset in _ENDS.items()),
)


@dataclass(frozen=True)
class Dance:
    """What the dancer did.

    Args:
        root_position: (F, 3) m.
        rotations: (F, J, 3, 3) in the parent's frame.
        step: (F,) index into the steps that were asked for.
    """

    root_position: NDArray[np.float64]
    rotations: NDArray[np.float64]
    step: NDArray[np.int16]


def perform(
    beats_s: NDArray,
    count: NDArray,
    beats_per_bar: int,
    steps: Sequence[str],
    order: Sequence[int],
    num_frames: int,
    fps: float,
    seed: tuple[int, ...],
) -> Dance:
    """A dance to known beats; the same arguments give the same numbers.

    Args:
        beats_s: (B,) s.
        count: (B,) place in the bar, from 1; a step begins with a bar.
        beats_per_bar: 3 or 4; a step has two bars.
        steps: names of ``sources.steps.STEPS``.
        order: which of ``steps`` to dance, each for four times its length, over and over.
        num_frames: F.
        fps: frames per second.
        seed: of the dancer's own manner: how large, how deep, how the arms hang.
    """
    rng = np.random.default_rng(list(seed))
    cycle = 2 * beats_per_bar
    into_bar = int(count[0]) - 1
    # beats since the start of the first bar; never negative, so the cycle can be counted
    passed = beat_position(beats_s, np.arange(num_frames) / fps) + into_bar + 4 * cycle
    beat = np.floor(passed + 1e-9).astype(int)
    share = np.clip(passed - beat, 0.0, 1.0)
    eased = share**3 * (10.0 - 15.0 * share + 6.0 * share**2)
    size = dict(zip(QUANTITIES, rng.uniform(0.9, 1.1, len(QUANTITIES)), strict=True))
    tables = [step_keys(steps[index], cycle) for index in order]
    table = (beat // (4 * cycle)) % len(order)
    after = ((beat + 1) // (4 * cycle)) % len(order)
    keys = {q: size[q] * np.stack([one[q] for one in tables]) for q in QUANTITIES}
    start = {q: values[table, beat % cycle] for q, values in keys.items()}
    goal = {q: values[after, (beat + 1) % cycle] for q, values in keys.items()}
    pose = {q: start[q] + eased * (goal[q] - start[q]) for q in QUANTITIES}
    lift, dip = np.sin(np.pi * eased), np.sin(np.pi * eased) ** 2
    for side in ("left", "right"):
        travel = np.hypot(
            goal[f"{side}_foot_x"] - start[f"{side}_foot_x"],
            goal[f"{side}_foot_z"] - start[f"{side}_foot_z"],
        )
        pose[f"{side}_foot_up"] = pose[f"{side}_foot_up"] + _LIFT_M * lift * (travel > 1e-9)
    root, turned = _place_body(pose, dip * rng.uniform(0.6, 1.4))
    return Dance(root, turned, np.asarray(order, np.int16)[table])


def _place_body(
    pose: dict[str, NDArray], dip: NDArray
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Root (F, 3) and joint rotations (F, J, 3, 3) of one pose per frame."""
    angle = {q: np.deg2rad(value) for q, value in pose.items()}
    num = len(dip)
    root = np.stack([pose["hips_x"], _HIPS_M - _DIP_M * dip, pose["hips_z"]], -1)
    local = np.tile(np.eye(3), (num, len(SKELETON), 1, 1))
    at = SKELETON.names.index
    local[:, at("hips")] = about("Y", angle["hips_turn"]) @ about("Z", -0.4 * angle["lean"])
    local[:, at("spine")] = about("Y", 0.5 * angle["twist"]) @ about("Z", 0.7 * angle["lean"])
    local[:, at("chest")] = about("Y", 0.5 * angle["twist"]) @ about("Z", 0.7 * angle["lean"])
    # the head looks forward whatever the chest does
    local[:, at("head")] = about("Y", -0.8 * angle["twist"]) @ about("X", angle["nod"])
    for side, sign in (("left", 1.0), ("right", -1.0)):
        local[:, at(f"{side}_arm")] = about("X", -angle[f"{side}_arm_front"]) @ about(
            "Z", sign * angle[f"{side}_arm_side"]
        )
        local[:, at(f"{side}_forearm")] = about("X", -angle[f"{side}_elbow"])
    _place_legs(root, local, pose)
    return root, local


def _place_legs(root: NDArray, local: NDArray, pose: dict[str, NDArray]) -> None:
    """Turn thighs, shins and feet so that the ankles are where the step wants them, in place."""
    at = SKELETON.names.index
    hips = local[:, at("hips")]
    forward = hips @ np.array([0.0, 0.0, 1.0])
    joints = joint_positions(SKELETON, root, local)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        ankle = np.stack(
            [
                sign * _STANCE_M + pose[f"{side}_foot_x"],
                _ANKLE_M + pose[f"{side}_foot_up"],
                pose[f"{side}_foot_z"],
            ],
            -1,
        )
        thigh, shin = leg_rotations(joints[:, at(f"{side}_thigh")], ankle, forward)
        local[:, at(f"{side}_thigh")] = hips.swapaxes(-1, -2) @ thigh
        local[:, at(f"{side}_shin")] = thigh.swapaxes(-1, -2) @ shin
        # the sole stays flat and points forward
        local[:, at(f"{side}_foot")] = shin.swapaxes(-1, -2)


def leg_rotations(
    hip: NDArray, ankle: NDArray, forward: NDArray
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rotations (F, 3, 3) in the world of thigh and shin whose knee bends ``forward``.

    Args:
        hip: (F, 3) m, where the thigh begins.
        ankle: (F, 3) m, where the shin ends; farther than the leg is long, the leg is straight.
        forward: (F, 3) unit vectors.
    """
    along = ankle - hip
    longest = (_THIGH_M + _SHIN_M) * (1.0 - 1e-6)
    reach = np.minimum(np.linalg.norm(along, axis=-1), longest)[..., None]
    along = unit(along)
    bend = unit(forward - (forward * along).sum(-1)[..., None] * along)
    foot_of_knee = (_THIGH_M**2 - _SHIN_M**2 + reach**2) / (2 * reach)
    out = np.sqrt(np.maximum(_THIGH_M**2 - foot_of_knee**2, 0.0))
    knee = foot_of_knee * along + out * bend
    hinge = np.cross(bend, along)
    return _bone(knee, hinge), _bone(reach * along - knee, hinge)


def _bone(along: NDArray, hinge: NDArray) -> NDArray[np.float64]:
    """Rotation whose −y lies ``along`` a bone and whose x is the knee's ``hinge``."""
    up = -unit(along)
    return np.stack([hinge, up, np.cross(hinge, up)], -1)
