"""Parameters, recordings and files that the tests of imu_attitude share."""

from __future__ import annotations

import copy
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from domains.imu_attitude.science.recording import Recording
from domains.imu_attitude.sources.simulator import simulate_trial

PARAMS = {
    "ingest": {
        "rate_hz": None,
        "min_segment_s": 5.0,
        "sample": {
            "seed": 0,
            "duration_s": 20.0,
            "train_trials": 2,
            "validate_trials": 1,
            "test_trials": 1,
        },
        "public": {"train_trials": [1, 3], "validate_trials": [10], "test_trials": [8, 36, 39]},
        "files": {
            "columns": {
                "time": "time_s",
                "rate": None,
                "gyr": "gyr",
                "acc": "acc",
                "reference": None,
                "moving": None,
            },
            "time_unit": "s",
            "gyr_unit": "rad/s",
            "acc_unit": "m/s2",
            "rate_hz": None,
            "order": "wxyz",
            "frame": "ENU",
            "direction": "sensor_to_earth",
            "device": "unknown",
            "train_trials": [],
            "validate_trials": [],
            "test_trials": [],
        },
    },
    "evaluate": {
        "predict": {
            "order": "wxyz",
            "frame": "ENU",
            "direction": "sensor_to_earth",
            "mode": "offline",
            "figure": False,
        }
    },
}


@pytest.fixture
def params() -> dict:
    """The domain's block of parameters, small, free to be changed."""
    return copy.deepcopy(PARAMS)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real recordings: CONVOY_TEST_DATA, else shared/data beside the checkout."""
    beside = Path(__file__).parents[3].parent / "shared" / "data"
    folder = Path(os.environ.get("CONVOY_TEST_DATA", beside))
    if not (folder / "imu" / "broad").is_dir():
        pytest.skip(f"no BROAD recordings in {folder}; name a folder in CONVOY_TEST_DATA")
    return folder


@pytest.fixture(scope="session")
def broad_trial(shared_data: Path):
    """Reader of one BROAD trial by its number."""
    from domains.imu_attitude.sources.broad import read_trial

    def read(number: int) -> Recording:
        path = next((shared_data / "imu" / "broad").glob(f"{number:02d}_*.npz"))
        return read_trial(path, path.stem)

    return read


@pytest.fixture(scope="session")
def trial() -> Recording:
    """Twenty simulated seconds at 100 Hz, reference and all."""
    return simulate_trial(1, "slow_combined", "simulated A", 20.0, seed=0)


@pytest.fixture
def table(trial: Recording) -> pd.DataFrame:
    """The simulated trial as a table, as a user would export it."""
    names = [f"{key}_{axis}" for key in ("gyr", "acc") for axis in "xyz"]
    values = np.concatenate([trial.gyr, trial.acc, trial.reference], axis=1).astype(float)
    table = pd.DataFrame(values, columns=[*names, *(f"q_{axis}" for axis in "wxyz")])
    table.insert(0, "time_s", trial.time_s)
    return table
