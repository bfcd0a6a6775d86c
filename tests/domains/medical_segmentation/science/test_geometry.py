"""Canonical axes, resampling and grids against nibabel, scipy and closed forms."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from scipy.ndimage import zoom

from domains.medical_segmentation.science import geometry
from domains.medical_segmentation.science.geometry import Grid

ORIENTATIONS = ("RAS", "LPS", "LAS", "SAR", "PIR", "ASL")


def oriented(codes: str, shape: tuple[int, int, int] = (5, 6, 7)) -> Grid:
    """A grid of unequal voxels whose axes run along ``codes``."""
    turn = nib.orientations.axcodes2ornt(codes)
    affine = np.zeros((4, 4))
    for axis, ((world, sign), size) in enumerate(zip(turn, (0.8, 1.2, 2.5), strict=True)):
        affine[int(world), axis] = sign * size
    affine[:, 3] = (-3.0, 11.0, 4.0, 1.0)
    return Grid(shape, affine)


@pytest.mark.parametrize("codes", ORIENTATIONS)
def test_canonical_axes_are_those_of_nibabel_and_the_way_back_is_exact(codes: str) -> None:
    grid = oriented(codes)
    values = np.random.default_rng(0).random((2, *grid.shape)).astype(np.float32)
    turned = geometry.to_canonical(values, grid)
    expected = nib.as_closest_canonical(nib.Nifti1Image(values[0], grid.affine))
    np.testing.assert_array_equal(turned[0], np.asarray(expected.dataobj))
    np.testing.assert_allclose(grid.canonical().affine, expected.affine, atol=1e-12)
    assert grid.canonical().shape == turned.shape[1:]
    np.testing.assert_array_equal(geometry.from_canonical(turned, grid), values)


def test_an_oblique_grid_keeps_every_voxel_at_its_place_in_mm() -> None:
    angle = np.deg2rad(25)
    affine = np.eye(4)
    affine[:3, :3] = np.array(
        [[-np.cos(angle), np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, -1]]
    ) @ np.diag([1.0, 2.0, 3.0])
    grid = Grid((4, 5, 6), affine)
    index = np.stack(np.meshgrid(*map(np.arange, grid.shape), indexing="ij"))
    there = np.tensordot(affine[:3, :3], index, axes=1)  # (3, X, Y, Z) mm
    turned, canonical = geometry.to_canonical(there, grid), grid.canonical()
    index = np.stack(np.meshgrid(*map(np.arange, canonical.shape), indexing="ij"))
    moved = np.tensordot(canonical.affine[:3, :3], index, axes=1)
    moved += canonical.affine[:3, 3][:, None, None, None]
    np.testing.assert_allclose(turned, moved, atol=1e-9)


def test_a_resampled_grid_covers_the_same_field_of_view() -> None:
    grid = oriented("RAS", (10, 12, 8))
    finer = grid.resampled((0.4, 0.6, 5.0))
    assert finer.shape == (20, 24, 4)
    np.testing.assert_allclose(finer.spacing_mm, (0.4, 0.6, 5.0))

    def edges(one: Grid) -> np.ndarray:
        ends = np.array([[-0.5] * 3, np.array(one.shape) - 0.5])
        return ends @ one.affine[:3, :3].T + one.affine[:3, 3]

    np.testing.assert_allclose(edges(finer), edges(grid), atol=1e-12)


def test_finer_voxels_are_linear_interpolation_as_scipy_has_it() -> None:
    values = np.random.default_rng(1).random((6, 5, 7)).astype(np.float32)
    ours = geometry.resample(values, (12, 10, 21))
    scipys = zoom(values, (2, 2, 3), order=1, mode="nearest", grid_mode=True)
    np.testing.assert_allclose(ours, scipys, atol=1e-6)


def test_a_ramp_stays_a_ramp_and_a_constant_a_constant_in_coarser_voxels() -> None:
    ramp = np.broadcast_to(np.arange(24.0)[:, None, None], (24, 4, 4))
    coarse = geometry.resample(ramp, (8, 4, 4))[:, 0, 0]
    np.testing.assert_allclose(coarse[1:-1], (np.arange(8) * 3 + 1)[1:-1], atol=1e-5)
    np.testing.assert_allclose(
        geometry.resample(np.full((9, 9, 9), 7.0), (4, 5, 20)), 7.0, rtol=1e-6
    )


def test_coarser_voxels_do_not_alias_a_fine_stripe_pattern() -> None:
    stripes = np.broadcast_to((np.arange(60) % 2).astype(float)[:, None, None], (60, 2, 2))
    coarse = geometry.resample(stripes, (20, 2, 2))
    np.testing.assert_allclose(coarse[1:-1], 0.5, atol=0.06)


def test_labels_come_back_as_they_were_through_finer_voxels() -> None:
    label = np.random.default_rng(2).integers(0, 4, (6, 7, 5)).astype(np.uint8)
    finer = geometry.resample_labels(label, (18, 21, 15))
    np.testing.assert_array_equal(finer[1::3, 1::3, 1::3], label)
    np.testing.assert_array_equal(geometry.resample_labels(finer, label.shape), label)


def test_resampled_labels_invent_no_value_between_two() -> None:
    label = np.zeros((9, 9, 9), np.uint8)
    label[3:] = 4
    for shape in ((5, 9, 9), (20, 11, 3)):
        assert set(np.unique(geometry.resample_labels(label, shape))) == {0, 4}


def test_the_distance_of_grids_is_that_of_their_furthest_corners() -> None:
    grid = Grid((11, 11, 11), np.eye(4))
    wider = Grid((11, 11, 11), np.diag([1.01, 1.0, 1.0, 1.0]))
    assert grid.distance_mm(wider) == pytest.approx(0.1)
    assert grid.distance_mm(Grid((11, 11, 12), np.eye(4))) == float("inf")
    assert Grid((2, 2, 2), np.diag([-2.0, 5.0, 10.0, 1.0])).voxel_ml == pytest.approx(0.1)
