"""BROAD: 39 real trials of one sensor with an optical reference, the ``public`` source.

D. Laidig, M. Caruso, A. Cereatti, T. Seel, "BROAD - A Benchmark for Robust Inertial Orientation
Estimation", Data 6(7), 2021, doi:10.3390/data6070072.  Licence CC BY 4.0.  Sensor: myon aktos-t
at 285.714 Hz; reference: OptiTrack, eight cameras, earth frame ENU, NaN where it was lost.  A
trial's name says its group: disturbed or not, speed, kind of movement, with breaks or without.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np

from domains.errors import DataError
from domains.files import check_file, fetch
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
    "01_undisturbed_slow_rotation_A.npz": (
        "ea5530913ac39ac20f8dfe39aa4e4e81f457fc264c0bc2fd2be9f0a26e274c5f"
    ),
    "03_undisturbed_slow_rotation_C.npz": (
        "b463f2317502611bb92d3e09a300fec95328804c0272b7c1b9ce3140b9841a0e"
    ),
    "04_undisturbed_slow_rotation_with_breaks_A.npz": (
        "971d459d4f92838fbb456a14d6201a244daa416a7e583d2197c27a2364b46d19"
    ),
    "06_undisturbed_fast_rotation_A.npz": (
        "acab10cbe6c2a78347f708c3a92af2a634dee19d0325fee067fbe8ac741cfdf4"
    ),
    "08_undisturbed_fast_rotation_with_breaks_A.npz": (
        "289f8e0fe72dfdeeac3b84f505f41d51cc1b336a96bf419789dc69d92fba81e4"
    ),
    "10_undisturbed_slow_translation_A.npz": (
        "35e77c3b7232bc64110043e7e4c1bc6c6bbbed2c5cc0c37348ad3c97bde776e5"
    ),
    "15_undisturbed_fast_translation_A.npz": (
        "271f542f8ccbd3c30fab0806893639c1e7d7a5c0a73dc9126ba8d093bc1a8750"
    ),
    "24_disturbed_tapping_A.npz": (
        "6667ebc545839f3e9d9a30163d396d08111211919342aa794986cb7e8e03a1a5"
    ),
    "26_disturbed_phone_vibration_A.npz": (
        "998b9c4a324445bd508aa590df1bbd8c0d5183c9377deae394d731809e0e6ddc"
    ),
    "28_disturbed_stationary_magnet_A.npz": (
        "5ec87f1b7550bafe07c1126385b651a1cc6cf418661245ea6fd6dbdd471b2298"
    ),
    "32_disturbed_attached_magnet_1cm.npz": (
        "37c9b1f3ac24f8feaec886ab5fb47c2ed24706c91f3cb5c4f41cab7ef4f3936b"
    ),
    "36_disturbed_attached_magnet_5cm.hdf5": (
        "6939dd3131ee9173b139fbb1264ec054cb6eed04293baf2359f4e7c007d96b52"
    ),
    "36_disturbed_attached_magnet_5cm.mat": (
        "0b7ddf1c42decc5ea78e5a5bdd86889dedc73c059d670adedeccb3732b054d86"
    ),
    "36_disturbed_attached_magnet_5cm.npz": (
        "6ce1d4f9b98824cc4022d1f75f2a686f29ced8c38b9dc1c45333347f1a956c96"
    ),
}
"""By name of file: of BROAD's own .hdf5 and .mat, and of .npz with the same arrays.  The others are
recorded at their first download."""

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

    Raises:
        DataError: a trial in two splits, a file that is not what its name says, or one that is
            there twice.
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
    absent: list[str] = []
    content: dict[str, str] = {}
    for name, split in assign_splits(TRIALS, wanted, "ingest.public").items():
        path = locate(name)
        if path is None:
            absent.append(name)
            continue
        trial = read_trial(path, name)
        digest = hashlib.sha256(trial.gyr.tobytes() + trial.acc.tobytes()).hexdigest()
        if (twin := content.setdefault(digest, name)) != name:
            raise DataError(
                f"{path}: trial {name} holds the same samples as trial {twin}, expected trials "
                "that differ; one of the two files has the other's name: copy it again"
            )
        collection.splits[split].append(trial)
    if absent:
        numbers = " ".join(name[:2] for name in absent)
        collection.warnings.append(
            f"{len(absent)} of {len(absent) + sum(map(len, collection.splits.values()))} trials "
            f"are absent from {MIRROR} of CONVOY_MIRROR and were left out: {numbers}"
        )
    for trials in collection.splits.values():
        trials.sort(key=lambda trial: trial.name)
    return collection


def locate(name: str) -> Path | None:
    """The file of trial ``name``: from the mirror, else downloaded; None if a mirror lacks it.

    Raises:
        DataError: its content is not that of the known file of this name.
    """
    mirror = os.environ.get("CONVOY_MIRROR")
    folder = Path(mirror) / MIRROR if mirror else None
    if folder and folder.is_dir():
        files = (folder / f"{name}{suffix}" for suffix in (".hdf5", ".npz", ".mat"))
        found = next((file for file in files if file.is_file()), None)
        if found and (known := SHA256.get(found.name)):
            check_file(found, known, "imu_attitude")
        return found
    return fetch(f"{ADDRESS}/{name}.hdf5", SHA256.get(f"{name}.hdf5"), "imu_attitude")


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
