"""The whole sky as one oval image, by Mollweide's equal-area projection.

J. P. Snyder, "Map Projections: A Working Manual", USGS 1395, 1987, page 249.  healpy's own
``mollview`` draws into the global state of pyplot; this returns the pixels.
"""

from __future__ import annotations

import healpy
import numpy as np
from numpy.typing import ArrayLike, NDArray

from domains.cmb_inpainting.science.sphere import nside_of


def mollweide(sky: ArrayLike, width: int = 400) -> NDArray[np.float64]:
    """Image (width/2, width) of a map (N,), RING: longitude 0 in the middle, growing to the left.

    North is the last row (``origin="lower"``); NaN outside the oval.
    """
    sky = np.asarray(sky, dtype=np.float64)
    x = (np.arange(width) + 0.5) / width * 4 - 2
    y = (np.arange(width // 2) + 0.5) / (width // 2) * 2 - 1
    x, y = np.meshgrid(x, y)
    inside = (x / 2) ** 2 + y**2 < 1
    angle = np.arcsin(y[inside])
    latitude = np.arcsin((2 * angle + np.sin(2 * angle)) / np.pi)
    longitude = -np.pi * x[inside] / (2 * np.cos(angle))
    pixel = healpy.ang2pix(nside_of(len(sky)), np.pi / 2 - latitude, longitude)
    image = np.full(x.shape, np.nan)
    image[inside] = sky[pixel]
    return image
