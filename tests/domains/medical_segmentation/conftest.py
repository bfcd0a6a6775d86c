"""Parameters, volumes and datasets that the tests of medical_segmentation share."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from domains.medical_segmentation.science.cases import Case, Catalogue, save_case

INGEST = {
    "seed": 0,
    "validate_share": 0.2,
    "test_share": 0.2,
    "validate_cases": [],
    "test_cases": [],
    "subject": None,
    "modality": "auto",
    "spacing_mm": None,
    "max_patch_voxels": 4096,
    "patch_multiple": 8,
    "tolerance_mm": 0.1,
    "allow_missing_affine": False,
    "bad_cases": "stop",
    "labels": None,
    "sample": {"num_cases": 6, "spacing_mm": 3.0, "deformation_mm": 2.0},
}

PLAN = {
    "spacing_mm": [1.0, 1.0, 1.5],
    "patch": [16, 16, 16],
    "normalisation": [{"kind": "volume", "within": "all"}],
    "seen": {
        "extent_mm": [[18.0, 20.0, 21.0], [18.0, 20.0, 21.0]],
        "volume_ml": {"1": [0.2, 0.3], "2": [0.2, 0.3]},
    },
}

MODEL = {
    "network": "swtr",
    "dims": 3,
    "base_channels": 4,
    "max_channels": 16,
    "max_stages": None,
    "xlstm": {"blocks": 1, "variant": "bot", "directions": 1},
    "reversible": {"blocks": 1, "expansion": 2, "is_reversible": True},
    "swtr": {
        "blocks": [1],
        "transformer_blocks": 2,
        "num_heads": 2,
        "window": 2,
        "pretrained": None,
    },
}

TRAIN = {
    "seed": 0,
    "max_steps": 4,
    "batch_size": 2,
    "lr": 0.005,
    "grad_clip": 1.0,
    "validate_every": 2,
    "patience": 9,
    "checkpoint_every": 100,
    "threads": 1,
    "accelerator": "cpu",
    "devices": "auto",
    "precision": "32-true",
    "optimizer": "adamw",
    "weight_decay": 0.0001,
    "patches_per_case": 2,
    "foreground_share": 0.5,
    "spatial_share": 0.5,
    "intensity_share": 0.5,
}


BLOCK = {
    "ingest": INGEST,
    "model": MODEL,
    "train": TRAIN,
    "evaluate": {"tolerance_mm": 1.0, "predict": {"overlay": False, "volumes": True}},
}


@pytest.fixture
def params() -> dict:
    """The domain's block of parameters, small, free to be changed."""
    return copy.deepcopy(BLOCK)


@pytest.fixture(scope="session")
def block() -> dict:
    """The same for fixtures that live longer than a test; not to be changed."""
    return copy.deepcopy(BLOCK)


def ball_case(name: str, seed: int, shape: tuple[int, int, int] = (18, 20, 14)) -> Case:
    """A bright ball in noise, 1 × 1 × 1.5 mm voxels: its front half is label 1, its back 2."""
    rng = np.random.default_rng(seed)
    affine = np.diag([1.0, 1.0, 1.5, 1.0])
    affine[:3, 3] = (-9.0, -10.0, -10.0)
    grid = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    points = grid @ affine[:3, :3].T + affine[:3, 3]
    offset = points - rng.uniform(-1.5, 1.5, 3)
    inside = np.linalg.norm(offset, axis=-1) < 5.0
    label = np.where(inside, np.where(offset[..., 1] > 0, 1, 2), 0).astype(np.uint8)
    gain = rng.uniform(1, 1000)  # MR intensities have no unit
    image = gain * (inside + 0.2 * rng.standard_normal(shape))
    return Case(name, image[None].astype(np.float32), affine, label)


@pytest.fixture(scope="session")
def tiny_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six ball cases (4 train, 1 validate, 1 test) as ``ingest`` would lay them down."""
    folder = tmp_path_factory.mktemp("medical") / "dataset"
    names = [f"ball_{number}" for number in range(6)]
    for seed, name in enumerate(names):
        save_case(folder, ball_case(name, seed))
    Catalogue(
        name="balls",
        kind="simulated anatomy",
        channels=["intensity"],
        labels={"front": 1, "back": 2},
        splits={"train": names[:4], "validate": names[4:5], "test": names[5:]},
        subjects={name: name for name in names},
    ).save(folder)
    (folder / "fingerprint.json").write_text(json.dumps({"measured": {}, "plan": PLAN}))
    return folder


@pytest.fixture(scope="session")
def make_case() -> Callable[..., Case]:
    """``make_case(name, seed, shape)``: a ball of two labels in noise."""
    return ball_case
