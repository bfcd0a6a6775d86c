"""A cine as it comes from a file, before it is cut to the network's size.

Legend: T frames, H rows, W columns of the file's own grid.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from domains.echo_clutter.science.geometry import detect_sector
from domains.errors import DataError

if TYPE_CHECKING:
    from pydicom import Dataset

# ITU-R BT.601, what JPEG and MPEG call luma
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)

_COLOURFUL = 40  # levels between the strongest and the weakest of red, green, blue
_MAX_COLOURFUL = 0.01  # share of the pixels; caliper marks and logos are less


@dataclass
class Cine:
    """Grey frames with what the file says of them.

    Args:
        name: of the file, for messages and clip names.
        frames: (T, H, W) grey levels 0 to 255.
        frame_time_ms: time between frames; NaN where the file does not say.
        region: (top, left, bottom, right) pixels of the ultrasound image in the frames, the last
            two exclusive; ``None`` where the file does not say.
        pixel_mm: side of a pixel; NaN where the file does not say.
        vendor: of the scanner.
        clean: (T, H, W) truth that came along.
        sector: (H, W) mask that came along.
        is_cluttered: the file says so, whatever the parameters take frames for.
        header: the DICOM file's tags.
        warnings: what a reader of the result must know, one sentence each.
    """

    name: str
    frames: NDArray[np.uint8]
    frame_time_ms: float = math.nan
    region: tuple[int, int, int, int] | None = None
    pixel_mm: float = math.nan
    vendor: str = "unknown"
    clean: NDArray[np.uint8] | None = None
    sector: NDArray[np.bool_] | None = None
    is_cluttered: bool = False
    header: Dataset | None = None
    warnings: list[str] = field(default_factory=list)

    def find_sector(self, mode: str = "auto") -> NDArray[np.bool_]:
        """(H, W) true inside the image: given, or detected within the region; ``whole`` = all.

        Raises:
            DataError: nothing is to be seen.
        """
        if mode == "whole":
            return np.ones(self.frames.shape[1:], np.bool_)
        if self.sector is not None:
            return self.sector
        frames = self.frames
        if self.region is not None:
            top, left, bottom, right = self.region
            inside = np.zeros(frames.shape[1:], np.bool_)
            inside[top:bottom, left:right] = True
            frames = frames * inside
        found = detect_sector(frames)
        if self.region is not None:
            found &= inside
        if not found.any():
            raise DataError(
                f"{self.name}: no ultrasound sector found: nothing both shines and moves in "
                f"{len(frames)} frames; if the whole frame is the image, set "
                "ingest.files.sector: whole"
            )
        return found


def to_grey(frames: NDArray, name: str, warnings: list[str]) -> NDArray[np.uint8]:
    """Grey levels (T, H, W) of colour frames (T, H, W, 3), 0 to 255; says where colour is lost."""
    strongest, weakest = frames.max(axis=-1), frames.min(axis=-1)
    colourful = float(np.mean(strongest.astype(np.int16) - weakest > _COLOURFUL))
    if colourful > _MAX_COLOURFUL:
        warnings.append(
            f"{name}: {100 * colourful:.0f} % of the pixels are coloured (Doppler overlay?); the "
            "filter knows grey images alone and sees them as grey"
        )
    return np.rint(frames[..., :3].astype(np.float32) @ _LUMA).astype(np.uint8)
