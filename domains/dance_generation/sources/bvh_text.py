"""The two halves of a BVH file as text: the tree of joints, and the numbers of the motion."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domains.dance_generation.science.skeleton import POSITIONS, ROTATIONS, Vector
from domains.errors import DataError


@dataclass
class Tree:
    """What the HIERARCHY says, as it is read."""

    names: list[str] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    offsets: list[Vector] = field(default_factory=list)
    channels: list[tuple[str, ...]] = field(default_factory=list)
    ends: list[tuple[int, Vector]] = field(default_factory=list)


def read_hierarchy(tokens: Iterator[str], path: Path) -> Tree:
    """Joints, offsets and channels, by descending the braces."""
    tree, above = Tree(), []
    joint, in_end = -1, False
    try:
        for token in tokens:
            if token in ("ROOT", "JOINT"):
                if token == "ROOT" and tree.names:
                    raise DataError(
                        f"{path}: a second ROOT, {next(tokens)}; expected one dancer per file; "
                        "export each by itself"
                    )
                tree.parents.append(joint)
                tree.names.append(next(tokens))
                tree.channels.append(())
                tree.offsets.append((0.0, 0.0, 0.0))
                above.append(joint)
                joint = len(tree.names) - 1
            elif token == "End":
                next(tokens)
                in_end = True
            elif token == "OFFSET":
                offset = (float(next(tokens)), float(next(tokens)), float(next(tokens)))
                if in_end:
                    tree.ends.append((joint, offset))
                else:
                    tree.offsets[joint] = offset
            elif token == "CHANNELS":
                tree.channels[joint] = _channels(tokens, tree.names[joint], path)
            elif token == "}":
                if in_end:
                    in_end = False
                else:
                    joint = above.pop()
    except (StopIteration, ValueError, IndexError) as error:
        where = tree.names[joint] if tree.names else "ROOT"
        raise DataError(
            f"{path}: the hierarchy breaks off or holds a word for a number near joint {where}; "
            "copy or export the file again"
        ) from error
    if above or not tree.names:
        raise DataError(
            f"{path}: {len(above)} braces of the hierarchy are not closed; the file is cut short, "
            "copy it again"
        )
    return tree


def _channels(tokens: Iterator[str], joint: str, path: Path) -> tuple[str, ...]:
    names = tuple(next(tokens) for _ in range(int(next(tokens))))
    known = (*POSITIONS, *ROTATIONS)
    if wrong := [name for name in names if name not in known]:
        raise DataError(
            f"{path}: joint {joint} has the channel {wrong[0]}, expected {', '.join(known)}"
        )
    if len(set(names)) < len(names):
        raise DataError(f"{path}: joint {joint} has a channel twice: {' '.join(names)}")
    return names


def read_motion(body: str, channels: int, path: Path) -> tuple[int, float, NDArray]:
    """Number of frames, seconds per frame, and all values of the MOTION part."""
    header = re.match(r"\s*Frames:\s*(\S+)\s+Frame Time:\s*(\S+)\s*", body)
    try:
        frames, period = int(header[1]), float(header[2])  # type: ignore[index]
        if not (frames > 0 and period > 0):
            raise ValueError
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{path}: MOTION is followed by {body[:40].strip()!r}, expected `Frames: N` and "
            "`Frame Time: seconds`"
        ) from error
    words = body[header.end() :].split()  # type: ignore[union-attr]
    if len(words) != frames * channels:
        fault = "cut short" if len(words) < frames * channels else "not of its hierarchy"
        raise DataError(
            f"{path}: {len(words)} numbers of motion, expected {frames} frames × {channels} "
            f"channels = {frames * channels}; the file is {fault} after frame "
            f"{len(words) // channels if channels else 0}, copy or export it again"
        )
    try:
        values = np.array(words, np.float64)
    except ValueError as error:
        raise DataError(f"{path}: {error} among the motion's numbers; export it again") from error
    return frames, period, values
