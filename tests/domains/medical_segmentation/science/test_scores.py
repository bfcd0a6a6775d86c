"""Scores: closed forms of boxes and balls, in mm, and what is missing is never the best."""

import numpy as np
import pytest

from domains.medical_segmentation.science.scores import score, surface, surface_distances


def box(shape, low, high):
    mask = np.zeros(shape, bool)
    mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = True
    return mask


def ball(shape, centre, radius):
    grid = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1)
    return np.linalg.norm(grid - np.array(centre), axis=-1) <= radius


def test_a_structure_scores_best_against_itself():
    mask = ball((20, 20, 20), (10, 9, 11), 6)
    found = score(mask, mask, (1, 1, 1), 0.0)
    assert (found.dice, found.hd95_mm, found.nsd) == (1.0, 0.0, 1.0)


def test_dice_of_two_boxes_that_share_half_is_one_half():
    one, two = box((10, 6, 6), (0, 0, 0), (4, 6, 6)), box((10, 6, 6), (2, 0, 0), (6, 6, 6))
    assert score(one, two, (1, 1, 1), 1.0).dice == 0.5


@pytest.mark.parametrize(("spacing", "expected"), [((1, 1, 1), 1.0), ((1, 1, 5), 5.0)])
def test_a_plate_one_slice_off_is_one_spacing_away(spacing, expected):
    one, two = box((8, 8, 9), (1, 1, 3), (7, 7, 4)), box((8, 8, 9), (1, 1, 4), (7, 7, 5))
    found = score(one, two, spacing, expected - 0.01)
    assert found.hd95_mm == pytest.approx(expected)
    assert found.nsd == 0.0
    assert score(one, two, spacing, expected).nsd == 1.0


def test_distances_to_a_single_voxel_are_euclidean():
    one, two = box((9, 9, 9), (1, 2, 3), (2, 3, 4)), box((9, 9, 9), (5, 4, 4), (6, 5, 5))
    away, back = surface_distances(one, two, (1.0, 2.0, 3.0))
    np.testing.assert_allclose(away, [np.sqrt(4**2 + 4**2 + 3**2)])
    np.testing.assert_allclose(back, away)


def test_the_hausdorff_distance_of_shifted_balls_is_the_shift():
    one, two = ball((40, 24, 24), (14, 12, 12), 8), ball((40, 24, 24), (19, 12, 12), 8)
    away, back = surface_distances(one, two, (1, 1, 1))
    assert max(away.max(), back.max()) == pytest.approx(5.0)
    assert score(one, two, (1, 1, 1), 1.0).hd95_mm == pytest.approx(5.0, abs=0.35)


def test_the_surface_of_a_box_is_its_shell_also_at_the_edge_of_the_volume():
    assert surface(box((6, 6, 6), (0, 0, 0), (4, 4, 4))).sum() == 4**3 - 2**3


@pytest.mark.filterwarnings("ignore:monai.metrics:FutureWarning")  # MONAI's own call
@pytest.mark.parametrize("seed", range(3))
def test_scores_agree_with_monai_where_both_structures_are_there(seed):
    import torch
    from monai.metrics.hausdorff_distance import compute_hausdorff_distance
    from monai.metrics.surface_dice import compute_surface_dice

    rng = np.random.default_rng(seed)
    one = ball((24, 22, 20), rng.uniform(8, 12, 3), rng.uniform(4, 7))
    two = ball((24, 22, 20), rng.uniform(8, 12, 3), rng.uniform(4, 7))
    spacing = (1.0, 1.5, 2.0)
    found = score(one, two, spacing, 2.0)
    pair = [torch.from_numpy(mask[None, None].astype(np.float32)) for mask in (one, two)]
    options = {"include_background": True, "spacing": spacing}
    hd95 = compute_hausdorff_distance(*pair, percentile=95, **options)
    assert found.hd95_mm == pytest.approx(float(hd95), rel=1e-5)
    nsd = compute_surface_dice(*pair, class_thresholds=[2.0], **options)
    assert found.nsd == pytest.approx(float(nsd), rel=1e-5)


def test_a_missed_structure_has_the_worst_scores_and_is_counted():
    empty, true = np.zeros((3, 4, 12), bool), box((3, 4, 12), (0, 0, 0), (1, 1, 1))
    missed = score(empty, true, (1, 1, 1), 1.0)
    assert (missed.dice, missed.nsd, missed.hd95_mm) == (0.0, 0.0, 13.0)  # 3, 4, 12: diagonal 13
    assert (missed.is_missed, missed.is_invented) == (True, False)
    invented = score(true, empty, (2, 2, 2), 1.0)
    assert (invented.dice, invented.hd95_mm) == (0.0, 26.0)
    assert (invented.is_missed, invented.is_invented) == (False, True)


def test_nothing_found_where_nothing_is_is_no_case():
    empty = np.zeros((3, 3, 3), bool)
    found = score(empty, empty, (1, 1, 1), 1.0)
    assert np.isnan([found.dice, found.hd95_mm, found.nsd]).all()
    assert not found.is_missed
    assert not found.is_invented


def test_masks_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match="expected the same"):
        score(np.zeros((2, 2, 2), bool), np.zeros((2, 2, 3), bool), (1, 1, 1), 1.0)
