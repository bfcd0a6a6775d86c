"""Clutter filters without learning, the baselines of every table.

Legend: T frames, H depth, W width.  Each takes a clip (T, H, W) in grey levels 0 to 255 and its
sector (H, W), and returns a clip of the same shape, clipped to 0 to 255.

SVD and temporal high-pass filters are made for radio-frequency or IQ data, where clutter and blood
add up as waves (Demené et al. 2015, doi:10.1109/TMI.2015.2428634; Mauldin et al. 2011,
doi:10.1109/TMI.2011.2162339).  On log-compressed B-mode they take tissue away with the clutter and
can be worse than nothing; they are here because they are what is asked for first.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from domains.echo_clutter.science.scores import near_field

Frames = NDArray[np.float32]
Sector = NDArray[np.bool_]

_SMOOTHING = 4.0  # pixels, σ of what counts as slow change over the image


def nothing(clip: Frames, _: Sector) -> Frames:
    """The clip as it is."""
    return clip


def svd(clip: Frames, _: Sector) -> Frames:
    """The clip without the first singular component of its Casorati matrix (T, H·W)."""
    casorati = clip.reshape(len(clip), -1).astype(np.float64)
    # The first left vector from the small T × T matrix: the big one is never decomposed
    _values, vectors = np.linalg.eigh(casorati @ casorati.T)
    first = vectors[:, -1:]
    rest = casorati - first @ (first.T @ casorati)
    return _grey(rest.reshape(clip.shape))


def high_pass(clip: Frames, _: Sector) -> Frames:
    """What changes over time, on top of the spatially smoothed mean frame."""
    from scipy.ndimage import gaussian_filter

    mean = clip.mean(axis=0, dtype=np.float64)
    return _grey(clip - mean + gaussian_filter(mean, _SMOOTHING))


def near_field_minimum(clip: Frames, sector: Sector) -> Frames:
    """The clip less what never goes away near the transducer.

    Static clutter adds to every frame, so the minimum over time holds it whole.  The smoothed
    minimum, above its median over the sector, is subtracted in the near field.
    """
    from scipy.ndimage import gaussian_filter

    if not sector.any():
        return clip
    least = gaussian_filter(clip.min(axis=0).astype(np.float64), _SMOOTHING / 2)
    excess = np.maximum(least - np.median(least[sector]), 0.0)
    return _grey(clip - excess * near_field(sector))


def median(clip: Frames, _: Sector) -> Frames:
    """The median over 3 × 3 × 3 neighbours in time, depth and width."""
    from scipy.ndimage import median_filter

    return median_filter(clip, size=3, mode="nearest")


FILTERS: dict[str, Callable[[Frames, Sector], Frames]] = {
    "nothing": nothing,
    "near_field_minimum": near_field_minimum,
    "median": median,
    "high_pass": high_pass,
    "svd": svd,
}


def _grey(clip: NDArray[np.float64]) -> Frames:
    return np.clip(clip, 0.0, 255.0).astype(np.float32)
