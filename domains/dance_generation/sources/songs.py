"""A song with its beats: from the user's file of beats, else tracked.

Legend: S samples, B beats.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domains.dance_generation.science.beat_grid import BeatGrid, track_beats
from domains.dance_generation.sources.audio import read_music
from domains.errors import DataError

BEAT_ENDINGS = ("_beats.txt", ".beats.txt", ".beats")
"""What the name of a file of beats has behind the song's."""

_GAPS_S = (0.15, 3.0)  # between beats: 400 to 20 per minute


@dataclass(frozen=True)
class Song:
    """Music whose beats are known.

    Args:
        name: unique among the songs.
        audio: (S,) mono, largest magnitude 1.
        beats_s: (B,) s, rising.
        count: (B,) place in the bar, from 1.
        beats_per_bar: the metre.
        is_simulated: whether it was synthesised.
        warnings: what was found on reading, counted.
    """

    name: str
    audio: NDArray[np.float32]
    beats_s: NDArray[np.float64]
    count: NDArray[np.int16]
    beats_per_bar: int
    is_simulated: bool = False
    warnings: tuple[str, ...] = field(default=())

    def cut(self, length_s: float, rate_hz: int) -> Song:
        """The first ``length_s``."""
        inside = self.beats_s < length_s
        return Song(
            self.name,
            self.audio[: round(length_s * rate_hz)],
            self.beats_s[inside],
            self.count[inside],
            self.beats_per_bar,
            self.is_simulated,
            self.warnings,
        )


def read_song(path: Path, rate_hz: int) -> Song:
    """The song in ``path`` with its beats, which stand beside it or are tracked.

    Raises:
        DataError: no music, silence, or a file of beats that is none.
    """
    music = read_music(path, rate_hz)
    found = beats_beside(path)
    if found:
        beats_s, count, metre = read_beats(found, music.duration_s)
        warnings = music.warnings
    else:
        grid = track_beats(music.audio, rate_hz)
        beats_s, count, metre = grid.beats_s, count_bars(grid, 4), 4
        even = "even" if grid.is_steady else "uneven"
        warnings = (
            *music.warnings,
            f"{path.name}: no {path.stem}{BEAT_ENDINGS[0]} beside it: beats tracked, "
            f"{grid.bpm:.1f} BPM, {even}; bars of four assumed",
        )
    return Song(path.stem, music.audio, beats_s, count, metre, warnings=warnings)


def beats_beside(path: Path) -> Path | None:
    """The file of beats of the song in ``path``: of its name, or of what its name begins with.

    ``waltz_90s.ogg`` takes ``waltz_90s_beats.txt`` before ``waltz_beats.txt``.
    """
    parts = path.stem.split("_")
    for num in range(len(parts), 0, -1):
        for ending in BEAT_ENDINGS:
            file = path.with_name("_".join(parts[:num]) + ending)
            if file.is_file():
                return file
    return None


def count_bars(grid: BeatGrid, beats_per_bar: int) -> NDArray[np.int16]:
    """Places in the bar (B,), the first beat taken for the first of a bar."""
    return (np.arange(len(grid.beats_s)) % beats_per_bar + 1).astype(np.int16)


def read_beats(
    path: Path, duration_s: float, beats_per_bar: int = 4
) -> tuple[NDArray[np.float64], NDArray[np.int16], int]:
    """Beats (B,) in s within the song, their places in the bar (B,) and the metre, of a text file.

    Without counts, bars of ``beats_per_bar`` begin at the file's first beat.

    Args:
        path: lines ``time_s`` or ``time_s <tab> count``.
        duration_s: length of the song.
        beats_per_bar: the metre, where the file has no counts.

    Raises:
        DataError: no numbers, times that do not rise, absurdly spaced or beyond the song, or fewer
            than two within it.
    """
    try:
        rows = [line.split() for line in path.read_text().splitlines() if line.strip()]
        beats_s = np.array([float(row[0]) for row in rows])
        counts = [int(float(row[1])) for row in rows if len(row) > 1]
    except (OSError, ValueError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path}: {str(error).splitlines()[0]}; expected a time in s per line, and perhaps the "
            "beat's place in the bar"
        ) from error
    if len(beats_s) < 2:
        raise DataError(f"{path}: {len(beats_s)} beats, expected two or more, one time per line")
    gaps = np.diff(beats_s)
    if not (np.isfinite(beats_s).all() and (gaps > 0).all()):
        line = int(np.argmax(~(gaps > 0))) + 2
        raise DataError(f"{path}: line {line} does not come after the line before; sort the beats")
    low, high = _GAPS_S
    if not low <= float(np.median(gaps)) <= high:
        raise DataError(
            f"{path}: beats {np.median(gaps):.3g} s apart, expected {low:g} to {high:g} s; are the "
            "times in seconds?"
        )
    if beats_s[0] < -high or beats_s[-1] > duration_s + high:
        raise DataError(
            f"{path}: beats from {beats_s[0]:.1f} to {beats_s[-1]:.1f} s, the music has "
            f"{duration_s:.1f} s; is it of another song?"
        )
    count, metre = np.arange(len(beats_s)) % beats_per_bar + 1, beats_per_bar
    if len(counts) == len(beats_s):
        count, metre = np.array(counts), max(counts)
    if count.min() < 1 or count.max() > 16:
        raise DataError(
            f"{path}: places in the bar from {count.min()} to {count.max()}, expected 1 to 16"
        )
    inside = (beats_s >= 0) & (beats_s < duration_s)
    if inside.sum() < 2:
        raise DataError(
            f"{path}: {inside.sum()} of {len(beats_s)} beats lie within the {duration_s:.1f} s of "
            "music, expected two or more; is it of another song?"
        )
    return beats_s[inside], count[inside].astype(np.int16), metre
