"""Parameters, motions and songs that the tests of dance_generation share."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from ruamel.yaml import YAML

from domains.dance_generation.ingest import ingest
from domains.dance_generation.params import IngestParams
from domains.dance_generation.sources.bvh import write_bvh
from domains.dance_generation.sources.dancer import SKELETON, Dance, perform
from domains.dance_generation.sources.music import compose
from domains.dance_generation.sources.songs import Song
from domains.dance_generation.sources.takes import Take
from domains.dance_generation.train import Task, build

INGEST = {
    "fps": 30.0,
    "audio_rate_hz": 16000,
    "sample": {
        "seed": 0,
        "duration_s": 10.0,
        "train_songs": 3,
        "validate_songs": 1,
        "test_songs": 2,
        "tempo_low_bpm": 90.0,
        "tempo_high_bpm": 150.0,
        "band_share": 0.0,
    },
    "public": {
        "train_takes": [12, 1],
        "validate_takes": [5],
        "test_takes": [10],
        "songs": None,
        "test_songs": None,
    },
    "files": {
        "fps": None,
        "unit": "cm",
        "train_files": [],
        "validate_files": [],
        "test_files": [],
    },
    "pairing": {"form": "loop", "songs_per_take": 1, "length_s": 60.0},
}


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Small networks gain nothing from more, and lose much on a busy machine."""
    torch.set_num_threads(1)


@pytest.fixture
def params() -> dict:
    """The section ``ingest``, small, free to be changed."""
    return copy.deepcopy(INGEST)


@pytest.fixture
def settings(params: dict) -> IngestParams:
    """The same, checked."""
    return IngestParams.model_validate(params)


@pytest.fixture(scope="session")
def song() -> Song:
    """Twenty synthetic seconds."""
    return compose("song", (5, 1), 20.0, 16000)


@pytest.fixture(scope="session")
def beats_s() -> np.ndarray:
    """Beats at 120 BPM from 0.3 s on, for twenty seconds."""
    return np.arange(0.3, 20.0, 0.5)


@pytest.fixture(scope="session")
def dance(beats_s: np.ndarray) -> Dance:
    """Side steps at 30 frames per second on ``beats_s``."""
    count = np.arange(len(beats_s)) % 4 + 1
    return perform(beats_s, count, 4, ["side"], [0], 600, 30.0, (3,))


@pytest.fixture(scope="session")
def take(dance: Dance) -> Take:
    """The dance as a file would give it."""
    return Take("side", SKELETON, 30.0, dance.root_position, dance.rotations)


@pytest.fixture
def bvh(tmp_path: Path, take: Take) -> Path:
    """The dance as a BVH file."""
    path = tmp_path / "side.bvh"
    write_bvh(path, SKELETON, take.root_position, take.rotations, 30.0)
    return path


@pytest.fixture(scope="session")
def whole_block() -> dict:
    """The domain's block of parameters as it is shipped."""
    path = Path(__file__).parents[3] / "params.yaml"
    return YAML(typ="safe").load(path)["dance_generation"]


MODEL = {
    "network": "phase",
    "companions": ["paper_cnn"],
    "hidden": 8,
    "loudness": "global",
    "paper": {"hidden": 8, "channels": 1, "is_contrastive": True},
}
TRAIN = {
    "seed": 0,
    "max_steps": 4,
    "batch_size": 2,
    "lr": 0.002,
    "weight_decay": 0.0,
    "gradient_noise": 0.0,
    "sequence_frames": 20,
    "tempo_range": 1.1,
    "companion_batch": 1,
}
PREDICT = {"bpm": None, "offset_s": None, "beats_per_bar": 4, "beats": None, "step": None}


@pytest.fixture(scope="session")
def dataset(tmp_path_factory) -> Path:
    """The small sample: three songs to train on, one to validate, two to test, ten seconds each."""
    folder = tmp_path_factory.mktemp("dataset") / "sample"
    ingest("sample", folder, ingest=INGEST)
    return folder


@pytest.fixture(scope="session")
def task(dataset: Path) -> Task:
    """A small untrained task with statistics of ``dataset``; not to be changed."""
    return build(dataset, model=MODEL, train=TRAIN)[0].eval()


@pytest.fixture(scope="session")
def hearing_task(dataset: Path) -> Task:
    """The same with the network that hears."""
    return build(dataset, model=MODEL | {"network": "audio", "companions": []}, train=TRAIN)[0]
