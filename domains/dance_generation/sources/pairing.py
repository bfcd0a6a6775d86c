"""A take and a song that were not recorded together become a pair, by warping the take.

Legend: F frames, J joints, B beats of the song, D beats of the dance.

A dance's own beats are where its body comes to rest; time between them is stretched so that they
fall on the song's.  No such pair was ever danced to that song, and the card says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from domains.dance_generation.science import rotations as turns
from domains.dance_generation.science.beat_grid import beat_position
from domains.dance_generation.science.beat_scores import f_measure
from domains.dance_generation.science.dance import Motion
from domains.dance_generation.science.motion_beats import motion_beats, step_period
from domains.dance_generation.science.skeleton import foot_joints
from domains.dance_generation.sources.takes import Take
from domains.errors import DataError

LOOP_BEATS = 8
"""In common time, two bars; ``science.cycle`` says how many in other metres."""

_CLOSE = 0.6  # of a step; two rests closer than this are one
_BLEND_BEATS = 1.0
_MAX_LEAP_M, _MAX_TURN = 0.6, np.pi / 3  # of a loop from its start to its end
_BEAT_RANGE_S = (0.35, 0.85)  # of a loop's beat in the take
_NUM_JUDGED = 12
_JUDGED_S = 0.469  # s per beat at 128 BPM, the tempo at which loops are compared


def dance_beats(take: Take) -> NDArray[np.float64]:
    """Beats (D,) in s of a dance: its rests, and even steps between two rests.

    Between two rests lie as many beats as fit best at the pace of the feet.

    Raises:
        DataError: the feet take too few steps, or the body rests less than twice.
    """
    feet = list(foot_joints(take.skeleton))
    period_s = step_period(take.positions()[:, feet]) / take.fps
    rests_s = motion_beats(take.body_positions(), take.fps)
    if not period_s or len(rests_s) < 2:
        raise DataError(f"{take.name}: too few steps to find a beat in {take.duration_s:.0f} s")
    kept = [rests_s[0]]
    for rest in rests_s[1:]:
        if rest - kept[-1] >= _CLOSE * period_s:
            kept.append(rest)
    counts = np.maximum(1, np.round(np.diff(kept) / period_s)).astype(int)
    index = np.r_[0, np.cumsum(counts)]
    return np.interp(np.arange(index[-1] + 1), index, kept)


def sampled(take: Take, times_s: NDArray) -> Motion:
    """The take at ``times_s`` (F,), held at its ends.

    Neighbouring rotations are mixed in the 6-D form, whose error against the great circle is of
    third order in the angle between two frames: below 0.01° at 5°.
    """
    at = np.clip(np.asarray(times_s) * take.fps, 0.0, len(take) - 1.0)
    low = np.minimum(np.floor(at).astype(int), len(take) - 2)
    share = at - low
    root = take.root_position
    placed = root[low] + share[:, None] * (root[low + 1] - root[low])
    return Motion(placed, _mixed(take.rotations[low], take.rotations[low + 1], share))


def warped(
    take: Take, own_beats_s: NDArray, song_beats_s: NDArray, num_frames: int, fps: float
) -> Motion:
    """The take with its own beats on the song's, one for one from the first, at ``fps``.

    Before the first and after the last beat time runs at the pace of the nearest.
    """
    num = min(len(own_beats_s), len(song_beats_s))
    own, song = np.asarray(own_beats_s[:num]), np.asarray(song_beats_s[:num])
    times_s = np.arange(num_frames) / fps
    # a smooth pace: where it jumps, the speed does, and its minimum moves off the beat
    inside = PchipInterpolator(song, own, extrapolate=True)(times_s)
    pace = (own[1] - own[0]) / (song[1] - song[0]), (own[-1] - own[-2]) / (song[-1] - song[-2])
    before, after = times_s - song[0], times_s - song[-1]
    inside = np.where(before < 0, own[0] + before * pace[0], inside)
    inside = np.where(after > 0, own[-1] + after * pace[1], inside)
    return sampled(take, inside)


@dataclass(frozen=True)
class Loop:
    """Eight beats of a take that can be danced over and over.

    Args:
        take: the whole of it.
        start_s: of the loop in the take.
        beat_s: length of one of its beats in the take.
        strict_f: of the repeated loop's motion beats at 128 BPM, by which it was chosen.
        beats: of the loop; 8, or 6 for music in three-four.
    """

    take: Take
    start_s: float
    beat_s: float
    strict_f: float
    beats: int


def best_loop(take: Take, beats: int = LOOP_BEATS) -> Loop:
    """The ``beats`` of ``take`` whose repetition keeps time best and ends about where it began.

    1. Every start and every tempo is judged by the motion beats of the take itself.
    2. The best dozen are repeated, seam and all, and judged by what is then danced.

    Raises:
        DataError: the take is too short, or every stretch travels or turns too far.
    """
    candidates = sorted(_candidates(take, beats), key=lambda one: -one.strict_f)
    kept: list[Loop] = []
    for one in candidates:
        ends = sampled(take, one.start_s + one.beat_s * np.array([0.0, beats]))
        leap = np.linalg.norm((ends.root_position[1] - ends.root_position[0])[[0, 2]])
        if leap <= _MAX_LEAP_M and abs(_turn(ends.rotations)) <= _MAX_TURN:
            kept.append(replace(one, strict_f=_repeated_f(one)))
        if len(kept) == _NUM_JUDGED:
            break
    if not kept:
        raise DataError(
            f"{take.name}: none of {len(candidates)} stretches of {beats} beats ends near "
            "where it began; set ingest.pairing.form: whole"
        )
    return max(kept, key=lambda one: one.strict_f)


def _candidates(take: Take, beats: int) -> list[Loop]:
    rests = motion_beats(take.body_positions(), take.fps)
    found = []
    for beat_s in np.arange(*_BEAT_RANGE_S, 1 / take.fps):
        first, last = beat_s, take.duration_s - (beats + 1) * beat_s
        for start_s in np.arange(first, last, 2 / take.fps):
            inside = rests[np.searchsorted(rests, start_s - 0.5 * beat_s) :]
            inside = inside[: np.searchsorted(inside, start_s + (beats - 0.5) * beat_s)]
            # at the tempo at which loops are compared
            danced = (inside - start_s) * (_JUDGED_S / beat_s)
            value = f_measure(_JUDGED_S * np.arange(beats), danced)
            found.append(Loop(take, float(start_s), float(beat_s), value, beats))
    return found


def _repeated_f(loop: Loop) -> float:
    music_s = _JUDGED_S * np.arange(1, 3 * loop.beats)
    take = loop.take
    motion = repeated(loop, music_s, int(3 * loop.beats * _JUDGED_S * take.fps), take.fps)
    danced = Take(take.name, take.skeleton, take.fps, motion.root_position, motion.rotations)
    return f_measure(music_s, motion_beats(danced.body_positions(), take.fps))


def repeated(
    loop: Loop, song_beats_s: NDArray, num_frames: int, fps: float, into_bar: int = 0
) -> Motion:
    """The loop on the beats of a song (B,), over and over, (F,) frames at ``fps``.

    It begins with a bar: the song's first beat is the loop's beat ``into_bar``.

    The way it travels and turns is taken out evenly, and over its last beat it fades into the beat
    before its start, so there is no jump where it begins again.
    """
    passed = beat_position(song_beats_s, np.arange(num_frames) / fps)
    place = (passed + into_bar) % loop.beats  # beats into the loop
    main = _in_place(loop, place)
    early = place - loop.beats  # −1 … 0 over the last beat
    fades = early > -_BLEND_BEATS
    lead = _in_place(loop, np.maximum(early, -_BLEND_BEATS))
    share = np.where(fades, np.clip(early / _BLEND_BEATS + 1.0, 0.0, 1.0), 0.0)
    share = share**2 * (3.0 - 2.0 * share)
    root = main.root_position + share[:, None] * (lead.root_position - main.root_position)
    return Motion(root, _mixed(main.rotations, lead.rotations, share))


def _in_place(loop: Loop, place: NDArray) -> Motion:
    """The loop at ``place`` (F,) in beats, its travel and turn taken out in proportion."""
    ends = sampled(loop.take, loop.start_s + loop.beat_s * np.array([0.0, loop.beats]))
    begin = ends.root_position[0] * [1.0, 0.0, 1.0]
    turn = _turn(ends.rotations)
    back = turns.about("Y", -turn * place / loop.beats)
    motion = sampled(loop.take, loop.start_s + loop.beat_s * place)
    flat = ends.root_position[1] * [1.0, 0.0, 1.0] - begin
    leap = turns.about("Y", np.asarray(-turn)) @ flat
    root = (back @ (motion.root_position - begin)[..., None])[..., 0]
    root = root - leap * (place / loop.beats)[:, None]
    rotated = motion.rotations.copy()
    rotated[:, 0] = back @ rotated[:, 0]
    return Motion(root, rotated)


def _turn(rotations: NDArray) -> float:
    """Angle in rad about the vertical from the first to the second root rotation, −π to π."""
    change = np.diff(turns.heading(rotations[:, 0]))[0]
    return float((change + np.pi) % (2 * np.pi) - np.pi)


def _mixed(first: NDArray, second: NDArray, share: NDArray) -> NDArray[np.float64]:
    six, other = turns.to_6d(first), turns.to_6d(second)
    return turns.from_6d(six + share[:, None, None] * (other - six))
