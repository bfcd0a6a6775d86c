"""Scores of the test songs, none of them trained on: ours, every baseline and control beside it.

Legend: F frames, J joints, D numbers of a pose.

Synchrony is ``science/beat_scores.py``: strict F (all motion beats, 70 ms) first.  Every method
dances the same step to the same song in the same run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from domains.contract import Evaluation, Metric
from domains.dance_generation.data import cues_of
from domains.dance_generation.figures import draw
from domains.dance_generation.models.comparison import (
    LOOP,
    OURS,
    SOURCE,
    TRACKED,
    Scored,
    in_noise,
    long_dances,
    score,
)
from domains.dance_generation.science import beat_scores, motion_scores
from domains.dance_generation.science.beat_grid import librosa_beats
from domains.dance_generation.science.dance import Motion, Pair, load_pairs
from domains.dance_generation.science.nearest import Memory
from domains.dance_generation.science.noise import NOISES
from domains.dance_generation.train import Task
from domains.errors import DataError

F_BAR, ALIGNMENT_BAR, CONTROL_BAR, SPEED_BAR = 0.75, 0.65, 0.4, 0.3
"""Aims: strict F, beat alignment, both on shuffled frames, moved music or another tempo, and share
by which the mean joint speed may differ from the source's."""

CONTROLS = ("shuffled", "shifted", "unsynchronised")
_SYNCHRONY = {
    "strict_f": "F-measure of all motion beats against all music beats within 70 ms",
    "beat_alignment": "mean over motion beats of exp(-d²/2σ²), σ 50 ms, d to the nearest beat",
    "filtered_f": "the F of Yalta et al., motion beats off the music left out; for comparison",
}
_MANNER: dict[str, tuple[str, Literal["lower", "higher"], str]] = {
    "step_entropy": ("nat", "lower", "relative entropy of the danced step to the training's"),
    "speed_error": ("", "lower", "share by which the mean joint speed differs from the source's"),
    "foot_sliding": ("m/s", "lower", "mean speed of feet that stand"),
}
_TRAINED_SONGS = 4
_NOISE_DB = (20, 10, 0)


def evaluate(
    dataset: Path | str, task: Task, out: Path | str, *, evaluate: Mapping[str, Any], **_: Any
) -> Evaluation:
    """Score the test songs of ``dataset``.

    Args:
        dataset: folder that ``ingest`` wrote.
        task: trained.
        out: folder for figures.
        evaluate: section ``evaluate``.

    Raises:
        DataError: no test pair.
    """
    trained, pairs = load_pairs(dataset, "train"), _distinct(task, load_pairs(dataset, "test"))
    if not pairs:
        raise DataError(
            f"{dataset}: no test pair; scoring needs a song that was not trained on: "
            "set ingest.files.test_files"
        )
    memory = Memory.of(trained)
    scored = [score(task, pair, memory) for pair in pairs]
    cases = pd.DataFrame([_row(one) for one in scored])
    minutes = float(evaluate["drift_minutes"])
    endurance = long_dances(task, scored[0], minutes)
    metrics = [*_metrics(scored), *_drift_metrics(task, endurance, minutes)]
    metrics += _noise_metrics(task, scored[: evaluate["noise_songs"]])
    if task.dancer().hears:
        metrics.append(_trained_songs(task, trained))
    figures = draw(Path(out), task, scored, endurance)
    return Evaluation(metrics, cases, figures, _notes(task, scored, metrics))


def _distinct(task: Task, pairs: Sequence[Pair]) -> list[Pair]:
    """``pairs`` without those that would be the same case again.

    Takes that nobody trained on are all danced in the same step, so each song counts once.
    """
    known = set(task.table.known_steps)
    cases: dict[tuple[str, str | None], Pair] = {}
    for pair in pairs:
        is_known = set(pair.step.tolist()) <= known
        cases.setdefault((pair.song, pair.name if is_known else None), pair)
    return list(cases.values())


def _row(one: Scored) -> dict[str, Any]:
    """One line of the table: each quantity of ours, then of the others."""
    pair = one.pair
    row: dict[str, Any] = {
        "case": pair.name,
        "tempo_bpm": round(pair.tempo_bpm, 2),
        "beats_per_bar": pair.beats_per_bar,
    }
    if one.tracked_s is not None:
        row["tracker_f"] = beat_scores.f_measure(pair.beats_s, one.tracked_s)
        row["tracker_f:librosa"] = beat_scores.f_measure(
            pair.beats_s, librosa_beats(pair.audio, pair.audio_rate_hz)
        )
    for quantity in (*_SYNCHRONY, *_MANNER, "joint_speed"):
        for name, found in one.scores.items():
            row[quantity if name == OURS else f"{quantity}:{name}"] = found[quantity]
        if quantity in _SYNCHRONY:
            for control in CONTROLS:
                row[f"{quantity}:{control}"] = one.scores[OURS][f"{quantity}_{control}"]
    return row


def _metrics(scored: Sequence[Scored]) -> list[Metric]:
    """Means over songs; the headline, strict F on the true grid, first."""
    others = [name for name in scored[0].scores if name not in (OURS, TRACKED, SOURCE)]
    metrics = []
    for quantity, what in _SYNCHRONY.items():
        baselines = {name: _mean(scored, name, quantity) for name in others}
        baselines |= {name: _mean(scored, OURS, f"{quantity}_{name}") for name in CONTROLS}
        metrics.append(_metric(quantity, _mean(scored, OURS, quantity), "", "higher", scored,
                               baselines, what))  # fmt: skip
        if scored[0].tracked_s is not None:
            metrics.append(_tracked(scored, quantity, what))
    for quantity, (unit, better, what) in _MANNER.items():
        compared = others if quantity == "speed_error" else [*others, SOURCE]
        baselines = {name: _mean(scored, name, quantity) for name in compared}
        value = _mean(scored, OURS, quantity)
        if np.isfinite(value):  # a song may be too short for a step
            metrics.append(_metric(quantity, value, unit, better, scored, baselines, what))
    return metrics


def _tracked(scored: Sequence[Scored], quantity: str, what: str) -> Metric:
    """The same on a grid that was tracked, beside what the tracker's own grid would score."""
    grids = [(one.pair.beats_s, one.tracked_s) for one in scored if one.tracked_s is not None]
    own = float(np.mean([_of_tracker(quantity, true, tracked) for true, tracked in grids]))
    controls = {name: _mean(scored, TRACKED, f"{quantity}_{name}") for name in CONTROLS}
    return _metric(
        f"{quantity}_tracked", _mean(scored, TRACKED, quantity), "", "higher", scored,
        {"tracked_beats_themselves": own, **controls}, f"{what}; danced to tracked beats",
    )  # fmt: skip


def _of_tracker(quantity: str, true_s: NDArray, tracked_s: NDArray) -> float:
    """What a dance would score whose rests are the tracked beats themselves."""
    if quantity == "strict_f":
        return beat_scores.f_measure(true_s, tracked_s)
    if quantity == "beat_alignment":
        return beat_scores.beat_alignment(true_s, tracked_s)
    return beat_scores.filtered_f_measure(true_s, tracked_s)


def _mean(scored: Sequence[Scored], name: str, quantity: str) -> float:
    return float(np.mean([one.scores[name][quantity] for one in scored]))


def _metric(
    name: str,
    value: float,
    unit: str,
    better: Literal["lower", "higher"],
    scored: Sequence[Scored],
    baselines: Mapping[str, float],
    what: str,
) -> Metric:
    return Metric(name, value, unit, better, len(scored), baselines, f"{what}; mean over songs")


def _drift_metrics(task: Task, dances: Mapping[str, Motion], minutes: float) -> list[Metric]:
    drifts = {
        name: motion_scores.drift(task.body(motion), task.facts.fps)
        for name, motion in dances.items()
    }
    named = {
        "drift_pose": ("m", "mean distance between the mean poses", lambda one: one.pose_m),
        "drift_root": (
            "m",
            "distance between the mean places on the floor",
            lambda one: one.root_m,
        ),
        "drift_speed": ("", "change of the mean joint speed", lambda one: abs(one.speed_ratio - 1)),
    }
    between = f"of the first and the last 30 s of {minutes:g} minutes, one song"
    return [
        Metric(name, of(drifts[OURS]), unit, "lower", 1,
               {LOOP: of(drifts[LOOP])}, f"{what} {between}")
        for name, (unit, what, of) in named.items()
    ]  # fmt: skip


def _noise_metrics(task: Task, scored: Sequence[Scored]) -> list[Metric]:
    """Strict F in white noise, claps and a crowd, at the levels of Yalta et al."""
    if not scored:
        return []
    clean = float(np.mean([one.scores[_heard(one)]["strict_f"] for one in scored]))
    metrics = []
    for level_db in _NOISE_DB:
        found = [in_noise(task, one, kind, level_db) for one in scored for kind in NOISES]
        what = f"strict F in {', '.join(NOISES)} at {level_db} dB, mean over them and songs"
        metrics.append(
            Metric(f"strict_f_noise_{level_db}db", float(np.mean(found)), "", "higher",
                   len(scored), {"without_noise": clean}, what)
        )  # fmt: skip
    return metrics


def _heard(one: Scored) -> str:
    """The method that depends on what is heard: ours by ear, or on tracked beats."""
    return OURS if one.tracked_s is None else TRACKED


def _trained_songs(task: Task, trained: Sequence[Pair]) -> Metric:
    """Strict F of a network that hears on songs that it has learned from, for comparison."""
    chosen = trained[:_TRAINED_SONGS]
    found: dict[str, list[float]] = {name: [] for name in (OURS, *task.companions)}
    for pair in chosen:
        for name, values in found.items():
            body = task.body(task.dance(cues_of(pair), None if name == OURS else name))
            values.append(beat_scores.synchrony(pair.beats_s, body, pair.fps)["strict_f"])
    means = {name: float(np.mean(values)) for name, values in found.items()}
    value = means.pop(OURS)
    return Metric("strict_f_trained_songs", value, "", "higher", len(chosen), means,
                  f"{_SYNCHRONY['strict_f']}; songs of the training, not of the test")  # fmt: skip


def _notes(task: Task, scored: Sequence[Scored], metrics: Sequence[Metric]) -> list[str]:
    """What a reader of the numbers must know."""
    by_name = {metric.name: metric for metric in metrics}
    strict, alignment = by_name["strict_f"], by_name["beat_alignment"]
    controls = {
        f"{metric.name} {name}": metric.baselines[name]
        for metric in (strict, alignment)
        for name in CONTROLS
    }
    worst = max(controls, key=lambda name: controls[name])
    speed = by_name["speed_error"].value
    bars = [
        ("strict F", strict.value, "≥", F_BAR),
        ("beat alignment", alignment.value, "≥", ALIGNMENT_BAR),
        (f"highest control ({worst})", controls[worst], "≤", CONTROL_BAR),
        ("joint speed against the source's", speed, "≤", SPEED_BAR),
    ]
    told = "; ".join(
        f"{name} {value:.2f} (aim {sign} {bar}: "
        f"{'reached' if (value >= bar) == (sign == '≥') or value == bar else 'missed'})"
        for name, value, sign, bar in bars
    )
    heard = "by ear, no grid given" if task.dancer().hears else "with the true beat grid"
    notes = [f"On songs never trained on, {heard}: {told}; n = {strict.n} songs."]
    for metric in (strict, alignment, by_name["foot_sliding"]):
        name, value = metric.best_baseline() or ("", metric.value)
        if not metric.beats(value):
            notes.append(f"{metric.name}: {name} is as good or better ({value:.3f}).")
    if "strict_f_tracked" in by_name:
        tracked = by_name["strict_f_tracked"]
        own = tracked.baselines["tracked_beats_themselves"]
        notes.append(
            f"Danced to tracked beats strict F is {tracked.value:.2f}; the tracked beats "
            f"themselves have {own:.2f} against the true ones: what is lost is lost by the tracker."
        )
    filtered = by_name["filtered_f"]
    notes.append(
        f"The F of the paper leaves out motion beats off the music: it gives {filtered.value:.2f} "
        f"to ours and {filtered.baselines['shuffled']:.2f} to its frames in random order."
    )
    if any(one.pair.is_simulated for one in scored):
        notes.append(
            "Songs, or songs and dances, are simulated: the numbers show that the pipeline works, "
            "not how it does on recordings."
        )
    if any(not np.array_equal(one.cues.step, one.pair.step) for one in scored):
        index = task.step_index(None)
        notes.append(
            f"The test takes were not trained on; {task.facts.steps[index]} is danced instead, the "
            "step that kept time best in training, and it is the source in the comparisons."
        )
    return notes
