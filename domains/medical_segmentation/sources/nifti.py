"""One NIfTI file, with its traps told.

nibabel is lazy and lenient: a file cut short opens, a missing affine is invented, scaled integers
are floats.  Here each of these is refused in one line or noted.

Legend: C channel; X, Y, Z voxels.
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from domains.errors import DataError
from domains.medical_segmentation.science.geometry import Grid

ENDINGS = (".nii", ".nii.gz")

_BROKEN = (
    EOFError,
    OSError,
    zlib.error,
    gzip.BadGzipFile,
    ValueError,
    ImageFileError,
    HeaderDataError,
)
"""What nibabel and gzip raise on files that are cut short, empty or something else."""


@dataclass(frozen=True)
class Volume:
    """One file's voxels.

    Args:
        values: (C, X, Y, Z), the unit of the file, native byte order.
        affine: (4, 4), voxel indices to mm in RAS.
        header: NIfTI header; None for DICOM.
        notes: sentences about what was unusual, without names of files.
    """

    values: NDArray
    affine: NDArray[np.float64]
    header: nib.Nifti1Header | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def grid(self) -> Grid:
        """Where the voxels are."""
        return Grid(self.values.shape[1:], self.affine)


def is_nifti(path: Path) -> bool:
    """Whether ``path`` is called like a NIfTI volume (and is no macOS side file ``._…``)."""
    return path.name.lower().endswith(ENDINGS) and not path.name.startswith(".")


def stem(path: Path) -> str:
    """Name of the file without .nii or .nii.gz."""
    name = path.name
    return name[: name.lower().rfind(".nii")] if is_nifti(path) else path.stem


def read_nifti(path: Path, allow_missing_affine: bool = False) -> Volume:
    """The volume in ``path``; a fourth axis becomes channels.

    Args:
        path: .nii or .nii.gz.
        allow_missing_affine: take a header without position as axes along R, A, S in voxels of
            the header's size, with a note, instead of refusing it.

    Raises:
        DataError: not a volume, cut short, without or with an impossible affine, not in mm.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    try:
        image = nib.load(path)
        if not isinstance(image, nib.Nifti1Image):
            raise ImageFileError(f"it is a {type(image).__name__}")
        values = np.asanyarray(image.dataobj)
    except _BROKEN as error:
        raise DataError(
            f"{path}: cannot be read as NIfTI ({type(error).__name__}: {_short(error)}); it is cut "
            "short, damaged or another kind of file: copy it again"
        ) from error
    notes: list[str] = []
    affine = _affine(path, image.header, np.asarray(image.affine, np.float64), notes)
    if int(image.header["sform_code"]) == 0 and int(image.header["qform_code"]) == 0:
        affine = _invented(path, image.header, allow_missing_affine, notes)
    return Volume(_channels(path, values, notes), affine, image.header, notes)


def _short(error: BaseException) -> str:
    return (str(error) or "no data").splitlines()[0]


def _affine(path: Path, header: nib.Nifti1Header, affine: NDArray, notes: list[str]) -> NDArray:
    """The affine nibabel chose, if it is possible and in mm."""
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise DataError(
            f"{path}: its affine has no inverse (spacing "
            f"{np.round(np.linalg.norm(affine[:3, :3], axis=0), 4).tolist()} mm), expected three "
            "independent axes; write the header again with the scanner's geometry"
        )
    if (unit := header.get_xyzt_units()[0]) not in ("mm", "unknown"):
        raise DataError(f"{path}: lengths are in {unit}, expected mm; write the header again in mm")
    if int(header["sform_code"]) > 0 and int(header["qform_code"]) > 0:
        shape = tuple(int(n) for n in header.get_data_shape()[:3])
        if len(shape) == 3:
            apart = Grid(shape, affine).distance_mm(Grid(shape, header.get_qform()))
            if apart > 0.1:
                notes.append("sform and qform differ by more than 0.1 mm; the sform was taken")
    return affine


def _invented(
    path: Path, header: nib.Nifti1Header, allow_missing_affine: bool, notes: list[str]
) -> NDArray:
    if not allow_missing_affine:
        raise DataError(
            f"{path}: the header has no position or direction (sform_code and qform_code are 0), "
            "expected an affine; take the original file, or set "
            "ingest.allow_missing_affine: true to take the axes as right, front, up"
        )
    notes.append("no affine in the header; axes taken as right, front, up (allow_missing_affine)")
    return np.diag([*np.abs(header.get_zooms()[:3]).astype(np.float64), 1.0])


def _channels(path: Path, values: NDArray, notes: list[str]) -> NDArray:
    """(C, X, Y, Z) in native byte order."""
    if values.dtype.kind not in "buif":
        raise DataError(
            f"{path}: voxels of type {values.dtype}, expected numbers (not colours or complex)"
        )
    while values.ndim > 3 and values.shape[-1] == 1:
        values = values[..., 0]
        if "trailing axes of length 1 were dropped" not in notes:
            notes.append("trailing axes of length 1 were dropped")
    if values.ndim not in (3, 4) or 0 in values.shape:
        raise DataError(f"{path}: shape {values.shape}, expected (X, Y, Z) or (X, Y, Z, C)")
    values = values[None] if values.ndim == 3 else np.moveaxis(values, -1, 0)
    return np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))
