"""Clutter is a pure function of its seed, adds what it says, and looks as the authors' does."""

import numpy as np
import pytest
from scipy.optimize import least_squares

from domains.echo_clutter.science import clutter
from domains.echo_clutter.science.clutter import draw_clutter
from domains.echo_clutter.science.geometry import Sector, detect_sector
from domains.echo_clutter.science.spots import Clutter, Spot

ALL = {"near_field": 1.0, "reverberation": 1.0, "haze": 1.0}


def sector(size=64):
    return Sector((size - 1) / 2, 0, size / 16, size - 2, 0.55).mask((size, size))


def test_a_spot_is_a_gaussian_with_its_axes_turned():
    spot = Spot(amplitude=100, x=20, y=30, sigma_along=3, sigma_across=6, tilt=0.5)
    found = spot.values((64, 64))[0]
    assert found[30, 20] == pytest.approx(100)
    down, right = np.mgrid[:64, :64] - np.array([30, 20])[:, None, None]
    across = np.cos(0.5) * right + np.sin(0.5) * down
    along = np.cos(0.5) * down - np.sin(0.5) * right
    expected = 100 * np.exp(-0.5 * ((across / 6) ** 2 + (along / 3) ** 2))
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_a_moved_spot_is_the_spot_elsewhere():
    spot = Spot(150, 20, 30, 3, 6, -0.5)
    moved = spot.values((64, 64), np.array([[0, 0], [2.5, -1.25]]))
    np.testing.assert_array_equal(moved[0], spot.values((64, 64))[0])
    expected = Spot(150, 22.5, 28.75, 3, 6, -0.5).values((64, 64))[0]
    np.testing.assert_allclose(moved[1], expected, atol=1e-4)


def test_clutter_is_added_inside_the_sector_and_clipped_at_white():
    inside = sector()
    clean = np.random.default_rng(0).integers(0, 256, (5, 64, 64)).astype(np.uint8)
    drawn = draw_clutter(3, inside, 5, ALL)
    found = drawn.add(clean, inside)
    expected = np.minimum(clean + drawn.values(), 255)
    np.testing.assert_allclose(found[:, inside], expected[:, inside], rtol=1e-6)
    np.testing.assert_array_equal(found[:, ~inside], clean[:, ~inside])
    assert found.max() == 255


def test_the_same_seed_gives_the_same_clutter_and_another_another():
    one, same, other = (draw_clutter(seed, sector(), 6, ALL).values() for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 10


def test_some_frames_of_a_clip_have_the_clutter_that_they_have_in_the_whole():
    drawn = draw_clutter(5, sector(), 20, ALL)
    numbers = np.array([17, 3, 3])
    np.testing.assert_array_equal(drawn.values(numbers), drawn.values()[numbers])


def test_near_field_stands_still_reverberation_moves_and_haze_flickers():
    def travel(kind):
        values = draw_clutter(0, sector(), 12, {kind: 1.0}).values()
        return np.abs(values - values[0]).max() / values.max()

    assert travel("near_field") == 0
    assert travel("reverberation") > 0.05
    assert 0 < travel("haze") < 1


def test_kinds_come_as_often_as_they_should_and_never_none():
    chances = {"near_field": 0.8, "reverberation": 0.3, "haze": 0.0}
    records = [draw_clutter(seed, sector(), 4, chances).record() for seed in range(400)]
    share = {kind: np.mean([kind in record for record in records]) for kind in chances}
    # near field also stands in where nothing was drawn: 0.8 + 0.2 · 0.7
    assert share["near_field"] == pytest.approx(0.94, abs=0.04)
    assert share["reverberation"] == pytest.approx(0.3, abs=0.07)
    assert share["haze"] == 0
    assert all(records)


def test_no_chance_at_all_leaves_a_clip_clean():
    clean = np.full((2, 64, 64), 90, np.uint8)
    drawn = draw_clutter(0, sector(), 2, dict.fromkeys(ALL, 0.0))
    np.testing.assert_array_equal(drawn.add(clean, sector()), clean)


def test_reverberation_that_rides_moves_with_the_wall_beside_it():
    angle = np.linspace(-2.2, -0.9, 30)
    beat = 3 * np.sin(np.pi * np.arange(10) / 10) ** 2
    contour = np.stack([32 + 14 * np.cos(angle), 55 + 40 * np.sin(angle)], axis=1)[None]
    contour = contour + np.stack([np.zeros(10), beat], axis=1)[:, None]
    rides = 0
    for seed in range(40):
        path = draw_clutter(seed, sector(), 10, ALL, contour).path
        if np.allclose(path[:, 1], beat) and np.allclose(path[:, 0], 0):
            rides += 1
        else:  # drifts evenly
            np.testing.assert_allclose(np.diff(path, 2, axis=0), 0, atol=1e-12)
    assert 10 <= rides <= 30


def test_lengths_grow_with_the_image():
    small, large = (draw_clutter(4, sector(size), 8, ALL) for size in (64, 128))
    for kind in ("near_field", "reverberation", "haze"):
        one, two = getattr(small, kind), getattr(large, kind)
        assert two.sigma_along == pytest.approx(2 * one.sigma_along)
        assert two.x == pytest.approx(2 * one.x, abs=1.5)
        assert two.y == pytest.approx(2 * one.y, abs=3)
        assert two.amplitude == one.amplitude


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"chances of \['fog'\]"):
        draw_clutter(0, sector(), 4, {"fog": 1.0})
    with pytest.raises(ValueError, match="no pixel"):
        draw_clutter(0, np.zeros((8, 8), bool), 4, ALL)


@pytest.mark.parametrize("vendor", ["GE", "Hitachi", "Philips", "Samsung"])
def test_the_authors_clutter_lies_within_the_ranges(echo_data, vendor):
    with np.load(echo_data / f"synthetic_{vendor}.npz") as clip:
        clean, cluttered = clip["clean"], clip["cluttered"]
    inside = detect_sector(clean)
    frame = clutter._Frame.of(inside)
    added = cluttered.astype(float) - clean
    seen = inside & (cluttered < 250)  # not where white hides how much was added

    near = fit_spot(added[0], seen[0], np.s_[0:60, 50:80], [180, 63, 14, 14, 5, 0])
    assert_within(clutter.NEAR_FIELD, near)
    assert_between(clutter.NEAR_FIELD["below_top"], near.y - frame.top)
    assert_between(clutter.NEAR_FIELD["beside_axis"], near.x - frame.axis)

    window, start = np.s_[25:75, 70:112], [195, 87, 47, 3.2, 7, -0.6]
    first, last = (fit_spot(added[t], seen[t], window, start) for t in (0, 49))
    ranges = clutter.REVERBERATION
    assert_within(ranges, first)
    assert_between(ranges["drift_down"], last.y - first.y)
    assert_between(ranges["drift_aside"], last.x - first.x)
    depth = (first.y - frame.top) / (frame.bottom - frame.top)
    assert_between(ranges["relative_depth"], depth)
    edge = frame.right[round(first.y)] - frame.axis
    assert_between(ranges["relative_width"], (first.x - frame.axis) / edge)


def fit_spot(added, seen, window, start):
    """The spot that fits best, robustly, to the seen pixels of a window."""
    pixels = seen[window]

    def misfit(values):
        return (Spot(*values).values(seen.shape)[0] - added)[window][pixels]

    found = least_squares(misfit, start, loss="soft_l1", f_scale=5, diff_step=1e-3)
    return Spot(*found.x)


def assert_within(ranges, spot):
    for key in ("amplitude", "sigma_along", "sigma_across", "tilt"):
        assert_between(ranges[key], getattr(spot, key))


def assert_between(limits, value):
    assert limits[0] < value < limits[1]


def test_a_record_is_enough_to_build_the_clutter_again():
    drawn = draw_clutter(8, sector(), 5, ALL)
    spots = {kind: Spot(**values) for kind, values in drawn.record().items()}
    again = Clutter(shape=(64, 64), path=drawn.path, seed=8, **spots)
    np.testing.assert_array_equal(again.values(), drawn.values())
