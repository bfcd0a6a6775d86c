"""The nearest neighbour: each second of a song is danced as the training's most similar second was.

Legend: F frames, E bands, S audio samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from domains.dance_generation.science.dance import Motion, Pair
from domains.dance_generation.science.spectrum import power_frames

BLOCK_S = 1.0
_STRIDE = 3  # frames between two candidates
_BANDS = 16


def sound_of(audio: NDArray, num_frames: int, rate_hz: int, fps: float) -> NDArray[np.float32]:
    """Loudness of each frame in 16 bands of equal width, and how it changes (F, 2 E)."""
    spectrum = power_frames(torch.from_numpy(audio), num_frames, rate_hz, fps, "global")
    bins = spectrum.mean(-1)  # F, N
    bands = torch.nn.functional.adaptive_avg_pool1d(bins[:, None], _BANDS)[:, 0].numpy()
    change = np.diff(bands, axis=0, prepend=bands[:1])
    return np.concatenate([bands, change], -1)


@dataclass(frozen=True)
class Memory:
    """What was danced to what in training.

    Args:
        sounds: ``sound_of`` of each pair.
        motions: of each pair.
        fps: frames per second.
    """

    sounds: Sequence[NDArray[np.float32]]
    motions: Sequence[Motion]
    fps: float

    @staticmethod
    def of(pairs: Sequence[Pair]) -> Memory:
        """The memory of ``pairs``."""
        sounds = [
            sound_of(pair.audio, len(pair.root_position), pair.audio_rate_hz, pair.fps)
            for pair in pairs
        ]
        return Memory(sounds, [pair.motion for pair in pairs], pairs[0].fps)

    def dance(self, sound: NDArray) -> Motion:
        """The dance to ``sound`` (F, 2 E), block after block from the most similar block."""
        length = min(round(BLOCK_S * self.fps), min(len(one) for one in self.sounds))
        windows, owners, starts = self._windows(length)
        norms = np.square(windows).sum(-1)
        roots, turns = [], []
        for first in range(0, len(sound), length):
            block = sound[first : first + length]
            wanted = np.zeros((length, sound.shape[1]), np.float32)
            wanted[: len(block)] = block
            best = int((norms - 2.0 * windows @ wanted.ravel()).argmin())
            motion, frames = self.motions[owners[best]], starts[best] + np.arange(len(block))
            roots.append(motion.root_position[frames])
            turns.append(motion.rotations[frames])
        return Motion(np.concatenate(roots), np.concatenate(turns))

    def _windows(self, length: int) -> tuple[NDArray, NDArray, NDArray]:
        """All candidates (n, length · 2 E), whose they are (n,) and where they start (n,)."""
        windows, owners, starts = [], [], []
        for owner, sound in enumerate(self.sounds):
            found = sliding_window_view(sound, length, axis=0)[::_STRIDE]  # n, 2 E, length
            windows.append(found.swapaxes(1, 2).reshape(len(found), -1))
            owners += [owner] * len(found)
            starts += list(range(0, _STRIDE * len(found), _STRIDE))
        return np.concatenate(windows), np.array(owners), np.array(starts)
