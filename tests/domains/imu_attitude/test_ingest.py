"""Every source to a dataset with a card; the same parameters give the same bytes."""

import subprocess
import sys

import numpy as np
import pytest

from domains.contract import Card
from domains.errors import DataError
from domains.files import hash_folder
from domains.imu_attitude.ingest import ingest
from domains.imu_attitude.science.recording import load_dataset


def test_ingest_loads_no_torch():
    code = (
        "import sys, domains.imu_attitude.ingest as i;"
        "assert not {'torch', 'lightning'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_sample_is_simulated_and_says_so(tmp_path, params):
    card = ingest("sample", tmp_path / "out", **params)
    assert "simulated" in card.title
    assert "no measurement" in card.title
    assert card.counts["trials"] == 4
    assert card.counts["seconds"] == 80
    trials = load_dataset(tmp_path / "out", "train")
    assert [trial.name for trial in trials] == card.splits["train"]
    assert all(trial.is_simulated for trial in trials)
    assert card.counts["samples"] == sum(
        len(t) for s in ("train", "validate", "test") for t in load_dataset(tmp_path / "out", s)
    )


def test_the_same_parameters_give_the_same_bytes_and_another_seed_others(tmp_path, params):
    ingest("sample", tmp_path / "a", **params)
    ingest("sample", tmp_path / "b", **params)
    assert hash_folder(tmp_path / "a") == hash_folder(tmp_path / "b")
    assert Card.load(tmp_path / "a") == Card.load(tmp_path / "b")
    params["ingest"]["sample"]["seed"] = 1
    ingest("sample", tmp_path / "a", **params)
    assert hash_folder(tmp_path / "a") != hash_folder(tmp_path / "b")


def test_the_card_knows_the_data_it_was_written_for(tmp_path, params):
    ingest("sample", tmp_path / "out", **params)
    _, digest = Card.load(tmp_path / "out")
    assert digest == hash_folder(tmp_path / "out")


def test_real_trials_come_from_the_mirror_whole(tmp_path, params, shared_data, monkeypatch):
    monkeypatch.setenv("CONVOY_MIRROR", str(shared_data))
    card = ingest("public", tmp_path / "out", **params)
    assert card.licence.startswith("CC BY 4.0")
    assert card.rejected == {}
    assert [line.rpartition(": ")[2] for line in card.warnings] == ["39"]
    assert [name[:2] for name in card.splits["test"]] == ["08", "36"]
    original = np.load(next((shared_data / "imu" / "broad").glob("08_*.npz")))
    trial = load_dataset(tmp_path / "out", "test")[0]
    np.testing.assert_array_equal(trial.gyr, original["imu_gyr"])
    np.testing.assert_array_equal(trial.reference, original["opt_quat"])
    assert np.isnan(trial.reference).any()
    assert trial.rate_hz == pytest.approx(2000 / 7)


def test_all_trials_can_be_resampled_to_one_rate(tmp_path, params):
    params["ingest"]["rate_hz"] = 50.0
    ingest("sample", tmp_path / "out", **params)
    for split in ("train", "test"):
        for trial in load_dataset(tmp_path / "out", split):
            assert trial.rate_hz == pytest.approx(50.0)
            assert len(trial) == pytest.approx(1000, abs=2)


def test_a_folder_of_files_is_split_by_file(tmp_path, params, table):
    folder = tmp_path / "logs"
    folder.mkdir()
    for name in "abcde":
        table.to_csv(folder / f"{name}.csv", index=False)
    (folder / "notes.md").write_text("not a recording")
    params["ingest"]["files"]["columns"]["reference"] = "q_"
    card = ingest(str(folder), tmp_path / "out", **params)
    assert card.splits == {"train": ["a", "b", "c"], "validate": ["d"], "test": ["e"]}
    params["ingest"]["files"] |= {"train_trials": ["b"], "test_trials": ["a"]}
    card = ingest(str(folder), tmp_path / "out", **params)
    assert card.splits == {"train": ["b"], "validate": [], "test": ["a"]}
    assert card.rejected == {"file in no split": 3}


def test_segments_of_one_file_stay_in_one_split(tmp_path, params, table):
    folder = tmp_path / "logs"
    folder.mkdir()
    for name in "abc":
        table.drop(index=range(900, 950)).to_csv(folder / f"{name}.csv", index=False)
    card = ingest(str(folder), tmp_path / "out", **params)
    assert card.splits["train"] == ["a_s1", "a_s2"]
    assert card.splits["test"] == ["c_s1", "c_s2"]


@pytest.mark.parametrize("kind", ["csv", "npz", "h5", "mat"])
def test_every_kind_of_file_gives_the_same_dataset(tmp_path, params, trial, kind, table):
    path = tmp_path / f"log.{kind}"
    write(path, table)
    params["ingest"]["files"]["columns"]["reference"] = "q_" if kind == "csv" else "reference"
    ingest(str(path), tmp_path / "out", **params)
    (found,) = load_dataset(tmp_path / "out", "test")
    np.testing.assert_allclose(found.gyr, trial.gyr, atol=1e-6)
    np.testing.assert_allclose(found.acc, trial.acc, atol=1e-5)
    np.testing.assert_allclose(found.reference, trial.reference, atol=1e-6)
    assert found.rate_hz == pytest.approx(100.0)


def test_declared_units_and_conventions_are_undone(tmp_path, params, trial, table):
    ours = table.copy()
    ours[["gyr_x", "gyr_y", "gyr_z"]] *= 180 / np.pi
    ours[["acc_x", "acc_y", "acc_z"]] /= 9.80665
    ours["time_s"] *= 1e6
    from scipy.spatial.transform import Rotation

    known = ours["q_w"].notna()
    to_ned = Rotation.from_matrix([[0, 1, 0], [1, 0, 0], [0, 0, -1]])
    q = ours.loc[known, ["q_w", "q_x", "q_y", "q_z"]].to_numpy()
    turned = (to_ned * Rotation.from_quat(q, scalar_first=True)).inv().as_quat()
    ours = ours.drop(columns=["q_w", "q_x", "q_y", "q_z"])
    for index, name in enumerate(["i", "j", "k", "real"]):
        ours.loc[known, name] = turned[:, index]
    ours.to_csv(tmp_path / "log.csv", index=False)
    params["ingest"]["files"] |= {
        "gyr_unit": "deg/s",
        "acc_unit": "g",
        "time_unit": "us",
        "order": "xyzw",
        "frame": "NED",
        "direction": "earth_to_sensor",
    }
    params["ingest"]["files"]["columns"]["reference"] = ["i", "j", "k", "real"]
    ingest(str(tmp_path / "log.csv"), tmp_path / "out", **params)
    (found,) = load_dataset(tmp_path / "out", "test")
    np.testing.assert_allclose(found.gyr, trial.gyr, atol=1e-6)
    np.testing.assert_allclose(found.acc, trial.acc, atol=1e-5)
    np.testing.assert_allclose(found.reference, trial.reference, atol=1e-6)


def test_a_recording_without_time_stamps_takes_the_rate_in_the_file(tmp_path, params, shared_data):
    log = shared_data / "imu" / "vqf_tests_imu_data.npz"
    params["ingest"]["files"]["columns"] |= {"time": None, "rate": "sampling_rate"}
    card = ingest(str(log), tmp_path / "out", **params)
    (found,) = load_dataset(tmp_path / "out", "test")
    assert found.rate_hz == pytest.approx(2000 / 7)
    assert found.reference is None
    assert card.counts["samples without true attitude"] == 13500


def test_a_refused_source_leaves_the_old_dataset_untouched(tmp_path, params):
    ingest("sample", tmp_path / "out", **params)
    before = hash_folder(tmp_path / "out")
    (tmp_path / "log.csv").write_text("")
    with pytest.raises(DataError, match="empty"):
        ingest(str(tmp_path / "log.csv"), tmp_path / "out", **params)
    assert hash_folder(tmp_path / "out") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.csv", "out"]


def write(path, table):
    """The table as a file of the kind that the name of ``path`` says."""
    arrays = {
        "time_s": table["time_s"].to_numpy(),
        "gyr": table[["gyr_x", "gyr_y", "gyr_z"]].to_numpy(),
        "acc": table[["acc_x", "acc_y", "acc_z"]].to_numpy(),
        "reference": table[["q_w", "q_x", "q_y", "q_z"]].to_numpy(),
    }
    if path.suffix == ".csv":
        table.to_csv(path, index=False)
    elif path.suffix == ".npz":
        np.savez(path, **arrays)
    elif path.suffix == ".mat":
        from scipy.io import savemat

        savemat(path, arrays)
    else:
        import h5py

        with h5py.File(path, "w") as file:
            for key, value in arrays.items():
                file[key] = value
