"""Scores: closed forms, and an independent twin."""

import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from domains.echo_clutter.science import scores


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 200, (4, 16, 16)).astype(np.uint8)
    return truth, truth + rng.integers(0, 50, truth.shape).astype(np.uint8)


def test_a_constant_offset_is_its_own_mean_error(pair):
    truth, _ = pair
    assert scores.mae(truth + np.uint8(7), truth) == 7.0
    assert scores.mae(truth, truth + np.uint8(7)) == 7.0  # bytes must not wrap around
    assert scores.psnr(truth + np.uint8(51), truth) == pytest.approx(20 * math.log10(5))


def test_psnr_agrees_with_scikit_image(pair):
    truth, found = pair
    expected = peak_signal_noise_ratio(truth, found, data_range=255)
    assert scores.psnr(found, truth) == pytest.approx(expected, rel=1e-12)


def test_scores_of_a_zone_count_its_pixels_alone():
    clean = np.zeros((1, 2, 2))
    cluttered = np.array([[[0.0, 25.0], [25.5, 200.0]]])
    zone = scores.clutter_zone(cluttered, clean)
    assert zone.tolist() == [[[False, False], [True, True]]]
    assert scores.mae(cluttered, clean, zone) == pytest.approx((25.5 + 200) / 2)
    assert math.isnan(scores.mae(cluttered, clean, np.zeros_like(zone)))


def test_equal_clips_have_infinite_psnr(pair):
    assert scores.psnr(pair[0], pair[0]) == math.inf


def test_temporal_coherence_of_errors_that_alternate():
    truth = np.zeros((4, 2, 3))
    found = truth.copy()
    found[1::2] = -2.0  # frame sums 0, 12, 0, 12
    assert scores.temporal_coherence(found, truth) == 12.0
    assert scores.temporal_coherence(truth + 5.0, truth) == 0.0


def test_the_near_field_is_a_cap_around_the_transducer():
    rows, columns = np.mgrid[:101, :101]
    sector = (np.abs(columns - 50) <= rows / 2) & (np.hypot(rows, columns - 50) <= 100)
    near = scores.near_field(sector)
    distance = np.hypot(rows, columns - 50)
    assert np.array_equal(near, sector & (distance <= scores.NEAR_FIELD * distance[sector].max()))
    assert not scores.near_field(np.zeros((4, 4), bool)).any()


def test_change_is_told_apart_inside_and_outside_the_near_field():
    sector = np.ones((20, 21), bool)
    cluttered = np.full((3, 20, 21), 100.0)
    filtered = cluttered - 8.0 * scores.near_field(sector)
    assert scores.change(filtered, cluttered, sector) == (8.0, 0.0)


@pytest.mark.parametrize("shape", [(4, 16, 15), (16, 16)])
def test_clips_of_other_shapes_are_refused(pair, shape):
    with pytest.raises(ValueError, match=r"expected one \(T, H, W\)"):
        scores.mae(pair[0], np.zeros(shape))
