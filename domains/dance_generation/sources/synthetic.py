"""The embedded sample: synthetic songs, and the parametric dancer on their known beats."""

from __future__ import annotations

import numpy as np

from domains.dance_generation.params import IngestParams
from domains.dance_generation.science.dance import SPLITS, Motion
from domains.dance_generation.sources.collection import Collection, make_pair
from domains.dance_generation.sources.dancer import SKELETON, perform
from domains.dance_generation.sources.music import HELD_OUT_KIT, KITS, compose
from domains.dance_generation.sources.songs import Song
from domains.dance_generation.sources.steps import STEPS

_STEPS_PER_SONG = 2


def compose_songs(params: IngestParams) -> dict[str, list[Song]]:
    """The synthetic songs by split; one drum kit is heard in the test alone."""
    sample = params.sample
    counts = dict(
        zip(SPLITS, (sample.train_songs, sample.validate_songs, sample.test_songs), strict=True)
    )
    songs: dict[str, list[Song]] = {}
    number = 0
    for split in SPLITS:
        songs[split] = []
        for index in range(counts[split]):
            number += 1
            kits = tuple(kit for kit in KITS if kit != HELD_OUT_KIT)
            if split == "test" and index % 2 == 0:
                kits = (HELD_OUT_KIT,)
            songs[split].append(
                compose(
                    f"song_{number:04d}",
                    (sample.seed, number),
                    sample.duration_s,
                    params.audio_rate_hz,
                    (sample.tempo_low_bpm, sample.tempo_high_bpm),
                    kits,
                    sample.band_share,
                )
            )
    return songs


def collect_sample(params: IngestParams) -> Collection:
    """Pairs of the sample by split: each song is danced once, in two steps by turns."""
    names = tuple(STEPS)
    collection = Collection(
        title="synthetic songs and a parametric dancer: simulated, no recording",
        source=f"domains/dance_generation/sources, seed {params.sample.seed}",
        licence="BSD-3-Clause, as Convoy itself",
        skeleton=SKELETON,
        steps=names,
    )
    num_frames = round(params.sample.duration_s * params.fps)
    for split, songs in compose_songs(params).items():
        for index, song in enumerate(songs):
            seed = (params.sample.seed, int(song.name[-4:]), 1)
            drawn = np.random.default_rng(list(seed)).permutation(len(names))
            # the first step takes turns, so every split has every step
            first = index % len(names)
            order = [first, *(int(n) for n in drawn if n != first)][:_STEPS_PER_SONG]
            dance = perform(
                song.beats_s, song.count, song.beats_per_bar, names, order, num_frames,
                params.fps, seed,
            )  # fmt: skip
            pair = make_pair(
                song.name,
                song,
                Motion(dance.root_position, dance.rotations),
                dance.step,
                params.fps,
                params.audio_rate_hz,
                take=f"dance_{song.name[-4:]}",
                performance=f"dance_{song.name[-4:]}",
                is_simulated=True,
            )
            collection.splits[split].append(pair)
    return collection
