"""Parameters, clips and a tiny dataset that the tests of echo_clutter share."""

from __future__ import annotations

import copy
import os
from pathlib import Path

import numpy as np
import pytest

from domains.contract import Card
from domains.echo_clutter.science.clips import Clip, save_clip

INGEST = {
    "size": 32,
    "clutter": {"seed": 0, "near_field": 1.0, "reverberation": 1.0, "haze": 0.5},
    "sample": {
        "seed": 0,
        "frames": 8,
        "train_vendors": ["A", "B"],
        "validate_vendors": ["C"],
        "test_vendors": ["D"],
        "train_subjects": 2,
        "validate_subjects": 1,
        "test_subjects": 1,
    },
    "public": {
        "train_vendors": ["Hitachi", "Philips"],
        "validate_vendors": ["Samsung"],
        "test_vendors": ["GE"],
        "in_vivo_subjects": [1],
    },
    "files": {
        "are_clean": True,
        "frame_time_ms": None,
        "sector": "auto",
        "train_clips": [],
        "validate_clips": [],
        "test_clips": [],
    },
}
PREDICT = {"deidentify": True, "side_by_side": False}


@pytest.fixture
def params() -> dict:
    """The block's ``ingest`` and ``evaluate.predict``, small, free to be changed."""
    return copy.deepcopy({"ingest": INGEST, "evaluate": {"predict": PREDICT}})


@pytest.fixture(scope="module")
def module_params() -> dict:
    """The same, for fixtures that many tests of a module share; not to be changed."""
    return copy.deepcopy({"ingest": INGEST, "evaluate": {"predict": PREDICT}})


@pytest.fixture(scope="session")
def echo_data() -> Path:
    """Folder of the authors' clips: CONVOY_TEST_DATA, else shared/data beside the checkout."""
    beside = Path(__file__).parents[3].parent / "shared" / "data"
    folder = Path(os.environ.get("CONVOY_TEST_DATA", beside)) / "echo"
    if not folder.is_dir():
        pytest.skip(f"no clips in {folder}; name the folder above it in CONVOY_TEST_DATA")
    return folder


def make_clip(name: str = "tiny", seed: int = 0, frames: int = 8, size: int = 32) -> Clip:
    """A speckled wall that moves up and down by two pixels, under a static bright spot."""
    rng = np.random.default_rng(seed)
    depth, width = np.mgrid[:size, :size].astype(np.float64)
    sector = np.abs(width - size / 2) <= 2 + depth * 0.6
    angle = np.linspace(-np.pi / 2 - 1.1, -np.pi / 2 + 1.1, 22)
    lift = 2 * np.sin(np.pi * np.arange(frames) / frames)
    centre = np.stack([np.full(frames, size / 2), size * 0.65 + lift], axis=1)
    shape = size * 0.28 * np.stack([0.7 * np.cos(angle), 1.4 * np.sin(angle)], axis=1)
    contour = (centre[:, None] + shape).astype(np.float32)
    speckle = rng.rayleigh(40, (size, size))
    clean = np.stack([np.roll(speckle, round(shift), axis=0) for shift in lift])
    clean = np.clip(clean, 0, 230) * sector
    spot = 150 * np.exp(-((depth - size * 0.3) ** 2 + (width - size / 2) ** 2) / (size / 6) ** 2)
    cluttered = np.clip(clean + spot * sector, 0, 255)
    return Clip(
        name=name,
        sector=sector,
        clean=clean.astype(np.uint8),
        cluttered=cluttered.astype(np.uint8),
        contour=contour,
        segment=(np.arange(22) * 7 // 22).astype(np.int8),
        frame_time_ms=20.0,
        pixel_mm=4.0,
        subject=f"subject {seed}",
        vendor="tiny",
        view="A4C",
        kind="simulated",
    )


@pytest.fixture(scope="session")
def tiny_clip() -> Clip:
    """Eight frames of 32×32 with contour, clutter and truth."""
    return make_clip()


@pytest.fixture(scope="session")
def tiny_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset folder as ``ingest`` writes it: clips of make_clip in all four splits."""
    from dataclasses import replace

    folder = tmp_path_factory.mktemp("dataset")
    splits = {"train": ["a", "b"], "validate": ["c"], "test": ["d", "e"], "in_vivo": ["f"]}
    for split, names in splits.items():
        for seed, name in enumerate(names):
            clip = make_clip(name, 10 * len(split) + seed)
            if split == "train":
                clip = replace(clip, cluttered=None)
            if split == "in_vivo":
                clip = replace(clip, clean=None, contour=None, segment=None, kind="in_vivo")
            save_clip(folder, clip, split)
    Card("tiny clips", "tests", "none", {}, splits, {"clips": 6}).save(folder)
    return folder


def make_cine(frames: int = 10, shape: tuple[int, int] = (60, 80), seed: int = 0) -> np.ndarray:
    """Grey frames (T, H, W): a moving speckled sector, text that stands still beside it."""
    from domains.echo_clutter.science.geometry import Sector

    rng = np.random.default_rng(seed)
    sector = Sector(shape[1] / 2, 0.0, 3.0, shape[0] - 3.0, 0.5).mask(shape)
    images = np.clip(rng.rayleigh(45, (frames, *shape)), 12, 230) * sector
    images[:, 4:9, 3:14] = 220
    return images.astype(np.uint8)


@pytest.fixture
def declared_region() -> dict:
    """Tags of a region that holds the sector of make_cine and not its text."""
    from pydicom import Dataset

    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType = 1, 1
    item.RegionLocationMinX0, item.RegionLocationMinY0 = 10, 0
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = 69, 59
    return {"SequenceOfUltrasoundRegions": [item]}


@pytest.fixture
def cine_frames() -> np.ndarray:
    """Frames of make_cine."""
    return make_cine()


@pytest.fixture
def dicom_file(tmp_path: Path):
    """Writer of a small ultrasound DICOM file: frames or stored values, and tags to set."""
    from pydicom import Dataset
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, UltrasoundMultiFrameImageStorage

    def write(pixels: np.ndarray, name: str = "cine.dcm", **tags) -> Path:
        data, meta = Dataset(), FileMetaDataset()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        meta.MediaStorageSOPClassUID = data.SOPClassUID = UltrasoundMultiFrameImageStorage
        meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = "1.2.3.4"
        data.file_meta = meta
        is_colour = pixels.shape[-1] == 3
        data.SamplesPerPixel = 3 if is_colour else 1
        data.PhotometricInterpretation = "RGB" if is_colour else "MONOCHROME2"
        if is_colour:
            data.PlanarConfiguration = 0
        shape = pixels.shape[:-1] if is_colour else pixels.shape
        data.Rows, data.Columns = shape[-2:]
        if len(shape) == 3:
            data.NumberOfFrames = shape[0]
        bits = pixels.dtype.itemsize * 8
        data.BitsAllocated = data.BitsStored = bits
        data.HighBit, data.PixelRepresentation = bits - 1, 0
        data.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
        data["PixelData"].VR = "OW" if bits > 8 else "OB"
        data.Modality, data.FrameTime = "US", 25.0
        data.PatientName, data.PatientID = "Doe^Jane", "4711"
        for key, value in tags.items():
            if value is None:
                delattr(data, key)
            else:
                setattr(data, key, value)
        data.save_as(tmp_path / name, enforce_file_format=True)
        return tmp_path / name

    return write
