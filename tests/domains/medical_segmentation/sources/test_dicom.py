"""DICOM series: order by position, distance by measure, Hounsfield units, RAS."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from domains.errors import DataError
from domains.medical_segmentation.sources.dicom import is_series, read_series

Series = Callable[..., Path]


def test_slices_lie_where_the_header_says_whatever_their_names(save_series: Series) -> None:
    positions = [7.5, 0.0, 2.5, 10.0, 5.0]
    volume = read_series(save_series(positions))
    assert volume.values.shape == (1, 3, 4, 5)
    by_place = np.argsort(positions)
    columns, rows, slices = np.mgrid[:3, :4, :5]
    stored = 100 * by_place[slices] + 10 * rows + columns
    np.testing.assert_array_equal(volume.values[0], 2 * stored - 1000)
    assert any("SliceThickness" in note for note in volume.notes)


def test_the_affine_takes_every_pixel_to_the_place_dicom_gives_it(save_series: Series) -> None:
    folder = save_series([0.0, 3.0, 6.0])
    import pydicom

    volume = read_series(folder)
    for path in folder.iterdir():
        one = pydicom.dcmread(path)
        along, down = np.array(one.ImageOrientationPatient).reshape(2, 3)
        row, column = 3, 2
        # PS3.3 C.7.6.2.1-1, in LPS
        lps = np.array(one.ImagePositionPatient) + along * 0.75 * column + down * 0.5 * row
        index = np.argwhere(volume.values[0] == 2.0 * one.pixel_array[row, column] - 1000)
        assert len(index) == 1
        ras = volume.affine[:3, :3] @ index[0] + volume.affine[:3, 3]
        np.testing.assert_allclose(ras, lps * (-1, -1, 1), atol=1e-6)


@pytest.mark.parametrize(
    ("positions", "changes", "message"),
    [
        ([0.0, 2.0, 4.0, 8.0, 10.0], {}, "2.00 mm apart, but 4.00 mm between 20.15 and 24.15"),
        ([0.0, 2.0, 2.0, 4.0], {}, "2 slices at .* mm or near, expected one at each place"),
        ([0.0, 2.0], {1: {"SeriesInstanceUID": "9"}}, "2 series .thin., expected one"),
        ([0.0, 2.0], {1: {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}}, "localiser"),
        ([0.0, 2.0], {0: {"ImagePositionPatient": None}}, "ImagePositionPatient missing"),
        ([0.0, 2.0], {0: {"NumberOfFrames": 3}}, "3 frames with 1 places"),
        ([0.0, 2.0], {0: {"PixelData": b"\0\0"}}, "pixels cannot be decoded"),
        ([0.0, 2.0], {0: {"PhotometricInterpretation": "PALETTE COLOR"}}, "a picture in colour"),
        ([0.0], {0: {"SliceThickness": None}}, "one slice without SliceThickness"),
    ],
)
def test_a_series_that_is_no_volume_is_refused(
    save_series: Series, positions: list[float], changes: dict, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read_series(save_series(positions, changes=changes))


def test_frames_of_an_enhanced_file_are_the_slices_of_a_series(
    save_series: Series, tmp_path: Path
) -> None:
    """Position by frame, direction and rescaling shared, spacing shared: the same volume."""
    import pydicom
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence

    folder = save_series([4.0, 0.0, 2.0])
    singles = [pydicom.dcmread(path) for path in sorted(folder.iterdir())]

    def group(**parts: dict[str, object]) -> Dataset:
        made = Dataset()
        for sequence, values in parts.items():
            inner = Dataset()
            for key, value in values.items():
                setattr(inner, key, value)
            setattr(made, sequence, Sequence([inner]))
        return made

    one = singles[0].copy()
    one.NumberOfFrames = 3
    one.PixelData = b"".join(single.PixelData for single in singles)
    one.PerFrameFunctionalGroupsSequence = Sequence(
        group(PlanePositionSequence={"ImagePositionPatient": single.ImagePositionPatient})
        for single in singles
    )
    one.SharedFunctionalGroupsSequence = Sequence(
        [
            group(
                PlaneOrientationSequence={"ImageOrientationPatient": one.ImageOrientationPatient},
                PixelMeasuresSequence={"PixelSpacing": [0.5, 0.75], "SliceThickness": 2.0},
                PixelValueTransformationSequence={"RescaleSlope": 2, "RescaleIntercept": -1000},
            )
        ]
    )
    for key in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleSlope",
                "RescaleIntercept", "SliceThickness"):  # fmt: skip
        delattr(one, key)
    (tmp_path / "enhanced").mkdir()
    pydicom.dcmwrite(tmp_path / "enhanced" / "all.dcm", one)
    expected, found = read_series(folder), read_series(tmp_path / "enhanced")
    np.testing.assert_array_equal(found.values, expected.values)
    np.testing.assert_array_equal(found.affine, expected.affine)
    assert found.notes == expected.notes == []


def test_slices_of_another_size_are_refused(save_series: Series) -> None:
    small = {"Rows": 2, "PixelData": bytes(12)}
    with pytest.raises(DataError, match=r"\(3, [24]\) pixels, expected \(3, [24]\)"):
        read_series(save_series([0.0, 2.0], changes={1: small}))


def test_a_tilted_gantry_shears_the_affine_and_is_noted(save_series: Series) -> None:
    places = {k: {"ImagePositionPatient": [0.0, 0.5 * k, 2.0 * k]} for k in range(3)}
    straight = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    volume = read_series(save_series([0, 0, 0], orientation=straight, changes=places))
    assert any("gantry tilt" in note for note in volume.notes)
    np.testing.assert_allclose(volume.affine[:3, 2], (0, -0.5, 2.0))


def test_other_files_in_the_folder_are_passed_over_and_noted(save_series: Series) -> None:
    folder = save_series([0.0, 2.0])
    (folder / "report.txt").write_text("nothing")
    assert is_series(folder)
    assert "files that are no DICOM picture were passed over" in read_series(folder).notes


def test_a_folder_without_pictures_is_no_series(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    assert not is_series(tmp_path)
    with pytest.raises(DataError, match="no DICOM picture there"):
        read_series(tmp_path)


def test_a_real_ct_slice_is_in_hounsfield_units(tmp_path: Path) -> None:
    from pydicom.data import get_testdata_file

    real = Path(str(get_testdata_file("CT_small.dcm", download=False)))
    (tmp_path / "IM0").write_bytes(real.read_bytes())
    volume = read_series(tmp_path)
    # its RescaleIntercept is −1024; air around the patient is about −1000
    assert volume.values.shape == (1, 128, 128, 1)
    assert -1024 < np.percentile(volume.values, 5) < -800
    np.testing.assert_allclose(volume.grid.spacing_mm, (0.661468, 0.661468, 5.0), atol=1e-5)


@pytest.mark.parametrize(
    "form", ["RLE", "bigendian", "implicit", "jp2klossless", "jpeg_ls_lossless"]
)
def test_a_slice_is_the_same_in_every_transfer_syntax(tmp_path: Path, form: str) -> None:
    from pydicom.data import get_testdata_file

    volumes = []
    for name in ("MR_small", f"MR_small_{form}"):
        real = Path(str(get_testdata_file(f"{name}.dcm", download=False)))
        (tmp_path / name).mkdir()
        (tmp_path / name / "IM0").write_bytes(real.read_bytes())
        volumes.append(read_series(tmp_path / name))
    assert volumes[1].values.dtype.isnative
    np.testing.assert_array_equal(volumes[0].values, volumes[1].values)
    np.testing.assert_array_equal(volumes[0].affine, volumes[1].affine)
