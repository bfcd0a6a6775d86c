"""Pictures of any mode; what cannot be used has a reason."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from domains.fake_news.sources.images import PictureError, read_picture, thumbnail_png

MAX_PIXELS = 1_000_000


def picture(mode: str, size: tuple[int, int] = (40, 20)) -> Image.Image:
    """Orange, as far as the mode can show it."""
    image = Image.new("RGB", size, (255, 128, 0))
    if mode.startswith("I;16"):
        return Image.fromarray(np.tile(np.arange(size[0], dtype=np.uint16) * 900, (size[1], 1)))
    return image.convert(mode)


@pytest.mark.parametrize(
    ("mode", "kind", "colour"),
    [
        ("RGB", "PNG", (255, 128, 0)),
        ("RGBA", "PNG", (255, 128, 0)),
        ("P", "PNG", (255, 128, 0)),
        ("L", "PNG", (151, 151, 151)),
        ("LA", "PNG", (151, 151, 151)),
        ("1", "PNG", None),
        ("CMYK", "JPEG", (255, 128, 0)),
        ("RGB", "WEBP", (255, 128, 0)),
        ("I;16", "PNG", None),
    ],
)
def test_any_mode_becomes_rgb(
    encoded: Callable, mode: str, kind: str, colour: tuple[int, int, int] | None
) -> None:
    content = encoded(picture(mode), kind)
    found = read_picture(content, f"a.{kind.lower().replace('jpeg', 'jpg')}", MAX_PIXELS)
    assert found.pixels.shape == (20, 40, 3)
    assert (found.width, found.height, found.num_frames) == (40, 20, 1)
    if colour is None:
        assert found.pixels.max() == 255
        assert found.pixels.min() == 0
    else:
        assert np.abs(found.pixels.mean(axis=(0, 1)) - colour).max() <= 6  # palettes dither
    expected = () if mode == "RGB" else (f"picture of mode {Image.open(io.BytesIO(content)).mode}",)
    assert found.notes == expected


def test_what_is_transparent_is_white(encoded: Callable) -> None:
    image = Image.new("RGBA", (16, 16), (10, 20, 30, 0))
    assert (read_picture(encoded(image, "PNG"), "a.png", MAX_PIXELS).pixels == 255).all()


def test_the_first_frame_of_an_animation_is_taken(encoded: Callable) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "green", "blue")]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    found = read_picture(content, "a.gif", MAX_PIXELS)
    assert found.num_frames == 3
    assert found.pixels[0, 0].tolist() == [255, 0, 0]
    assert "animated picture, first frame taken" in found.notes


def test_a_png_named_jpg_is_read_and_told(encoded: Callable) -> None:
    found = read_picture(encoded(picture("RGB"), "PNG"), "boston_real_18.JPG", MAX_PIXELS)
    assert found.notes == ("picture with another kind's ending",)


def test_a_picture_that_lies_on_its_side_is_put_upright(encoded: Callable) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turn by 90°
    found = read_picture(encoded(picture("RGB"), "JPEG", exif=exif), "a.jpg", MAX_PIXELS)
    assert found.pixels.shape == (40, 20, 3)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF"])
def test_a_picture_cut_short_is_refused(encoded: Callable, kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    content = encoded(Image.fromarray(noise), kind)
    with pytest.raises(PictureError, match=r"picture is (cut short|damaged)"):
        read_picture(content[: len(content) // 3], "a.png", MAX_PIXELS)


def test_an_animation_cut_anywhere_is_refused_or_read_but_never_another_error(
    encoded: Callable,
) -> None:
    frames = [Image.new("RGB", (12, 10), colour) for colour in ("red", "green")]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], loop=0)
    for length in range(1, len(content)):
        with contextlib.suppress(PictureError):
            read_picture(content[:length], "a.gif", MAX_PIXELS)


def test_damaged_bytes_are_refused_or_read_but_never_another_error(encoded: Callable) -> None:
    random = np.random.default_rng(0)
    for kind in ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP"):
        whole = np.frombuffer(encoded(picture("RGB"), kind), np.uint8)
        for _ in range(30):
            broken = whole.copy()
            broken[random.integers(len(broken), size=4)] = random.integers(256, size=4)
            with contextlib.suppress(PictureError):
                assert read_picture(broken.tobytes(), "a.png", MAX_PIXELS).pixels.ndim == 3


def bomb(side: int) -> bytes:
    """A PNG header that claims ``side`` × ``side`` pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [1_001, 12_000, 60_000])
def test_a_bomb_is_refused_by_its_header(side: int) -> None:
    with pytest.raises(PictureError, match="more than 1000000 pixels"):
        read_picture(bomb(side), "a.png", MAX_PIXELS)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file"),
        (b"a text among the pictures", "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "not a picture"),
    ],
)
def test_what_is_no_picture_says_so(content: bytes, reason: str) -> None:
    with pytest.raises(PictureError, match=reason):
        read_picture(content, "a.jpg", MAX_PIXELS)


def test_a_picture_of_a_few_pixels_is_refused(encoded: Callable) -> None:
    with pytest.raises(PictureError, match="smaller than 8 px"):
        read_picture(encoded(picture("RGB", (100, 1)), "PNG"), "a.png", MAX_PIXELS)


def test_the_thumbnail_keeps_its_shape_and_its_bytes() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (90, 180, 3), dtype=np.uint8)
    png = thumbnail_png(pixels, 60)
    assert Image.open(io.BytesIO(png)).size == (60, 30)
    assert thumbnail_png(pixels, 60) == png
