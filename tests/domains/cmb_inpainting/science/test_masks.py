"""Masks cover what they promise; distances against brute force."""

import healpy
import numpy as np
import pytest

from domains.cmb_inpainting.science import masks
from domains.cmb_inpainting.science.covariance import unit_vectors


@pytest.mark.parametrize("kind", ["gal", "turned", "discs", "strip"])
@pytest.mark.parametrize("percent", [5, 20])
def test_a_mask_covers_its_share_of_the_sky(kind, percent):
    found = masks.draw_masks(f"{kind}{percent}", 32, 0)
    assert found.shape == (1, 12288)
    # a disc more may be needed: at most one of 5° radius
    most = percent + (100 * (1 - np.cos(np.deg2rad(5))) / 2 if kind == "discs" else 0.01)
    assert percent - 0.01 <= 100 * (1 - found.mean()) <= most


def test_random_masks_differ_and_come_again_with_their_seed():
    for kind in ("turned15x3", "discs10x3", "strip20x3"):
        found = masks.draw_masks(kind, 16, 1)
        assert len({mask.tobytes() for mask in found}) == 3
        np.testing.assert_array_equal(found, masks.draw_masks(kind, 16, 1))
        assert (found != masks.draw_masks(kind, 16, 2)).any()


def test_larger_galactic_masks_contain_smaller_ones():
    small, large = (masks.draw_masks(f"gal{p}", 16, 0)[0] for p in (10, 20))
    assert not (large & ~small).any()


def test_the_simulated_galaxy_masks_as_the_k_band_does(test_data):
    """Share of the mask near the plane, and how far its pixels are from the edge."""
    path = test_data / "cmb" / "galmask_wmapK_10_15_20_nside32_ring.fits"
    real = healpy.read_map(path, field=1) > 0.5
    simulated = masks.draw_masks("gal15", 32, 0)[0]
    near = np.abs(unit_vectors(32)[:, 2]) < np.sin(np.deg2rad(5))
    assert (~simulated)[near].mean() == pytest.approx((~real)[near].mean(), abs=0.05)
    depth = [masks.distance_to_edge(mask)[~mask].mean() for mask in (simulated, real)]
    assert depth[0] == pytest.approx(depth[1], rel=0.1)


def test_a_turned_sky_has_the_same_values_elsewhere():
    from scipy.spatial.transform import Rotation

    sky = unit_vectors(16)[:, 2].copy()  # brightest at the north pole
    turned = masks.turn(sky, Rotation.from_euler("x", 90, degrees=True))
    brightest = unit_vectors(16)[turned.argmax()]
    np.testing.assert_allclose(brightest, [0, -1, 0], atol=0.1)


def test_distance_to_the_edge_is_to_the_nearest_pixel_of_the_other_side():
    mask = masks.draw_masks("discs20", 8, 0)[0]
    cosine = unit_vectors(8) @ unit_vectors(8).T
    other = mask[:, None] != mask[None]
    expected = np.rad2deg(np.arccos(np.where(other, cosine, -1).max(axis=1).clip(-1, 1)))
    np.testing.assert_allclose(masks.distance_to_edge(mask), expected, atol=1e-5)
    assert (masks.distance_to_edge(np.ones(768)) == 180).all()


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("cloud10", "expected gal15, turned15x20, discs10 or strip20"),
        ("gal95", "expected 1 to 80 per cent"),
        ("gal15x3", "there is one Galaxy; turned15x3 turns it"),
    ],
)
def test_a_mask_that_cannot_be_is_refused(spec, message):
    with pytest.raises(ValueError, match=message):
        masks.draw_masks(spec, 8, 0)
