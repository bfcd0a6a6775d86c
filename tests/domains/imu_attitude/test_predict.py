"""A recording to its attitude, with VQF in the place of a trained model."""

import numpy as np
import pandas as pd
import pytest

from domains.errors import DataError
from domains.imu_attitude.models.attitude import Estimate
from domains.imu_attitude.predict import example_input, infer, predict
from domains.imu_attitude.science import quaternions as Q
from domains.imu_attitude.science.filters import offline_vqf, vqf


class Vqf:
    """A model that needs no training."""

    def estimate(self, gyr, acc, rate_hz, mode="offline", device=None):
        self.device = device
        attitude = -(offline_vqf if mode == "offline" else vqf)(gyr, acc, rate_hz)
        return Estimate(attitude, (f"VQF alone: nothing known at {rate_hz:g} Hz",))


@pytest.fixture
def log(tmp_path, table):
    path = tmp_path / "log.csv"
    table.drop(columns=["q_w", "q_x", "q_y", "q_z"]).to_csv(path, index=False)
    return path


def test_a_table_comes_back_with_an_attitude_for_each_sample(log, tmp_path, params, trial):
    predict(Vqf(), log, tmp_path / "out.csv", **params)
    found = pd.read_csv(tmp_path / "out.csv")
    assert list(found) == [
        "time_s", "segment", "q_w", "q_x", "q_y", "q_z", "roll_deg", "pitch_deg",
    ]  # fmt: skip
    np.testing.assert_allclose(found["time_s"], trial.time_s, atol=1e-6)
    attitude = found[["q_w", "q_x", "q_y", "q_z"]].to_numpy()
    assert (attitude[:, 0] >= 0).all()
    error = Q.rms_over_movement(Q.inclination_error(attitude, trial.reference), trial.moving)
    assert np.rad2deg(error) < 2.0
    roll, pitch = Q.roll_pitch(trial.reference)
    known = np.isfinite(roll) & (np.abs(pitch) < 1.0)
    difference = np.angle(np.exp(1j * (np.deg2rad(found["roll_deg"]) - roll)))[known]
    assert np.rad2deg(np.sqrt(np.mean(difference**2))) < 4.0
    np.testing.assert_allclose(found["pitch_deg"][known], np.rad2deg(pitch[known]), atol=5.0)


def test_an_archive_holds_the_same_numbers_as_the_table(log, tmp_path, params):
    predict(Vqf(), log, tmp_path / "out.csv", **params)
    predict(Vqf(), log, tmp_path / "out.npz", **params)
    table = pd.read_csv(tmp_path / "out.csv")
    with np.load(tmp_path / "out.npz", allow_pickle=False) as archive:
        np.testing.assert_allclose(archive["quaternion"], table.iloc[:, 2:6], atol=1e-9)
        np.testing.assert_allclose(archive["pitch_deg"], table["pitch_deg"], atol=1e-6)
        assert str(archive["convention"]) == "wxyz, ENU, sensor_to_earth"


def test_the_convention_is_the_readers_choice(log, tmp_path, params):
    predict(Vqf(), log, tmp_path / "ours.csv", **params)
    params["evaluate"]["predict"] |= {
        "order": "xyzw", "frame": "NED", "direction": "earth_to_sensor",
    }  # fmt: skip
    predict(Vqf(), log, tmp_path / "theirs.csv", **params)
    ours, theirs = (pd.read_csv(tmp_path / f"{name}.csv") for name in ("ours", "theirs"))
    assert list(theirs)[2:6] == ["q_x", "q_y", "q_z", "q_w"]
    back = Q.convert_back(theirs.iloc[:, 2:6].to_numpy(), "xyzw", "NED", "earth_to_sensor")
    assert Q.total_error(back, ours.iloc[:, 2:6].to_numpy()).max() < 1e-7
    np.testing.assert_array_equal(ours["roll_deg"], theirs["roll_deg"])


def test_the_mode_reaches_the_model(log, tmp_path, params, trial):
    params["evaluate"]["predict"]["mode"] = "causal"
    predict(Vqf(), log, tmp_path / "out.npz", **params)
    with np.load(tmp_path / "out.npz") as archive:
        expected = Q.canonical(vqf(trial.gyr, trial.acc, trial.rate_hz))
        assert Q.total_error(archive["quaternion"], expected).max() < 1e-3


def test_the_sensors_name_reaches_the_model_if_it_has_one(log, tmp_path, params):
    model = Vqf()
    predict(model, log, tmp_path / "out.npz", **params)
    assert model.device is None
    params["ingest"]["files"]["device"] = "myon aktos-t"
    predict(model, log, tmp_path / "out.npz", **params)
    assert model.device == "myon aktos-t"


def test_a_gap_starts_a_new_segment(log, tmp_path, params, table):
    table.drop(index=range(900, 950)).to_csv(log, index=False)
    predict(Vqf(), log, tmp_path / "out.csv", **params)
    found = pd.read_csv(tmp_path / "out.csv")
    assert found["segment"].value_counts().to_dict() == {2: 1050, 1: 900}
    assert found["time_s"][900] == pytest.approx(9.5)


def test_a_note_is_told_once_for_all_segments(log, tmp_path, params, table, caplog):
    table.drop(index=range(900, 950)).to_csv(log, index=False)
    predict(Vqf(), log, tmp_path / "out.csv", **params)
    told = [line for line in caplog.messages if "VQF alone" in line]
    assert told == ["warning: imu_attitude: VQF alone: nothing known at 100 Hz (2 of 2 segments)"]
    assert all(line.startswith("warning: imu_attitude: ") for line in caplog.messages)


def test_a_folder_in_gives_a_folder_out_with_a_table_for_each_file(tmp_path, params, table, caplog):
    logs = tmp_path / "logs"
    logs.mkdir()
    for name in ("run.csv", "walk.txt"):
        table.to_csv(logs / name, index=False)
    predict(Vqf(), logs, tmp_path / "out", **params)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["run.csv", "walk.csv"]
    assert len(pd.read_csv(tmp_path / "out" / "walk.csv")) == len(table)
    assert sum("VQF alone" in line for line in caplog.messages) == 1
    with pytest.raises(DataError, match="the input is a folder, expected a folder to write to"):
        predict(Vqf(), logs, tmp_path / "out.csv", **params)
    with pytest.raises(DataError, match=r"run.csv: is the input itself"):
        predict(Vqf(), logs, logs, **params)


def test_the_input_is_never_overwritten(log, params):
    before = log.read_bytes()
    with pytest.raises(DataError, match="is the input itself"):
        predict(Vqf(), log, log, **params)
    assert log.read_bytes() == before


def test_a_figure_is_drawn_where_asked_for(log, tmp_path, params):
    params["evaluate"]["predict"]["figure"] = True
    predict(Vqf(), log, tmp_path / "out.csv", **params)
    first = (tmp_path / "out.png").read_bytes()
    assert first.startswith(b"\x89PNG")
    predict(Vqf(), log, tmp_path / "out.csv", **params)
    assert (tmp_path / "out.png").read_bytes() == first


def test_the_output_is_whole_or_not_there(log, tmp_path, params):
    class Broken:
        def estimate(self, *_, **__):
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        predict(Broken(), log, tmp_path / "out.csv", **params)
    with pytest.raises(DataError, match=r"expected .csv or .npz"):
        predict(Vqf(), log, tmp_path / "out.xlsx", **params)
    assert [path.name for path in tmp_path.iterdir()] == ["log.csv"]


def test_inference_gives_canonical_unit_quaternions_for_the_example():
    arrays = example_input(None)
    assert {key: value.shape for key, value in arrays.items()} == {
        "gyr": (400, 3), "acc": (400, 3), "rate_hz": (1,),
    }  # fmt: skip
    assert {value.dtype for value in arrays.values()} == {np.dtype(np.float64)}
    (quaternion,) = infer(Vqf(), arrays).values()
    assert quaternion.shape == (400, 4)
    assert quaternion.dtype == np.float64
    assert (quaternion[:, 0] >= 0).all()
    np.testing.assert_allclose(np.linalg.norm(quaternion, axis=1), 1, atol=1e-12)
    np.testing.assert_array_equal(arrays["gyr"], example_input(None)["gyr"])


def test_inference_refuses_what_it_cannot_use():
    arrays = example_input(None)
    with pytest.raises(DataError, match="rate_hz missing"):
        infer(Vqf(), {key: arrays[key] for key in ("gyr", "acc")})
    with pytest.raises(DataError, match=r"shape \(2, 400\)|shape \(400, 2\)"):
        infer(Vqf(), {**arrays, "acc": arrays["acc"][:, :2]})
    with pytest.raises(DataError, match="not finite"):
        infer(Vqf(), {**arrays, "acc": np.full_like(arrays["acc"], np.nan)})
    with pytest.raises(DataError, match="acc_unit: g"):
        infer(Vqf(), {**arrays, "acc": arrays["acc"] / 9.80665})
