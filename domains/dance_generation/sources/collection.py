"""What a source hands to ``ingest``: pairs by split, and where they come from."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from domains.dance_generation.science.dance import SPLITS, Motion, Pair
from domains.dance_generation.science.rotations import to_6d
from domains.dance_generation.science.skeleton import Skeleton
from domains.dance_generation.sources.songs import Song
from domains.errors import DataError


@dataclass
class Collection:
    """Pairs of one source by split, with the facts that the data card tells.

    Args:
        title: one line, says what is simulated and what was warped.
        source: where the raw data come from.
        licence: of the raw data.
        skeleton: of every take.
        steps: names of what ``Pair.step`` counts.
        splits: train, validate, test -> pairs.
        rejected: reason -> number of records refused or dropped.
        warnings: counted warnings, one sentence each.
    """

    title: str
    source: str
    licence: str
    skeleton: Skeleton
    steps: tuple[str, ...]
    splits: dict[str, list[Pair]] = field(default_factory=lambda: {s: [] for s in SPLITS})
    rejected: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def reject(self, reason: str, count: int = 1) -> None:
        """Count ``count`` records more that were refused for ``reason``."""
        if count:
            self.rejected[reason] = self.rejected.get(reason, 0) + count


def make_pair(
    name: str,
    song: Song,
    motion: Motion,
    step: NDArray,
    fps: float,
    audio_rate_hz: int,
    *,
    take: str,
    performance: str,
    is_simulated: bool,
) -> Pair:
    """A song and a motion from the same instant on, the music exactly as long as the motion."""
    num = len(motion.root_position)
    song = song.cut(num / fps, audio_rate_hz)
    samples = round(num / fps * audio_rate_hz)
    audio = np.zeros(samples, np.float32)
    audio[: len(song.audio)] = song.audio
    return Pair(
        name=name,
        song=song.name,
        take=take,
        performance=performance,
        audio=audio,
        root_position=motion.root_position.astype(np.float32),
        rotations=to_6d(motion.rotations).astype(np.float32),
        step=step.astype(np.int16),
        beats_s=song.beats_s,
        count=song.count,
        beats_per_bar=song.beats_per_bar,
        audio_rate_hz=audio_rate_hz,
        fps=fps,
        is_simulated=is_simulated,
    )


def check_splits(splits: Mapping[str, Sequence[Pair]]) -> None:
    """Refuse a song or a performance that stands in the test and in another split.

    Validation may share the songs of training where there are few: it chooses weights and reports
    nothing.

    Raises:
        DataError: names it and the two splits.
    """
    for kind in ("song", "performance"):
        seen: dict[str, str] = {}
        for split in SPLITS:
            for name in sorted({getattr(pair, kind) for pair in splits[split]}):
                before = seen.setdefault(name, split)
                shares = kind == "song" and {before, split} == {"train", "validate"}
                if before != split and not shares:
                    raise DataError(
                        f"dance_generation: {kind} {name} is in {before} and in {split}, expected "
                        f"in one split; move it in ingest ({split}_… lists)"
                    )


def assign_splits(
    names: Sequence[str],
    wanted: Mapping[str, Sequence[str]],
    key: str,
    others: Container[str] = (),
) -> dict[str, str]:
    """Name -> split: as the three lists say, else the last fifth to test, the one before validates.

    Args:
        names: of all files.
        wanted: split -> list of names.
        key: of ``params.yaml`` that holds the lists, for the message.
        others: that the lists may name as well, and that are split elsewhere.

    Raises:
        DataError: a name in two lists, or one that is neither in ``names`` nor in ``others``.
    """
    chosen: dict[str, str] = {}
    for split, entries in wanted.items():
        for name in entries:
            if name not in names:
                if name in others:
                    continue
                raise DataError(
                    f"dance_generation: {key}.{split}_files names {name}, expected one of "
                    f"{', '.join(names[:5])}{' …' if len(names) > 5 else ''}; correct it"
                )
            if name in chosen:
                raise DataError(
                    f"dance_generation: {name} is in {key}.{chosen[name]}_files and in "
                    f"{split}_files, expected in one split only; take it out of one"
                )
            chosen[name] = split
    if chosen:
        return chosen
    fifth = max(1, len(names) // 5)
    if len(names) < 3:
        return (
            dict(zip(names, ("train", "test"), strict=False))
            if len(names) == 2
            else dict.fromkeys(names, "train")
        )
    parts = ["train"] * (len(names) - 2 * fifth) + ["validate"] * fifth + ["test"] * fifth
    return dict(zip(names, parts, strict=True))
