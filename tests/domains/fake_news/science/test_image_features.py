"""Picture features against closed forms, scikit-image and a known face."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from skimage import data
from skimage.color import rgb2gray, rgb2hsv
from skimage.filters import laplace

from domains.fake_news.science import image_features as features


def by_name(pixels: np.ndarray, width: int = 40, height: int = 20, frames: int = 1) -> dict:
    values = features.image_features(pixels, width, height, frames)
    return dict(zip(features.NAMES, values.tolist(), strict=True))


def test_a_plain_red_picture_has_the_values_of_red() -> None:
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 255
    found = by_name(red, 640, 320, 3)
    assert found["image_width"] == 640
    assert found["image_pixels"] == 640 * 320
    assert found["image_aspect"] == 2
    assert found["image_frames"] == 3
    assert found["image_brightness"] == pytest.approx(0.2125)
    assert found["image_saturation"] == 1
    assert found["image_contrast"] == pytest.approx(0, abs=1e-7)
    assert found["image_sharpness"] == pytest.approx(0, abs=1e-7)
    # rg = 1, yb = 1/2, no spread: M = 0.3 √(1 + 1/4)
    assert found["image_colourfulness"] == pytest.approx(0.3 * np.sqrt(1.25))


def test_grey_saturation_and_laplacian_agree_with_scikit_image() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    found = by_name(pixels)
    grey = rgb2gray(pixels)
    assert found["image_brightness"] == pytest.approx(grey.mean(), rel=1e-5)
    assert found["image_contrast"] == pytest.approx(grey.std(), rel=1e-5)
    assert found["image_saturation"] == pytest.approx(rgb2hsv(pixels)[..., 1].mean(), rel=1e-5)
    inner = laplace(grey)[1:-1, 1:-1]
    assert found["image_sharpness"] == pytest.approx(inner.std(), rel=1e-5)


def test_the_astronaut_has_one_face_and_noise_none() -> None:
    astronaut = np.asarray(Image.fromarray(data.astronaut()).resize((192, 192)))
    assert features.count_faces(astronaut) == 1
    noise = np.random.default_rng(0).integers(0, 256, (192, 192, 3), dtype=np.uint8)
    assert features.count_faces(noise) == 0


def test_a_picture_too_small_for_a_face_has_none() -> None:
    assert features.count_faces(np.zeros((10, 192, 3), np.uint8)) == 0
