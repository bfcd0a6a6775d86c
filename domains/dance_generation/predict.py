"""A trained model and the user's song to a dance: BVH, a film with the music, or NPZ.

Legend: S audio samples, F frames, B beats, J joints.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from domains.dance_generation.params import PredictParams
from domains.dance_generation.science.beat_grid import BeatGrid, even_grid, track_beats
from domains.dance_generation.science.cycle import cycle_of, passed_beats
from domains.dance_generation.science.dance import Motion
from domains.dance_generation.science.rotations import to_6d
from domains.dance_generation.sources.audio import SUFFIXES, Music, read_music, read_samples
from domains.dance_generation.sources.bvh import write_bvh
from domains.dance_generation.sources.npz import write_npz
from domains.dance_generation.sources.songs import read_beats
from domains.dance_generation.sources.video import write_film
from domains.errors import DataError

if TYPE_CHECKING:
    from domains.dance_generation.train import Task

_log = logging.getLogger(__name__)

OUTPUTS = (".bvh", ".mp4", ".npz")
_FILM_HEIGHT = 480  # px


def predict(task: Task, input: Path | str, output: Path | str, **params: Mapping[str, Any]) -> None:
    """Write a dance to the song ``input``, exactly as long as it, to ``output``.

    Args:
        task: a trained task.
        input: music in any format that libsndfile or FFmpeg reads, or a video with sound.
        output: ends in .bvh (the source's skeleton), .mp4 (stick figure, the music, a lamp that
            lights on the beats) or .npz (rotations as ``sources/npz.py`` reads them, and beats); it
            appears whole or not at all.
        **params: the domain's block; ``evaluate.predict`` is read.

    Raises:
        DataError: the input is no music, its beats cannot be, or the output has another ending.
    """
    song, place = Path(input), Path(output)
    kind = place.suffix.lower()
    if kind not in OUTPUTS:
        raise DataError(f"{place}: expected {', '.join(OUTPUTS[:-1])} or {OUTPUTS[-1]}")
    if place.resolve() == song.resolve():
        raise DataError(f"{place}: is the input itself, expected another file to write to")
    if song.is_dir():
        raise DataError(f"{song}: is a folder, expected one song: {', '.join(SUFFIXES[:6])} …")
    wanted = PredictParams.model_validate(params["evaluate"]["predict"])
    music = read_music(song, task.facts.audio_rate_hz)
    for warning in music.warnings:
        _log.warning("warning: dance_generation: %s", warning)
    beats_s, count, metre = beats_of(music, wanted)
    motion = _dance(task, music.audio, beats_s, count, metre, task.step_index(wanted.step))
    skeleton, fps = task.facts.skeleton, task.facts.fps
    if kind == ".bvh":
        write_bvh(place, skeleton, motion.root_position, motion.rotations, fps)
    elif kind == ".npz":
        write_npz(place, skeleton, motion, fps, beats_s)
    else:
        _write_film(place, task, motion, song, beats_s)


def beats_of(
    music: Music, wanted: PredictParams
) -> tuple[NDArray[np.float64], NDArray[np.int16], int]:
    """Beats (B,) in s of a song, their places in the bar (B,) and the metre: declared, or tracked.

    Raises:
        DataError: a file of beats besides a tempo, or beats that cannot be.
    """
    if wanted.beats is not None:
        if wanted.bpm is not None or wanted.offset_s is not None:
            raise DataError(
                f"dance_generation: evaluate.predict has beats: {wanted.beats} and bpm or "
                "offset_s, expected one or the other; set one to null"
            )
        path = Path(wanted.beats).expanduser()
        return read_beats(path, music.duration_s, wanted.beats_per_bar)
    grid = _grid(music, wanted)
    even = "even" if grid.is_steady else "uneven"
    _log.info(
        "dance_generation: beats %s: %.2f BPM, %s, the first at %.3f s",
        grid.source, grid.bpm, even, grid.beats_s[0],
    )  # fmt: skip
    first = 0
    if wanted.offset_s is not None:  # the beat that was named begins a bar
        first = int(np.abs(grid.beats_s - wanted.offset_s).argmin())
    count = (np.arange(len(grid.beats_s)) - first) % wanted.beats_per_bar + 1
    return grid.beats_s, count.astype(np.int16), wanted.beats_per_bar


def _grid(music: Music, wanted: PredictParams) -> BeatGrid:
    if wanted.bpm is not None and wanted.offset_s is not None:
        return even_grid(wanted.bpm, wanted.offset_s, music.duration_s)
    grid = track_beats(music.audio, music.rate_hz, wanted.bpm)
    if wanted.offset_s is not None:
        return even_grid(grid.bpm, wanted.offset_s, music.duration_s, grid.source)
    return grid


def _dance(
    task: Task, audio: NDArray, beats_s: NDArray, count: NDArray, beats_per_bar: int, step: int
) -> Motion:
    """The dance to a whole song, F = its length in frames, rounded up."""
    from domains.dance_generation.data import Cues

    fps, rate_hz = task.facts.fps, task.facts.audio_rate_hz
    num = math.ceil(len(audio) / rate_hz * fps - 1e-6)
    passed = passed_beats(beats_s, count, np.arange(num) / fps)
    return task.dance(Cues(passed, cycle_of(beats_per_bar), np.full(num, step), audio))


def _write_film(place: Path, task: Task, motion: Motion, song: Path, beats_s: NDArray) -> None:
    from domains.dance_generation.science.picture import BLUE, Stage, film, glow

    skeleton, fps = task.facts.skeleton, task.facts.fps
    positions = motion.positions(skeleton)
    stage = Stage.around([positions], _FILM_HEIGHT)
    light = glow(beats_s, np.arange(len(positions)) / fps)
    sound, rate_hz = read_samples(song)
    write_film(place, film(stage, skeleton, [(positions, BLUE)], light), fps, sound, rate_hz)


def infer(task: Task, arrays: Mapping[str, NDArray]) -> dict[str, NDArray[np.float64]]:
    """A dance to a song given as samples.

    Args:
        task: a trained task.
        arrays: ``audio`` (S,) mono at the task's rate (16 kHz unless ingested otherwise);
            ``beats_s`` (B,) s, the first one begins a bar of four; empty or left out, they are
            tracked; ``step`` (1,) text, a trained step, may be left out.

    Returns:
        ``root_position`` (F, 3) m, ``rotations`` (F, J, 6) in 6-D, ``positions`` (F, J, 3) m.

    Raises:
        DataError: an array is missing, of another shape, or not finite.
    """
    audio = np.asarray(arrays.get("audio", np.zeros(0)), np.float32)
    if audio.ndim != 1 or len(audio) < task.facts.audio_rate_hz or not np.isfinite(audio).all():
        raise DataError(
            f"dance_generation: audio {audio.shape}, expected (samples,) of a second or more at "
            f"{task.facts.audio_rate_hz} Hz, mono, all finite"
        )
    beats_s = np.asarray(arrays.get("beats_s", np.zeros(0)), np.float64)
    if (
        beats_s.ndim != 1
        or len(beats_s) == 1
        or not (np.isfinite(beats_s).all() and (np.diff(beats_s) > 0).all())
    ):
        raise DataError(
            f"dance_generation: beats_s {beats_s.shape}, expected two or more rising times in s, "
            "all finite, or none to have them tracked"
        )
    if not len(beats_s):
        beats_s = track_beats(audio, task.facts.audio_rate_hz).beats_s
    step = str(np.ravel(arrays["step"])[0]) if "step" in arrays else None
    count = np.arange(len(beats_s)) % 4 + 1
    motion = _dance(task, audio, beats_s, count, 4, task.step_index(step))
    return {
        "root_position": motion.root_position,
        "rotations": to_6d(motion.rotations),
        "positions": motion.positions(task.facts.skeleton),
    }


def example_input(task: Task) -> dict[str, NDArray]:
    """Two seconds of clicks at 120 BPM with their beats, as ``infer`` takes them."""
    from domains.dance_generation.sources.music import click_track

    audio, beats_s = click_track(120.0, 0.25, 2.0, task.facts.audio_rate_hz)
    return {"audio": audio, "beats_s": beats_s}
