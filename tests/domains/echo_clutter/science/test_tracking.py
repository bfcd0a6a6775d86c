"""Tracking of speckle whose motion is known."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates

from domains.echo_clutter.science import strain, tracking

SIZE = 80
ROWS, COLUMNS = np.mgrid[:SIZE, :SIZE].astype(float)


def speckle(seed=0):
    noise = gaussian_filter(np.random.default_rng(seed).normal(size=(SIZE, SIZE)), 1.5)
    return 120 + 60 * noise / noise.std()


def warped(frame, x, y):
    """``frame`` seen from (x, y): the cubic spline of SciPy, none of our code."""
    return map_coordinates(frame, [y, x], order=3, mode="nearest")


def whole_strain(contour):
    """Strain (T,) in per cent of a contour taken for one segment."""
    return strain.segmental_strain(contour, np.zeros(contour.shape[1]))[:, 0]


@pytest.mark.parametrize("shift", [(0.3, -0.4), (1.0, 2.0), (-2.45, 1.7), (0.0, 0.0)])
def test_a_shift_below_a_pixel_is_found_to_a_twentieth(shift):
    frame = speckle()
    moved = warped(frame, COLUMNS - shift[0], ROWS - shift[1])
    points = np.array([[30.0, 30.0], [41.3, 35.7], [50.5, 52.2]])
    assert tracking.block_shift(frame, moved, points) == pytest.approx(
        np.broadcast_to(shift, (3, 2)), abs=0.05
    )


def test_gain_and_offset_do_not_look_like_motion():
    frame = speckle()
    moved = warped(frame, COLUMNS - 0.6, ROWS + 0.3)
    points = np.array([[40.0, 40.0]])
    found = tracking.block_shift(frame, 0.5 * moved + 30, points)
    assert found[0] == pytest.approx((0.6, -0.3), abs=0.05)


def test_the_strain_of_a_beat_is_found_to_half_a_per_cent_point():
    """Speckle squeezed by up to 12 % along x and let go: strain is known by formula."""
    squeeze = 0.12 * np.sin(np.linspace(0, np.pi, 25, endpoint=False)) ** 2
    frame = speckle(3)
    clip = [warped(frame, 40 + (COLUMNS - 40) / (1 - s), ROWS) for s in squeeze]
    start = np.stack([np.linspace(16, 64, 29), np.full(29, 40.0)], axis=-1)
    found = tracking.track_beat(clip, start)
    truth = start.copy()[None].repeat(25, axis=0)
    truth[:, :, 0] = 40 + (start[:, 0] - 40) * (1 - squeeze[:, None])
    assert np.abs(found - truth).max() < 0.6
    assert whole_strain(found) == pytest.approx(-100 * squeeze, abs=0.5)


def test_a_beat_ends_where_it_began():
    frame = speckle(5)
    phase = 2 * np.pi * np.arange(12) / 12
    clip = [warped(frame, COLUMNS - 2 * np.sin(a), ROWS - 2 * (1 - np.cos(a))) for a in phase]
    start = np.array([[35.0, 35.0], [40.0, 38.0], [44.0, 42.0]])
    expected = start + np.stack([2 * np.sin(phase), 2 * (1 - np.cos(phase))], -1)[:, None]
    assert tracking.track_beat(clip, start) == pytest.approx(expected, abs=0.15)


@pytest.mark.parametrize("grey", [0.0, 255.0])
def test_an_even_area_does_not_wander(grey):
    clip = np.full((6, SIZE, SIZE), grey)
    start = np.array([[40.0, 40.0], [3.0, 3.0], [79.0, 79.0]])
    assert np.array_equal(tracking.track(clip, start), np.broadcast_to(start, (6, 3, 2)))


def test_static_clutter_holds_a_point_back():
    """Why clutter spoils strain: added on top, it pulls the tracked point towards rest."""
    frame = speckle(7)
    moved = warped(frame, COLUMNS - 1.0, ROWS)
    veil = 150 * np.exp(-(((ROWS - 40) / 4) ** 2 + ((COLUMNS - 40) / 4) ** 2) / 2)
    points = np.array([[40.0, 40.0]])
    with_veil = tracking.block_shift(frame + veil, moved + veil, points)[0, 0]
    assert with_veil < 0.8 < tracking.block_shift(frame, moved, points)[0, 0]


def test_smoothing_keeps_an_even_strain_up_to_the_ends_and_spreads_an_outlier():
    shift = np.linspace([1.0, -2.0], [2.0, 3.0], 9)
    assert np.allclose(tracking.along_contour(shift, 1.5), shift)
    shift[4, 0] = 10.0
    assert tracking.along_contour(shift, 1.5)[4, 0] < 5.0


def test_normals_point_away_from_the_middle_of_the_cavity():
    angle = np.linspace(-2.6, -0.5, 15)
    arc = 40 + 20 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    for points in (arc, arc[::-1]):
        expected = (points - 40) / 20
        assert tracking.outward_normals(points)[1:-1] == pytest.approx(expected[1:-1], abs=1e-6)


def test_the_inner_side_is_found_though_what_lies_inside_it_comes_and_goes():
    """A ring that shrinks by 10 % around flickering blood: the inner side moves by formula."""
    shrink = 0.10 * np.sin(np.linspace(0, np.pi, 20, endpoint=False)) ** 2
    frame, blood = speckle(11), np.random.default_rng(12)
    clip = []
    for part in shrink:
        image = warped(frame, 40 + (COLUMNS - 40) / (1 - part), 40 + (ROWS - 40) / (1 - part))
        depth = np.hypot(COLUMNS - 40, ROWS - 40) - 20 * (1 - part)
        wall = 1 / (1 + np.exp(-2 * depth))  # a hard edge would step from pixel to pixel
        flicker = gaussian_filter(blood.rayleigh(30, image.shape), 1)
        clip.append(wall * image + (1 - wall) * flicker)
    angle = np.linspace(-2.9, -0.2, 30)
    start = 40 + 20 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    found = tracking.track_beat(clip, start)
    truth = 40 + (start - 40) * (1 - shrink)[:, None, None]
    assert np.abs(found - truth).mean() < 0.25
    assert whole_strain(found) == pytest.approx(-100 * shrink, abs=1.5)
