"""Pictures of the synthetic corpus: soft coloured fields, some with a face."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from domains.fake_news.sources.collection import MemoryFile

_SATURATION = {0: 0.30, 1: 0.45}  # by label: real, fake
_BLUR_PX = {0: 2.0, 1: 3.0}
_FACES = {0: 0.5, 1: 0.25}
_DAMAGED_BYTES = 300


class Drawing:
    """Draws one picture after the other.

    Args:
        random: drawn from.
    """

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._number = 0

    def draw(
        self,
        name: str,
        label: int,
        hue: float,
        size: tuple[int, int],
        shows_house: bool,
        is_damaged: bool,
    ) -> MemoryFile:
        """One encoded picture, by turns JPEG, PNG with transparency, GIF, and PNG named .jpg.

        Args:
            name: of its article, without ending.
            label: 1 = fake.
            hue: of its event, 0 to 1.
            size: width and height in px of the publisher's pictures.
            shows_house: in that size, else in one of no publisher.
            is_damaged: cut short.
        """
        if not shows_house:
            size = (int(self._random.integers(18, 30)) * 8, int(self._random.integers(14, 22)) * 8)
        image = Image.fromarray(self._field(label, hue, size))
        if self._random.random() < _FACES[label]:
            side = 96
            image.paste(_face().resize((side, side)), (8, 8))
        self._number += 1
        stream = io.BytesIO()
        kind = self._number % 20
        if kind == 1:
            image.putalpha(Image.new("L", image.size, 200))
            image.save(stream, "PNG")
            ending = "png"
        elif kind == 2:
            image.quantize(64).save(stream, "GIF")
            ending = "gif"
        else:
            image.save(stream, "PNG" if kind == 3 else "JPEG", quality=85)
            ending = "jpg"
        content = stream.getvalue()
        return MemoryFile(f"{name}.{ending}", content[:_DAMAGED_BYTES] if is_damaged else content)

    def _field(self, label: int, hue: float, size: tuple[int, int]) -> NDArray[np.uint8]:
        """(H, W, 3) smooth noise around a hue."""
        from skimage.color import hsv2rgb

        width, height = size
        blur = _BLUR_PX[label] * float(self._random.uniform(0.7, 1.4))
        noise = gaussian_filter(self._random.normal(size=(height, width, 3)), (blur, blur, 0))
        noise /= noise.std()
        saturation = _SATURATION[label] * float(self._random.uniform(0.6, 1.4))
        hsv = np.stack(
            [
                (hue + 0.04 * noise[..., 0]) % 1,
                np.clip(saturation + 0.1 * noise[..., 1], 0, 1),
                np.clip(0.6 + 0.18 * noise[..., 2], 0, 1),
            ],
            axis=-1,
        )
        return np.rint(255 * hsv2rgb(hsv)).astype(np.uint8)


@lru_cache(maxsize=1)
def _face() -> Image.Image:
    """Eileen Collins' face from NASA's portrait, public domain, as scikit-image ships it."""
    from skimage import data

    return Image.fromarray(data.astronaut()[:220, 115:335])
