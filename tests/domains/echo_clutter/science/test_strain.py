"""Strain of contours whose lengths are known by formula."""

import numpy as np
import pytest

from domains.echo_clutter.science import strain


def test_a_contour_that_shrinks_evenly_has_its_factor_as_strain():
    angle = np.linspace(0, np.pi, 71)
    shape = np.stack([np.cos(angle), 2 * np.sin(angle)], axis=-1)
    factor = 1 - 0.2 * np.sin(np.linspace(0, np.pi, 11))
    contour = 40 + 25 * factor[:, None, None] * shape
    found = strain.segmental_strain(contour, np.arange(71) // 10.2)
    assert np.allclose(found, 100 * (factor - 1)[:, None], atol=1e-9)


def test_each_segment_has_its_own_strain_but_for_the_shared_pieces():
    """Two straight segments of 50 pieces, the second alone is stretched by 10 %."""
    x = np.arange(101.0)
    stretched = np.where(x > 50, 50 + 1.1 * (x - 50), x)
    contour = np.stack([np.stack([p, np.zeros(101)], axis=-1) for p in (x, stretched)])
    owner = (np.arange(101) > 50).astype(int)
    lengths = strain.segment_lengths(contour, owner)
    # the piece from point 50 to 51 is shared by halves
    assert np.allclose(lengths, [[50.5, 49.5], [50.55, 54.45]])
    assert strain.segmental_strain(contour, owner)[1, 1] == pytest.approx(10.0)


def test_a_rigid_motion_is_no_strain():
    rng = np.random.default_rng(0)
    points = np.cumsum(rng.uniform(0.5, 1.5, (30, 2)), axis=0)
    angle = np.linspace(0, 1, 5)
    turns = np.stack([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    contour = np.einsum("ijt,pj->tpi", turns, points) + rng.normal(size=(5, 1, 2))
    assert np.abs(strain.segmental_strain(contour, np.arange(30) // 5)).max() < 1e-9


def test_the_error_leaves_out_the_frame_that_is_zero_by_definition():
    truth = np.zeros((5, 2))
    found = np.full((5, 2), 3.0)
    found[0] = 0.0
    assert strain.strain_rmse(found, truth) == 3.0


@pytest.mark.parametrize(
    ("segment", "message"),
    [([0, 0, 2, 2], "points by segment"), ([0, 0, 1], "expected")],
)
def test_segments_that_do_not_fit_are_refused(segment, message):
    with pytest.raises(ValueError, match=message):
        strain.segment_lengths(np.zeros((2, 4, 2)), segment)
