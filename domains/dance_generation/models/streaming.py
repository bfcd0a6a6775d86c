"""A dance as its music comes in, and the same dance in one go.

Legend: S audio samples, F frames, D numbers of a pose, J joints.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from domains.dance_generation.models.dancers import Dancer
from domains.dance_generation.models.decoding import State, decode
from domains.dance_generation.models.pose import PoseCodec
from domains.dance_generation.science.dance import Motion
from domains.dance_generation.science.spectrum import (
    Loudness,
    frame_length,
    frame_starts,
    power_frames,
)
from domains.errors import DataError


class Performance:
    """A dance under way: from cues to poses, in pieces of any length.

    Args:
        dancer: trained.
        codec: of the poses.
        first: (D,) pose of the first frame.
    """

    def __init__(self, dancer: Dancer, codec: PoseCodec, first: Tensor) -> None:
        self._dancer, self._codec = dancer, codec
        self._frame = self._scaled(first[None, None])
        self._has_begun = False
        self._heard: Any = None
        self._state: State = None

    @torch.inference_mode()
    def go_on(
        self, passed: NDArray, cycle: int, step: NDArray, spectrum: Tensor | None = None
    ) -> Motion:
        """The next F frames.

        Args:
            passed: (F,) beats since the beginning of a bar.
            cycle: beats of a step.
            step: (F,) index of the step.
            spectrum: (F, N, W) for a dancer that hears.
        """
        cues = {
            "passed": torch.from_numpy(np.asarray(passed % cycle, np.float32))[None],
            "cycle": torch.tensor([cycle]),
            "step": torch.from_numpy(np.asarray(step, np.int64))[None],
        }
        if spectrum is not None:
            cues["spectrum"] = spectrum[None]
        signal, self._heard = self._dancer.signal(cues, self._heard)
        begins = not self._has_begun and len(passed) > 0
        if begins:  # the first frame is given, not made
            signal, self._has_begun = signal[:, 1:], True
        made, self._state = decode(self._dancer.decoder, self._frame, signal, self._state)
        frames = torch.cat([self._frame, made], 1) if begins else made  # 1, F, D
        if frames.shape[1]:
            self._frame = frames[:, -1:]
        codec = self._codec
        back = codec.from_bounded if self._dancer.is_bounded else codec.from_standard
        root, rotations = codec.motion(back(frames[0]))
        return Motion(root.double().numpy(), rotations.double().numpy())

    def pause(self) -> Motion:
        """No frame at all."""
        return Motion(np.zeros((0, 3)), np.zeros((0, len(self._codec.still), 3, 3)))

    def _scaled(self, vector: Tensor) -> Tensor:
        codec = self._codec
        return codec.bounded(vector) if self._dancer.is_bounded else codec.standard(vector)


class DanceStream:
    """The dance to music that comes in chunks: poses as soon as the sound of their frame is there.

    The sound of a frame is complete when it ends, so a pose comes 1/fps s after its frame begins
    (33 ms at 30 frames per second), and the time to compute it.  Equal to ``Task.dance`` on the
    whole song, whatever the chunks.

    Args:
        performance: at its beginning.
        passed_at: instants (F,) in s -> beats passed since the beginning of a bar.
        cycle: beats of a step.
        step: index of the step.
        rate_hz: audio samples per second.
        fps: frames per second.
        loudness: of the spectra; ``None`` for a dancer that does not hear.
    """

    def __init__(
        self,
        performance: Performance,
        passed_at: Callable[[NDArray], NDArray],
        cycle: int,
        step: int,
        rate_hz: int,
        fps: float,
        loudness: Loudness | None,
    ) -> None:
        self._performance, self._passed_at = performance, passed_at
        self._cycle, self._step = cycle, step
        self._rate_hz, self._fps, self._loudness = rate_hz, fps, loudness
        self._sound: NDArray[np.float32] = np.zeros(0, np.float32)
        self._first = 0  # frame whose sound begins at the start of _sound

    @property
    def latency_s(self) -> float:
        """Seconds from the beginning of a frame to its pose, computing left out."""
        return frame_length(self._rate_hz, self._fps) / self._rate_hz

    def update(self, samples: ArrayLike) -> Motion:
        """The poses (perhaps none) whose sound is complete with ``samples`` (S,).

        Raises:
            DataError: not one channel of finite samples.
        """
        chunk = np.asarray(samples, np.float32)
        if chunk.ndim != 1 or not np.isfinite(chunk).all():
            raise DataError(
                f"dance_generation: a chunk of sound {chunk.shape}, expected (samples,) of one "
                "channel, all finite"
            )
        self._sound = np.concatenate([self._sound, chunk])
        return self._emit(self._num_complete(frame_length(self._rate_hz, self._fps)))

    def finish(self) -> Motion:
        """The poses of the frames that have begun and will not be completed: the song is over."""
        return self._emit(self._num_complete(1))

    def _num_complete(self, needed: int) -> int:
        """Frames of which ``needed`` samples are there."""
        most = int(len(self._sound) * self._fps / self._rate_hz) + 2
        return int((self._starts(most) + needed <= len(self._sound)).sum())

    def _starts(self, num: int) -> NDArray[np.int64]:
        """First samples (num,) of the next frames, counted from the start of the sound kept."""
        starts = frame_starts(self._first + num, self._rate_hz, self._fps).numpy()[self._first :]
        return starts - starts[:1]

    def _emit(self, num: int) -> Motion:
        if num == 0:
            return self._performance.pause()
        frames = self._first + np.arange(num)
        spectrum = None
        if self._loudness is not None:
            spectrum = power_frames(
                torch.from_numpy(self._sound), num, self._rate_hz, self._fps, self._loudness,
                self._first,
            )  # fmt: skip
        made = self._performance.go_on(
            self._passed_at(frames / self._fps), self._cycle, np.full(num, self._step), spectrum
        )
        self._sound = self._sound[int(self._starts(num + 1)[-1]) :]
        self._first += num
        return made
