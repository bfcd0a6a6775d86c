"""Every dance to one song: ours, the baselines' and the source's, and what each is worth.

Legend: F frames, J joints, B beats, D numbers of a pose.

Every method dances the same step to the same song.  Baselines: the mean step of the training on
the same grid of beats and by a metronome of the song's tempo, the nearest neighbour by sound, and
the networks that were trained beside ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from domains.dance_generation.data import Cues, cues_of, pose_vectors
from domains.dance_generation.science import beat_scores, motion_scores
from domains.dance_generation.science.beat_grid import track_beats
from domains.dance_generation.science.dance import Motion, Pair
from domains.dance_generation.science.motion_beats import motion_beats
from domains.dance_generation.science.nearest import Memory, sound_of
from domains.dance_generation.science.noise import noisy
from domains.dance_generation.science.skeleton import foot_joints

if TYPE_CHECKING:
    from domains.dance_generation.train import Task

OURS, SOURCE, TRACKED, LOOP = "ours", "source", "tracked", "loop_on_grid"
"""Names of methods: ours on the true grid, the dance it learned from, ours on tracked beats, the
mean step of the training over and over on the true grid."""


@dataclass(frozen=True)
class Scored:
    """One test song and all dances to it.

    Args:
        pair: song, and the dance of the source to it.
        cues: what the dancers were told.
        motions: method -> dance.
        tracked_s: (B,) beats as they were tracked, ``None`` where nobody dances to them.
        scores: method -> quantity -> value.
    """

    pair: Pair
    cues: Cues
    motions: Mapping[str, Motion]
    tracked_s: NDArray[np.float64] | None
    scores: Mapping[str, Mapping[str, float]]


def score(task: Task, pair: Pair, memory: Memory) -> Scored:
    """Every dance to the song of ``pair``, scored."""
    cues = cues_of(pair)
    if not set(cues.step) <= set(task.table.known_steps):
        # a take that nobody trained on: the step that kept time best in training is danced instead
        cues = replace(cues, step=np.full(len(cues), task.step_index(None)))
    sound = sound_of(pair.audio, len(cues), pair.audio_rate_hz, pair.fps)
    by_metronome = pair.times_s * pair.tempo_bpm / 60.0
    motions = {
        OURS: task.dance(cues),
        LOOP: task.loop(cues),
        "metronome_loop": task.loop(replace(cues, passed=by_metronome)),
        "nearest_neighbour": memory.dance(sound),
    }
    motions |= {name: task.dance(cues, name) for name in task.companions}
    tracked_s = None
    if not task.dancer().hears:
        tracked_s = track_beats(pair.audio, pair.audio_rate_hz).beats_s
        first = np.ones(len(tracked_s), int)
        motions[TRACKED] = task.dance(replace(cues, passed=cues_of(pair, tracked_s, first).passed))
    same_step = np.array_equal(cues.step, pair.step)
    motions[SOURCE] = pair.motion if same_step else motions[LOOP]
    scores = {name: _scores(task, pair, cues, motion) for name, motion in motions.items()}
    source_speed = scores[SOURCE]["joint_speed"]
    for found in scores.values():
        found["speed_error"] = abs(found["joint_speed"] / source_speed - 1.0)
    return Scored(pair, cues, motions, tracked_s, scores)


def _scores(task: Task, pair: Pair, cues: Cues, motion: Motion) -> dict[str, float]:
    body = task.body(motion)
    skeleton, fps = task.facts.skeleton, pair.fps
    found = beat_scores.synchrony(pair.beats_s, body, fps)
    found["joint_speed"] = motion_scores.mean_joint_speed(body, fps)
    found["foot_sliding"] = motion_scores.foot_sliding(
        motion.positions(skeleton), foot_joints(skeleton), fps
    )
    found["step_entropy"] = _step_entropy(task, pair, cues, motion)
    return found


def _step_entropy(task: Task, pair: Pair, cues: Cues, motion: Motion) -> float:
    """Of the longest stretch of one step, against the mean step of training; NaN if too short."""
    edges = np.flatnonzero(np.diff(cues.step, prepend=-1, append=-1))
    longest = int(np.diff(edges).argmax())
    first, end = edges[longest], edges[longest + 1]
    within = (pair.beats_s >= first / pair.fps) & (pair.beats_s < end / pair.fps)
    poses = pose_vectors(motion, task.codec.moving)  # F, D
    generated = motion_scores.on_beats(poses, pair.fps, pair.beats_s[within])
    cycle, per_beat = cues.cycle, motion_scores.SAMPLES_PER_BEAT
    if len(generated) < cycle:
        return float("nan")
    place = np.arange(cycle * per_beat) / per_beat
    reference = task.table.at(np.full(len(place), cues.step[first]), cycle, place).numpy()
    steps = reference.astype(np.float64).reshape(cycle, per_beat, -1)
    return motion_scores.step_entropy(generated, steps)


def in_noise(task: Task, one: Scored, kind: str, snr_db: float) -> float:
    """Strict F of ours to the song of ``one`` in noise: by ear, or to beats tracked in it."""
    pair = one.pair
    audio = noisy(pair.audio, kind, snr_db, pair.audio_rate_hz, seed=0)
    cues = replace(one.cues, audio=audio)
    if not task.dancer().hears:
        tracked_s = track_beats(audio, pair.audio_rate_hz).beats_s
        passed = cues_of(pair, tracked_s, np.ones(len(tracked_s), int)).passed
        cues = replace(cues, passed=passed)
    rests_s = motion_beats(task.body(task.dance(cues)), pair.fps)
    return beat_scores.f_measure(pair.beats_s, rests_s)


def long_dances(task: Task, one: Scored, minutes: float) -> dict[str, Motion]:
    """The first song again and again for ``minutes``: ours, and the mean step on its grid."""
    pair = one.pair
    num = round(60 * minutes * pair.fps)
    times_s = np.arange(num) / pair.fps
    samples = int(num / pair.fps * pair.audio_rate_hz)
    cues = Cues(
        passed=times_s * pair.tempo_bpm / 60.0,
        cycle=one.cues.cycle,
        step=np.full(num, one.cues.step[0]),
        audio=np.resize(pair.audio, samples),
    )
    return {OURS: task.dance(cues), LOOP: task.loop(cues)}
