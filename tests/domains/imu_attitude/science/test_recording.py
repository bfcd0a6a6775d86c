"""Recordings: shapes, resampling against closed forms, and files at rest."""

import time

import numpy as np
import pytest

from domains.errors import DataError
from domains.files import hash_file
from domains.imu_attitude.science import quaternions as Q
from domains.imu_attitude.science.filters import vqf
from domains.imu_attitude.science.recording import (
    Recording,
    load_dataset,
    load_recording,
    save_recording,
)


def turning(rate_hz: float, duration_s: float = 10.0) -> Recording:
    """A sensor that turns to and fro about its x axis, 0.7 Hz, in closed form."""
    time_s = np.arange(int(duration_s * rate_hz)) / rate_hz
    angle = 0.8 * np.sin(2 * np.pi * 0.7 * time_s)
    rate = 0.8 * 2 * np.pi * 0.7 * np.cos(2 * np.pi * 0.7 * time_s)
    zero = np.zeros_like(angle)
    return Recording(
        "turning",
        rate_hz,
        np.stack([rate, zero, zero], -1),
        9.81 * np.stack([zero, np.sin(angle), np.cos(angle)], -1),
        Q.from_rotation_vector(np.stack([angle, zero, zero], -1)),
        time_s > 2.0,
    )


@pytest.mark.parametrize("rate_hz", [50.0, 128.0, 2000 / 7, 400.0])
def test_resampling_gives_what_a_sensor_of_that_rate_would_have_read(rate_hz):
    ours, truth = turning(200.0).resampled(rate_hz), turning(rate_hz)
    assert ours.rate_hz == pytest.approx(rate_hz)
    inner = slice(int(rate_hz), 8 * int(rate_hz))
    np.testing.assert_allclose(ours.gyr[inner], truth.gyr[inner], atol=5e-3)
    np.testing.assert_allclose(ours.acc[inner], truth.acc[inner], atol=2e-2)
    assert Q.total_error(ours.reference[inner], truth.reference[inner]).max() < 2e-3
    assert np.mean(ours.moving[: len(truth)] != truth.moving[: len(ours)]) < 2 / len(truth)


def test_resampling_removes_what_the_lower_rate_cannot_hold():
    time_s = np.arange(2000) / 200.0
    vibration = np.zeros((2000, 3))
    vibration[:, 0] = np.sin(2 * np.pi * 80 * time_s)  # would alias to 30 Hz at 50 Hz
    quiet = Recording("x", 200.0, vibration, vibration + np.array([0, 0, 9.81])).resampled(50.0)
    assert np.abs(quiet.gyr[20:-20]).max() < 0.01


def test_the_same_motion_at_another_rate_gives_the_same_attitude(broad_trial):
    trial = broad_trial(6)
    trial = trial.cut(int(40 * trial.rate_hz), int(80 * trial.rate_hz))
    full = vqf(trial.gyr, trial.acc, trial.rate_hz)
    lower = trial.resampled(120.0)
    half = vqf(lower.gyr, lower.acc, lower.rate_hz)
    expected = Q.resample(full, trial.time_s, lower.time_s)
    # the fast trial turns at 5 rad/s: 0.5° is the way it makes in 1.7 ms
    assert np.rad2deg(np.median(Q.inclination_error(half, expected))) < 0.5


def test_cutting_keeps_samples_together():
    part = turning(100.0).cut(100, 300, name="part")
    whole = turning(100.0)
    assert (len(part), part.name, part.duration_s) == (200, "part", 2.0)
    np.testing.assert_array_equal(part.gyr, whole.gyr[100:300])
    np.testing.assert_array_equal(part.reference, whole.reference[100:300])
    assert part.time_s[0] == 1.0


def test_a_saved_recording_reads_back_equal_and_hides_nothing(tmp_path):
    trial = turning(100.0)
    trial.reference[3] = np.nan
    path = save_recording(tmp_path, trial, "validate")
    assert path.name == "validate_turning.nc"
    back = load_recording(path)
    for key in ("gyr", "acc", "reference", "moving", "time_s"):
        np.testing.assert_array_equal(getattr(back, key), getattr(trial, key))
    assert (back.name, back.rate_hz, back.device) == ("turning", 100.0, "unknown")


def test_a_recording_without_reference_stays_without(tmp_path):
    bare = Recording("bare", 10.0, np.zeros((5, 3)), np.ones((5, 3)))
    back = load_recording(save_recording(tmp_path, bare, "test"))
    assert back.reference is None
    assert back.moving is None


def test_the_file_is_self_describing(tmp_path):
    import xarray as xr

    path = save_recording(tmp_path, turning(100.0), "train")
    with xr.open_dataset(path, engine="h5netcdf", decode_times=False) as dataset:
        assert dataset["gyr"].dims == ("time", "axis")
        assert dataset["gyr"].attrs["units"] == "rad s-1"
        assert dataset["acc"].attrs["units"] == "m s-2"
        assert list(dataset["component"].values) == ["w", "x", "y", "z"]
        assert dataset.attrs["split"] == "train"
        assert dataset.attrs["simulated"] == 0


def test_the_same_recording_gives_the_same_bytes_at_another_time(tmp_path):
    first = save_recording(tmp_path / "a", turning(100.0), "train")
    time.sleep(1.1)  # files that hold the time of day hold it in whole seconds
    second = save_recording(tmp_path / "b", turning(100.0), "train")
    assert hash_file(first) == hash_file(second)


def test_a_dataset_loads_one_split_in_order_of_names(tmp_path):
    for name, split in (("b", "train"), ("a", "train"), ("c", "test")):
        bare = Recording(name, 10.0, np.zeros((5, 3)), np.ones((5, 3)))
        save_recording(tmp_path, bare, split)
    assert [one.name for one in load_dataset(tmp_path, "train")] == ["a", "b"]
    assert load_dataset(tmp_path, "validate") == []
    with pytest.raises(DataError, match="run the ingest step"):
        load_dataset(tmp_path / "nowhere", "train")


def test_arrays_that_do_not_fit_are_refused():
    with pytest.raises(DataError, match=r"acc has shape \(4, 3\), expected \(5, 3\)"):
        Recording("x", 10.0, np.zeros((5, 3)), np.zeros((4, 3)))
