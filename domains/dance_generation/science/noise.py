"""Music in a noisy room: white noise, claps, a crowd.

Legend: S audio samples.

The noises of the tests of Yalta et al. (arXiv:1807.01126, section V), synthesised: their recordings
of claps and of a crowd are not public.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

Rng = np.random.Generator

_CLAPS_HZ = 3.0  # a second, at random instants
_CLAP_BAND_HZ, _CLAP_DECAY_S = (900.0, 3500.0), 0.015
_VOICES, _VOICE_BAND_HZ, _SYLLABLES_HZ = 12, (200.0, 3000.0), 4.0


def noisy(audio: NDArray, kind: str, snr_db: float, rate_hz: int, seed: int) -> NDArray[np.float32]:
    """``audio`` (S,) with noise of ``kind`` at a ratio of mean powers, its largest magnitude 1.

    Args:
        audio: mono.
        kind: ``white``, ``claps`` or ``crowd``.
        snr_db: signal to noise in dB.
        rate_hz: samples per second.
        seed: of the noise.
    """
    noise = NOISES[kind](len(audio), rate_hz, np.random.default_rng(seed))
    power = float(np.mean(np.square(audio, dtype=np.float64)))
    wanted = power * 10.0 ** (-snr_db / 10.0)
    mix = audio + noise * np.sqrt(wanted / float(np.mean(noise**2)))
    return (mix / np.abs(mix).max()).astype(np.float32)


def _white(num: int, _: int, rng: Rng) -> NDArray[np.float64]:
    return rng.normal(0.0, 1.0, num)


def _claps(num: int, rate_hz: int, rng: Rng) -> NDArray[np.float64]:
    """Short bursts at random instants, each of its own strength."""
    count = max(1, round(_CLAPS_HZ * num / rate_hz))
    length = round(8 * _CLAP_DECAY_S * rate_hz)
    decay = np.exp(-np.arange(length) / (_CLAP_DECAY_S * rate_hz))
    track = np.zeros(num + length)
    for start in rng.integers(0, num, count):
        track[start : start + length] += (
            rng.uniform(0.5, 1.0) * decay * rng.normal(0.0, 1.0, length)
        )
    return _band(track[:num], _CLAP_BAND_HZ, rate_hz)


def _crowd(num: int, rate_hz: int, rng: Rng) -> NDArray[np.float64]:
    """Many voices: noise in the band of speech, each swelling and fading by syllables."""
    times_s = np.arange(num) / rate_hz
    track = np.zeros(num)
    for _ in range(_VOICES):
        pace = 2 * np.pi * _SYLLABLES_HZ * rng.uniform(0.7, 1.3)
        loud = np.clip(np.sin(pace * times_s + rng.uniform(0, 2 * np.pi)), 0.0, None)
        track += loud * rng.normal(0.0, 1.0, num)
    return _band(track, _VOICE_BAND_HZ, rate_hz)


def _band(track: NDArray, edges_hz: tuple[float, float], rate_hz: int) -> NDArray[np.float64]:
    high = min(edges_hz[1], 0.45 * rate_hz)
    return sosfilt(butter(2, (edges_hz[0], high), "bandpass", fs=rate_hz, output="sos"), track)


NOISES: dict[str, Callable[[int, int, Rng], NDArray[np.float64]]] = {
    "white": _white,
    "claps": _claps,
    "crowd": _crowd,
}
