"""CMU salsa takes, the ``public`` source: motion capture of couples who dance salsa.

CMU Graphics Lab Motion Capture Database, subjects 60 and 61, mocap.cs.cmu.edu: "free for all uses".
BVH conversion in the repository of Z. Zhou et al., "Auto-Conditioned Recurrent Networks for
Extended Complex Human Motion Synthesis", ICLR 2018, arXiv:1707.05363 (MIT licence).  The headers
say 120 frames per second; the repository's readme says 60, and the steps agree.  The music was
never recorded: pairs are made by warping.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from domains.dance_generation.params import IngestParams
from domains.dance_generation.science.dance import SPLITS
from domains.dance_generation.science.skeleton import Skeleton, check_same
from domains.dance_generation.sources.collection import Collection
from domains.dance_generation.sources.files import read_songs, songs_by_split
from domains.dance_generation.sources.npz import read_archived, read_arrays, take_names
from domains.dance_generation.sources.songs import Song
from domains.dance_generation.sources.synthetic import compose_songs
from domains.dance_generation.sources.takes import Take, checked, read_take
from domains.dance_generation.sources.warping import pair_up
from domains.errors import DataError
from domains.files import check_file, fetch

COMMIT = "bce16f11ada87b44116c8d157657d38b3ea2acc8"
ADDRESS = (
    "https://raw.githubusercontent.com/papagina/Auto_Conditioned_RNN_motion/"
    f"{COMMIT}/train_data_bvh/salsa"
)
MIRROR = "dance"
"""Folder below ``CONVOY_MIRROR``: ``bvh/salsa_NN.bvh``, ``salsa_takes.npz``."""

TRUE_FPS = 60.0
_PARTNERS = 15  # take n + 15 is the partner of take n

SHA256: Mapping[str, str] = {
    "salsa_05.bvh": "f365536b557dabec988d99a95e18bc242c291f5941b1c988af85a0a92506de92",
    "salsa_10.bvh": "104916ea9b675440877967a885d80b886fa7370b85c393a59944711b16f787b7",
    "salsa_12.bvh": "3bd910f9b2ea9a7837584dba95d83e96894a524976cb2047ce438370f18bb7ed",
    "salsa_takes.npz": "47660cea352512cfa212be167e5012b903f20e3bc8d1561521bc49b58428fe80",
}
"""By name in the mirror; the others are recorded at their first download."""


def collect_cmu(params: IngestParams) -> Collection:
    """The takes that ``params.public`` names, warped to songs.

    Where ``CONVOY_MIRROR`` holds some takes, those are all: the others are counted as absent and
    not downloaded.

    Raises:
        DataError: partners in two splits, a damaged file, or no take for training or test.
    """
    public = params.public
    wanted = dict(
        zip(SPLITS, (public.train_takes, public.validate_takes, public.test_takes), strict=True)
    )
    _check_partners(wanted)
    takes: dict[str, list[Take]] = {split: [] for split in SPLITS}
    absent: list[int] = []
    for split, numbers in wanted.items():
        for number in sorted(set(numbers)):
            take = locate(number)
            if take is None:
                absent.append(number)
            else:
                takes[split].append(take)
    found = [take for split in SPLITS for take in takes[split]]
    if not takes["train"]:
        raise DataError(
            f"dance_generation: no take to train on: {len(absent)} of {len(absent) + len(found)} "
            f"are absent from {MIRROR} of CONVOY_MIRROR; correct ingest.public.train_takes"
        )
    for take in found:
        check_same(found[0].skeleton, take.skeleton, take.name)
    songs, origin, notes = find_songs(params)
    collection = Collection(
        title=f"real salsa takes (CMU) warped to {origin}; never recorded together",
        source=f"{ADDRESS} (mocap.cs.cmu.edu, subjects 60 and 61); {origin}",
        licence="CMU: free for all uses, not to be resold as data; BVH conversion MIT",
        skeleton=_fullest(found),
        steps=tuple(take.name for take in found),
        warnings=[*notes, *(line for take in found for line in take.warnings)],
    )
    if absent:
        collection.warnings.append(
            f"{len(absent)} of {len(absent) + len(found)} takes are absent from {MIRROR} of "
            f"CONVOY_MIRROR and were left out: {' '.join(f'{n:02d}' for n in sorted(absent))}"
        )
    pair_up(takes, songs, params, collection, performance)
    return collection


def performance(take: str) -> str:
    """The couple's performance that take ``salsa_NN`` is one half of."""
    number = int(take[-2:])
    return f"performance_{number - _PARTNERS if number > _PARTNERS else number:02d}"


def locate(number: int) -> Take | None:
    """Take ``number``: from the mirror, else downloaded; None if a mirror lacks it.

    Raises:
        DataError: its content is not that of the known file of this name.
    """
    name = f"salsa_{number:02d}"
    mirror = os.environ.get("CONVOY_MIRROR")
    folder = Path(mirror) / MIRROR if mirror else None
    if folder is None or not folder.is_dir():
        path = fetch(f"{ADDRESS}/{number:02d}.bvh", SHA256.get(f"{name}.bvh"), "dance_generation")
        take = read_take(path, TRUE_FPS)
        return Take(
            name, take.skeleton, take.fps, take.root_position, take.rotations, take.warnings
        )
    path = folder / "bvh" / f"{name}.bvh"
    if path.is_file():
        _check_known(path)
        return read_take(path, TRUE_FPS)
    archive = folder / "salsa_takes.npz"
    if not archive.is_file():
        return None
    arrays = _archive(archive)
    if f"{number:02d}" not in take_names(arrays):
        return None
    return checked(read_archived(archive, arrays, f"{number:02d}", name), archive, is_declared=True)


def find_songs(params: IngestParams) -> tuple[dict[str, list[Song]], str, list[str]]:
    """Songs by split, what they are in words, and what was found on reading them."""
    public = params.public
    songs, origin = _songs_in(public.songs, params)
    if public.test_songs is not None:
        folder = Path(public.test_songs).expanduser()
        songs["test"] = read_songs(folder, params)
        origin = f"{origin}, in the test songs of {folder.name}"
    notes = [line for split in SPLITS for song in songs[split] for line in song.warnings]
    return songs, origin, notes


def _songs_in(name: str | None, params: IngestParams) -> tuple[dict[str, list[Song]], str]:
    if name is None:
        return compose_songs(params), "synthetic songs"
    folder = Path(name).expanduser()
    return songs_by_split(folder, params), f"songs of {folder.name}"


@cache
def _archive(path: Path) -> dict:
    _check_known(path)
    return read_arrays(path)


def _check_known(path: Path) -> None:
    if known := SHA256.get(path.name):
        check_file(path, known, "dance_generation")


def _check_partners(wanted: Mapping[str, list[int]]) -> None:
    seen: dict[str, tuple[str, int]] = {}
    for split, numbers in wanted.items():
        for number in numbers:
            before, other = seen.setdefault(performance(f"salsa_{number:02d}"), (split, number))
            if before != split:
                raise DataError(
                    f"dance_generation: take {number} is in ingest.public.{split}_takes and take "
                    f"{other} in {before}_takes; they are one performance (n and n + {_PARTNERS} "
                    "are partners), expected both in one split; move one"
                )


def _fullest(takes: list[Take]) -> Skeleton:
    """The skeleton of a take that knows its End Sites best: an archive keeps none."""
    return next((t.skeleton for t in takes if len(t.skeleton.end_sites) > 10), takes[0].skeleton)
