"""Simulated clips: the same bytes for the same seed, and speckle that moves as the wall does."""

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from domains.echo_clutter.science.clips import NUM_SEGMENTS
from domains.echo_clutter.sources.imaging import SCANNERS
from domains.echo_clutter.sources.simulator import (
    display_converter,
    place_sector,
    simulate_clip,
    simulate_split,
)


@pytest.fixture(scope="module")
def clip():
    return simulate_clip(3, "normal", "C", frames=12, size=96, seed=0)


def test_the_same_arguments_give_the_same_clip_and_another_subject_another(clip):
    again = simulate_clip(3, "normal", "C", frames=12, size=96, seed=0)
    np.testing.assert_array_equal(clip.clean, again.clean)
    np.testing.assert_array_equal(clip.contour, again.contour)
    other = simulate_clip(4, "normal", "C", frames=12, size=96, seed=0)
    assert np.mean(clip.clean != other.clean) > 0.3


def test_blood_is_darker_than_the_wall_by_what_the_scanner_shows(clip):
    inside, outside = clip.contour.copy(), clip.contour.copy()
    middle = clip.contour.mean(axis=1, keepdims=True)
    inside += 0.35 * (middle - inside)
    outside -= 0.08 * (middle - outside)
    cavity, wall = (levels(clip.clean, points).mean() for points in (inside, outside))
    scanner = SCANNERS["C"]
    expected = -scanner.blood_db / scanner.dynamic_range_db * 255
    assert 0.5 * expected < wall - cavity < 1.1 * expected


def test_speckle_of_the_wall_moves_with_the_contour(clip):
    points = clip.contour - 0.06 * (clip.contour.mean(axis=1, keepdims=True) - clip.contour)
    following = np.corrcoef(levels(clip.clean, points)[[0, 3]])[0, 1]
    standing = np.corrcoef(levels(clip.clean, points[:1].repeat(12, axis=0))[[0, 3]])[0, 1]
    assert following > 0.55
    assert following > standing + 0.25


def test_the_contour_lies_in_the_sector_and_its_segments_are_of_equal_length(clip):
    column, row = np.rint(clip.contour).astype(int).transpose(2, 0, 1)
    assert clip.sector[row, column].mean() > 0.98
    pieces = np.linalg.norm(np.diff(clip.contour[0], axis=0), axis=1)
    by_segment = pieces.reshape(NUM_SEGMENTS, -1).sum(axis=1)
    np.testing.assert_allclose(by_segment, by_segment.mean(), rtol=0.02)
    assert np.bincount(clip.segment).tolist() == [8, 8, 8, 8, 8, 8, 9]


def test_nothing_shines_off_the_sector(clip):
    assert (clip.clean[:, ~clip.sector] == 0).all()


def test_a_pixel_is_as_long_as_the_depth_says():
    sector, pixel_mm = place_sector(SCANNERS["A"], 128)
    assert sector.far * pixel_mm == pytest.approx(SCANNERS["A"].depth_mm)
    assert sector.near * pixel_mm == pytest.approx(6.0)
    edge = sector.x + sector.far * np.sin(sector.half_angle)
    assert edge == pytest.approx(127.0)


def test_the_display_keeps_an_even_image_even_and_puts_ranges_at_their_pixels():
    sector, _ = place_sector(SCANNERS["A"], 64)
    converter = display_converter(sector, 90, 40, 64)
    inside = sector.mask((64, 64))
    deep = inside & (sector.polar((64, 64))[0] < sector.far - 2)
    deep &= (np.abs(sector.polar((64, 64))[1]) < sector.half_angle - 0.1) & (np.arange(64) > 8)[
        :, None
    ]
    even = (converter @ np.ones(90 * 40)).reshape(64, 64)
    np.testing.assert_allclose(even[deep], 1.0, atol=1e-9)
    assert (even[~inside] == 0).all()
    ranges = np.repeat(np.linspace(sector.near, sector.far, 90), 40)
    found = (converter @ ranges).reshape(64, 64)
    # shrinking averages over a pixel around: a cone is flat there but for its curvature
    np.testing.assert_allclose(found[deep], sector.polar((64, 64))[0][deep], atol=0.05)


def test_classes_and_vendors_take_turns():
    clips = simulate_split(5, 3, ["A", "F"], frames=2, size=32, seed=0)
    assert [clip.name for clip in clips] == ["005_normal_A", "006_rca_F", "007_lcx_A"]
    assert [clip.vendor for clip in clips] == ["simulated A", "simulated F", "simulated A"]


def levels(frames, points):
    """Grey levels (T, P) at (T, P, 2) points, between pixels bilinear."""
    return np.stack(
        [
            map_coordinates(image.astype(float), places.T[::-1], order=1)
            for image, places in zip(frames, points, strict=True)
        ]
    )
