"""What users really have: each gets its one-line error or its counted warning."""

import logging
import re

import numpy as np
import pytest

from domains.errors import DataError
from domains.imu_attitude.ingest import ingest
from domains.imu_attitude.science.recording import load_dataset


@pytest.fixture
def accept(tmp_path, params):
    """Ingest a table; its card and its recordings."""

    def run(table):
        table.to_csv(tmp_path / "log.csv", index=False)
        card = ingest(str(tmp_path / "log.csv"), tmp_path / "out", **params)
        return card, load_dataset(tmp_path / "out", "test")

    return run


@pytest.fixture
def refuse(accept):
    """Ingest a table that must be refused; the one line of the error."""

    def run(table):
        with pytest.raises(DataError) as caught:
            accept(table)
        line = str(caught.value)
        assert "\n" not in line
        assert "log" in line
        return line

    return run


def test_nan_gaps_split_the_recording_and_are_counted(accept, table):
    table.loc[900:919, ["gyr_x", "gyr_y", "gyr_z"]] = np.nan
    table.loc[1000:1001, "acc_z"] = np.inf
    card, found = accept(table)
    assert [one.name for one in found] == ["log_s1", "log_s3"]
    assert [len(one) for one in found] == [900, 998]
    assert card.rejected == {
        "sample without a number or with a repeated time stamp": 22,
        "segment shorter than 5 s": 1,
    }
    assert any("22 of 2000 samples have no number" in warning for warning in card.warnings)
    assert all(np.isfinite(one.gyr).all() and np.isfinite(one.acc).all() for one in found)


def test_warnings_are_on_the_card_for_the_step_to_print_and_not_in_the_log_too(
    accept, table, caplog
):
    table.loc[900:919, "gyr_x"] = np.nan
    with caplog.at_level(logging.DEBUG):
        card, _ = accept(table)
    assert sum("20 of 2000 samples have no number" in line for line in card.warnings) == 1
    assert "no number" not in caplog.text


def test_a_sensor_without_a_single_number_is_named(refuse, table):
    table["gyr_y"] = np.nan
    assert "column gyr (y) holds no number; set ingest.files.columns.gyr" in refuse(table)
    table[["gyr_x", "gyr_z"]] = np.nan
    assert "column gyr holds no number; set ingest.files.columns.gyr" in refuse(table)


def test_two_files_of_one_name_are_named(tmp_path, params, table):
    logs = tmp_path / "logs"
    logs.mkdir()
    for ending in ("csv", "txt"):
        table.to_csv(logs / f"walk.{ending}", index=False)
    table.to_csv(logs / "run.csv", index=False)
    with pytest.raises(DataError, match=r"share a name: walk.csv, walk.txt; expected"):
        ingest(str(logs), tmp_path / "out", **params)


def test_milliseconds_taken_for_seconds(refuse, params, table):
    table["time_s"] *= 1000
    assert "give 0.1 Hz, expected about 5 to 20,000 Hz; set ingest.files.time_unit: ms" in (
        refuse(table)
    )
    params["ingest"]["files"]["time_unit"] = "us"
    assert "set ingest.files.time_unit: ms" in refuse(table)


def test_degrees_per_second_taken_for_radians(refuse, table):
    table[["gyr_x", "gyr_y", "gyr_z"]] *= 180 / np.pi
    line = refuse(table)
    assert re.search(r"gyroscope reads \d+ rad/s .* set ingest.files.gyr_unit: deg/s", line)


def test_g_taken_for_metres_per_second_squared(refuse, table):
    table[["acc_x", "acc_y", "acc_z"]] /= 9.80665
    line = refuse(table)
    assert re.search(r"reads 1\S* at rest .* expected ≈ 9.8 m/s².* ingest.files.acc_unit: g", line)


def test_a_wrong_column_name_names_the_nearest(refuse, params, table):
    params["ingest"]["files"]["columns"]["gyr"] = ["gyro_x", "gyr_y", "gyr_z"]
    line = refuse(table)
    assert "no column 'gyro_x' (nearest is 'gyr_x'); set ingest.files.columns.gyr" in line


def test_a_beginning_that_fits_too_many_columns_is_refused(refuse, params, table):
    params["ingest"]["files"]["columns"]["gyr"] = "g"
    table["gain"] = 1.0
    assert "4 columns begin with 'g'" in refuse(table)


def test_columns_in_another_order_than_declared_are_refused(refuse, params, table):
    params["ingest"]["files"]["columns"]["reference"] = "q_"
    params["ingest"]["files"]["order"] = "xyzw"
    line = refuse(table)
    assert "4 columns begin with 'q_' (q_w, q_x, q_y, q_z), expected 4 in the order xyzw" in line
    params["ingest"]["files"]["columns"]["reference"] = None
    assert "in the order xyz" in refuse(table[["time_s", *reversed(list(table)[1:7])]])


def test_a_word_among_the_numbers_is_named_with_its_place(refuse, table):
    table["acc_y"] = table["acc_y"].astype(object)
    table.loc[17, "acc_y"] = "error"
    assert "column 'acc_y', sample 17: 'error' is not a number" in refuse(table)


def test_a_truncated_hdf5_file(tmp_path, params):
    import h5py

    path = tmp_path / "log.h5"
    with h5py.File(path, "w") as file:
        file["gyr"] = np.zeros((9000, 3))
    with open(path, "r+b") as stream:
        stream.truncate(20_000)
    with pytest.raises(DataError, match="damaged or cut short"):
        ingest(str(path), tmp_path / "out", **params)
    assert not (tmp_path / "out").exists()


def test_an_unsorted_time_axis(refuse, table):
    assert "time runs backwards" in refuse(table.sample(frac=1.0, random_state=0))


def test_a_duplicated_time_axis(accept, refuse, table):
    card, (found,) = accept(table.iloc[np.sort(np.r_[:2000, 5:20])])
    assert "dropped 15 of 2015 samples: time stamp repeats the one before" in card.warnings[0]
    assert len(found) == 2000
    assert found.rate_hz == pytest.approx(100.0)
    assert "time stamps repeat" in refuse(table.iloc[np.repeat(np.arange(2000), 2)])


def test_a_rate_that_changes_midway(refuse, table):
    assert "rate changes from 100 Hz to 50 Hz" in refuse(table.drop(index=range(1001, 2000, 2)))


def test_an_empty_file(tmp_path, params):
    for text in ("", "time_s,gyr_x,gyr_y,gyr_z,acc_x,acc_y,acc_z\n"):
        (tmp_path / "log.csv").write_text(text)
        with pytest.raises(DataError, match=r"empty|no samples"):
            ingest(str(tmp_path / "log.csv"), tmp_path / "out", **params)


def test_an_all_zero_reference_is_masked_and_counted(accept, params, table):
    params["ingest"]["files"]["columns"]["reference"] = ["q_w", "q_x", "q_y", "q_z"]
    table.loc[:9, ["q_w", "q_x", "q_y", "q_z"]] = 0.0
    lost = int(table["q_w"].isna().sum()) + 10
    card, (found,) = accept(table)
    assert any("10 of 2000 reference quaternions are not of unit length (10 all zero)" in warning
               for warning in card.warnings)  # fmt: skip
    assert np.isnan(found.reference[:10]).all()
    assert card.counts["samples without true attitude"] == lost


def test_a_reference_that_is_no_quaternion(refuse, params, table):
    params["ingest"]["files"]["columns"]["reference"] = ["acc_x", "acc_y", "acc_z", "gyr_x"]
    assert "expected unit quaternions" in refuse(table)


def test_a_saturated_gyroscope_is_counted(accept, table):
    table[["gyr_x", "gyr_y", "gyr_z"]] = table[["gyr_x", "gyr_y", "gyr_z"]].clip(-1.5, 1.5)
    card, (found,) = accept(table)
    (warning,) = [one for one in card.warnings if "at its limit" in one]
    count = int(re.search(r"1.5 rad/s in (\d+) of 2000 samples", warning).group(1))
    assert 0.9 * count < (np.abs(found.gyr) == 1.5).any(axis=1).sum() < 1.1 * count


def test_a_lost_sample_is_bridged_and_said(accept, table):
    card, (found,) = accept(table.drop(index=[500, 800]))
    assert any("1998 samples interpolated to 2000 at 100 Hz" in one for one in card.warnings)
    np.testing.assert_allclose(np.diff(found.time_s), 0.01, atol=1e-4)


def test_pickled_arrays_are_not_loaded(tmp_path, params):
    np.savez(tmp_path / "log.npz", gyr=np.array([{}], dtype=object))
    with pytest.raises(DataError, match="pickled Python objects"):
        ingest(str(tmp_path / "log.npz"), tmp_path / "out", **params)


def test_a_folder_without_recordings(tmp_path, params):
    (tmp_path / "logs").mkdir()
    with pytest.raises(DataError, match=r"no recordings there, expected files as .csv"):
        ingest(str(tmp_path / "logs"), tmp_path / "out", **params)


def test_a_file_that_is_not_there(tmp_path, params):
    with pytest.raises(DataError, match="no such file"):
        ingest(str(tmp_path / "log.csv"), tmp_path / "out", **params)
