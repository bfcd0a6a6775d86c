"""Pictures of an evaluation: ours blue, the source black, baselines grey.

Legend: F frames, J joints, B beats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from numpy.typing import NDArray
from PIL import Image

from domains.contract import Figure, save_figure
from domains.dance_generation.models.comparison import OURS, SOURCE, TRACKED, Scored
from domains.dance_generation.science import beat_scores, motion_scores
from domains.dance_generation.science.dance import Motion
from domains.dance_generation.science.motion_beats import motion_beats, smoothed_speed
from domains.dance_generation.science.picture import (
    BLACK,
    BLUE,
    Stage,
    bones_of,
    film,
    glow,
    head_of,
)
from domains.dance_generation.science.skeleton import Skeleton

if TYPE_CHECKING:
    from domains.dance_generation.train import Task

_TOLERANCES_S = [0.01 * n for n in range(1, 16)]
_GREYS = ("0.25", "0.4", "0.55", "0.7", "0.8")
_STYLES = ("--", "-.", ":", "-", (0, (1, 3)))
_STRIP_BEATS = 8
_FILM_HEIGHT = 200  # px
_FILM_RATE_HZ = 15.0
_STRETCH_S = 10.0  # of the curve of speed


def draw(
    out: Path, task: Task, scored: Sequence[Scored], endurance: Mapping[str, Motion]
) -> list[Figure]:
    """Write all pictures below ``out/figures``.

    Args:
        out: folder of the evaluation.
        task: trained.
        scored: test songs.
        endurance: method -> long dance.
    """
    order = sorted(range(len(scored)), key=lambda n: scored[n].scores[OURS]["strict_f"])
    median = scored[order[len(order) // 2]]
    return [
        _film(out, task, median),
        _strip(out, task, median),
        _timeline(out, task, median),
        _tolerance(out, task, scored),
        _drift(out, task, endurance),
    ]


def _greys(names: Sequence[str]) -> dict[str, dict]:
    """Line style of each baseline."""
    return {
        name: {"color": _GREYS[n % len(_GREYS)], "ls": _STYLES[n % len(_STYLES)]}
        for n, name in enumerate(names)
    }


def _film(out: Path, task: Task, one: Scored) -> Figure:
    """Two steps of the median song as a moving picture, the source beside ours."""
    pair, skeleton = one.pair, task.facts.skeleton
    frames = _frames_of(one, 2 * one.cues.cycle)
    frames = frames[:: max(1, round(pair.fps / _FILM_RATE_HZ))]
    dances = [one.motions[name].positions(skeleton)[frames] for name in (SOURCE, OURS)]
    stage = Stage.around(dances, _FILM_HEIGHT)
    light = glow(pair.beats_s, frames / pair.fps)
    pictures = film(stage, skeleton, [(dances[0], BLACK), (dances[1], BLUE)], light)
    images = [Image.fromarray(picture).quantize(16) for picture in pictures]
    path = out / "figures" / "dance.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    step_ms = 1000.0 * float(np.diff(frames[:2])[0]) / pair.fps
    images[0].save(
        path, format="PNG", save_all=True, append_images=images[1:], duration=step_ms, loop=0,
        optimize=True,
    )  # fmt: skip
    return Figure(
        "figures/dance.png",
        f"Moving: two steps to song {pair.song} ({pair.tempo_bpm:.0f} BPM), the source black, ours "
        "blue; the lamp lights on the music's beats.",
        "Two stick figures dance side by side, black and blue, and a lamp flashes with the beat.",
    )


def _frames_of(one: Scored, num_beats: int) -> NDArray[np.int64]:
    """Frames from the second bar's first beat on, for ``num_beats``, as far as the beats go.

    From the first beat on where the second bar begins with the last one.
    """
    pair = one.pair
    begins = np.flatnonzero(pair.count[:-1] == 1)
    first = int(begins[1]) if len(begins) > 1 else 0
    last = min(first + num_beats, len(pair.beats_s) - 1)
    start, end = (round(pair.beats_s[n] * pair.fps) for n in (first, last))
    return np.arange(start, min(end, len(one.cues)))


def _strip(out: Path, task: Task, one: Scored) -> Figure:
    """Poses on the beats and half-way between, source above ours, over the line of beats."""
    pair, skeleton = one.pair, task.facts.skeleton
    frames = _frames_of(one, _STRIP_BEATS)
    times_s = pair.times_s[frames]
    beats = pair.beats_s[(pair.beats_s > times_s[0] - 0.02) & (pair.beats_s < times_s[-1] + 0.02)]
    shown = np.sort(np.r_[beats, (beats[1:] + beats[:-1]) / 2])
    canvas = Canvas(figsize=(9.0, 4.2), layout="constrained")
    panels = canvas.subplots(2, 1, sharex=True)
    for axes, name, colour in zip(panels, (SOURCE, OURS), ("black", "tab:blue"), strict=True):
        positions = one.motions[name].positions(skeleton)
        for at in shown:
            frame = min(round(at * pair.fps), len(positions) - 1)
            alpha = 1.0 if np.abs(beats - at).min() < 1e-6 else 0.3
            _stick(axes, positions[frame], skeleton, at, colour, alpha)
        axes.vlines(beats, -0.12, -0.02, color="tab:orange", lw=2)
        axes.set(ylabel=f"{name}\nheight (m)", ylim=(-0.15, 2.0))
    panels[1].set_xlabel("time (s); a pose stands at its instant, bold on the music's beats")
    canvas.suptitle(f"Poses on the beat, song {pair.song}, {pair.tempo_bpm:.0f} BPM")
    return save_figure(
        canvas, out, "poses_on_the_beat",
        f"Poses of the source (black) and ours (blue) on the beats of song {pair.song} and, "
        "pale, half-way between; orange: the music's beats. Height in m, time in s.",
        "Two rows of stick figures along a line of time, bold ones over orange marks of beats.",
    )  # fmt: skip


def _stick(
    axes: Axes, pose: NDArray, skeleton: Skeleton, at_s: float, colour: str, alpha: float
) -> None:
    """One pose (J, 3) in m, a metre drawn as 0.16 s wide."""
    style: dict[str, Any] = {"color": colour, "alpha": alpha}
    x = at_s + 0.16 * (pose[:, 0] - pose[0, 0])
    for up, joint in bones_of(skeleton):
        axes.plot(x[[up, joint]], pose[[up, joint], 1], lw=1.3, solid_capstyle="round", **style)
    if (head := head_of(skeleton)) is not None:
        axes.plot(x[head], pose[head, 1], "o", ms=5, mew=0, **style)


def _timeline(out: Path, task: Task, one: Scored) -> Figure:
    """Speed of the body and its rests against the music's beats, ours and others."""
    pair = one.pair
    names = [SOURCE, OURS, *(task.companions or ["nearest_neighbour"])]
    canvas = Canvas(figsize=(8.0, 1.3 + 1.3 * len(names)), layout="constrained")
    panels = canvas.subplots(len(names), 1, sharex=True, sharey=True)
    highest = 0.0
    for axes, name in zip(panels, names, strict=True):
        body = task.body(one.motions[name])
        colour = {SOURCE: "black", OURS: "tab:blue"}.get(name, "0.5")
        speed = smoothed_speed(body, pair.fps)
        axes.plot((np.arange(len(speed)) + 0.5) / pair.fps, speed, color=colour, lw=1.2)
        rests_s = motion_beats(body, pair.fps)
        place = np.clip(np.round(rests_s * pair.fps - 0.5).astype(int), 0, len(speed) - 1)
        axes.plot(rests_s, speed[place], "o", color=colour, ms=4)
        for beat in pair.beats_s:
            edges = beat - beat_scores.WINDOW_S, beat + beat_scores.WINDOW_S
            axes.axvspan(*edges, color="tab:orange", alpha=0.2, lw=0)
        axes.set_title(f"{name}: strict F {one.scores[name]['strict_f']:.2f}", fontsize=9)
        highest = max(highest, float(speed.max()))
        axes.set(ylabel="m/s", xlim=(0, min(12.0, pair.duration_s)), ylim=(0, 1.1 * highest))
    panels[-1].set_xlabel("time (s)")
    canvas.suptitle(f"Mean speed of the joints in m/s and its rests, song {pair.song}")
    return save_figure(
        canvas, out, "beats",
        f"Smoothed mean joint speed in m/s to song {pair.song}; dots are motion beats, orange "
        "bands ±70 ms around the music's beats.",
        "Stacked curves of speed whose minima fall into orange bands where a dance keeps time.",
    )  # fmt: skip


def _tolerance(out: Path, task: Task, scored: Sequence[Scored]) -> Figure:
    """Strict F of each method at each tolerance, mean over songs."""
    names = [name for name in scored[0].motions if name not in (OURS, SOURCE, TRACKED)]
    canvas = Canvas(figsize=(7.2, 4.0), layout="constrained")
    axes = canvas.subplots()
    styles = _greys(names) | {
        SOURCE: {"color": "black", "ls": "-"},
        OURS: {"color": "tab:blue", "ls": "-", "lw": 2.2},
    }
    if TRACKED in scored[0].motions:
        styles[TRACKED] = {"color": "tab:blue", "ls": ":", "lw": 2.2}
    for name, style in styles.items():
        curves = []
        for one in scored:
            rests_s = motion_beats(task.body(one.motions[name]), one.pair.fps)
            curves.append(beat_scores.f_by_tolerance(one.pair.beats_s, rests_s, _TOLERANCES_S))
        axes.plot(1000 * np.array(_TOLERANCES_S), np.mean(curves, axis=0), label=name, **style)
    axes.axvline(1000 * beat_scores.WINDOW_S, color="0.8", lw=1, zorder=0)
    axes.set(xlabel="tolerance (ms)", ylabel="strict F", ylim=(0, 1.02), xlim=(10, 150))
    axes.set_title(f"Strict F by tolerance (higher is better), mean of {len(scored)} test songs")
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return save_figure(
        canvas, out, "f_by_tolerance",
        f"F-measure of all motion beats against all music beats by tolerance in ms, mean over "
        f"{len(scored)} test songs; the grey line is the 70 ms of the scores.",
        "Curves of F against tolerance: ours blue, the source black, baselines grey.",
    )  # fmt: skip


def _drift(out: Path, task: Task, endurance: Mapping[str, Motion]) -> Figure:
    """Mean joint speed and way on the floor over the long dance."""
    fps = task.facts.fps
    canvas = Canvas(figsize=(8.0, 3.4), layout="constrained")
    left, right = canvas.subplots(1, 2, width_ratios=(2, 1))
    styles = _greys([name for name in endurance if name != OURS])
    num, fastest = round(_STRETCH_S * fps), 0.0
    for name, motion in endurance.items():
        style = styles.get(name, {"color": "tab:blue", "ls": "-"})
        body = task.body(motion)
        pieces = [body[at : at + num] for at in range(0, len(body) - num + 1, num)]
        speeds = [motion_scores.mean_joint_speed(piece, fps) for piece in pieces]
        minutes = (np.arange(len(pieces)) + 0.5) * _STRETCH_S / 60.0
        fastest = max(fastest, *speeds)
        left.plot(minutes, speeds, label=name, **style)
        roots = np.array([piece[:, 0].mean(axis=0) for piece in pieces])
        right.plot(roots[:, 0], roots[:, 2], marker=".", label=name, **style)
    left.set(xlabel="time (minutes)", ylabel="mean joint speed (m/s)", ylim=(0, 1.2 * fastest))
    left.legend(fontsize=8)
    right.set(xlabel="x (m)", ylabel="z (m)", xlim=(-0.5, 0.5), ylim=(-0.5, 0.5))
    right.set_title("mean place, 10 s each", fontsize=9)
    total = max(len(motion.root_position) for motion in endurance.values()) / fps / 60
    canvas.suptitle(f"Does the dance last? {total:g} minutes without a break")
    return save_figure(
        canvas, out, "drift",
        f"Mean joint speed in m/s over {total:g} minutes of dance, and the mean place on the floor "
        "in m of each ten seconds.",
        "Left, curves of speed over time; right, the places on the floor, close together.",
    )  # fmt: skip
