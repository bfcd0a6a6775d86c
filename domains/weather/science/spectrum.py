"""Zonal power spectra: how much of a field lives at each wavenumber along a circle of latitude.

A forecast trained to a small mean error blurs, and its spectrum shows at which scales.  The power
is that of one-sided spectra: its sum over wavenumbers is the mean square of the field along the
circle (Parseval).
"""

# S starts (or any leading axes), H latitude, W longitude, K = W // 2 + 1 wavenumbers

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def zonal_power(field: ArrayLike) -> NDArray[np.float64]:
    """Power at wavenumbers 0 to W // 2, (…, K), of real fields (…, W), in their unit squared."""
    values = np.asarray(field, dtype=np.float64)
    width = values.shape[-1]
    power = np.abs(np.fft.rfft(values, axis=-1) / width) ** 2
    # all but the mean and, at even W, the last stand for two waves, k and −k
    power[..., 1 : None if width % 2 else -1] *= 2
    return power


def mean_zonal_power(
    field: ArrayLike,
    latitude: ArrayLike,
    weights: ArrayLike,
    band: tuple[float, float] = (30.0, 60.0),
) -> NDArray[np.float64]:
    """Power at each wavenumber, mean over both hemispheres' latitudes within ``band``, (…, K).

    Args:
        field: (…, H, W), global along longitude.
        latitude: (H,), degrees.
        weights: (H,), of the circles.
        band: lowest and highest |latitude|, degrees; all latitudes where none lies in it.
    """
    size = np.abs(np.asarray(latitude))
    inside = (size >= band[0]) & (size <= band[1])
    share = np.asarray(weights, dtype=np.float64) * (inside if inside.any() else 1.0)
    return np.einsum("...hk,h->...k", zonal_power(field), share / share.sum())
