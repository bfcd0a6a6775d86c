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

MIN_FRAMES = 8
"""Fewer show too little of a beat to tell what moves from what stands still."""

_BRIGHT = 32  # grey levels; letters are brighter
_STILL = 2  # levels by which a letter changes at most, from the noise of compression
_MAX_STILL = 4  # pixels of the sector; fewer make no letter

_MIN_SHARE = 0.25  # of the declared region; what fills less of it need not be the image

_COLOURFUL = 40  # levels between the strongest and the weakest of red, green, blue
_MAX_COLOURFUL = 0.01  # share of the pixels; caliper marks and logos are less


@dataclass
class Cine:
    """Grey frames with what the file says of them.

    Args:
        name: for messages and clips: of the file; of DICOM, whose file names may be a patient's,
            made from the pixels.
        frames: (T, H, W) grey levels 0 to 255.
        file: it came from, for errors, which must lead to it; they are shown and not kept.
        frame_time_ms: time between frames; NaN where the file does not say.
        region: (top, left, bottom, right) pixels of the ultrasound image in the frames, the last
            two exclusive; ``None`` where the file does not say.
        is_region_sure: the region lies in the frames as the file says it.
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
    file: str = ""
    frame_time_ms: float = math.nan
    region: tuple[int, int, int, int] | None = None
    is_region_sure: bool = True
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
        top, left, bottom, right = self.region or (0, 0, *frames.shape[1:])
        found = np.zeros(frames.shape[1:], np.bool_)
        found[top:bottom, left:right] = detect_sector(frames[:, top:bottom, left:right])
        if not found.any():
            raise DataError(
                f"{self.file or self.name}: no ultrasound sector found: nothing both shines and "
                f"moves in {len(frames)} frames; if the whole frame is the image, set "
                "ingest.files.sector: whole"
            )
        return found

    def why_text_may_stay(self, sector: NDArray[np.bool_], mode: str = "auto") -> str | None:
        """Why frames that are black outside ``sector`` may still show text; ``None`` if sure.

        Sure is a sector that was found by its motion in a region that the file declares, and in
        which nothing bright stands still: text does, and clocks and traces lie elsewhere.

        Args:
            sector: (H, W) as ``find_sector`` gives it.
            mode: ``ingest.files.sector``.
        """
        if mode == "whole":
            return "ingest.files.sector is whole, so nothing is blacked out"
        if self.sector is not None:
            return "the sector came with the file and is not checked"
        if doubt := self._why_region_is_unsure(sector):
            return doubt
        if len(self.frames) < MIN_FRAMES:
            return f"{len(self.frames)} frames do not tell text, which stands still, from tissue"
        least, most = self.frames.min(axis=0), self.frames.max(axis=0)
        still = int(((least > _BRIGHT) & (most - least <= _STILL) & sector).sum())
        if still > _MAX_STILL:
            return f"{still} bright pixels inside the sector stand still as letters do"
        return None

    def check_blackable(self, sector: NDArray[np.bool_]) -> None:
        """Refuse a single frame whose detected ``sector`` (H, W) need not be the image.

        Raises:
            DataError: the file declares no region that the sector fills.
        """
        if len(self.frames) > 1 or self.sector is not None:
            return
        if doubt := self._why_region_is_unsure(sector):
            raise DataError(
                f"{self.file or self.name}: a single frame cannot be de-identified: {doubt}, so a "
                "banner may be taken for the image; give the sector in an NPZ, or set "
                "ingest.files.sector: whole (drops the tags, blacks nothing)"
            )

    def _why_region_is_unsure(self, sector: NDArray[np.bool_]) -> str | None:
        if self.region is None:
            return "the file declares no region of the image that could be used"
        if not self.is_region_sure:
            return "the region that the file declares does not fit its frames"
        top, left, bottom, right = self.region
        share = float(sector.sum()) / ((bottom - top) * (right - left))
        if share < _MIN_SHARE:
            return f"the sector found fills {100 * share:.0f} % of the declared region"
        return None


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
