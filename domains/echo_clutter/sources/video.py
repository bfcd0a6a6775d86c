"""Cines as video files, read and written.

Legend: T frames, H rows, W columns.
"""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domains.echo_clutter.sources.cine import Cine, to_grey
from domains.errors import DataError

SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".m4v", ".gif", ".mpg", ".wmv")

# suffix -> codec, pixel format, options
_CODECS: dict[str, tuple[str, str, dict[str, str]]] = {
    ".mp4": ("libx264", "yuv420p", {"crf": "12", "preset": "medium"}),
    ".avi": ("ffv1", "gray", {}),  # without loss
}
WRITABLE = tuple(_CODECS)

_COLOUR_EVERY = 10  # frames between two looks for colour: an overlay stays for longer


def read_video(path: Path) -> Cine:
    """The cine in one video file.

    Raises:
        DataError: not a video, or damaged, or cut short.
    """
    import av

    warnings: list[str] = []
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise DataError(f"{path}: no video stream in the file")
            stream = container.streams.video[0]
            announced, rate = stream.frames, stream.average_rate
            frames = []
            for number, frame in enumerate(container.decode(stream)):
                if number % _COLOUR_EVERY == 0 and not warnings:
                    _tell_colour(frame, path.name, warnings)
                frames.append(np.ascontiguousarray(frame.to_ndarray(format="gray")))
    except av.error.FFmpegError as error:
        raise DataError(
            f"{path}: not a readable video ({error.strerror}); it is damaged or cut short, copy it "
            "again"
        ) from error
    # some containers do not announce a number, some count one more
    if not frames or len(frames) < announced - 1:
        raise DataError(
            f"{path}: {len(frames)} of {announced} frames can be read: the file is cut short; copy "
            "it again"
        )
    return Cine(
        name=path.name,
        frames=np.stack(frames),
        file=str(path),
        frame_time_ms=float(1000 / rate) if rate else math.nan,
        warnings=warnings,
    )


def _tell_colour(frame: Any, name: str, warnings: list[str]) -> None:
    """Add a warning if the frame has colours that its grey levels lose."""
    if not frame.format.name.startswith("gray"):
        to_grey(frame.to_ndarray(format="rgb24")[None], name, warnings)


def write_video(path: Path, frames: NDArray[np.uint8], frame_time_ms: float, suffix: str) -> None:
    """Write grey ``frames`` (T, H, W); the same frames give the same bytes.

    Args:
        path: file to write.
        frames: grey levels 0 to 255.
        frame_time_ms: time between frames.
        suffix: one of ``WRITABLE``: H.264 (lossy, odd sizes get one black line more) or FFV1
            (lossless).

    Raises:
        DataError: the time between frames is unknown.
    """
    import av

    if not frame_time_ms > 0:
        raise DataError(
            "echo_clutter: a video needs the time between frames, which the input does not say; "
            "set ingest.files.frame_time_ms"
        )
    codec, pixel_format, options = _CODECS[suffix]
    if pixel_format == "yuv420p":
        frames = np.pad(frames, ((0, 0), (0, frames.shape[1] % 2), (0, frames.shape[2] % 2)))
    rate = Fraction(1000 / frame_time_ms).limit_denominator(1001)
    with av.open(str(path), "w", format=suffix[1:]) as container:
        container.flags |= 0x400  # AVFMT_FLAG_BITEXACT: no version, no date
        # typed for every kind of stream: a codec's name does not tell the type checker which
        stream: Any = container.add_stream(codec, rate=rate, options=options)
        stream.height, stream.width = frames.shape[1:]
        stream.pix_fmt = pixel_format
        stream.codec_context.thread_count = 1
        for image in frames:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="gray")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
