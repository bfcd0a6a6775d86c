"""Compile what librosa keeps on disk for finding beats, once, when the environment is set up.

Two processes that compile it at the same time leave files with which numba crashes in every later
process, and nothing but deleting them helps.
"""

import numpy as np

from domains.dance_generation.science.beat_grid import librosa_beats

if __name__ == "__main__":
    clicks = np.zeros(160_000, np.float32)
    clicks[::8_000] = 1.0  # two a second
    assert len(librosa_beats(clicks, 16_000)) > 1
