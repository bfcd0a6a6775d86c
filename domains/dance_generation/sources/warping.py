"""Takes and songs by split to pairs: each take is warped to songs of its own split."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from domains.dance_generation.params import IngestParams
from domains.dance_generation.science.cycle import cycle_of
from domains.dance_generation.science.dance import SPLITS, Motion, Pair
from domains.dance_generation.sources.collection import Collection, make_pair
from domains.dance_generation.sources.pairing import (
    best_loop,
    dance_beats,
    repeated,
    warped,
)
from domains.dance_generation.sources.songs import Song
from domains.dance_generation.sources.takes import Take
from domains.errors import DataError


def pair_up(
    takes: Mapping[str, Sequence[Take]],
    songs: Mapping[str, Sequence[Song]],
    params: IngestParams,
    collection: Collection,
    performance: Callable[[str], str],
) -> None:
    """Fill ``collection.splits``; a take that cannot be used is counted.

    Args:
        takes: by split.
        songs: by split; validation takes those of training where it has none.
        params: form of the pairing, rates, length.
        collection: gets pairs, counts and warnings; its ``steps`` are the takes' names.
        performance: name of a take -> who danced together.
    """
    for split in SPLITS:
        available = list(songs[split])
        if not available and takes[split]:
            if split == "test" or not songs["train"]:
                raise DataError(
                    f"dance_generation: {split} has {len(takes[split])} takes and no song; put a "
                    f"song into ingest.files.{split}_files, or give three songs or more"
                )
            available = list(songs["train"])
            collection.warnings.append(
                "no song for validation: its takes are paired with the songs of training"
            )
        for index, take in enumerate(takes[split]):
            per_take = min(params.pairing.songs_per_take, len(available))
            chosen = [available[(index * per_take + n) % len(available)] for n in range(per_take)]
            try:
                pairs = _pairs(take, chosen, params, collection, performance(take.name))
            except DataError as error:
                collection.reject("take without a usable loop or beat")
                collection.warnings.append(str(error))
                continue
            collection.splits[split] += pairs


def _pairs(
    take: Take,
    songs: Sequence[Song],
    params: IngestParams,
    collection: Collection,
    performance: str,
) -> list[Pair]:
    is_loop = params.pairing.form == "loop"
    cycles = dict.fromkeys(cycle_of(song.beats_per_bar) for song in songs) if is_loop else {}
    loops = {beats: best_loop(take, beats) for beats in cycles}
    own = np.empty(0) if is_loop else dance_beats(take)
    for loop in loops.values():
        end_s = loop.start_s + loop.beats * loop.beat_s
        collection.warnings.append(
            f"{take.name}: {loop.start_s:.1f} to {end_s:.1f} s are danced over and over "
            f"({60 / loop.beat_s:.0f} BPM; strict F of the loop {loop.strict_f:.2f})"
        )
    pairs = []
    for song in songs:
        song = song.cut(params.pairing.length_s, params.audio_rate_hz)
        duration_s = len(song.audio) / params.audio_rate_hz
        if len(song.beats_s) < 2:
            raise DataError(
                f"{song.name}: {len(song.beats_s)} beats in its first {duration_s:.0f} s, expected "
                "two or more; raise ingest.pairing.length_s"
            )
        if is_loop:
            loop = loops[cycle_of(song.beats_per_bar)]
            num = int(duration_s * params.fps)
            into_bar = int(song.count[0]) - 1
            motion: Motion = repeated(loop, song.beats_s, num, params.fps, into_bar)
        else:
            last = song.beats_s[min(len(own), len(song.beats_s)) - 1]
            num = int(min(duration_s, last) * params.fps)
            motion = warped(take, own, song.beats_s, num, params.fps)
        step = np.full(num, collection.steps.index(take.name))
        pairs.append(
            make_pair(
                f"{take.name}-{song.name}",
                song,
                motion,
                step,
                params.fps,
                params.audio_rate_hz,
                take=take.name,
                performance=performance,
                is_simulated=song.is_simulated,
            )
        )
    return pairs
