"""Pictures of any mode and kind to RGB; the ending of a name is not believed.

The size is read from the header first: a decompression bomb is refused undecoded.
"""

from __future__ import annotations

import io
import struct
import warnings
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from domains.fake_news.science.image_features import FACE_PX

KINDS = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "PNG": (".png", ".apng"),
    "GIF": (".gif",),
    "WEBP": (".webp",),
    "BMP": (".bmp",),
    "TIFF": (".tif", ".tiff"),
}
"""Kinds that are read, with their endings; no others: their decoders would be attack surface."""

MIN_PX = 8


class PictureError(Exception):
    """A picture that cannot be used; the message is a reason to count."""


@dataclass(frozen=True)
class Picture:
    """A decoded picture.

    Args:
        pixels: (H, W, 3) RGB of the first frame, longest side at most ``FACE_PX``.
        width: of the original in px.
        height: of the original in px.
        num_frames: more than 1 is an animation.
        notes: what was unusual, each a reason to count.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    num_frames: int
    notes: tuple[str, ...]


def read_picture(content: bytes, name: str, max_pixels: int) -> Picture:
    """Decode the first frame of ``content``: upright, on white, in RGB.

    Args:
        content: of the file.
        name: of the file, for its ending.
        max_pixels: larger ones are refused.

    Raises:
        PictureError: says why.
    """
    if not content:
        raise PictureError("picture is an empty file")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's advice on odd metadata and on size, judged below
        try:
            with Image.open(io.BytesIO(content), formats=tuple(KINDS)) as image:
                return _decoded(image, name, max_pixels)
        except Image.DecompressionBombError:
            raise PictureError(f"picture has more than {max_pixels} pixels") from None
        except Image.UnidentifiedImageError:
            raise PictureError("file is not a picture") from None
        # Pillow's decoders raise all of these for bytes that are cut short or damaged
        except (
            OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, struct.error,
        ) as error:  # fmt: skip
            reason = "cut short" if "truncated" in str(error).lower() else "damaged"
            raise PictureError(f"picture is {reason}") from error


def _decoded(image: Image.Image, name: str, max_pixels: int) -> Picture:
    if image.width * image.height > max_pixels:
        raise PictureError(f"picture has more than {max_pixels} pixels")
    if min(image.size) < MIN_PX:
        raise PictureError(f"picture is smaller than {MIN_PX} px")
    notes = []
    kind, frames = image.format or "", getattr(image, "n_frames", 1)
    if PurePath(name).suffix.lower() not in KINDS.get(kind, ()):
        notes.append("picture with another kind's ending")
    if frames > 1:
        notes.append("animated picture, first frame taken")
    image.seek(0)
    upright = ImageOps.exif_transpose(image)
    width, height = upright.size
    rgb = to_rgb(upright)
    if rgb.mode != upright.mode:
        notes.append(f"picture of mode {upright.mode}")
    rgb.thumbnail((FACE_PX, FACE_PX), Image.Resampling.BOX)
    return Picture(np.asarray(rgb), width, height, frames, tuple(notes))


def to_rgb(image: Image.Image) -> Image.Image:
    """RGB of a picture of any mode; what is transparent becomes white."""
    if image.mode.startswith(("I", "F")):  # 16 or 32 bits: to its own range
        values = np.asarray(image, np.float64)
        low, high = float(values.min()), float(values.max())
        return Image.fromarray(
            np.uint8(np.rint((values - low) * 255 / max(high - low, 1e-12)))
        ).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        whole = image.convert("RGBA")
        white = Image.new("RGBA", whole.size, "white")
        return Image.alpha_composite(white, whole).convert("RGB")
    return image.convert("RGB")


def thumbnail_png(pixels: NDArray[np.uint8], size_px: int) -> bytes:
    """PNG of (H, W, 3) pixels with the longest side at most ``size_px``; the same every time."""
    image = Image.fromarray(pixels)
    image.thumbnail((size_px, size_px), Image.Resampling.BOX)
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=False, compress_level=9)
    return stream.getvalue()
