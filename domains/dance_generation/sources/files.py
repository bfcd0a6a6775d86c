"""The user's own motions and music: pairs by name, or takes warped to songs.

A motion and a song of one name (``waltz.bvh`` and ``waltz.wav``), or an AIST++ motion and the song
that its name says ( ``gBR_sBM_cAll_d04_mBR0_ch01.pkl`` and ``mBR0.wav``) were recorded together
and start at the same instant.  Where no name agrees, takes are warped to songs, and the card says
so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from domains.dance_generation.params import IngestParams
from domains.dance_generation.science.dance import SPLITS
from domains.dance_generation.science.skeleton import check_same
from domains.dance_generation.sources import audio
from domains.dance_generation.sources.collection import Collection, assign_splits, make_pair
from domains.dance_generation.sources.pairing import sampled
from domains.dance_generation.sources.songs import BEAT_ENDINGS, Song, read_song
from domains.dance_generation.sources.takes import Take, read_take
from domains.dance_generation.sources.warping import pair_up
from domains.errors import DataError

MOTIONS = (".bvh", ".pkl", ".npz")

_AIST = re.compile(r"^(g[A-Z]{2})_s[A-Z]{2}_c\w+?_(d\d+)_(m[A-Z]{2}\d)_(ch\d+)$")
"""genre, situation, camera, dancer, music, choreography (AIST Dance Video Database)."""


@dataclass(frozen=True)
class _Found:
    """Files of a folder by name without ending."""

    motions: dict[str, Path]
    songs: dict[str, Path]


def collect_files(source: str, params: IngestParams) -> Collection:
    """The pairs in a folder, by split.

    Raises:
        DataError: no motion or no music there, joints that do not match, a file that is not what
            its ending says, or a list with a name that is no file's.
    """
    folder = Path(source).expanduser()
    found = find_files(folder)
    if not found.motions or not found.songs:
        raise DataError(
            f"{folder}: {len(found.motions)} motions and {len(found.songs)} songs, expected both; "
            f"put {', '.join(MOTIONS)} and music into one folder"
        )
    takes = {
        name: replace(read_take(path, params.files.fps, params.files.unit), name=name)
        for name, path in found.motions.items()
    }
    first = next(iter(takes.values()))
    for take in takes.values():
        check_same(first.skeleton, take.skeleton, str(found.motions[take.name]))
    own = {name: song_of(name, list(found.songs)) for name in takes}
    collection = Collection(
        title="motions and music of the user",
        source=source,
        licence="as the owner of the files says",
        skeleton=first.skeleton,
        steps=tuple(dict.fromkeys(step_of(name) for name in takes)),
        warnings=[line for take in takes.values() for line in take.warnings],
    )
    if any(own.values()):
        _pair_by_name(takes, own, found, params, collection)
    else:
        collection.title += ", warped to one another; never recorded together"
        collection.steps = tuple(takes)
        songs = songs_by_split(folder, params)
        collection.warnings += [w for s in SPLITS for song in songs[s] for w in song.warnings]
        split_of = assign_splits(list(takes), _lists(params), "ingest.files", found.songs)
        collection.reject("take in no split", len(takes) - len(split_of))
        by_split = {s: [takes[name] for name in takes if split_of.get(name) == s] for s in SPLITS}
        pair_up(by_split, songs, params, collection, lambda name: name)
    return collection


def songs_by_split(folder: Path, params: IngestParams) -> dict[str, list[Song]]:
    """All songs in ``folder`` with their beats, by split.

    Raises:
        DataError: no music there, a file that is none, or a list with a name that is no file's.
    """
    found = _with_music(folder)
    split_of = assign_splits(list(found.songs), _lists(params), "ingest.files", found.motions)
    songs: dict[str, list[Song]] = {split: [] for split in SPLITS}
    for name, split in split_of.items():
        songs[split].append(read_song(found.songs[name], params.audio_rate_hz))
    return songs


def read_songs(folder: Path, params: IngestParams) -> list[Song]:
    """All songs in ``folder`` with their beats, by name.

    Raises:
        DataError: no music there, or a file that is none.
    """
    return [read_song(path, params.audio_rate_hz) for path in _with_music(folder).songs.values()]


def _with_music(folder: Path) -> _Found:
    found = find_files(folder)
    if not found.songs:
        raise DataError(f"{folder}: no music, expected {', '.join(audio.SUFFIXES[:6])} …")
    return found


def find_files(folder: Path) -> _Found:
    """Motions and songs of a folder.

    Raises:
        DataError: no such folder, or two motions or two songs of one name.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder, expected one with motions and music")
    files = sorted(path for path in folder.iterdir() if path.is_file())
    found = _Found({}, {})
    for path in files:
        if path.name.endswith(BEAT_ENDINGS):
            continue
        suffix = path.suffix.lower()
        target = found.motions if suffix in MOTIONS else found.songs
        if suffix not in (*MOTIONS, *audio.SUFFIXES):
            continue
        if path.stem in target:
            raise DataError(
                f"{folder}: {target[path.stem].name} and {path.name} share a name, expected one "
                "file for each; rename or remove one"
            )
        target[path.stem] = path
    return found


def song_of(motion: str, songs: Sequence[str]) -> str | None:
    """The song that was recorded with ``motion``, by its name."""
    if motion in songs:
        return motion
    match = _AIST.match(motion)
    return match[3] if match and match[3] in songs else None


def step_of(motion: str) -> str:
    """What a take dances: the genre in an AIST++ name, else the take itself."""
    match = _AIST.match(motion)
    return match[1] if match else motion


def _lists(params: IngestParams) -> dict[str, list[str]]:
    """The declared lists by split."""
    lists = (params.files.train_files, params.files.validate_files, params.files.test_files)
    return dict(zip(SPLITS, lists, strict=True))


def _pair_by_name(
    takes: dict[str, Take],
    own: dict[str, str | None],
    found: _Found,
    params: IngestParams,
    collection: Collection,
) -> None:
    """Pairs of one name, split by song: takes of one song stay together."""
    collection.reject("motion without music of its name", sum(own[n] is None for n in takes))
    used = sorted({song for song in own.values() if song})
    collection.reject("music without a motion of its name", len(found.songs) - len(used))
    split_of = assign_splits(used, _lists(params), "ingest.files")
    songs = {name: read_song(found.songs[name], params.audio_rate_hz) for name in used}
    collection.warnings += [line for song in songs.values() for line in song.warnings]
    for name, take in takes.items():
        song_name = own[name]
        if song_name is None:
            continue
        if song_name not in split_of:
            collection.reject("pair in no split")
            continue
        song = songs[song_name]
        longest = min(take.duration_s, len(song.audio) / params.audio_rate_hz)
        if (gap := abs(take.duration_s - len(song.audio) / params.audio_rate_hz)) > 0.5:
            collection.warnings.append(
                f"{name}: motion and music differ by {gap:.1f} s in length, the shorter counts"
            )
        num = int(min(longest, params.pairing.length_s) * params.fps + 0.01)
        if np.sum(song.beats_s < num / params.fps) < 2:
            collection.reject("pair with less than two beats")
            continue
        motion = sampled(take, np.arange(num) / params.fps)
        step = np.full(num, collection.steps.index(step_of(name)))
        collection.splits[split_of[song_name]].append(
            make_pair(
                name,
                song,
                motion,
                step,
                params.fps,
                params.audio_rate_hz,
                take=name,
                performance=_dancers(name),
                is_simulated=False,
            )
        )


def _dancers(motion: str) -> str:
    """Who danced together: in AIST++ several cameras and dancers share a piece of music."""
    match = _AIST.match(motion)
    return f"{match[3]}_{match[4]}" if match else motion
