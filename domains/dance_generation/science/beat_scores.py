"""How well a dance keeps time, and the controls that say what the number is worth.

Legend: B beats of the music, M motion beats, F frames, J joints, D numbers of a pose.

A score of synchrony means little by itself: a body that shakes at random has a motion beat near
every music beat.  So each score stands beside the same score of controls: the same frames in
random order, the music's beats moved by half a beat, and the dance at another tempo.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from domains.dance_generation.science.motion_beats import motion_beats

WINDOW_S = 0.07
"""s, tolerance of the strict F (mir_eval.beat.f_measure; S. Dixon, "Evaluation of the Audio Beat
Tracking System BeatRoot", J. New Music Research 36(1), 2007)."""

SIGMA_S = 0.05
"""s, 3 frames at 60 per second (AIST++, arXiv:2101.08779, equation 9)."""

FILTER_S = 0.1
"""s, 3 frames at 30 per second (Yalta et al., arXiv:1807.01126)."""

OTHER_TEMPO = 1.09
"""Factor of the unsynchronised control: it runs through all phases of the beat in 11 beats."""


def f_measure(music_s: NDArray, motion_s: NDArray, window_s: float = WINDOW_S) -> float:
    """F-measure of two rising lists of instants in s: 2·hits / (B + M), 0 to 1.

    A hit is a motion beat within ``window_s`` of a music beat, each used once; as many as can be
    are matched.  Two rising lists with one window are matched best from left to right.
    """
    hits, m = 0, 0
    for beat in music_s:
        while m < len(motion_s) and motion_s[m] < beat - window_s:
            m += 1
        if m < len(motion_s) and motion_s[m] <= beat + window_s:
            hits, m = hits + 1, m + 1
    total = len(music_s) + len(motion_s)
    return 2.0 * hits / total if total else 0.0


def f_by_tolerance(
    music_s: NDArray, motion_s: NDArray, windows_s: Sequence[float]
) -> NDArray[np.float64]:
    """Strict F at each tolerance in ``windows_s``."""
    return np.array([f_measure(music_s, motion_s, window) for window in windows_s])


def beat_alignment(
    music_s: NDArray,
    motion_s: NDArray,
    sigma_s: float = SIGMA_S,
    over: Literal["motion", "music"] = "motion",
) -> float:
    """Beat alignment score: mean of exp(−d² / 2σ²), d from each beat to the nearest of the others.

    ``over="motion"`` averages over motion beats (AIST++, equation 9), ``"music"`` over the music's
    (as later papers do); no beats on either side give 0.
    """
    if len(music_s) == 0 or len(motion_s) == 0:
        return 0.0
    ours, others = (motion_s, music_s) if over == "motion" else (music_s, motion_s)
    gap = np.abs(np.asarray(ours)[:, None] - np.asarray(others)[None, :]).min(axis=1)
    return float(np.exp(-(gap**2) / (2 * sigma_s**2)).mean())


def filtered_f_measure(music_s: NDArray, motion_s: NDArray, filter_s: float = FILTER_S) -> float:
    """F-measure of Yalta et al.: motion beats farther than ``filter_s`` from the music are dropped.

    Precision is then near 1 whatever is danced: the same frames in random order score almost what
    the dancer does.  It is here for comparison with the paper alone.
    """
    if len(music_s) == 0 or len(motion_s) == 0:
        return 0.0
    gap = np.abs(np.asarray(motion_s)[:, None] - np.asarray(music_s)[None, :]).min(axis=1)
    return f_measure(music_s, np.asarray(motion_s)[gap <= filter_s], filter_s)


def shuffled(positions: NDArray, seed: int) -> NDArray:
    """Control: the frames of positions (F, J, 3) in random order."""
    return positions[np.random.default_rng(seed).permutation(len(positions))]


def shifted(music_s: NDArray) -> NDArray[np.float64]:
    """Control: music beats (B,) moved to half way to the next, the last by as much as before."""
    gaps = np.diff(music_s)
    return np.asarray(music_s) + 0.5 * np.append(gaps, gaps[-1:] if len(gaps) else 0.0)


def unsynchronised(motion_s: NDArray) -> NDArray[np.float64]:
    """Control: the dance at ``OTHER_TEMPO`` times its length, with no regard to the music."""
    return np.asarray(motion_s) * OTHER_TEMPO


def synchrony(music_s: NDArray, positions: NDArray, fps: float, seed: int = 0) -> dict[str, float]:
    """All scores of one dance with their controls.

    Args:
        music_s: (B,) s, from the first frame on.
        positions: (F, J, 3) m of the joints that dance.
        fps: frames per second.
        seed: of the shuffled control.

    Returns:
        ``strict_f``, ``beat_alignment`` and ``filtered_f``, and each of them with ``_shuffled``,
        ``_shifted`` and ``_unsynchronised`` behind its name.
    """
    duration_s = len(positions) / fps
    music_s = np.asarray(music_s)
    music_s = music_s[(music_s >= 0) & (music_s <= duration_s)]
    ours = motion_beats(positions, fps)
    later = unsynchronised(ours)
    cases = {
        "": (music_s, ours),
        "_shuffled": (music_s, motion_beats(shuffled(positions, seed), fps)),
        "_shifted": (shifted(music_s), ours),
        "_unsynchronised": (music_s, later[later <= duration_s]),
    }
    scores: dict[str, float] = {}
    for name, (music, motion) in cases.items():
        scores[f"strict_f{name}"] = f_measure(music, motion)
        scores[f"beat_alignment{name}"] = beat_alignment(music, motion)
        scores[f"filtered_f{name}"] = filtered_f_measure(music, motion)
    return scores
