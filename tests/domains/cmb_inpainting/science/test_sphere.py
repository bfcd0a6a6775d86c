"""Faces and their neighbours, against healpy."""

import healpy
import numpy as np
import pytest
import torch

from domains.cmb_inpainting.science import sphere

# healpy's order of neighbours: SW W NW N NE E SE S, as steps in x and y
STEPS = [(-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1)]


@pytest.mark.parametrize("nside", [1, 2, 8, 32])
def test_the_padding_is_healpys_neighbour_at_every_pixel(nside):
    pixel = sphere.face_index(nside)
    padded = pixel.ravel()[sphere.padding_index(nside, 1)]
    neighbours = healpy.get_all_neighbours(nside, np.arange(12 * nside**2))
    missing = 0
    for (dx, dy), expected in zip(STEPS, neighbours, strict=True):
        found = padded[:, 1 + dy : 1 + dy + nside, 1 + dx : 1 + dx + nside]
        is_there = expected[pixel] >= 0
        np.testing.assert_array_equal(found[is_there], expected[pixel][is_there])
        missing += (~is_there).sum()
    assert missing == 24  # three faces at each of eight points


@pytest.mark.parametrize(("nside", "pad"), [(4, 2), (8, 5), (8, 8)])
def test_wide_padding_goes_on_pixel_by_pixel(nside, pad):
    """Each padded pixel touches the one before it; a ring of pad p is a neighbour of p − 1."""
    pixel = sphere.face_index(nside).ravel()
    padded = pixel[sphere.padding_index(nside, pad)]
    neighbours = healpy.get_all_neighbours(nside, np.arange(12 * nside**2))
    rows = slice(pad, pad + nside)
    for first, second in [
        (padded[:, rows, :-1], padded[:, rows, 1:]),
        (padded[:, :-1, rows], padded[:, 1:, rows]),
    ]:
        touches = (neighbours[:, first] == second[None]).any(axis=0)
        assert touches.all()


def test_padding_of_halved_faces_is_halved_padding():
    fine, coarse = sphere.padding_index(16, 4), sphere.padding_index(8, 2)
    face, y, x = np.unravel_index(fine, (12, 16, 16))
    halved = np.ravel_multi_index((face, y // 2, x // 2), (12, 8, 8))
    np.testing.assert_array_equal(halved, coarse.repeat(2, axis=1).repeat(2, axis=2))


def test_where_three_faces_meet_the_corner_is_repeated():
    padded = sphere.padding_index(4, 2)
    # the eastern corner of a polar face, and the northern one of an equatorial face
    assert (padded[0, :2, -2:] == np.ravel_multi_index((0, 0, 3), (12, 4, 4))).all()
    assert (padded[4, -2:, -2:] == np.ravel_multi_index((4, 3, 3), (12, 4, 4))).all()
    # the north pole belongs to four faces: nothing is missing there
    assert (padded[0, -2:, -2:] // 16 == 2).all()


@pytest.mark.parametrize("order", ["ring", "nest"])
def test_maps_become_faces_and_maps_again(order):
    maps = np.random.default_rng(0).standard_normal((3, 2, 768))
    faces = sphere.to_faces(maps, order)
    assert faces.shape == (3, 2, 12, 8, 8)
    np.testing.assert_array_equal(sphere.from_faces(faces, order), maps)
    tensor = torch.from_numpy(maps)
    assert torch.equal(sphere.from_faces(sphere.to_faces(tensor, order), order), tensor)


def test_faces_are_the_same_sky_in_both_orders():
    ring = np.random.default_rng(0).standard_normal(768)
    np.testing.assert_array_equal(
        sphere.to_faces(ring), sphere.to_faces(healpy.reorder(ring, r2n=True), "nest")
    )


def test_a_padded_tensor_is_the_gather_of_its_faces_and_has_its_gradient():
    x = torch.randn(2, 3, 12, 8, 8, dtype=torch.float64, requires_grad=True)
    padded = sphere.pad_faces(x, 3)
    assert padded.shape == (2, 3, 12, 14, 14)
    expected = x.detach().numpy().reshape(2, 3, -1)[..., sphere.padding_index(8, 3)]
    np.testing.assert_array_equal(padded.detach().numpy(), expected)
    padded.sum().backward()
    times = np.bincount(sphere.padding_index(8, 3).ravel(), minlength=768)
    np.testing.assert_array_equal(x.grad[0, 0].numpy().ravel(), times)
    assert sphere.pad_faces(x, 0) is x


def test_sizes_that_are_no_sphere_are_refused():
    with pytest.raises(ValueError, match="nside = 12: expected a power of two"):
        sphere.face_index(12)
    with pytest.raises(ValueError, match=r"1000 pixels: expected 12·nside²"):
        sphere.to_faces(np.zeros(1000))
    with pytest.raises(ValueError, match="pad = 9: expected 0 to nside = 8"):
        sphere.padding_index(8, 9)
    with pytest.raises(ValueError, match=r"expected faces \(B, C, 12, n, n\), found \(1, 12, 8, 8"):
        sphere.pad_faces(torch.zeros(1, 12, 8, 8), 1)
