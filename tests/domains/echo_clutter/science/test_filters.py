"""The classical filters do what they say on clips where the answer is known."""

import numpy as np
import pytest
from scipy.ndimage import median_filter

from domains.echo_clutter.science.filters import FILTERS
from domains.echo_clutter.science.scores import near_field

SECTOR = np.ones((24, 24), bool)


@pytest.fixture
def clip():
    return np.random.default_rng(0).uniform(20, 200, (9, 24, 24)).astype(np.float32)


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_keeps_shape_type_and_grey_scale(name, clip):
    found = FILTERS[name](clip, SECTOR)
    assert (found.shape, found.dtype) == (clip.shape, clip.dtype)
    assert found.min() >= 0
    assert found.max() <= 255


def test_svd_leaves_nothing_of_a_clip_of_rank_one():
    gain, frame = np.linspace(0.5, 1, 9), np.random.default_rng(1).uniform(0, 200, (24, 24))
    still = (gain[:, None, None] * frame).astype(np.float32)
    assert FILTERS["svd"](still, SECTOR).max() < 1e-3


def test_svd_agrees_with_the_full_decomposition(clip):
    left, values, right = np.linalg.svd(clip.reshape(9, -1).astype(float), full_matrices=False)
    values[0] = 0
    expected = np.clip((left * values) @ right, 0, 255).reshape(clip.shape)
    assert np.allclose(FILTERS["svd"](clip, SECTOR), expected, atol=1e-3)


def test_high_pass_keeps_an_even_grey_and_what_moves_on_it():
    clip = np.full((4, 24, 24), 100.0, np.float32)
    clip[::2] += 10
    clip[1::2] -= 10
    assert np.allclose(FILTERS["high_pass"](clip, SECTOR), clip, atol=1e-4)


def test_the_near_field_minimum_takes_a_static_bump_and_leaves_the_rest():
    rows, columns = np.mgrid[:64, :64]
    bump = 120 * np.exp(-(((rows - 8) / 6) ** 2 + ((columns - 32) / 6) ** 2) / 2)
    tissue = np.random.default_rng(0).uniform(0, 60, (30, 64, 64))
    sector = np.ones((64, 64), bool)
    clip = (tissue + bump).astype(np.float32)
    found = FILTERS["near_field_minimum"](clip, sector)
    near = near_field(sector)
    before = np.abs(clip - tissue)[:, near].mean()
    assert np.abs(found - tissue)[:, near].mean() < 0.3 * before
    assert np.array_equal(found[:, ~near], clip[:, ~near])


def test_an_empty_sector_leaves_the_clip_alone(clip):
    empty = np.zeros_like(SECTOR)
    assert np.array_equal(FILTERS["near_field_minimum"](clip, empty), clip)


def test_the_median_spans_time_too(clip):
    found = FILTERS["median"](clip, SECTOR)
    assert found[4, 10, 10] == np.median(clip[3:6, 9:12, 9:12])
    assert not np.array_equal(found, median_filter(clip, size=(1, 3, 3)))
