"""BROAD: 39 real trials of one sensor with an optical reference, the ``public`` source.

D. Laidig, M. Caruso, A. Cereatti, T. Seel, "BROAD - A Benchmark for Robust Inertial Orientation
Estimation", Data 6(7), 2021, doi:10.3390/data6070072.  Licence CC BY 4.0.  Sensor: myon aktos-t
at 285.714 Hz; reference: OptiTrack, eight cameras, earth frame ENU, NaN where it was lost.  A
trial's name says its group: disturbed or not, speed, kind of movement, with breaks or without.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from domains.errors import DataError
from domains.files import fetch
from domains.imu_attitude.params import PublicParams
from domains.imu_attitude.science.recording import Recording
from domains.imu_attitude.sources.collection import Collection, assign_splits
from domains.imu_attitude.sources.readers import read_arrays

COMMIT = "7e2f8189bb4a3ac91eae32c69b6bc87f08a6e2ad"
ADDRESS = f"https://raw.githubusercontent.com/dlaidig/broad/{COMMIT}/data_hdf5"
MIRROR = "imu/broad"
"""Folder of the trials below ``CONVOY_MIRROR``, as .hdf5, .npz or .mat."""

DEVICE = "myon aktos-t"

SHA256 = {
    "36_disturbed_attached_magnet_5cm": (
        "6939dd3131ee9173b139fbb1264ec054cb6eed04293baf2359f4e7c007d96b52"
    ),
}
"""Of the .hdf5 files at hand; the others are recorded at their first download."""

TRIALS = (
    "01_undisturbed_slow_rotation_A",
    "02_undisturbed_slow_rotation_B",
    "03_undisturbed_slow_rotation_C",
    "04_undisturbed_slow_rotation_with_breaks_A",
    "05_undisturbed_slow_rotation_with_breaks_B",
    "06_undisturbed_fast_rotation_A",
    "07_undisturbed_fast_rotation_B",
    "08_undisturbed_fast_rotation_with_breaks_A",
    "09_undisturbed_fast_rotation_with_breaks_B",
    "10_undisturbed_slow_translation_A",
    "11_undisturbed_slow_translation_B",
    "12_undisturbed_slow_translation_C",
    "13_undisturbed_slow_translation_with_breaks_A",
    "14_undisturbed_slow_translation_with_breaks_B",
    "15_undisturbed_fast_translation_A",
    "16_undisturbed_fast_translation_B",
    "17_undisturbed_fast_translation_with_breaks_A",
    "18_undisturbed_fast_translation_with_breaks_B",
    "19_undisturbed_slow_combined_240s",
    "20_undisturbed_slow_combined_360s",
    "21_undisturbed_fast_combined",
    "22_undisturbed_fast_combined_240s",
    "23_undisturbed_fast_combined_360s",
    "24_disturbed_tapping_A",
    "25_disturbed_tapping_B",
    "26_disturbed_phone_vibration_A",
    "27_disturbed_phone_vibration_B",
    "28_disturbed_stationary_magnet_A",
    "29_disturbed_stationary_magnet_B",
    "30_disturbed_stationary_magnet_C",
    "31_disturbed_stationary_magnet_D",
    "32_disturbed_attached_magnet_1cm",
    "33_disturbed_attached_magnet_2cm",
    "34_disturbed_attached_magnet_3cm",
    "35_disturbed_attached_magnet_4cm",
    "36_disturbed_attached_magnet_5cm",
    "37_disturbed_office_A",
    "38_disturbed_office_B",
    "39_disturbed_mixed",
)


def collect_broad(params: PublicParams) -> Collection:
    """The trials that ``params`` names, whole, each in its split.

    Where ``CONVOY_MIRROR`` holds some trials, those are all: the others are counted as absent and
    not downloaded.
    """
    wanted = {
        "train": params.train_trials,
        "validate": params.validate_trials,
        "test": params.test_trials,
    }
    collection = Collection(
        title="BROAD: real trials of one handheld sensor with optical reference",
        source=f"{ADDRESS} (doi:10.3390/data6070072)",
        licence="CC BY 4.0, D. Laidig, M. Caruso, A. Cereatti, T. Seel",
    )
    absent = []
    for name, split in assign_splits(TRIALS, wanted, "ingest.public").items():
        path = locate(name)
        if path is None:
            absent.append(name)
            continue
        collection.splits[split].append(read_trial(path, name))
    if absent:
        collection.reject("trial absent from CONVOY_MIRROR", len(absent))
        numbers = " ".join(name[:2] for name in absent)
        collection.warnings.append(
            f"{len(absent)} of {len(absent) + sum(map(len, collection.splits.values()))} trials "
            f"are absent from {MIRROR} of CONVOY_MIRROR and were left out: {numbers}"
        )
    for trials in collection.splits.values():
        trials.sort(key=lambda trial: trial.name)
    return collection


def locate(name: str) -> Path | None:
    """The file of trial ``name``: from the mirror, else downloaded; None if a mirror lacks it."""
    mirror = os.environ.get("CONVOY_MIRROR")
    folder = Path(mirror) / MIRROR if mirror else None
    if folder and folder.is_dir():
        files = (folder / f"{name}{suffix}" for suffix in (".hdf5", ".npz", ".mat"))
        return next((file for file in files if file.is_file()), None)
    return fetch(f"{ADDRESS}/{name}.hdf5", SHA256.get(name), "imu_attitude")


def read_trial(path: Path, name: str) -> Recording:
    """One trial from BROAD's own .hdf5 or .mat, or from an .npz with the same names."""
    arrays = read_arrays(path)
    needed = ("imu_gyr", "imu_acc", "opt_quat", "movement", "sampling_rate")
    if missing := [key for key in needed if key not in arrays]:
        raise DataError(f"{path}: {', '.join(missing)} missing, expected a trial of BROAD")
    return Recording(
        name=name,
        rate_hz=float(np.ravel(arrays["sampling_rate"])[0]),
        gyr=arrays["imu_gyr"],
        acc=arrays["imu_acc"],
        reference=arrays["opt_quat"],
        moving=np.ravel(arrays["movement"]).astype(bool),
        device=DEVICE,
    )
