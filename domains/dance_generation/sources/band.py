"""A band around a synthetic song: what makes the beat of recorded music hard to hear.

Legend: S samples.

Distorted guitars on eighths and sixteenths, a lead that begins its notes off the beat, more kicks
and snares than the pattern has, fills and crashes, and a master that takes the loudness apart: an
encoder that learned from plain drums alone takes none of these for what they are.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import butter, lfilter

from domains.dance_generation.sources.sounds import Rng, Sound, decay, place, tone

_SAW = tuple(1.0 / k for k in range(1, 13))
_FIFTH, _OCTAVE = 2.0 ** (7 / 12), 2.0
_SCALE = (0, 3, 5, 7, 10, 12)  # semitones, pentatonic
_CHORDS = (0, 3, 5, 7, -2, -4)  # semitones of the roots of a riff
_FILL_EVERY = 4  # bars


def add_band(track: Sound, rate_hz: int, bar_s: Sound, period: float, metre: int, rng: Rng) -> None:
    """Add guitars, perhaps a lead, and drums beyond the pattern to ``track`` (S,) in place.

    Args:
        track: the song so far.
        rate_hz: samples per second.
        bar_s: (N,) beginnings of the bars in s.
        period: of the beat in s.
        metre: beats of a bar.
        rng: of everything that varies.
    """
    root_hz = 55.0 * 2.0 ** (rng.integers(12) / 12)
    _add_guitar(track, rate_hz, bar_s, period, metre, root_hz, rng)
    if rng.random() < 0.6:
        _add_lead(track, rate_hz, bar_s, period, metre, 8 * root_hz, rng)
    _add_drums(track, rate_hz, bar_s, period, metre, rng)


def master(track: Sound, rate_hz: int, rng: Rng) -> Sound:
    """``track`` darker or brighter, and driven until its peaks are all alike."""
    turn_hz = rng.uniform(300.0, 3000.0)
    low = lfilter(*butter(1, turn_hz / (rate_hz / 2)), track)
    turned = low * rng.uniform(0.4, 1.4) + (track - low) * rng.uniform(0.4, 1.4)
    level = np.sqrt(np.mean(turned**2)) + 1e-9
    return np.tanh(rng.uniform(0.3, 1.2) * turned / level)


def _add_guitar(
    track: Sound, rate_hz: int, bar_s: Sound, period: float, metre: int, root_hz: float, rng: Rng
) -> None:
    """A riff of one or two bars on eighths or sixteenths, muted or held, over four roots."""
    per_beat = int(rng.choice([2, 2, 3, 4]))
    places = np.arange(2 * metre * per_beat) / per_beat
    played = rng.random(len(places)) < rng.uniform(0.4, 1.0)
    loudness = rng.uniform(0.5, 1.0, len(places))
    is_muted = rng.random(len(places)) < rng.uniform(0.0, 1.0)
    drive, level = rng.uniform(2.0, 12.0), rng.uniform(0.1, 0.5)
    roots = root_hz * 2.0 ** (rng.choice(_CHORDS, 4) / 12)
    long, muted = {}, {}
    for hz in set(roots):
        num = int(2 * period * rate_hz)
        chord = sum(tone(hz * ratio, _SAW, num, rate_hz) for ratio in (1.0, _FIFTH, _OCTAVE))
        sound = np.tanh(drive * chord / 3.0)
        long[hz], muted[hz] = decay(sound, 1.5, rate_hz), decay(sound, 0.06, rate_hz)
    at = np.flatnonzero(played)
    for number, bar in enumerate(bar_s[::2]):
        hz = roots[number % 4]
        for index, after in zip(at, np.append(at[1:], len(places)), strict=True):
            length = int((after - index) / per_beat * period * rate_hz)
            sound = (muted if is_muted[index] else long)[hz][:length]
            place(
                track,
                level * loudness[index] * sound,
                bar + places[index] * period,
                rate_hz,
            )


def _add_lead(
    track: Sound, rate_hz: int, bar_s: Sound, period: float, metre: int, base_hz: float, rng: Rng
) -> None:
    """Notes with vibrato that begin at any eighth, of half a beat to two beats."""
    level, depth = rng.uniform(0.05, 0.25), rng.uniform(0.0, 0.01)
    partials = tuple(rng.uniform(0.0, 1.0, 6) / np.arange(1, 7))
    at, end = 0.0, len(bar_s) * metre
    while at < end:
        beats = float(rng.choice([0.5, 0.5, 1.0, 1.5, 2.0]))
        if rng.random() < 0.75:
            num = int(0.95 * beats * period * rate_hz)
            t = np.arange(num) / rate_hz
            hz = base_hz * 2.0 ** (rng.choice(_SCALE) / 12)
            turns = 2 * np.pi * hz * (t + depth / 30.0 * np.sin(2 * np.pi * 5.5 * t))
            note = sum(a * np.sin(k * turns) for k, a in enumerate(partials, 1))
            place(track, level * decay(note, 0.8, rate_hz), bar_s[0] + at * period, rate_hz)
        at += beats


def _add_drums(
    track: Sound, rate_hz: int, bar_s: Sound, period: float, metre: int, rng: Rng
) -> None:
    """More kicks and quiet snares on eighths or sixteenths, fills before and crashes on bars."""
    t = np.arange(int(0.25 * rate_hz)) / rate_hz
    hz = rng.uniform(45.0, 70.0) + rng.uniform(60.0, 160.0) * np.exp(-t / 0.03)
    kick = 0.8 * decay(np.sin(2 * np.pi * np.cumsum(hz) / rate_hz), 0.08, rate_hz)
    snare = 0.5 * decay(rng.normal(0.0, 0.6, len(t)), rng.uniform(0.04, 0.12), rate_hz)
    crash = 0.4 * decay(np.diff(rng.normal(0.0, 0.5, int(1.5 * rate_hz))), 0.5, rate_hz)
    places = np.arange(0.0, metre, float(rng.choice([0.25, 0.5])))
    kicks = places[rng.random(len(places)) < rng.uniform(0.0, 0.6)]
    ghosts = places[rng.random(len(places)) < rng.uniform(0.0, 0.2)]
    for number, bar in enumerate(bar_s):
        hits = [(kick, at, 1.0) for at in kicks] + [(snare, at, 0.4) for at in ghosts]
        if number % _FILL_EVERY == _FILL_EVERY - 1:
            fill = np.arange(metre - float(rng.choice([0.5, 1.0, 2.0])), metre, 0.25)
            hits += [(snare, at, 0.8) for at in fill[rng.random(len(fill)) < 0.8]]
        if number % _FILL_EVERY == 0:
            hits.append((crash, 0.0, 1.0))
        for sound, at, loud in hits:
            place(track, loud * rng.uniform(0.8, 1.0) * sound, bar + at * period, rate_hz)
