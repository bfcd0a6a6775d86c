"""Synthetic songs with exactly known beats: drums, bass and chords.

Legend: S samples, B beats.

Not recordings, and the card says so: one-shot drums (swept sine, noise), a low-passed bass and
chords of few partials, in patterns of several styles and metres.  What varies from song to song:
tempo, metre, phase of the first beat, pattern, drum kit, timbres, key, swing, levels, noise.  A
share of the songs has a band as well (``sources/band.py``).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from domains.dance_generation.sources.band import add_band, master
from domains.dance_generation.sources.songs import Song
from domains.dance_generation.sources.sounds import Rng, Sound, decay, place, swell, tone

PATTERNS: dict[str, dict[int, dict[str, tuple[float, ...]]]] = {
    # beats of the bar at which each drum sounds, by metre
    "rock": {
        4: {"kick": (0, 2), "snare": (1, 3), "hat": (0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5)},
        3: {"kick": (0,), "snare": (1, 2), "hat": (0, 0.5, 1, 1.5, 2, 2.5)},
    },
    "house": {
        4: {"kick": (0, 1, 2, 3), "snare": (1, 3), "hat": (0.5, 1.5, 2.5, 3.5)},
        3: {"kick": (0, 1, 2), "snare": (2,), "hat": (0.5, 1.5, 2.5)},
    },
    "latin": {
        4: {"kick": (0, 1.5, 2, 3.5), "snare": (1, 3), "hat": (0, 1, 2, 3), "clave": (0, 1.5, 3)},
        3: {"kick": (0, 1.5), "snare": (1, 2), "hat": (0, 1, 2), "clave": (0, 1.5)},
    },
    "march": {
        4: {"kick": (0, 2), "snare": (0.5, 1, 1.75, 3, 3.5), "hat": (0, 1, 2, 3)},
        3: {"kick": (0,), "snare": (1, 2, 2.5), "hat": (0, 1, 2)},
    },
}

KITS = ("tight", "deep", "bright", "soft")
HELD_OUT_KIT = "soft"
"""A kit that only the test songs of the sample have."""

_KICK_HZ = {"tight": (160.0, 55.0), "deep": (110.0, 40.0), "bright": (220.0, 65.0),
            "soft": (90.0, 50.0)}  # fmt: skip
_SNARE = {"tight": (0.07, 190.0), "deep": (0.12, 160.0), "bright": (0.05, 240.0),
          "soft": (0.09, 210.0)}  # fmt: skip
_CHORDS = ((0, 4, 7), (9, 12, 16), (5, 9, 12), (7, 11, 14), (2, 5, 9), (4, 7, 11))  # semitones
_WAVES: dict[str, tuple[float, ...]] = {
    # strength of the partials
    "organ": (1.0, 0.5, 0.0, 0.3),
    "reed": (1.0, 0.0, 0.4, 0.0, 0.25),
    "string": (1.0, 0.6, 0.4, 0.3, 0.2, 0.15),
    "flute": (1.0, 0.15),
}


def compose(
    name: str,
    seed: tuple[int, ...],
    duration_s: float,
    rate_hz: int,
    tempo_bpm: tuple[float, float] = (85.0, 160.0),
    kits: tuple[str, ...] = KITS,
    band_share: float = 0.0,
) -> Song:
    """A song of ``duration_s``; the same arguments give the same samples.

    Args:
        name: of the song.
        seed: of everything that varies.
        duration_s: length in s.
        rate_hz: samples per second.
        tempo_bpm: range of the tempo, drawn evenly in its logarithm.
        kits: drum kits to choose from.
        band_share: chance of guitars, a lead, fills and a loud master; the rest of the song stays.
    """
    rng = np.random.default_rng(list(seed))
    bpm = float(np.exp(rng.uniform(*np.log(tempo_bpm))))
    metre = 3 if rng.random() < 0.2 else 4
    period = 60.0 / bpm
    first = rng.uniform(0.0, period)
    beats_s = np.arange(first, duration_s, period)
    into_bar = int(rng.integers(metre))
    count = ((np.arange(len(beats_s)) + into_bar) % metre + 1).astype(np.int16)
    track = np.zeros(round(duration_s * rate_hz))
    bar_s = (
        beats_s[0] - into_bar * period + period * metre * np.arange(-1, len(beats_s) // metre + 2)
    )
    pattern = PATTERNS[str(rng.choice(list(PATTERNS)))][metre]
    swing = float(rng.choice([0.0, 0.0, 0.12]))
    _add_drums(track, rate_hz, bar_s, period, pattern, _kit(str(rng.choice(kits)), rate_hz, rng),
               swing, rng)  # fmt: skip
    _add_chords(track, rate_hz, bar_s, period, metre, rng)
    more = np.random.default_rng([*seed, 1])
    if has_band := more.random() < band_share:
        add_band(track, rate_hz, bar_s, period, metre, more)
    track += rng.normal(0.0, rng.uniform(0.001, 0.01), len(track))
    track = master(track, rate_hz, more) if has_band else np.tanh(1.2 * track)
    audio = (track / np.abs(track).max()).astype(np.float32)
    return Song(name, audio, beats_s, count, metre, is_simulated=True)


def click_track(
    bpm: float, offset_s: float, duration_s: float, rate_hz: int
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Audio (S,) with nothing but a click at each beat, and the beats (B,) in s: a known answer."""
    beats_s = np.arange(offset_s, duration_s, 60.0 / bpm)
    track = np.zeros(round(duration_s * rate_hz))
    click = decay(np.sin(2 * np.pi * 1500.0 * np.arange(int(0.03 * rate_hz)) / rate_hz), 0.006,
                   rate_hz)  # fmt: skip
    for beat in beats_s:
        place(track, click, beat, rate_hz)
    return track.astype(np.float32), beats_s


def _kit(name: str, rate_hz: int, rng: Rng) -> dict[str, Sound]:
    """One-shots of a drum kit, each a little different from song to song."""
    high, low = (hz * rng.uniform(0.9, 1.1) for hz in _KICK_HZ[name])
    t = np.arange(int(0.35 * rate_hz)) / rate_hz
    sweep = low + (high - low) * np.exp(-t / 0.03)
    kick = decay(np.sin(2 * np.pi * np.cumsum(sweep) / rate_hz), 0.10, rate_hz)
    tail_s, tone_hz = _SNARE[name]
    t = np.arange(int(0.3 * rate_hz)) / rate_hz
    noise = rng.normal(0.0, 1.0, len(t))
    snare = decay(0.5 * noise + 0.5 * np.sin(2 * np.pi * tone_hz * t), tail_s, rate_hz)
    # the difference of neighbouring samples is a high-pass
    hat = decay(np.diff(rng.normal(0.0, 0.5, int(0.12 * rate_hz))), 0.025, rate_hz)
    t = np.arange(int(0.1 * rate_hz)) / rate_hz
    clave = decay(np.sin(2 * np.pi * 2400.0 * t), 0.02, rate_hz)
    levels = dict(zip(("kick", "snare", "hat", "clave"), rng.uniform(0.6, 1.0, 4), strict=True))
    quiet = {"kick": 1.0, "snare": 0.7, "hat": 0.35, "clave": 0.4}
    sounds = {"kick": kick, "snare": snare, "hat": hat, "clave": clave}
    return {drum: sound * levels[drum] * quiet[drum] for drum, sound in sounds.items()}


def _add_drums(
    track: Sound,
    rate_hz: int,
    bar_s: Sound,
    period: float,
    pattern: dict[str, tuple[float, ...]],
    kit: dict[str, Sound],
    swing: float,
    rng: Rng,
) -> None:
    for bar in bar_s:
        for drum, places in pattern.items():
            for beat in places:
                late = swing if beat % 1.0 == 0.5 else 0.0
                loud = rng.uniform(0.8, 1.0)
                place(track, loud * kit[drum], bar + (beat + late) * period, rate_hz)


def _add_chords(
    track: Sound, rate_hz: int, bar_s: Sound, period: float, metre: int, rng: Rng
) -> None:
    """A bass note on each beat and a chord for each bar, in a loop of four bars."""
    root_hz = 55.0 * 2.0 ** (rng.integers(12) / 12)
    loop = rng.integers(len(_CHORDS), size=4)
    partials = _WAVES[str(rng.choice(list(_WAVES)))]
    plucked = bool(rng.random() < 0.5)
    level = rng.uniform(0.08, 0.2)
    for number, bar in enumerate(bar_s):
        chord = _CHORDS[loop[number % 4]]
        long_s = period * metre
        sound = np.zeros(int(long_s * rate_hz))
        for note in chord:
            sound += tone(root_hz * 4 * 2.0 ** (note / 12), partials, len(sound), rate_hz)
        sound = decay(sound, period, rate_hz) if plucked else swell(sound, rate_hz)
        place(track, level * sound, bar, rate_hz)
        for beat in range(metre):
            bass = tone(root_hz * 2.0 ** (chord[0] / 12), _WAVES["string"],
                         int(0.9 * period * rate_hz), rate_hz)  # fmt: skip
            place(
                track,
                0.3 * decay(lfilter([0.2], [1.0, -0.8], bass), 0.25, rate_hz),
                bar + beat * period,
                rate_hz,
            )
