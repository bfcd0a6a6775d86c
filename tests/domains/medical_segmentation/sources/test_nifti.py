"""Every trap of a NIfTI file is refused in one line, or noted."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from domains.errors import DataError
from domains.medical_segmentation.sources.nifti import is_nifti, read_nifti, stem

VALUES = np.arange(24, dtype=np.int16).reshape(2, 3, 4)

Save = Callable[..., Path]


def damaged(path: Path, how: str) -> Path:
    content = path.read_bytes()
    if how == "cut short":
        path.write_bytes(content[: len(content) // 2])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "not gzip":
        path.write_bytes(gzip.decompress(content))
    elif how == "another format":
        path.write_bytes(gzip.compress(b"P6 10 10 255" * 100))
    return path


@pytest.mark.parametrize("how", ["cut short", "empty", "not gzip", "another format"])
def test_a_damaged_file_is_refused_before_anything_is_computed(save: Save, how: str) -> None:
    values = np.random.default_rng(0).integers(0, 1000, (20, 20, 20)).astype(np.int16)
    with pytest.raises(DataError, match=r"a\.nii\.gz: cannot be read as NIfTI .* copy it again"):
        read_nifti(damaged(save(values), how))


def test_an_uncompressed_file_cut_short_is_refused(save: Save) -> None:
    path = save(VALUES, "a.nii")
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(DataError, match="cannot be read as NIfTI"):
        read_nifti(path)


def test_an_invented_affine_is_refused_or_noted(tmp_path: Path) -> None:
    image = nib.Nifti1Image(VALUES, None)
    image.header.set_zooms((2.0, 3.0, 4.0))
    path = tmp_path / "a.nii.gz"
    nib.save(image, path)
    # nibabel makes one up: mirrored, its middle at the origin
    assert nib.load(path).affine[0, 0] == -2.0
    with pytest.raises(DataError, match=r"no position or direction .*allow_missing_affine: true"):
        read_nifti(path)
    volume = read_nifti(path, allow_missing_affine=True)
    np.testing.assert_array_equal(volume.affine, np.diag([2.0, 3.0, 4.0, 1.0]))
    assert "no affine in the header" in volume.notes[0]


def test_an_affine_without_inverse_is_refused(tmp_path: Path) -> None:
    image = nib.Nifti1Image(VALUES, np.eye(4))
    content = bytearray(image.to_bytes())
    image.header["srow_y"] = 0
    content[:348] = image.header.binaryblock  # saving the image would restore the affine
    (tmp_path / "a.nii").write_bytes(bytes(content))
    with pytest.raises(DataError, match="its affine has no inverse"):
        read_nifti(tmp_path / "a.nii")


def test_lengths_in_metres_are_refused(save: Save) -> None:
    with pytest.raises(DataError, match="lengths are in meter, expected mm"):
        read_nifti(save(VALUES, xyzt_units=1))


def test_a_qform_that_contradicts_the_sform_is_noted(tmp_path: Path) -> None:
    image = nib.Nifti1Image(VALUES, np.eye(4))
    image.set_sform(np.eye(4), code=1)
    image.set_qform(np.diag([1.0, 1.0, 1.0, 1.0]) + np.eye(4, k=3) * 5, code=1)
    nib.save(image, tmp_path / "a.nii.gz")
    volume = read_nifti(tmp_path / "a.nii.gz")
    assert volume.notes == ["sform and qform differ by more than 0.1 mm; the sform was taken"]
    np.testing.assert_array_equal(volume.affine, np.eye(4))


def test_trailing_axes_of_one_are_dropped_and_a_fourth_axis_is_channels(save: Save) -> None:
    single = read_nifti(save(VALUES[..., None, None]))
    np.testing.assert_array_equal(single.values, VALUES[None])
    assert single.notes == ["trailing axes of length 1 were dropped"]
    several = read_nifti(save(np.stack([VALUES, 2 * VALUES], axis=-1)))
    np.testing.assert_array_equal(several.values, np.stack([VALUES, 2 * VALUES]))


@pytest.mark.parametrize("shape", [(4,), (4, 5), (2, 2, 2, 2, 2)])
def test_other_numbers_of_axes_are_refused(save: Save, shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match=r"expected \(X, Y, Z\) or \(X, Y, Z, C\)"):
        read_nifti(save(np.ones(shape, np.float32)))


def test_colours_are_refused(save: Save) -> None:
    colour = np.zeros((2, 2, 2), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    with pytest.raises(DataError, match="expected numbers"):
        read_nifti(save(colour))


def test_big_endian_voxels_come_in_native_order(tmp_path: Path) -> None:
    header = nib.Nifti1Header(endianness=">")
    header.set_data_dtype(np.dtype(">i2"))
    image = nib.Nifti1Image(VALUES, np.eye(4), header)
    (tmp_path / "a.nii").write_bytes(image.to_bytes())
    assert (tmp_path / "a.nii").read_bytes()[:4] == b"\0\0\x01\x5c"
    volume = read_nifti(tmp_path / "a.nii")
    assert volume.values.dtype.isnative
    np.testing.assert_array_equal(volume.values[0], VALUES)


def test_slope_and_intercept_of_the_header_are_applied(tmp_path: Path) -> None:
    image = nib.Nifti1Image(VALUES.astype(np.float64) * 0.25 - 3, np.eye(4))
    image.set_data_dtype(np.int16)
    nib.save(image, tmp_path / "a.nii.gz")
    np.testing.assert_allclose(read_nifti(tmp_path / "a.nii.gz").values[0], VALUES * 0.25 - 3,
                               atol=1e-3)  # fmt: skip


def test_side_files_of_macos_are_no_volumes() -> None:
    assert not is_nifti(Path("._hippocampus_001.nii.gz"))
    assert is_nifti(Path("scan.v2.NII.GZ"))
    assert stem(Path("scan.v2.NII.GZ")) == "scan.v2"
