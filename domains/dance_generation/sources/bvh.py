"""Biovision hierarchy files, in and out.

Legend: F frames, J joints, C channels.

The order of a joint's rotations is that of its own CHANNELS line, and may differ from joint to
joint; degrees; lengths in whatever unit the file is in.  A joint without position channels keeps
its OFFSET.  What is written has the hierarchy, the channels and the End Sites of the skeleton that
was read, so that other programs find the bones they know.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domains.dance_generation.science import rotations as turns
from domains.dance_generation.science.skeleton import (
    POSITIONS,
    ROTATIONS,
    Skeleton,
    Vector,
)
from domains.dance_generation.sources.bvh_text import read_hierarchy, read_motion
from domains.dance_generation.sources.takes import Take
from domains.errors import DataError
from domains.files import whole_file

_STRETCH_M = 0.01  # a bone may change its length by this much and still be one


def read_bvh(path: Path, unit_m: float = 0.01) -> Take:
    """The motion in a BVH file, at the frame rate that its header says.

    Raises:
        DataError: not BVH, cut short, or a value that is no number; names the line or count.
    """
    try:
        text = path.read_text(encoding="latin-1")
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    head, found, body = text.partition("MOTION")
    if not head.lstrip("\ufeffï»¿ \r\n\t").startswith("HIERARCHY") or not found:
        raise DataError(f"{path}: no BVH file, expected HIERARCHY and then MOTION")
    tree = read_hierarchy(iter(head.split()[1:]), path)
    frames, period, values = read_motion(body, sum(map(len, tree.channels)), path)
    skeleton = Skeleton(
        names=tuple(tree.names),
        parents=tuple(tree.parents),
        offsets_m=tuple(_scaled(offset, unit_m) for offset in tree.offsets),
        channels=tuple(tree.channels),
        end_sites=tuple((joint, _scaled(offset, unit_m)) for joint, offset in tree.ends),
        unit_m=unit_m,
    )
    return from_channels(path.stem, skeleton, values.reshape(frames, -1), 1.0 / period)


def from_channels(name: str, skeleton: Skeleton, values: NDArray, fps: float) -> Take:
    """The motion of channel values (F, C) in degrees and file units, in the skeleton's order."""
    num = len(values)
    root = np.zeros((num, 3))
    turned = np.tile(np.eye(3), (num, len(skeleton), 1, 1))
    offsets, warnings, column = list(skeleton.offsets_m), [], 0
    for joint, channels in enumerate(skeleton.channels):
        here = values[:, column : column + len(channels)]
        column += len(channels)
        placed = np.tile(np.asarray(skeleton.offsets_m[joint]), (num, 1)) * (joint > 0)
        for index, channel in enumerate(channels):
            if channel in POSITIONS:
                placed[:, POSITIONS.index(channel)] = here[:, index] * skeleton.unit_m
        if joint == 0:
            root = placed
        else:
            x, y, z = np.median(placed, axis=0)
            offsets[joint] = (float(x), float(y), float(z))
            if (stretch := float(np.ptp(placed, axis=0).max())) > _STRETCH_M:
                warnings.append(
                    f"{name}: the bone to {skeleton.names[joint]} changes by {100 * stretch:.1f} "
                    "cm, its median is used throughout"
                )
        is_turn = [channel in ROTATIONS for channel in channels]
        turned[:, joint] = turns.from_euler(np.deg2rad(here[:, is_turn]), skeleton.order(joint))
    skeleton = replace(skeleton, offsets_m=tuple(offsets))
    return Take(name, skeleton, fps, root, turned, tuple(warnings))


def to_channels(skeleton: Skeleton, root_position: NDArray, rotations: NDArray) -> NDArray:
    """Channel values (F, C) in degrees and file units: the inverse of ``from_channels``."""
    columns = []
    for joint, channels in enumerate(skeleton.channels):
        order = skeleton.order(joint)
        whole = order + "".join(axis for axis in "XYZ" if axis not in order)
        angles = turns.continuous_euler(turns.to_euler(rotations[:, joint], whole))
        degrees = dict(zip(whole, np.rad2deg(angles).T, strict=True))
        still = np.tile(np.asarray(skeleton.offsets_m[joint]), (len(rotations), 1))
        metres = root_position if joint == 0 else still
        for channel in channels:
            if channel in POSITIONS:
                columns.append(metres[:, POSITIONS.index(channel)] / skeleton.unit_m)
            else:
                columns.append(degrees[ROTATIONS[channel]])
    return np.stack(columns, -1)


def write_bvh(
    path: Path, skeleton: Skeleton, root_position: NDArray, rotations: NDArray, fps: float
) -> None:
    """Write a motion as BVH, whole or not at all.

    Args:
        path: of the file.
        skeleton: with the channels, End Sites and unit of the file it came from.
        root_position: (F, 3) m.
        rotations: (F, J, 3, 3) in the parent's frame.
        fps: frames per second.
    """
    # adding zero makes −0 to 0
    values = to_channels(skeleton, root_position, rotations).round(6) + 0.0
    lines = ["HIERARCHY", *_hierarchy_lines(skeleton, 0, 0)]
    lines += ["MOTION", f"Frames: {len(values)}", f"Frame Time: {1.0 / fps:.8f}"]
    lines += [" ".join(f"{value:.6f}" for value in row) for row in values]
    with whole_file(Path(path)) as scratch:
        # names are written in the bytes in which `read_bvh` found them
        text = "\n".join(lines) + "\n"
        scratch.write_text(text, encoding="latin-1", errors="backslashreplace")


def _hierarchy_lines(skeleton: Skeleton, joint: int, depth: int) -> Iterator[str]:
    tab = "  " * depth
    yield f"{tab}{'JOINT' if joint else 'ROOT'} {skeleton.names[joint]}"
    yield f"{tab}{{"
    yield f"{tab}  OFFSET {_offset(skeleton, skeleton.offsets_m[joint])}"
    channels = skeleton.channels[joint]
    if channels:
        yield f"{tab}  CHANNELS {len(channels)} {' '.join(channels)}"
    for child, parent in enumerate(skeleton.parents):
        if parent == joint:
            yield from _hierarchy_lines(skeleton, child, depth + 1)
    for owner, offset in skeleton.end_sites:
        if owner == joint:
            yield f"{tab}  End Site"
            yield f"{tab}  {{"
            yield f"{tab}    OFFSET {_offset(skeleton, offset)}"
            yield f"{tab}  }}"
    yield f"{tab}}}"


def _offset(skeleton: Skeleton, offset_m: Vector) -> str:
    return " ".join(f"{value / skeleton.unit_m:.6g}" for value in offset_m)


def _scaled(offset: Vector, unit_m: float) -> Vector:
    x, y, z = (value * unit_m for value in offset)
    return x, y, z
