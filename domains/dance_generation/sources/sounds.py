"""Sounds of synthetic songs: tones, envelopes, and their place in a track.

Legend: S samples.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Rng = np.random.Generator
Sound = NDArray[np.float64]


def tone(hz: float, partials: tuple[float, ...], num: int, rate_hz: int) -> Sound:
    """``num`` samples of a sum of ``partials`` (strengths) over ``hz``, none near Nyquist."""
    turns = 2 * np.pi * hz * np.arange(num) / rate_hz
    kept = [(k, a) for k, a in enumerate(partials, 1) if a and k * hz < 0.45 * rate_hz]
    return np.sum([a * np.sin(k * turns) for k, a in kept], axis=0) if kept else np.zeros(num)


def decay(sound: Sound, tau_s: float, rate_hz: int) -> Sound:
    """``sound`` with a quick attack that dies away with the time constant ``tau_s``."""
    t = np.arange(len(sound)) / rate_hz
    return sound * np.exp(-t / tau_s) * np.minimum(1.0, t / 0.002)


def swell(sound: Sound, rate_hz: int) -> Sound:
    """``sound`` with soft edges."""
    edge = min(int(0.05 * rate_hz), len(sound) // 2)
    ramp = np.ones(len(sound))
    ramp[:edge] = np.arange(edge) / edge
    ramp[len(sound) - edge :] = np.arange(edge)[::-1] / edge
    return sound * ramp


def place(track: Sound, sound: Sound, at_s: float, rate_hz: int) -> None:
    """Add ``sound`` at ``at_s``, cut at both ends of the track."""
    start = round(at_s * rate_hz)
    cut = max(0, -start)
    end = min(len(track), start + len(sound))
    if end > start + cut:
        track[start + cut : end] += sound[cut : end - start]
