"""Explicit features of a picture: its size, the faces on it, its colours.

TI-CNN (arXiv:1806.00749, section 4.3) feeds four numbers and names the resolution and the number of
faces; we take width, height, pixels and faces for the four.  Faces: the LBP cascade that
scikit-image ships (BSD).  Colourfulness: D. Hasler, S. Süsstrunk, "Measuring colourfulness in
natural images", SPIE 5007, 2003, equation in section 4.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

PAPER_NAMES = ("image_width", "image_height", "image_pixels", "image_faces")
FURTHER: dict[str, str] = {
    "image_aspect": "width ÷ height of the original",
    "image_frames": "frames of the file; more than 1 is an animation",
    "image_brightness": "mean of the grey values, 0 to 1",
    "image_contrast": "standard deviation of the grey values, 0 to 0.5",
    "image_red": "mean of red, 0 to 1",
    "image_green": "mean of green, 0 to 1",
    "image_blue": "mean of blue, 0 to 1",
    "image_saturation": "mean of (max − min) ÷ max over the three colours, 0 to 1",
    "image_colourfulness": "Hasler & Süsstrunk's M, 0 to about 1",
    "image_sharpness": "standard deviation of the Laplacian of the grey values",
}
NAMES = (*PAPER_NAMES, *FURTHER)

FACE_PX = 192
"""Longest side of the copy on which faces are sought; a face needs an eighth of it."""

_LUMA = np.array([0.2125, 0.7154, 0.0721])  # ITU-R BT.709, as skimage.color.rgb2gray


def image_features(
    pixels: NDArray[np.uint8], width: int, height: int, num_frames: int
) -> NDArray[np.float32]:
    """(len(NAMES),) features of one picture.

    Args:
        pixels: (H, W, 3) RGB, a copy of at most ``FACE_PX`` on the longest side.
        width: of the original in px.
        height: of the original in px.
        num_frames: in the file.
    """
    share = pixels.astype(np.float64) / 255
    red, green, blue = share.reshape(-1, 3).mean(axis=0)
    grey = share @ _LUMA
    found = {
        "image_width": width,
        "image_height": height,
        "image_pixels": width * height,
        "image_faces": count_faces(pixels),
        "image_aspect": width / height,
        "image_frames": num_frames,
        "image_brightness": grey.mean(),
        "image_contrast": grey.std(),
        "image_red": red,
        "image_green": green,
        "image_blue": blue,
        "image_saturation": saturation(share),
        "image_colourfulness": colourfulness(share),
        "image_sharpness": sharpness(grey),
    }
    return np.array([found[name] for name in NAMES], np.float32)


def saturation(share: NDArray[np.float64]) -> float:
    """Mean HSV saturation of (H, W, 3) colours in [0, 1]; black has none."""
    top, bottom = share.max(axis=-1), share.min(axis=-1)
    return float(np.mean((top - bottom) / np.where(top > 0, top, 1)))


def colourfulness(share: NDArray[np.float64]) -> float:
    """M = √(σ²_rg + σ²_yb) + 0.3 √(μ²_rg + μ²_yb), rg = R − G, yb = (R + G)/2 − B."""
    red, green, blue = np.moveaxis(share, -1, 0)
    red_green, yellow_blue = red - green, (red + green) / 2 - blue
    spread = np.hypot(red_green.std(), yellow_blue.std())
    return float(spread + 0.3 * np.hypot(red_green.mean(), yellow_blue.mean()))


def sharpness(grey: NDArray[np.float64]) -> float:
    """Standard deviation of the five-point Laplacian of (H, W) grey values; 0 below 3 × 3."""
    if min(grey.shape) < 3:
        return 0.0
    inner = grey[1:-1, 1:-1]
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return float(np.std(around - 4 * inner))


@lru_cache(maxsize=1)
def _cascade() -> Any:
    from skimage import data
    from skimage.feature import Cascade

    return Cascade(data.lbp_frontal_face_cascade_filename())


def count_faces(pixels: NDArray[np.uint8]) -> int:
    """Upright frontal faces of at least an eighth of the longest side (24 px or more)."""
    side = max(pixels.shape[:2])
    smallest = max(24, side // 8)
    if min(pixels.shape[:2]) < smallest:
        return 0
    found = _cascade().detect_multi_scale(
        img=pixels,
        scale_factor=1.2,
        step_ratio=1.0,
        min_size=(smallest, smallest),
        max_size=(side, side),
    )
    return len(found)
