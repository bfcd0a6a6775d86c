"""Parameters, motions and songs that the tests of dance_generation share."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from domains.dance_generation.params import IngestParams
from domains.dance_generation.sources.bvh import write_bvh
from domains.dance_generation.sources.dancer import SKELETON, Dance, perform
from domains.dance_generation.sources.music import compose
from domains.dance_generation.sources.songs import Song
from domains.dance_generation.sources.takes import Take

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
    },
    "public": {"train_takes": [12, 1], "validate_takes": [5], "test_takes": [10], "songs": None},
    "files": {
        "fps": None,
        "unit": "cm",
        "train_files": [],
        "validate_files": [],
        "test_files": [],
    },
    "pairing": {"form": "loop", "songs_per_take": 1, "length_s": 60.0},
}


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
    root = Path(__file__).parents[3]
    for path in (root / "params.yaml", root / "domains/dance_generation/params_block.yaml"):
        if path.is_file():
            block = YAML(typ="safe").load(path).get("dance_generation")
            if block:
                return block
    raise AssertionError("dance_generation stands neither in params.yaml nor in params_block.yaml")
