"""A tiny dataset and the parameters that the tests of ais_trajectories share."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from domains.ais_trajectories.science.storage import SPLITS, write_table
from domains.contract import Card

INGEST = {
    "seed": 0,
    "region": None,
    "clean": {"max_speed_kn": 40.0, "stale_h": 1.0},
    "tracks": {"gap_min": 60.0, "step_min": 10.0, "min_points": 6, "moving_kn": 1.0},
    "split": {
        "train_vessels": 0.5,
        "validate_vessels": 0.2,
        "train_time": 0.5,
        "validate_time": 0.2,
    },
    "sample": {"vessels": 10, "days": 4.0, "report_s": 300.0},
    "public": {"first_day": "2024-03-01", "days": 2},
    "files": {
        "format": "auto",
        "bad_sentences": "count",
        "columns": {
            "vessel": "mmsi",
            "time": "time",
            "longitude": "longitude",
            "latitude": "latitude",
            "sog": "sog",
            "cog": "cog",
            "heading": None,
            "rot": None,
            "status": None,
            "ship_type": None,
        },
    },
}
STEP_S = 600.0
NUM_POINTS = 120
TRACKS_PER_SPLIT = {"train": 6, "validate": 2, "test": 3}


def make_dataset(folder: Path, num_points: int = NUM_POINTS, seed: int = 0) -> Path:
    """Write a dataset of ships that sail one of two lanes with a bend, and a moored one per split.

    Splits differ in vessels and in time, as ``ingest`` makes them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    tracks: list[dict] = []
    for part, split in enumerate(SPLITS):
        for number in range(TRACKS_PER_SPLIT[split]):
            start_s = 1.7e9 + part * 1e6 + number * 3e4
            tracks.append(_sail(random, split, len(tracks), start_s, num_points, number))
    joined = {key: np.concatenate([track[key] for track in tracks]) for key in tracks[0]}
    write_table(folder, "tracks", joined)
    delay_s = random.uniform(0, 0.9 * STEP_S, len(joined["time_s"]))
    messages = {
        **joined,
        "time_s": joined["time_s"] + delay_s,
        "heading_deg": joined["cog_deg"],
        "rot_deg_min": np.zeros(len(delay_s)),
        "status": np.where(joined["is_moving"], 0, 5),
    }
    write_table(folder, "messages", messages)
    vessels = {
        split: [str(track["vessel"][0]) for track in tracks if track["split"][0] == split]
        for split in SPLITS
    }
    Card(
        title="simulated ships on two lanes, for tests",
        source="tests",
        licence="BSD-3-Clause",
        units={"time_s": "s", "longitude": "deg", "latitude": "deg", "sog_kn": "kn"},
        splits=vessels,
        counts={"tracks": len(tracks), "points": len(delay_s)},
    ).save(folder)
    return folder


def _sail(
    random: np.random.Generator, split: str, track: int, start_s: float, num: int, number: int
) -> dict[str, np.ndarray]:
    """One track: east, then north-east (odd: south-east) from 62.5° W; number 0 is moored."""
    is_moored = number == 0
    knots = 0.05 if is_moored else 10.0 + number
    course = np.where(np.arange(num) < num // 2, 90.0, 45.0 if number % 2 else 135.0)
    course = course + random.normal(0, 2.0, num)
    step_km = knots * 1.852 * STEP_S / 3600
    east, north = np.sin(np.deg2rad(course)), np.cos(np.deg2rad(course))
    latitude = 48.0 + np.cumsum(step_km * north) / 111.195
    longitude = -62.5 + np.cumsum(step_km * east) / (111.195 * np.cos(np.deg2rad(48.0)))
    return {
        "split": np.full(num, split),
        "track_id": np.full(num, track),
        "vessel": np.full(num, 316_000_000 + track),
        "time_s": start_s + STEP_S * np.arange(num),
        "longitude": longitude,
        "latitude": latitude,
        "sog_kn": np.full(num, knots),
        "cog_deg": course % 360,
        "ship_type": np.full(num, 70 if number % 2 else 80),
        "is_moving": np.full(num, not is_moored),
    }


@pytest.fixture(scope="session")
def tiny_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of eleven tracks of twenty hours; read it, do not change it."""
    return make_dataset(tmp_path_factory.mktemp("ais") / "dataset")


@pytest.fixture
def dataset_maker() -> Callable[..., Path]:
    """``make_dataset(folder, num_points, seed)``."""
    return make_dataset


@pytest.fixture
def ingest_params() -> dict:
    """The block ``ingest``, small, free to be changed."""
    return copy.deepcopy(INGEST)
