"""Files with known content: NIfTI with chosen flaws, DICOM series."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

OBLIQUE = (np.cos(0.3), np.sin(0.3), 0.0, 0.0, 0.0, -1.0)
"""Direction of rows and columns (LPS): a coronal picture turned by 17° about the long axis."""


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    """``save(values, name, affine, **header)``: a NIfTI file below ``tmp_path``."""

    def make(
        values: np.ndarray, name: str = "a.nii.gz", affine: object = None, **header: object
    ) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image = nib.Nifti1Image(values, np.eye(4) if affine is None else affine)
        for key, value in header.items():
            image.header[key] = value
        nib.save(image, path)
        return path

    return make


@pytest.fixture
def save_series(tmp_path: Path) -> Callable[..., Path]:
    """``save_series(positions_mm, …)``: slices (Y 4, X 3) named against their order.

    Pixel (row, column) of slice k holds 100·k + 10·row + column before slope 2 and intercept −1000.
    """
    pydicom = pytest.importorskip("pydicom")
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

    def make(
        positions_mm: Sequence[float],
        folder: str = "series",
        orientation: Sequence[float] = OBLIQUE,
        changes: dict[int, dict[str, object]] | None = None,
    ) -> Path:
        normal = np.cross(orientation[:3], orientation[3:])
        for number, position in enumerate(positions_mm):
            meta = FileMetaDataset()
            meta.MediaStorageSOPClassUID = CTImageStorage
            meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[f"{number}"])
            meta.TransferSyntaxUID = ExplicitVRLittleEndian
            path = tmp_path / folder / f"{97 - 3 * number:03d}.dcm"
            one = FileDataset(path, {}, file_meta=meta, preamble=b"\0" * 128)
            one.SOPClassUID, one.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
            one.SeriesInstanceUID, one.SeriesDescription = "1.2.3", "thin"
            one.Rows, one.Columns, one.SamplesPerPixel = 4, 3, 1
            one.PhotometricInterpretation = "MONOCHROME2"
            one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 16, 16, 15, 0
            one.PixelSpacing, one.SliceThickness = [0.5, 0.75], 2.0
            one.ImageOrientationPatient = [round(float(value), 9) for value in orientation]
            corner = np.array([10.0, 20.0, 30.0]) + position * normal
            one.ImagePositionPatient = [round(float(value), 9) for value in corner]
            one.RescaleSlope, one.RescaleIntercept = 2, -1000
            rows, columns = np.mgrid[:4, :3]
            one.PixelData = (100 * number + 10 * rows + columns).astype("<u2").tobytes()
            for key, value in (changes or {}).get(number, {}).items():
                if value is None:
                    delattr(one, key)
                else:
                    setattr(one, key, value)
            path.parent.mkdir(parents=True, exist_ok=True)
            pydicom.dcmwrite(path, one)
        return tmp_path / folder

    return make
