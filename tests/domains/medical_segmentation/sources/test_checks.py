"""Image and label: pictures, whole numbers, the same voxels."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from domains.errors import DataError
from domains.medical_segmentation.sources.checks import (
    checked_image,
    checked_label,
    on_grid_of,
)
from domains.medical_segmentation.sources.nifti import Volume

PATH = Path("a.nii.gz")


def volume(values: np.ndarray, affine: np.ndarray | None = None) -> Volume:
    return Volume(np.asarray(values)[None], np.eye(4) if affine is None else affine)


def test_voxels_without_a_number_become_the_lowest_value_and_are_noted() -> None:
    values = np.arange(27, dtype=np.float32).reshape(3, 3, 3) + 5
    spoilt = values.copy()
    spoilt[2, 2, 2], spoilt[1, 1, 1] = np.nan, np.inf
    notes: list[str] = []
    image = checked_image(volume(spoilt), PATH, notes)[0]
    assert (image[2, 2, 2], image[1, 1, 1]) == (5.0, 5.0)
    assert notes == ["NaN or infinite voxels were set to the lowest finite value"]
    values[2, 2, 2] = values[1, 1, 1] = 5
    np.testing.assert_array_equal(image, values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.full((3, 3, 3), np.nan), "27 of 27 voxels are NaN or infinite"),
        (np.full((3, 3, 3), 7), "channel 0 is 7 in every voxel"),
    ],
)
def test_what_is_no_picture_is_refused(values: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        checked_image(volume(values), PATH, [])


def test_labels_stored_as_fractions_are_taken_when_they_are_whole() -> None:
    notes: list[str] = []
    label = checked_label(volume(np.full((2, 2, 2), 2.0)), PATH, notes)
    assert label.dtype == np.uint8
    assert (label == 2).all()
    assert notes == ["labels stored as fractions were taken as whole numbers"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.full((2, 2, 2), 0.5), r"8 voxels are no whole number \(e.g. 0.5\)"),
        (np.full((2, 2, 2), np.nan), "8 voxels are no whole number"),
        (np.full((2, 2, 2), -1), "label values -1 to -1, expected 0 to 255"),
        (np.full((2, 2, 2), 1024), "label values 1024 to 1024, expected 0 to 255"),
    ],
)
def test_what_is_no_label_is_refused(values: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        checked_label(volume(values), PATH, [])


def test_an_empty_label_is_kept_and_noted() -> None:
    notes: list[str] = []
    assert not checked_label(volume(np.zeros((2, 2, 2), np.uint8)), PATH, notes).any()
    assert notes == ["no voxel is labelled"]


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({(0, 0): 1.2}, "spacing"),
        ({(0, 3): 4.0}, "origin"),
        ({(0, 1): 0.2}, "direction"),
    ],
)
def test_a_label_on_another_grid_is_refused_with_what_differs(
    change: dict, difference: str
) -> None:
    affine = np.eye(4)
    for place, value in change.items():
        affine[place] = value
    image, label = volume(np.ones((10, 10, 10))), volume(np.ones((10, 10, 10)), affine)
    with pytest.raises(DataError, match=rf"b.nii.gz: lies up to .* mm away .*{difference}"):
        on_grid_of(image, PATH, label, Path("b.nii.gz"), 0.1, [])
    with pytest.raises(DataError, match=r"shape \(10, 10, 9\), expected \(10, 10, 10\)"):
        on_grid_of(image, PATH, volume(np.ones((10, 10, 9))), Path("b.nii.gz"), 0.1, [])


def test_positions_that_differ_by_rounding_are_the_same_and_by_little_are_noted() -> None:
    image, notes = volume(np.ones((10, 10, 10))), []  # type: tuple[Volume, list[str]]
    for shift, noted in ((1e-5, 0), (0.05, 1)):
        affine = np.eye(4)
        affine[:3, 3] = shift
        on_grid_of(image, PATH, volume(np.ones((10, 10, 10)), affine), PATH, 0.1, notes)
        assert len(notes) == noted


@pytest.mark.parametrize("codes", ["LPS", "SRA", "RAS"])
def test_a_label_with_other_axes_on_the_same_voxels_is_turned(codes: str) -> None:
    values = np.random.default_rng(0).integers(0, 3, (4, 5, 6)).astype(np.uint8)
    straight = nib.Nifti1Image(values, np.diag([1.0, 2.0, 3.0, 1.0]))
    turn = nib.orientations.ornt_transform(
        nib.orientations.axcodes2ornt("RAS"), nib.orientations.axcodes2ornt(codes)
    )
    turned = straight.as_reoriented(turn)
    notes: list[str] = []
    found = on_grid_of(
        volume(values, straight.affine),
        PATH,
        volume(np.asarray(turned.dataobj), turned.affine),
        PATH,
        0.1,
        notes,
    )
    np.testing.assert_array_equal(found.values[0], values)
    np.testing.assert_array_equal(found.affine, straight.affine)
    assert len(notes) == (codes != "RAS")
