"""A skeleton: named joints in a tree, and where they are when each is turned.

Legend: J joints, ``...`` any leading axes (batch, time).

Metres, y up; at rest a dancer looks along +z and the left side is +x.  Parents stand before their
children, the root is joint 0.  ``channels`` are those of the BVH file that the skeleton came from,
so a generated dance is written with the same hierarchy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from domains.dance_generation.science.rotations import Array, array_module
from domains.errors import DataError

Vector = tuple[float, float, float]

POSITIONS = ("Xposition", "Yposition", "Zposition")
ROTATIONS = {"Xrotation": "X", "Yrotation": "Y", "Zrotation": "Z"}

# "mid" alone would take Kinect's SpineMid for a finger
_DETAILS = re.compile("thumb|index|middle|handmid|mid_?[0-9]|ring|pinky|finger|eye|jaw")
_FEET = ("toe", "foot", "ankle")


@dataclass(frozen=True)
class Skeleton:
    """Joints, bones and the BVH channels of a dancer.

    Args:
        names: of the J joints, each once.
        parents: index of each joint's parent, −1 for the root (joint 0).
        offsets_m: from the parent's origin to the joint's, in the parent's frame, m.
        channels: BVH channel names per joint, in the file's order.
        end_sites: (joint, offset in m) of bones without a joint at their end.
        unit_m: length of one unit of the BVH file in m; 0.01 = centimetres.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets_m: tuple[Vector, ...]
    channels: tuple[tuple[str, ...], ...]
    end_sites: tuple[tuple[int, Vector], ...] = ()
    unit_m: float = 0.01

    def __post_init__(self) -> None:
        num = len(self.names)
        if not (len(self.parents) == len(self.offsets_m) == len(self.channels) == num > 0):
            raise DataError(
                f"skeleton: {num} names, {len(self.parents)} parents, {len(self.offsets_m)} "
                f"offsets, {len(self.channels)} channel lists; expected one of each per joint"
            )
        if twins := sorted({name for name in self.names if self.names.count(name) > 1}):
            raise DataError(f"skeleton: joint {twins[0]} is there twice; rename one of the two")
        wrong = [j for j, up in enumerate(self.parents) if not (-1 if j == 0 else 0) <= up < j]
        if wrong:
            raise DataError(
                f"skeleton: the parent of {self.names[wrong[0]]} is {self.parents[wrong[0]]}, "
                "expected −1 for the first joint and an earlier joint for every other"
            )

    def __len__(self) -> int:
        return len(self.names)

    def order(self, joint: int) -> str:
        """Axes of the joint's rotation channels in the file's order, e.g. ``ZXY``."""
        return "".join(ROTATIONS[name] for name in self.channels[joint] if name in ROTATIONS)

    @property
    def height_m(self) -> float:
        """From the lowest to the highest point of the rest pose, m."""
        rest = np.zeros((len(self), 3))
        for joint, parent in enumerate(self.parents[1:], 1):
            rest[joint] = rest[parent] + self.offsets_m[joint]
        ends = [rest[joint] + np.asarray(offset) for joint, offset in self.end_sites]
        return float(np.ptp(np.array([*rest, *ends])[:, 1]))

    def to_json(self) -> dict[str, Any]:
        """Plain lists and numbers, for a model's configuration or ``dataset.json``."""
        return asdict(self)

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> Skeleton:
        """The skeleton that ``to_json`` wrote."""
        return Skeleton(
            names=tuple(value["names"]),
            parents=tuple(value["parents"]),
            offsets_m=tuple(_vector(offset) for offset in value["offsets_m"]),
            channels=tuple(tuple(names) for names in value["channels"]),
            end_sites=tuple((int(j), _vector(offset)) for j, offset in value["end_sites"]),
            unit_m=float(value["unit_m"]),
        )


def _vector(value: Sequence[float]) -> Vector:
    x, y, z = (float(number) for number in value)
    return x, y, z


def joint_positions(skeleton: Skeleton, root_position: Array, rotations: Array) -> Array:
    """Where every joint is, (..., J, 3) in m: forward kinematics.

    Args:
        skeleton: the bones.
        root_position: (..., 3) m, in the world.
        rotations: (..., J, 3, 3) of each joint in its parent's frame, the root's in the world.
    """
    xp = array_module(rotations)
    turned, placed = [rotations[..., 0, :, :]], [root_position]
    for joint, parent in enumerate(skeleton.parents[1:], 1):
        offset = xp.asarray(skeleton.offsets_m[joint], dtype=rotations.dtype)
        offset = offset.to(rotations.device) if xp is not np else offset
        placed.append(placed[parent] + turned[parent] @ offset)
        turned.append(turned[parent] @ rotations[..., joint, :, :])
    return xp.stack(placed, -2)


def body_joints(skeleton: Skeleton) -> tuple[int, ...]:
    """Joints that carry the dance: all but fingers, eyes and jaw."""
    return tuple(
        joint for joint, name in enumerate(skeleton.names) if not _DETAILS.search(name.lower())
    )


def foot_joints(skeleton: Skeleton) -> tuple[int, ...]:
    """One joint of each foot: the toes if there are any, else the foot, else the ankle.

    Raises:
        DataError: no joint is named so.
    """
    for word in _FEET:
        found = tuple(j for j, name in enumerate(skeleton.names) if word in name.lower())
        if found:
            return found
    raise DataError(
        f"skeleton: no joint is named toe, foot or ankle, found {', '.join(skeleton.names[:8])}…; "
        "name the feet so in the file"
    )


def check_same(expected: Skeleton, found: Skeleton, where: str) -> None:
    """Refuse a skeleton whose joints are not those of the dataset, or whose bones differ by 1 cm.

    Raises:
        DataError: names the first joint that differs and both files' facts.
    """
    missing = [name for name in expected.names if name not in found.names]
    extra = [name for name in found.names if name not in expected.names]
    if missing or extra:
        raise DataError(
            f"{where}: joints do not match the first take: {len(missing)} missing "
            f"({', '.join(missing[:3])}), {len(extra)} unknown ({', '.join(extra[:3])}); retarget "
            "it to one skeleton or ingest it by itself"
        )
    if expected.names != found.names or expected.parents != found.parents:
        joint = next(
            n
            for n, (a, b) in enumerate(zip(expected.names, found.names, strict=True))
            if a != b or expected.parents[n] != found.parents[n]
        )
        raise DataError(
            f"{where}: joint {joint} is {found.names[joint]} below "
            f"{_parent_name(found, joint)}, expected {expected.names[joint]} below "
            f"{_parent_name(expected, joint)} as in the first take; retarget it to one skeleton"
        )
    gap = np.linalg.norm(np.subtract(expected.offsets_m, found.offsets_m), axis=-1)
    if gap[1:].max(initial=0.0) > 0.01:
        joint = int(gap[1:].argmax()) + 1
        raise DataError(
            f"{where}: the bone to {found.names[joint]} differs by {100 * gap[joint]:.1f} cm from "
            "the first take's, expected one skeleton; retarget it or ingest it by itself"
        )


def _parent_name(skeleton: Skeleton, joint: int) -> str:
    parent = skeleton.parents[joint]
    return "nothing" if parent < 0 else skeleton.names[parent]
