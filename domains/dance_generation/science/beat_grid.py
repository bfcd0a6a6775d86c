"""Where the beats of a song are: librosa's beats, made as exact as a steady song allows.

Legend: E frames of the onset envelope, B beats.

librosa tracks beats by dynamic programming (D. Ellis, "Beat Tracking by Dynamic Programming",
J. New Music Research 36(1), 2007) around a tempo that its autocorrelation quantises: 135 BPM
becomes 136, and in a minute the grid is a quarter beat out; and it often finds half or twice the
tempo.  Here

1. the tempo is refined to that at which the onsets' Fourier sum is largest,
2. simple multiples of it, half and twice first of all, compete: by how strong the onsets on the
   beats are, times their Fourier sum, times a prior on the tempo,
3. of the beat and the off-beat the one with the stronger bass is the beat,
4. a song whose beats wander from one even grid keeps librosa's own beats, and says so.

Half or twice the tempo is a matter of convention that no onset settles: between 85 and 170 BPM the
prior decides, and whoever knows better says ``bpm``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domains.errors import DataError

ENVELOPE_HZ = 100.0
"""Onset envelope frames per second."""

_TEMPI_BPM = (60.0, 200.0)
_RATIOS = (1 / 2, 2 / 3, 3 / 4, 4 / 5, 1.0, 5 / 4, 4 / 3, 3 / 2, 2.0)
_PRIOR_BPM, _PRIOR_OCTAVES = 120.0, 0.6  # centre and spread of the log-normal prior on the tempo
_LOW_HZ = 200.0
_LATE_S = 0.016  # the envelope peaks so much after a click (test_beat_grid.py measures it)
_WINDOW_S = 12.0  # s, stretches whose phase is compared with the grid
_WANDER = 0.15  # of a cycle that a stretch of a steady song may be off


@dataclass(frozen=True)
class BeatGrid:
    """Beats of a song.

    Args:
        beats_s: (B,) s, rising, over the whole song.
        bpm: tempo; the median one of an uneven song.
        is_steady: whether the beats are one even grid.
        source: ``tracked``, ``declared`` or the file they were read from.
    """

    beats_s: NDArray[np.float64]
    bpm: float
    is_steady: bool
    source: str


def even_grid(bpm: float, offset_s: float, duration_s: float, source: str = "declared") -> BeatGrid:
    """The grid offset + k·60/BPM within 0 … ``duration_s``.

    Raises:
        DataError: a tempo that is no tempo, or a song too short for two beats.
    """
    if not 20.0 <= bpm <= 400.0:
        raise DataError(f"the tempo is {bpm:g} BPM, expected 20 to 400; correct predict.bpm")
    period = 60.0 / bpm
    first = offset_s % period
    beats_s = np.arange(first, duration_s, period)
    if len(beats_s) < 2:
        raise DataError(
            f"{duration_s:.2f} s of music hold {len(beats_s)} beats at {bpm:g} BPM, expected two "
            "or more"
        )
    return BeatGrid(beats_s, float(bpm), True, source)


def beat_position(beats_s: NDArray, times_s: NDArray) -> NDArray[np.float64]:
    """Beats (fraction and all) passed at ``times_s``: k at beat k, even in between and beyond.

    Its fraction is the beat phase, 0 on the beat.
    """
    beats_s = np.asarray(beats_s, np.float64)
    index = np.clip(np.searchsorted(beats_s, times_s, "right") - 1, 0, len(beats_s) - 2)
    return index + (times_s - beats_s[index]) / (beats_s[index + 1] - beats_s[index])


def onset_envelope(
    audio: NDArray, rate_hz: int, below_hz: float | None = None
) -> NDArray[np.float64]:
    """Strength of onsets (E,), ``ENVELOPE_HZ`` a second, zero mean and unit deviation.

    Args:
        audio: (S,) mono.
        rate_hz: samples per second.
        below_hz: hear only what is lower; ``None`` = everything.

    Raises:
        DataError: silence.
    """
    import librosa

    hop = round(rate_hz / ENVELOPE_HZ)
    strength = librosa.onset.onset_strength(
        y=np.asarray(audio, np.float32),
        sr=rate_hz,
        hop_length=hop,
        n_fft=4 * hop if below_hz is None else 8 * hop,
        n_mels=64 if below_hz is None else 4,
        fmax=below_hz,
    ).astype(np.float64)
    if not strength.std() > 0:
        raise DataError("the music has no onsets at all (silence?), expected a song with beats")
    return (strength - strength.mean()) / strength.std()


def track_beats(audio: NDArray, rate_hz: int, bpm: float | None = None) -> BeatGrid:
    """Beats of ``audio`` (S,), mono.

    Args:
        audio: mono.
        rate_hz: samples per second; a multiple of 100.
        bpm: the tempo, where it is known; only the phase is then sought.

    Raises:
        DataError: silence, or less than two beats of music.
    """
    import librosa

    envelope = onset_envelope(audio, rate_hz)
    duration_s = len(audio) / rate_hz
    hop = round(rate_hz / ENVELOPE_HZ)
    start = bpm
    if start is None:
        start = float(
            np.ravel(
                librosa.feature.tempo(
                    onset_envelope=envelope - envelope.min(), sr=rate_hz, hop_length=hop
                )
            )[0]
        )
        start = _best_tempo(envelope, start)
    phase_s = _phase(envelope, _low_onsets(audio, rate_hz), start)
    grid = even_grid(start, phase_s, duration_s, "tracked")
    if bpm is not None or _is_steady(envelope, grid):
        return grid
    _, beats_s = librosa.beat.beat_track(
        onset_envelope=envelope - envelope.min(),
        sr=rate_hz,
        hop_length=hop,
        bpm=start,
        units="time",
        trim=False,
    )
    beats_s = np.asarray(beats_s, np.float64) - _LATE_S
    beats_s = beats_s[beats_s >= 0]
    if len(beats_s) < 2:
        return grid
    return BeatGrid(beats_s, float(60 / np.median(np.diff(beats_s))), False, "tracked")


def librosa_beats(audio: NDArray, rate_hz: int) -> NDArray[np.float64]:
    """librosa's own beats (B,) in s, untouched: what ``track_beats`` is compared with."""
    import librosa

    _, beats_s = librosa.beat.beat_track(
        y=np.asarray(audio, np.float32), sr=rate_hz, units="time", trim=False
    )
    return np.asarray(beats_s, np.float64)


def refine_tempo(envelope: NDArray, bpm: float) -> float:
    """The tempo within ±4 % of ``bpm`` at which the Fourier sum of the onsets is largest.

    Three harmonics count: a grid that is right for the beat is right for its halves and thirds.
    """
    times_s = np.arange(len(envelope)) / ENVELOPE_HZ
    # a quarter of a cycle over the whole song is what the sum can tell
    step = 60.0 / (8.0 * max(times_s[-1], 1.0))
    tempi = np.arange(bpm * 0.96, bpm * 1.04 + step, step)
    strength = np.array([_harmonics(envelope, times_s, tempo) for tempo in tempi])
    best = int(strength.argmax())
    if 0 < best < len(tempi) - 1:
        left, centre, right = strength[best - 1 : best + 2]
        bend = left - 2 * centre + right
        return float(tempi[best] + step * (0.5 * (left - right) / bend if bend else 0.0))
    return float(tempi[best])


def _harmonics(envelope: NDArray, times_s: NDArray, bpm: float) -> float:
    turns = np.exp(-2j * np.pi * (bpm / 60.0) * times_s)
    return float(sum(np.abs((envelope * turns**k).mean()) for k in (1, 2, 4)))


def _best_tempo(envelope: NDArray, bpm: float) -> float:
    low, high = _TEMPI_BPM
    wanted = [bpm * ratio for ratio in _RATIOS if low <= bpm * ratio <= high] or [bpm]
    tempi = [refine_tempo(envelope, tempo) for tempo in wanted]
    times_s = np.arange(len(envelope)) / ENVELOPE_HZ

    def worth(tempo: float) -> float:
        strength = _folded(envelope, tempo).max()
        return float(strength) * _harmonics(envelope, times_s, tempo) * _prior(tempo)

    return max(tempi, key=worth)


def _prior(bpm: float) -> float:
    return float(np.exp(-0.5 * (np.log2(bpm / _PRIOR_BPM) / _PRIOR_OCTAVES) ** 2))


def _low_onsets(audio: NDArray, rate_hz: int) -> NDArray[np.float64]:
    """Onsets below 200 Hz, where bass drum and bass are; zeros where there is nothing."""
    try:
        return onset_envelope(audio, rate_hz, _LOW_HZ)
    except DataError:
        return np.zeros(1 + len(audio) // round(rate_hz / ENVELOPE_HZ))


def _phase(envelope: NDArray, low: NDArray, bpm: float) -> float:
    """Seconds to a beat.

    The onsets are strongest on the beat or, with loud off-beats, half way to the next; of the two
    the beat is where the low ones are stronger.
    """
    folded = _folded(envelope, bpm)
    bins = len(folded)
    deep = _folded(low, bpm)
    first = int(folded.argmax())
    other = (first + bins // 2) % bins
    # onsets of the off-beat need not be exactly half way: the strongest within 30 ms
    near = (other + np.arange(-3, 4)) % bins
    other = int(near[folded[near].argmax()])
    heard = [deep[(place + np.arange(-3, 4)) % bins].max() for place in (first, other)]
    best = other if heard[1] > heard[0] else first
    around = np.arange(-2, 3)
    weight = np.clip(folded[(best + around) % bins], 0.0, None) + 1e-9
    centre = best + float((weight * around).sum() / weight.sum())
    return centre / bins * 60.0 / bpm - _LATE_S


def _folded(envelope: NDArray, bpm: float) -> NDArray[np.float64]:
    """Mean envelope over one beat in steps of about 10 ms, an even number of them."""
    period = 60.0 / bpm * ENVELOPE_HZ
    bins = 2 * max(2, round(period / 2))
    place = np.arange(len(envelope)) / period
    index = np.floor((place % 1.0) * bins + 0.5).astype(int) % bins
    total = np.bincount(index, envelope, bins)
    return total / np.maximum(np.bincount(index, minlength=bins), 1)


def _is_steady(envelope: NDArray, grid: BeatGrid) -> bool:
    """Whether the phase of most stretches of the song is that of the grid."""
    num = int(_WINDOW_S * ENVELOPE_HZ)
    if len(envelope) < 2 * num:
        return True
    times_s = np.arange(len(envelope)) / ENVELOPE_HZ
    turns = np.exp(-2j * np.pi * (grid.bpm / 60.0) * times_s)
    # the harmonic that is strongest: where every half beat sounds alike the first says nothing
    harmonic = max((1, 2, 4), key=lambda k: abs((envelope * turns**k).mean()))
    beat = envelope * turns**harmonic
    sums = np.array([beat[at : at + num].mean() for at in range(0, len(beat) - num + 1, num)])
    off = np.abs(np.angle(sums * np.exp(-1j * np.angle(beat.mean())))) / (2 * np.pi)
    loud = np.abs(sums) > 0.25 * np.median(np.abs(sums))
    return bool(np.mean(off[loud] <= _WANDER) >= 0.75)
