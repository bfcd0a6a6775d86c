"""Filtered cines as DICOM, without a patient's name unless it is asked for.

De-identification is by allow-list (DICOM PS3.15, annex E, is by what to drop; scanners put names
into private tags that no list knows): a new data set gets the tags below and nothing else, and the
pixels outside the sector are black, because names are burnt into them whatever BurnedInAnnotation
says.  That no text is left is written only where it is established.  Identifiers are derived from
the picture alone, so they cannot be traced to the old ones.
"""

from __future__ import annotations

import hashlib
import math
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from domains.echo_clutter.sources.cine import Cine

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.uid import UID

ALLOWED = (
    "Manufacturer",
    "ManufacturerModelName",
    "TransducerType",
    "HeartRate",
    "CineRate",
    "RecommendedDisplayFrameRate",
    "EffectiveDuration",
    "DepthOfScanField",
    "MechanicalIndex",
)
"""Tags of the input that a de-identified file keeps: the machine and its settings."""

ALLOWED_OF_REGION = (
    "RegionSpatialFormat",
    "RegionDataType",
    "RegionFlags",
    "PhysicalUnitsXDirection",
    "PhysicalUnitsYDirection",
    "TransducerFrequency",
)
"""Tags of an ultrasound region that it keeps; place and scale are written anew."""

_UUID_ROOT = "2.25."  # identifiers from a hash need no registered root, PS3.5 B.2
_METHOD = "allow-list of tags, new UIDs"


def write_dicom(
    path: Path,
    frames: NDArray[np.uint8],
    cine: Cine,
    *,
    deidentify: bool,
    is_blacked: bool = False,
    is_established: bool = False,
) -> None:
    """Write ``frames`` (T, H, W), grey levels 0 to 255, as an uncompressed ultrasound cine.

    Args:
        path: file to write; the same input gives the same bytes.
        frames: filtered, on the grid of ``cine``.
        cine: what they were made from: its frame time, region and pixel size are kept.
        deidentify: keep the tags of ``ALLOWED`` alone; otherwise all of the input.
        is_blacked: ``frames`` are black outside the sector.
        is_established: they are, and the sector is the image alone: only then does the file say
            that the patient's identity is removed and nothing is burnt in.
    """
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, UltrasoundMultiFrameImageStorage

    digest = hashlib.sha256(np.ascontiguousarray(frames).tobytes())
    data = _deidentified(cine) if deidentify else _with_all_tags(cine)
    if deidentify:
        data.BurnedInAnnotation = "NO" if is_established else "YES"
        data.DeidentificationMethod = _METHOD + ", black outside the sector" * is_blacked
        if is_established:
            data.PatientIdentityRemoved = "YES"
    _identify(data, digest.digest(), deidentify)
    _describe_pixels(data, frames, _was_lossy(cine))
    _describe_time(data, cine, len(frames))
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UltrasoundMultiFrameImageStorage
    meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = _uid(b"convoy echo_clutter")
    data.file_meta = meta
    data.save_as(path, enforce_file_format=True)


def _deidentified(cine: Cine) -> Dataset:
    from pydicom import Dataset
    from pydicom.sequence import Sequence

    data, header = Dataset(), cine.header or Dataset()
    for key in ALLOWED:
        if key in header:
            data[key] = deepcopy(header[key])
    regions = header.get("SequenceOfUltrasoundRegions", [])
    first = next((item for item in regions if item.get("RegionSpatialFormat") == 1), None)
    if cine.region is not None and first is not None:
        item = Dataset()
        for key in ALLOWED_OF_REGION:
            if key in first:
                item[key] = deepcopy(first[key])
        _place_region(item, cine)
        data.SequenceOfUltrasoundRegions = Sequence([item])
    for key in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex"):
        setattr(data, key, "")  # type 2: must be there, may be empty
    for key in ("StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName"):
        setattr(data, key, "")
    data.Modality = "US"
    data.SeriesNumber, data.InstanceNumber = None, 1
    data.setdefault("Manufacturer", "")
    return data


def _with_all_tags(cine: Cine) -> Dataset:
    from pydicom import Dataset

    if cine.header is None:
        return _deidentified(cine)
    data = Dataset()
    for element in cine.header:
        if element.keyword != "PixelData" and element.tag.group != 0x0028:
            data.add(deepcopy(element))
    regions = data.get("SequenceOfUltrasoundRegions", [])
    if len(regions) == 1 and cine.region is not None:
        _place_region(regions[0], cine)
    return data


def _place_region(item: Dataset, cine: Cine) -> None:
    """Write where the region lies in these frames, and its scale."""
    assert cine.region is not None
    top, left, bottom, right = cine.region
    item.RegionLocationMinX0, item.RegionLocationMinY0 = left, top
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = right - 1, bottom - 1
    if not math.isnan(cine.pixel_mm):
        item.PhysicalDeltaX = item.PhysicalDeltaY = cine.pixel_mm / 10


def _identify(data: Dataset, digest: bytes, deidentify: bool) -> None:
    """New identifiers: a derived image in a series of its own; of its own study without names."""
    from pydicom.uid import UltrasoundMultiFrameImageStorage

    data.SOPClassUID = UltrasoundMultiFrameImageStorage
    data.SOPInstanceUID = _uid(b"instance" + digest)
    data.SeriesInstanceUID = _uid(b"series" + digest)
    if deidentify or "StudyInstanceUID" not in data:
        data.StudyInstanceUID = _uid(b"study" + digest)
    data.ImageType = ["DERIVED", "SECONDARY"]
    data.DerivationDescription = "clutter filtered by a neural network (convoy echo_clutter)"
    data.SeriesDescription = "clutter filtered"


def _uid(content: bytes) -> UID:
    from pydicom.uid import UID

    return UID(_UUID_ROOT + str(int.from_bytes(hashlib.sha256(content).digest()[:16], "big")))


def _was_lossy(cine: Cine) -> bool:
    """Whether the frames ever lost something to compression, which must stay said (C.7.6.1)."""
    from pydicom.uid import JPEG2000, JPEGBaseline8Bit, JPEGExtended12Bit

    if cine.header is None:
        return False
    syntax = cine.header.file_meta.TransferSyntaxUID
    is_lossy = syntax in (JPEGBaseline8Bit, JPEGExtended12Bit, JPEG2000)
    return is_lossy or cine.header.get("LossyImageCompression") == "01"


def _describe_pixels(data: Dataset, frames: NDArray[np.uint8], was_lossy: bool) -> None:
    num_frames, data.Rows, data.Columns = frames.shape
    data.NumberOfFrames = num_frames
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit, data.PixelRepresentation = 7, 0
    data.LossyImageCompression = "01" if was_lossy else "00"
    pixels = np.ascontiguousarray(frames).tobytes()
    data.PixelData = pixels + b"\0" * (len(pixels) % 2)


def _describe_time(data: Dataset, cine: Cine, num_frames: int) -> None:
    data.pop("FrameTimeVector", None)
    if math.isnan(cine.frame_time_ms) or num_frames == 1:
        data.pop("FrameTime", None)
        data.pop("FrameIncrementPointer", None)
        return
    data.FrameTime = f"{cine.frame_time_ms:.10g}"
    data.FrameIncrementPointer = 0x00181063  # FrameTime
