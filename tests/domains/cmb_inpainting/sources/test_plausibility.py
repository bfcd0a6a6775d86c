"""The test on hidden pixels hides what it says and nothing else."""

import numpy as np
import pytest

from domains.cmb_inpainting.science.fills import diffusive_fill
from domains.cmb_inpainting.science.masks import draw_masks
from domains.cmb_inpainting.sources.plausibility import check_spread, hidden_error
from domains.errors import DataError


def test_hidden_pixels_are_observed_ones_and_their_error_is_the_fill_s(universe):
    sky, mask = universe.draw(0), draw_masks("gal15", 8, 0)[0]
    seen = []

    def fill(maps, observed):
        seen.append(observed)
        assert (maps[0][~observed] == 0).all()
        return np.where(observed, maps, 3.0)

    found = hidden_error(fill, sky, mask)
    hidden = mask & ~seen[0]
    assert not (seen[0] & ~mask).any()
    assert found.num_pixels == hidden.sum()
    assert found.model == pytest.approx(np.sqrt(((sky - 3)[hidden] ** 2).mean()), rel=1e-6)
    expected = np.sqrt(((diffusive_fill(sky, seen[0]) - sky)[hidden] ** 2).mean())
    assert found.diffusive == pytest.approx(expected, rel=1e-5)


def test_a_mask_that_leaves_little_is_not_tested(universe):
    mask = np.zeros(768, dtype=bool)
    mask[:30] = True
    assert hidden_error(lambda maps, _: maps, universe.draw(0), mask) is None


def test_other_units_are_refused(universe):
    check_spread(universe.draw(0), "map")
    with pytest.raises(DataError, match=r"observed pixels spread by .* give µK"):
        check_spread(universe.draw(0) * 1e-3, "map")
