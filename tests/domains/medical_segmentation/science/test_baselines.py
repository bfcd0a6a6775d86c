"""Baselines: known answers on volumes made so that they must be right, or cannot be."""

import numpy as np
import pytest

from domains.medical_segmentation.science.baselines import (
    Threshold,
    atlas_answer,
    fit,
)

STRUCTURES = {"left": [1], "right": [2]}


def halves(shape):
    label = np.ones(shape, np.uint8)
    label[shape[0] // 2 :] = 2
    label[:, : shape[1] // 2] = 0
    return label


def fit_atlas(labels, structures, shape):
    return fit([(label[None].astype(np.float32), label) for label in labels], structures, shape)[0]


def test_the_atlas_of_equal_anatomies_is_right_at_any_size():
    atlas = fit_atlas([halves((8, 8, 4)), halves((16, 8, 6))], STRUCTURES, (8, 8, 4))
    found = atlas_answer(atlas, (32, 16, 4), is_nested=False)
    label = halves((32, 16, 4))
    np.testing.assert_array_equal(found, np.stack([label == 1, label == 2]))


def test_the_atlas_answers_with_the_majority():
    one, two = np.zeros((4, 4, 4), np.uint8), np.ones((4, 4, 4), np.uint8)
    labels = [one, one, two]
    atlas = fit_atlas(labels, {"all": [1]}, (4, 4, 4))
    np.testing.assert_allclose(atlas, 1 / 3, rtol=1e-6)
    assert not atlas_answer(atlas, (4, 4, 4), is_nested=False).any()
    atlas = fit_atlas([*labels, two, two], {"all": [1]}, (4, 4, 4))
    assert atlas_answer(atlas, (4, 4, 4), is_nested=False).all()


def test_nested_regions_do_not_exclude_each_other():
    label = np.zeros((6, 6, 6), np.uint8)
    label[1:5, 1:5, 1:5] = 1
    label[2:4, 2:4, 2:4] = 2
    atlas = fit_atlas([label], {"whole": [1, 2], "core": [2]}, (6, 6, 6))
    whole, core = atlas_answer(atlas, (6, 6, 6), is_nested=True)
    assert whole.sum() == 64
    assert core.sum() == 8
    assert (whole >= core).all()


@pytest.mark.parametrize("is_above", [True, False])
def test_the_threshold_finds_channel_side_and_level_of_a_bright_or_dark_structure(is_above):
    rng = np.random.default_rng(0)
    mask = np.zeros((10, 10, 10), bool)
    mask[3:6, 3:6, 3:6] = True
    signal = np.where(mask, 2.0, 0.0) * (1 if is_above else -1)
    image = np.stack([rng.standard_normal(mask.shape), signal]).astype(np.float32)
    label = mask.astype(np.uint8)
    _, (found,) = fit([(image, label), (image, label)], {"all": [1]}, (4, 4, 4))
    assert found.channel == 1
    assert found.is_above == is_above
    assert 0 <= abs(found.level) <= 2
    np.testing.assert_array_equal(found.answer(image) > 0, mask)


def test_only_the_largest_connected_part_is_kept():
    image = np.zeros((1, 12, 4, 4), np.float32)
    image[0, :2], image[0, 5:10] = 1.0, 1.0
    found = Threshold(0, 0.5, True).answer(image)
    assert found[5:10].all()
    assert found.sum() == 5 * 16


def test_a_structure_that_no_training_case_has_is_not_found():
    image = np.random.default_rng(0).standard_normal((1, 4, 4, 4)).astype(np.float32)
    _, (found,) = fit([(image, np.zeros((4, 4, 4), np.uint8))], {"all": [1]}, (4, 4, 4))
    assert not found.answer(image).any()
