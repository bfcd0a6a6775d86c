"""Motions in NumPy archives, in two layouts.

Legend: F frames, J joints, C channels.

Channels as in BVH, many takes of one skeleton in a file: ``joints (J,), parents (J,), offsets
(J, 3), channels (C,) 'joint.Zrotation', kept (C,), constant_values, take_NAME (F, kept), fps``.
Rotations, one take: ``joints, parents, offsets_m (J, 3), root_position_m (F, 3), rotations
(F, J, 3, 3) or (F, J, 6), fps``.  Arrays only: an archive with pickled objects is refused.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domains.dance_generation.science.dance import Motion
from domains.dance_generation.science.rotations import from_6d, to_6d
from domains.dance_generation.science.skeleton import POSITIONS, ROTATIONS, Skeleton
from domains.dance_generation.sources.bvh import from_channels
from domains.dance_generation.sources.takes import Take
from domains.errors import DataError
from domains.files import whole_file

_TURNS = ("Zrotation", "Xrotation", "Yrotation")


def read_npz(path: Path, unit_m: float = 0.01) -> Take:
    """The one motion in an archive.

    Raises:
        DataError: see ``read_arrays``; or it holds several takes.
    """
    arrays = read_arrays(path)
    if "rotations" in arrays:
        return _from_rotations(path, arrays)
    names = take_names(arrays)
    if len(names) != 1:
        raise DataError(
            f"{path}: {len(names)} takes, expected one per file ({', '.join(names[:4])}); save "
            "each by itself"
        )
    return read_archived(path, arrays, names[0], path.stem, unit_m)


def read_arrays(path: Path) -> dict[str, NDArray]:
    """All arrays of an archive.

    Raises:
        DataError: damaged, or with pickled objects.
    """
    try:
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, AttributeError) as error:
        raise DataError(
            f"{path}: no archive of plain arrays ({str(error).splitlines()[0][:80]}); save numbers "
            "and texts, no objects"
        ) from error


def take_names(arrays: dict[str, NDArray]) -> list[str]:
    """Names of the takes of a channel archive: what follows ``take_``."""
    return sorted(name.removeprefix("take_") for name in arrays if name.startswith("take_"))


def read_archived(
    path: Path, arrays: dict[str, NDArray], take: str, name: str, unit_m: float = 0.01
) -> Take:
    """Take ``take`` of a channel archive, called ``name``.

    Raises:
        DataError: an array is missing or does not fit the others.
    """
    _need(path, arrays, "joints", "parents", "offsets", "channels", f"take_{take}")
    joints = [str(joint) for joint in arrays["joints"]]
    split = [str(channel).rpartition(".")[::2] for channel in arrays["channels"]]
    known = {*POSITIONS, *ROTATIONS}
    if wrong := [f"{j}.{c}" for j, c in split if j not in joints or c not in known]:
        raise DataError(f"{path}: channel {wrong[0]} is of no joint, expected joint.Zrotation")
    given = arrays[f"take_{take}"].astype(np.float64)
    kept = arrays.get("kept", np.ones(len(split), bool)).astype(bool)
    constant = arrays.get("constant_values", np.zeros(int((~kept).sum())))
    if given.ndim != 2 or given.shape[1] != kept.sum() or len(constant) != (~kept).sum():
        raise DataError(
            f"{path}: take_{take} is {given.shape}, expected (frames, {int(kept.sum())}) and "
            f"{int((~kept).sum())} constant values"
        )
    values = np.empty((len(given), len(split)))
    values[:, kept] = given
    values[:, ~kept] = constant
    in_order = [n for joint in joints for n, (owner, _) in enumerate(split) if owner == joint]
    skeleton = Skeleton(
        names=tuple(joints),
        parents=tuple(int(parent) for parent in arrays["parents"]),
        offsets_m=_vectors(arrays["offsets"] * unit_m),
        channels=tuple(tuple(c for j, c in split if j == joint) for joint in joints),
        end_sites=_end_sites(arrays["parents"]),
        unit_m=unit_m,
    )
    return from_channels(name, skeleton, values[:, in_order], _fps(arrays))


def write_npz(path: Path, skeleton: Skeleton, motion: Motion, fps: float, beats_s: NDArray) -> None:
    """Write a motion as rotations, with the ``beats_s`` (B,) it was danced to."""
    arrays: dict[str, Any] = {
        "joints": np.array(skeleton.names),
        "parents": np.array(skeleton.parents),
        "offsets_m": np.array(skeleton.offsets_m),
        "root_position_m": motion.root_position,
        "rotations": to_6d(motion.rotations),
        "fps": np.array(fps),
        "beats_s": beats_s,
    }
    with whole_file(Path(path)) as scratch, open(scratch, "wb") as stream:
        np.savez_compressed(stream, **arrays)


def _from_rotations(path: Path, arrays: dict[str, NDArray]) -> Take:
    _need(path, arrays, "joints", "parents", "offsets_m", "root_position_m")
    turned = arrays["rotations"].astype(np.float64)
    root = arrays["root_position_m"].astype(np.float64)
    num = len(arrays["joints"])
    if turned.ndim == 3 and turned.shape[2] == 6:
        turned = from_6d(turned)
    if turned.shape != (len(root), num, 3, 3) or root.shape != (len(root), 3):
        raise DataError(
            f"{path}: rotations {turned.shape}, root_position_m {root.shape}, expected "
            f"(F, {num}, 3, 3) or (F, {num}, 6), and (F, 3)"
        )
    skeleton = Skeleton(
        names=tuple(str(joint) for joint in arrays["joints"]),
        parents=tuple(int(parent) for parent in arrays["parents"]),
        offsets_m=_vectors(arrays["offsets_m"]),
        channels=((*POSITIONS, *_TURNS), *(_TURNS for _ in range(num - 1))),
        end_sites=_end_sites(arrays["parents"]),
    )
    return Take(path.stem, skeleton, _fps(arrays), root, turned)


def _vectors(values: NDArray) -> Any:
    return tuple(tuple(float(x) for x in row) for row in values)


def _end_sites(parents: NDArray) -> Any:
    """A short bone at each last joint: BVH wants one, the archive has none."""
    leaves = set(range(len(parents))) - {int(parent) for parent in parents}
    return tuple((leaf, (0.0, 0.05, 0.0)) for leaf in sorted(leaves))


def _fps(arrays: dict[str, NDArray]) -> float:
    """Frames per second; NaN where the archive does not say."""
    return float(arrays.get("true_fps", arrays.get("fps", np.nan)))


def _need(path: Path, arrays: dict[str, NDArray], *names: str) -> None:
    if missing := [name for name in names if name not in arrays]:
        raise DataError(
            f"{path}: {', '.join(missing)} missing; it holds {', '.join(list(arrays)[:6])}"
        )
