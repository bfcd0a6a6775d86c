"""BROAD: three kinds of file of one real trial agree; the mirror, the splits, the addresses."""

import json
import shutil

import numpy as np
import pytest

from domains.errors import DataError
from domains.files import hash_file
from domains.imu_attitude.params import PublicParams
from domains.imu_attitude.sources import broad

NAME = "36_disturbed_attached_magnet_5cm"


def choose(train=(), validate=(), test=()):
    return PublicParams(
        train_trials=list(train), validate_trials=list(validate), test_trials=list(test)
    )


def test_the_original_files_and_the_cut_hold_the_same_trial(shared_data):
    folder = shared_data / "imu" / "broad"
    trials = [broad.read_trial(folder / f"{NAME}{s}", NAME) for s in (".hdf5", ".mat", ".npz")]
    for other in trials[1:]:
        assert other.rate_hz == pytest.approx(2000 / 7)
        for key in ("gyr", "acc", "reference", "moving"):
            np.testing.assert_array_equal(getattr(trials[0], key), getattr(other, key))
    assert np.isnan(trials[0].reference[:, 0]).sum() == 3770


def test_the_known_checksums_are_those_of_the_files(shared_data):
    folder = shared_data / "imu" / "broad"
    assert len(broad.SHA256) == 14
    for name, known in broad.SHA256.items():
        assert hash_file(folder / name) == known
    assert {name.rpartition(".")[0] for name in broad.SHA256} < set(broad.TRIALS)


def test_the_list_of_trials_is_the_benchmarks_own(shared_data):
    table = json.loads((shared_data / "imu" / "broad" / "trials.json").read_text())
    assert list(broad.TRIALS) == sorted(table["trials"])


def test_trials_absent_from_the_mirror_are_counted_and_not_fetched(shared_data, monkeypatch):
    monkeypatch.setenv("CONVOY_MIRROR", str(shared_data))
    monkeypatch.setattr(broad, "fetch", lambda *_: pytest.fail("went to the network"))
    found = broad.collect_broad(choose([1, 2], [10], [36, 39]))
    assert [len(found.splits[s]) for s in ("train", "validate", "test")] == [1, 1, 1]
    assert found.rejected == {}  # told once, as a warning
    assert len(found.warnings) == 1
    assert found.warnings[0].startswith("2 of 5 trials are absent")
    assert found.warnings[0].endswith(": 02 39")


def test_without_a_mirror_a_trial_comes_from_its_official_address(monkeypatch, tmp_path):
    asked = []
    monkeypatch.delenv("CONVOY_MIRROR", raising=False)
    monkeypatch.setattr(broad, "fetch", lambda *call: asked.append(call) or tmp_path)
    broad.locate(NAME)
    broad.locate(broad.TRIALS[0])
    address = "https://raw.githubusercontent.com/dlaidig/broad/7e2f8189bb4a3ac91eae32c69b6bc87f08a6"
    assert asked[0][0].startswith(address)
    assert asked[0][1:] == (broad.SHA256[f"{NAME}.hdf5"], "imu_attitude")
    assert asked[1][0].endswith("/data_hdf5/01_undisturbed_slow_rotation_A.hdf5")
    assert asked[1][1] is None


def test_a_trial_in_two_splits_is_refused():
    with pytest.raises(DataError, match=r"in ingest.public.train_trials and in test_trials"):
        broad.collect_broad(choose([1, 3], [10], [3]))


def test_a_trial_that_does_not_exist_is_refused():
    with pytest.raises(DataError, match="test_trials names 40, which is no trial"):
        broad.collect_broad(choose(test=[40]))


def test_a_truncated_trial_is_refused(shared_data, tmp_path, monkeypatch):
    folder = tmp_path / "imu" / "broad"
    folder.mkdir(parents=True)
    shutil.copyfile(shared_data / "imu" / "broad" / f"{NAME}.hdf5", folder / f"{NAME}.hdf5")
    with open(folder / f"{NAME}.hdf5", "r+b") as stream:
        stream.truncate(100_000)
    monkeypatch.setenv("CONVOY_MIRROR", str(tmp_path))
    known = broad.SHA256[f"{NAME}.hdf5"]
    with pytest.raises(DataError, match=rf"{NAME}.hdf5: SHA-256 is \w+, expected {known}"):
        broad.collect_broad(choose(test=[36]))
    with pytest.raises(DataError, match="damaged or cut short"):
        broad.read_trial(folder / f"{NAME}.hdf5", NAME)


def test_a_trial_under_the_name_of_another_is_refused(shared_data, tmp_path, monkeypatch):
    folder = tmp_path / "imu" / "broad"
    folder.mkdir(parents=True)
    one, two = (f"{NAME}.npz", f"{broad.TRIALS[38]}.npz")
    shutil.copyfile(shared_data / "imu" / "broad" / one, folder / one)
    shutil.copyfile(shared_data / "imu" / "broad" / one, folder / two)
    monkeypatch.setenv("CONVOY_MIRROR", str(tmp_path))
    with pytest.raises(DataError, match=r"39_disturbed_mixed holds the same samples as trial 36_"):
        broad.collect_broad(choose([36], test=[39]))
    shutil.move(folder / two, folder / f"{broad.TRIALS[0]}.npz")
    with pytest.raises(DataError, match=r"01_\w+.npz: SHA-256 is 6ce1d4f9\w+, expected ea553091"):
        broad.collect_broad(choose([1]))
