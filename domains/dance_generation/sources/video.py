"""A film with its music as MP4: H.264 pictures, AAC sound, through FFmpeg's libraries in PyAV.

Legend: F frames, H rows, W columns, K channels, S audio samples.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from domains.errors import DataError
from domains.files import whole_file

_AAC_RATES_HZ = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_BLOCK = 1024  # samples of an AAC frame
_BIT_EXACT = 0x400  # AVFMT_FLAG_BITEXACT: no version, no date
_BIT_RATE = 160_000  # bits per second of sound


def write_film(
    path: Path, pictures: Iterable[NDArray[np.uint8]], fps: float, sound: NDArray, rate_hz: int
) -> None:
    """Write ``pictures`` and ``sound`` to an MP4, whole or not at all; same input, same bytes.

    Args:
        path: of the file.
        pictures: F pictures (H, W, 3), RGB, sizes even.
        fps: pictures per second.
        sound: (K, S), full scale = 1; beyond it is scaled, more than two channels are mixed to one.
        rate_hz: samples per second.

    Raises:
        DataError: no picture.
    """
    import av

    sound, rate_hz = _playable(sound, rate_hz)
    with whole_file(Path(path)) as scratch, av.open(str(scratch), "w", format="mp4") as container:
        container.flags |= _BIT_EXACT
        rate = Fraction(fps).limit_denominator(1001)
        # typed for every kind of stream: a codec's name does not tell the type checker which
        video: Any = container.add_stream("libx264", rate=rate, options={"crf": "20"})
        audio: Any = container.add_stream("aac", rate=rate_hz)
        audio.layout = "stereo" if len(sound) == 2 else "mono"
        audio.bit_rate = _BIT_RATE
        for stream in (video, audio):
            stream.codec_context.thread_count = 1
            stream.codec_context.flags |= av.codec.context.Flags.bitexact
        heard, shown = 0, 0
        for shown, picture in enumerate(pictures, 1):
            if shown == 1:
                video.height, video.width = picture.shape[:2]
                video.pix_fmt = "yuv420p"
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            container.mux(video.encode(frame))
            heard = _play(container, audio, sound, heard, int(shown / fps * rate_hz), rate_hz)
        if not shown:
            raise DataError(f"{path}: no picture to show, expected one or more")
        _play(container, audio, sound, heard, sound.shape[1], rate_hz, is_last=True)
        container.mux(video.encode())
        container.mux(audio.encode())


def _play(
    container: Any,
    stream: Any,
    sound: NDArray,
    first: int,
    until: int,
    rate_hz: int,
    *,
    is_last: bool = False,
) -> int:
    """Encode whole blocks from sample ``first`` up to ``until``; returns the first one left."""
    import av

    until = min(until, sound.shape[1])
    while first + _BLOCK <= until or (is_last and first < until):
        block = np.ascontiguousarray(sound[:, first : min(first + _BLOCK, until)])
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=stream.layout.name)
        frame.sample_rate, frame.pts = rate_hz, first
        container.mux(stream.encode(frame))
        first += block.shape[1]
    return first


def _playable(sound: NDArray, rate_hz: int) -> tuple[NDArray[np.float32], int]:
    """One or two channels within full scale, at a rate that AAC has."""
    if len(sound) > 2:
        sound = sound.mean(axis=0, keepdims=True)
    if rate_hz not in _AAC_RATES_HZ:
        ratio = Fraction(48000, rate_hz)
        sound = resample_poly(sound, ratio.numerator, ratio.denominator, axis=-1)
        rate_hz = 48000
    return (sound / max(1.0, float(np.abs(sound).max()))).astype(np.float32), rate_hz
