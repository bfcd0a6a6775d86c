"""Ultrasound cines from DICOM files: any photometric interpretation, any transfer syntax.

Legend: T frames, H rows, W columns.

DICOM PS3.3, C.7.6.3 (pixels): palettes, YBR, more than eight bits, NumberOfFrames missing where
there is one.  Time and place are in ``dicom_tags.py``.
"""

from __future__ import annotations

import copy
import hashlib
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from domains.echo_clutter.sources.cine import Cine, to_grey
from domains.echo_clutter.sources.dicom_tags import read_frame_time, read_region
from domains.errors import DataError

if TYPE_CHECKING:
    from pydicom import Dataset


def is_dicom(path: Path) -> bool:
    """Whether the file has DICOM's preamble."""
    with open(path, "rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def read_dicom(path: Path) -> Cine:
    """The cine in one DICOM file.

    Raises:
        DataError: not DICOM, not ultrasound, without pixels, or not decodable.
    """
    with _quiet() as told:
        cine = _read_cine(path, told)
    if told:
        cine.warnings.append(f"{cine.name}: {len(told)} irregular tags or pixels, read as they are")
    return cine


@contextmanager
def _quiet() -> Iterator[list[warnings.WarningMessage]]:
    """Collects what pydicom warns of: its sentences quote values, and those can be names."""
    logger = logging.getLogger("pydicom")
    was_disabled, logger.disabled = logger.disabled, True
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            yield told
    finally:
        logger.disabled = was_disabled


def _read_cine(path: Path, told: list[warnings.WarningMessage]) -> Cine:
    import pydicom
    from pydicom.errors import InvalidDicomError

    try:
        header = pydicom.dcmread(path)
    except (InvalidDicomError, EOFError, ValueError) as error:
        raise DataError(f"{path}: not a readable DICOM file ({error}); export it again") from error
    if any("End of file" in str(warning.message) for warning in told):
        raise DataError(f"{path}: the file ends within its pixels: it is cut short; copy it again")
    modality = header.get("Modality", "missing")
    if modality not in ("US", "IVUS"):
        raise DataError(f"{path}: Modality is {modality}, expected US (ultrasound)")
    if "PixelData" not in header:
        raise DataError(
            f"{path}: no PixelData, expected an image; it is a report or a waveform, or cut short"
        )
    # file names are often a patient's; not so a hash, and a copy has the same
    name = f"clip_{hashlib.sha256(header.PixelData).hexdigest()[:10]}"
    sentences: list[str] = []
    frames = _read_grey(header, path, name, sentences)
    try:
        region = read_region(header, frames.shape[1:], name, sentences)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    return Cine(
        name=name,
        file=str(path),
        frames=frames,
        frame_time_ms=read_frame_time(header, len(frames), name, sentences),
        region=region.box,
        is_region_sure=region.is_sure,
        pixel_mm=region.pixel_mm,
        vendor=str(header.get("Manufacturer", "")) or "unknown",
        header=header,
        warnings=sentences,
    )


def _read_grey(header: Dataset, path: Path, name: str, sentences: list[str]) -> NDArray[np.uint8]:
    """Frames (T, H, W), 0 to 255, whatever their colours and bits."""
    from pydicom.pixels import apply_color_lut, pixel_array

    try:
        # YBR is turned into RGB by pydicom; a palette is not
        pixels = pixel_array(header)
        is_palette = header.PhotometricInterpretation == "PALETTE COLOR"
        if is_palette:
            pixels = apply_color_lut(pixels, header)
    except Exception as error:  # each decoder has exceptions of its own
        syntax = header.file_meta.get("TransferSyntaxUID", "unknown")
        syntax = getattr(syntax, "name", syntax)
        raise DataError(
            f"{path}: pixels of transfer syntax {syntax} cannot be decoded "
            f"({str(error).splitlines()[0]}); the file is cut short, or install pylibjpeg"
        ) from error
    pixels = pixels.astype(pixels.dtype.newbyteorder("="))  # torch knows no big-endian
    is_colour = is_palette or header.SamplesPerPixel > 1
    if pixels.ndim == (3 if is_colour else 2):
        pixels = pixels[None]  # a single frame
    if not is_colour:
        return _monochrome(pixels, header, path, name, sentences)
    if pixels.dtype.itemsize > 1:  # palettes are of 16 bits by habit, some filled up to 8 alone
        pixels = pixels >> 8 if pixels.max() > 255 else pixels
    return to_grey(pixels.astype(np.uint8), name, sentences)


def _monochrome(
    pixels: NDArray, header: Dataset, path: Path, name: str, sentences: list[str]
) -> NDArray[np.uint8]:
    """Stored values (T, H, W) to 0 to 255: by the window of the file, else by their range."""
    from pydicom.pixels import apply_modality_lut, apply_voi_lut

    bits = int(header.BitsStored)
    image = copy.deepcopy(header.group_dataset(0x0028))
    for item in image.get("VOILUTSequence") or []:
        # pydicom finds an entry with the depth of the entries: in a table of 8 bits the first 256
        item.LUTDescriptor = [*item.LUTDescriptor[:2], 16]
    values = apply_voi_lut(apply_modality_lut(pixels, header), image).astype(np.float32)
    low, high = _ends(header)
    if "WindowWidth" not in header and "VOILUTSequence" not in header:
        if bits > 8:
            low, high = float(values.min()), float(values.max())
            sentences.append(
                f"{name}: {bits} bits without a window: values {low:g} to {high:g} become 0 to 255"
            )
        low, high = min(low, high), max(low, high)  # a negative slope turns them over
    if high == low:
        raise DataError(f"{path}: all pixels are {low:g}, expected an image")
    grey = np.clip((values - low) / (high - low), 0, 1) * 255
    if header.PhotometricInterpretation == "MONOCHROME1":  # low is bright
        grey = 255 - grey
    return np.rint(grey).astype(np.uint8)


def _ends(header: Dataset) -> tuple[float, float]:
    """What black and white are once pydicom has applied the file's tables, rescaling and window.

    A table answers in its own depth.  A window keeps the range of what it is given, and turns it
    over where the slope is negative (PS3.3, C.11.2).
    """
    for table in ("VOILUTSequence", "ModalityLUTSequence"):
        if header.get(table):
            return 0.0, float(2 ** header[table][0].LUTDescriptor[2] - 1)
    bits = int(header.BitsStored)
    low = -(2 ** (bits - 1)) if header.PixelRepresentation == 1 else 0
    slope, intercept = header.get("RescaleSlope"), header.get("RescaleIntercept")
    if slope is None or intercept is None:
        slope, intercept = 1.0, 0.0
    return float(low * slope + intercept), float((low + 2**bits - 1) * slope + intercept)
