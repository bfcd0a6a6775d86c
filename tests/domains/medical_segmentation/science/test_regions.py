"""Brain tumour regions as unions of labels, and labels painted from them."""

from __future__ import annotations

import numpy as np
import pytest

from domains.medical_segmentation.science import regions

BRATS_2015 = {"necrosis": 1, "oedema": 2, "non_enhancing": 3, "enhancing": 4}
BRATS_2020 = {"necrosis": 1, "oedema": 2, "enhancing": 4}


def test_the_regions_of_brats_are_those_of_menze() -> None:
    wanted, _ = regions.brats_regions(BRATS_2015) or ({}, {})
    assert wanted == {
        "whole_tumour": [1, 2, 3, 4],
        "tumour_core": [1, 3, 4],
        "enhancing_tumour": [4],
    }
    label = np.arange(5, dtype=np.uint8).reshape(5, 1, 1)
    inside = regions.to_regions(label, wanted)[:, :, 0, 0]
    np.testing.assert_array_equal(inside, [[0, 1, 1, 1, 1], [0, 1, 0, 1, 1], [0, 0, 0, 0, 1]])


def test_labels_painted_from_their_own_regions_are_the_labels() -> None:
    wanted, paint = regions.brats_regions(BRATS_2020) or ({}, {})
    label = np.random.default_rng(0).choice([0, 1, 2, 4], (6, 6, 6)).astype(np.uint8)
    painted = regions.from_regions(regions.to_regions(label, wanted), wanted, paint)
    np.testing.assert_array_equal(painted, label)


@pytest.mark.parametrize("labels", [{"liver": 1, "lesion": 2}, {"oedema": 1, "enhancing": 2}])
def test_other_labels_have_no_regions(labels: dict[str, int]) -> None:
    assert regions.brats_regions(labels) is None
