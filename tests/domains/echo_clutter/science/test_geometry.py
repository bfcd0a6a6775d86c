"""Sectors, scan conversion and resizing against closed forms, SciPy and PIL."""

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import map_coordinates

from domains.echo_clutter.science.geometry import (
    Sector,
    Window,
    detect_sector,
    resize,
    scan_converter,
)

SECTOR = Sector(x=31.5, y=-4.0, near=8.0, far=60.0, half_angle=0.6)
SHAPE = (64, 64)


def test_the_area_of_the_mask_is_that_of_a_ring_sector():
    sector = Sector(x=255.5, y=0.0, near=20.0, far=400.0, half_angle=0.6)
    area = sector.half_angle * (sector.far**2 - sector.near**2)
    assert sector.mask((512, 512)).sum() == pytest.approx(area, rel=0.005)


def test_scan_conversion_keeps_what_is_linear_in_range_and_angle():
    ranges, angles = np.linspace(8, 60, 40), np.linspace(-0.6, 0.6, 30)
    beams = 3 * ranges[:, None] - 20 * angles[None] + 5
    found = (scan_converter(SECTOR, 40, 30, SHAPE) @ beams.ravel()).reshape(SHAPE)
    radius, angle = SECTOR.polar(SHAPE)
    inside = SECTOR.mask(SHAPE)
    np.testing.assert_allclose(found[inside], (3 * radius - 20 * angle + 5)[inside], rtol=1e-9)
    assert (found[~inside] == 0).all()


def test_scan_conversion_interpolates_as_scipy_does():
    beams = np.random.default_rng(0).random((40, 30))
    found = (scan_converter(SECTOR, 40, 30, SHAPE) @ beams.ravel()).reshape(SHAPE)
    radius, angle = SECTOR.polar(SHAPE)
    places = [(radius - 8) / 52 * 39, (angle / 0.6 + 1) / 2 * 29]
    expected = map_coordinates(beams, places, order=1)
    inside = SECTOR.mask(SHAPE)
    np.testing.assert_allclose(found[inside], expected[inside], atol=1e-9)


def cine(seed=0, frames=12):
    """Moving speckle in SECTOR, a black chamber in its middle, text and a border line outside."""
    rng = np.random.default_rng(seed)
    images = rng.rayleigh(40, (frames, *SHAPE)) * SECTOR.mask(SHAPE)
    images[:, 25:40, 25:38] = 0
    images[:, 2:7, 2:12] = 200  # text stands still
    images[:, :, 63] = 120
    return np.clip(images, 0, 255).astype(np.uint8)


def test_the_sector_is_found_with_its_black_chamber_and_without_text():
    found = detect_sector(cine())
    truth = SECTOR.mask(SHAPE)
    overlap = (found & truth).sum() / (found | truth).sum()
    assert overlap > 0.96
    assert found[25:40, 25:38].all()
    assert not found[2:7, 2:12].any()
    assert not found[:, 63].any()


def test_a_single_frame_has_a_sector_too():
    image = cine(frames=1)
    image[:, 2:7, 2:12] = 0
    truth = SECTOR.mask(SHAPE)
    found = detect_sector(image)
    assert (found & truth).sum() / (found | truth).sum() > 0.9


def test_a_banner_is_no_sector_even_where_it_is_the_largest_part():
    image = np.zeros((1, 60, 120), np.uint8)
    image[:, :14, 10:110] = 70  # a filled bar at the top
    assert not detect_sector(image).any()
    fan = Sector(x=60, y=12, near=8, far=40, half_angle=0.4).mask((60, 120))
    assert fan.sum() < 14 * 100
    image[:, fan] = 90
    found = detect_sector(image)
    assert not found[:14].any()
    assert (found & fan).sum() > 0.95 * fan.sum()


def test_an_image_that_fills_the_frame_is_no_banner():
    assert detect_sector(np.full((1, 30, 40), 90, np.uint8)).all()


@pytest.mark.parametrize("frames", [np.zeros((5, 20, 20)), np.full((5, 20, 20), 90.0)])
def test_nothing_is_found_where_nothing_shines_and_moves(frames):
    assert not detect_sector(frames).any()


@pytest.mark.parametrize("shape", [(21, 40), (150, 97), (64, 64), (33, 200)])
def test_resizing_is_pils_bilinear(shape):
    image = np.random.default_rng(1).uniform(0, 255, SHAPE).astype(np.float32)
    expected = np.asarray(Image.fromarray(image).resize(shape[::-1], Image.Resampling.BILINEAR))
    np.testing.assert_allclose(resize(image, shape), expected, atol=2e-3)


def test_a_window_is_the_smallest_square_around_the_sector():
    sector = np.zeros((50, 90), bool)
    sector[10:41, 20:61] = True  # 31 rows, 41 columns
    window = Window.around(sector, 41)
    assert (window.top, window.left, window.side) == (5, 20, 41)
    with pytest.raises(ValueError, match="no pixel"):
        Window.around(np.zeros((5, 5), bool), 4)


def test_what_is_cut_at_its_own_size_goes_back_exactly():
    frames = np.random.default_rng(2).random((3, 30, 80)).astype(np.float32)
    sector = np.zeros((30, 80), bool)
    sector[:, 5:75] = True  # the square reaches beyond the image above and below
    window = Window.around(sector, 70)
    assert window.top < 0
    square = window.cut(frames)
    assert square.shape == (3, 70, 70)
    np.testing.assert_array_equal(window.put_back(square, (30, 80)), frames * sector)


def test_what_is_smooth_survives_another_size():
    down, right = np.mgrid[:120, :160] / 40
    frames = np.sin(down)[None] * np.cos(right)[None]
    sector = np.zeros((120, 160), bool)
    sector[10:110, 30:130] = True
    window = Window.around(sector, 64)
    back = window.put_back(window.cut(frames), (120, 160))
    inner = np.s_[:, 14:106, 34:126]
    np.testing.assert_allclose(back[inner], frames[inner], atol=2e-3)
    assert (back[0][~sector] == 0).all()
