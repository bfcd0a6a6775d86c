"""Any music file to mono samples at one rate.

Legend: S samples, K channels.

WAV, FLAC, OGG, MP3 and the like through libsndfile; what it does not know (M4A, AAC, the sound of
a video) through FFmpeg's libraries, which PyAV carries.  Samples are read as floating point, so a
mix that goes beyond full scale is not cut: it is scaled, and the card says by how much.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from domains.errors import DataError

SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".m4a", ".aac",
            ".mp4", ".wma", ".webm", ".mkv", ".mov")  # fmt: skip

_SILENT = 1e-4  # −80 dB of full scale
_QUIET = 0.01  # −40 dB of the song's largest magnitude
_CLIPPED_RUN = 3  # samples in a row at the very largest value
_CANCELLED = 0.1  # of the channels' power that is left in their mean


@dataclass(frozen=True)
class Music:
    """A song as it was read.

    Args:
        audio: (S,) mono, largest magnitude 1.
        rate_hz: samples per second.
        warnings: what was done or found, counted, one sentence each.
    """

    audio: NDArray[np.float32]
    rate_hz: int
    warnings: tuple[str, ...]

    @property
    def duration_s(self) -> float:
        """Length in s."""
        return len(self.audio) / self.rate_hz


def read_music(path: Path, rate_hz: int) -> Music:
    """The song in ``path``, mono, resampled to ``rate_hz``, its largest magnitude 1.

    Raises:
        DataError: no such file, no sound that can be read, silence, or channels that cancel out.
    """
    samples, found_hz = read_samples(path)
    if not np.isfinite(samples).all():
        raise DataError(f"{path}: {int((~np.isfinite(samples)).sum())} samples are no numbers")
    warnings: list[str] = []
    if (clipped := clipped_samples(samples)) > 0:
        warnings.append(
            f"{path.name}: {clipped} of {samples.size} samples stand at the largest value in runs: "
            "the recording is clipped"
        )
    mono = samples.mean(axis=0)
    power, left = float((samples**2).mean()), float((mono**2).mean())
    if np.abs(samples).max(initial=0.0) < _SILENT:
        raise DataError(
            f"{path}: silence ({mono.size / found_hz:.1f} s below −80 dB), expected music"
        )
    if left < _CANCELLED * power:
        raise DataError(
            f"{path}: its {len(samples)} channels cancel out when mixed to one ({left / power:.1%} "
            "of the power is left), expected stereo in phase; flip one channel's polarity"
        )
    if (peak := float(np.abs(mono).max())) > 1.0:
        warnings.append(
            f"{path.name}: the mix peaks at {peak:.2f} of full scale, scaled to 1 (not cut)"
        )
    if found_hz != rate_hz:
        ratio = Fraction(rate_hz, found_hz)
        mono = resample_poly(mono, ratio.numerator, ratio.denominator)
    audio = (mono / np.abs(mono).max()).astype(np.float32)
    start_s, end_s = silent_ends(audio, rate_hz)
    if start_s + end_s > 0.5:
        warnings.append(
            f"{path.name}: {start_s:.1f} s of silence at the start, {end_s:.1f} s at the end"
        )
    return Music(audio, rate_hz, tuple(warnings))


def read_samples(path: Path) -> tuple[NDArray[np.float64], int]:
    """All channels (K, S), full scale = 1, and samples per second.

    Raises:
        DataError: neither libsndfile nor FFmpeg reads it.
    """
    import soundfile

    if not path.is_file():
        raise DataError(f"{path}: no such file, expected music")
    try:
        samples, rate_hz = soundfile.read(path, dtype="float64", always_2d=True)
        samples = samples.T
    except (soundfile.LibsndfileError, TypeError):  # TypeError: .raw, which says no rate
        samples, rate_hz = _decode(path)
    if samples.shape[-1] < 2:
        raise DataError(f"{path}: {samples.shape[-1]} samples of sound, expected music")
    return samples, int(rate_hz)


def _decode(path: Path) -> tuple[NDArray[np.float64], int]:
    """What FFmpeg finds in the first stream of sound."""
    import av
    from av.error import FFmpegError

    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise DataError(f"{path}: holds no stream of sound, expected music")
            stream = container.streams.audio[0]
            rate_hz = stream.rate
            resampler = av.AudioResampler(format="fltp", layout=stream.layout, rate=rate_hz)
            frames = [
                part.to_ndarray()
                for frame in container.decode(stream)
                for part in resampler.resample(frame)
            ]
            frames += [part.to_ndarray() for part in resampler.resample(None)]
    except (FFmpegError, OSError, ValueError) as error:
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(
            f"{path}: no sound that libsndfile or FFmpeg can read ({text}); convert it to WAV"
        ) from error
    if not frames:
        raise DataError(f"{path}: its stream of sound is empty, expected music")
    return np.concatenate(frames, axis=-1).astype(np.float64), int(rate_hz)


def clipped_samples(samples: NDArray) -> int:
    """Samples in runs of three or more that stand at the largest magnitude of (K, S)."""
    peak = np.abs(samples).max(initial=0.0)
    if peak < 0.5:
        return 0
    at_peak = np.abs(samples) >= peak * (1 - 1e-6)
    total = 0
    for channel in at_peak:
        edges = np.flatnonzero(np.diff(np.r_[False, channel, False].astype(np.int8)))
        runs = edges[1::2] - edges[::2]
        total += int(runs[runs >= _CLIPPED_RUN].sum())
    return total


def silent_ends(audio: NDArray, rate_hz: int) -> tuple[float, float]:
    """Seconds before and after the sound, below −40 dB of the largest magnitude."""
    loud = np.flatnonzero(np.abs(audio) > _QUIET * np.abs(audio).max())
    return float(loud[0] / rate_hz), float((len(audio) - 1 - loud[-1]) / rate_hz)
