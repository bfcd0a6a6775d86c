"""The four kinds of file: the same arrays out of each, and damaged ones refused."""

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from domains.errors import DataError
from domains.imu_attitude.sources.readers import read_arrays

GYR = np.random.default_rng(0).standard_normal((20, 3))


def test_npz_hdf5_and_mat_give_the_same_arrays(tmp_path):
    np.savez(tmp_path / "a.npz", gyr=GYR, rate=100.0)
    savemat(tmp_path / "a.mat", {"gyr": GYR, "rate": 100.0, "info": "text", "imu": {"acc": GYR}})
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["imu/acc"], file["gyr"] = GYR, GYR
        file.attrs["rate"], file.attrs["info"] = 100.0, "text"
    for name in ("a.npz", "a.mat", "a.h5"):
        arrays = read_arrays(tmp_path / name)
        np.testing.assert_array_equal(arrays["gyr"], GYR)
        assert float(arrays["rate"]) == 100.0
        assert "info" not in arrays
    np.testing.assert_array_equal(read_arrays(tmp_path / "a.mat")["imu/acc"], GYR)
    np.testing.assert_array_equal(read_arrays(tmp_path / "a.h5")["imu/acc"], GYR)


def test_a_mat_file_of_version_7_3_reads_as_matlab_means_it(tmp_path):
    path = tmp_path / "a.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        file["gyr"] = GYR.T  # MATLAB stores (20, 3) with the last axis first
    with open(path, "r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    np.testing.assert_array_equal(read_arrays(path)["gyr"], GYR)


@pytest.mark.parametrize("text", [
    "time_s,gyr_x\n0.0,1.5\n0.1,\n0.2,-2e-3\n",
    "time_s;gyr_x\n0,0;1,5\n0,1;\n0,2;-0,002\n",
    "time_s\tgyr_x\n0.0\t1.5\n0.1\tnan\n0.2\t-2e-003\n",
    "time_s gyr_x\r\n0.0 1.5\r\n0.1 NaN\r\n0.2 -0.002\r\n",
    "  time_s  gyr_x\n     0.0    1.5\n     0.1    NaN\n     0.2 -0.002\n",
    "\ufefftime_s,gyr_x\n0.0,1.5\n0.1,NaN\n0.2,-.002",
])  # fmt: skip
def test_tables_of_every_accent_read_alike(tmp_path, text):
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode())
    arrays = read_arrays(path)
    np.testing.assert_allclose(arrays["time_s"], [0, 0.1, 0.2])
    np.testing.assert_allclose(arrays["gyr_x"], [1.5, np.nan, -2e-3])


def test_two_header_rows_name_groups(tmp_path):
    path = tmp_path / "tstick.csv"  # the layout of RepoIMU
    path.write_text("Time (s);Vicon;;IMU Gyroscope;;\n;W;X;X;Y;\n0.01;1;-1e-005;0.5;0.25\n")
    arrays = read_arrays(path)
    assert list(arrays) == ["Time (s)", "Vicon W", "Vicon X", "IMU Gyroscope X", "IMU Gyroscope Y"]
    assert arrays["IMU Gyroscope Y"][0] == 0.25


def test_a_table_without_header_is_numbered(tmp_path):
    (tmp_path / "a.txt").write_text("0.0 1.5\n0.1 2.5\n")
    assert read_arrays(tmp_path / "a.txt")["1"].tolist() == [1.5, 2.5]


def test_pickled_arrays_are_never_loaded(tmp_path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("the pickle was run",))

    np.savez(tmp_path / "a.npz", gyr=np.array([Trap()], dtype=object))
    with pytest.raises(DataError, match="pickled Python objects, which may run code"):
        read_arrays(tmp_path / "a.npz")


@pytest.mark.parametrize("kind", ["npz", "h5", "mat"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_file_cut_short_is_refused(tmp_path, kind, share):
    path = tmp_path / f"a.{kind}"
    big = np.random.default_rng(0).standard_normal((5000, 3))
    if kind == "npz":
        np.savez_compressed(path, gyr=big)
    elif kind == "mat":
        savemat(path, {"gyr": big}, do_compression=True)
    else:
        with h5py.File(path, "w") as file:
            file["gyr"] = big
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(DataError, match="damaged or cut short"):
        read_arrays(path)


@pytest.mark.parametrize(("name", "message"), [
    ("a.csv", "the file is empty"), ("a.npz", "the file is empty"), ("a.bin", "unknown kind"),
])  # fmt: skip
def test_an_empty_or_unknown_file_is_refused(tmp_path, name, message):
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(DataError, match=message):
        read_arrays(tmp_path / name)


def test_a_header_without_samples_and_a_missing_file_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text("time_s,gyr_x\n")
    with pytest.raises(DataError, match="a header and no samples"):
        read_arrays(tmp_path / "a.csv")
    with pytest.raises(DataError, match="no such file"):
        read_arrays(tmp_path / "b.csv")


def test_a_binary_file_with_the_wrong_ending_is_refused(tmp_path):
    (tmp_path / "a.csv").write_bytes(bytes(range(256)) * 10)
    with pytest.raises(DataError, match="not a text file"):
        read_arrays(tmp_path / "a.csv")
    for name in ("a.npz", "a.h5", "a.mat"):
        (tmp_path / name).write_bytes(b"time_s,gyr_x" * 100)
        with pytest.raises(DataError, match="damaged"):
            read_arrays(tmp_path / name)


def test_a_header_in_another_encoding_costs_no_sample(tmp_path):
    (tmp_path / "a.csv").write_bytes("time_s,gyr_x,rate °/s\n0,1,2\n1,2,3\n".encode("latin-1"))
    assert read_arrays(tmp_path / "a.csv")["gyr_x"].tolist() == [1, 2]


@pytest.mark.parametrize("kind", ["npz", "h5", "csv"])
def test_flipped_bytes_are_read_or_refused_and_nothing_else(tmp_path, kind):
    path, rng = tmp_path / f"a.{kind}", np.random.default_rng(3)
    if kind == "npz":
        np.savez_compressed(path, gyr=GYR)
    elif kind == "csv":
        np.savetxt(path, GYR, delimiter=",", header="x,y,z", comments="")
    else:
        with h5py.File(path, "w") as file:
            file.create_dataset("gyr", data=GYR, compression="gzip")
    whole = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    messages = []
    for _ in range(60):
        damaged = whole.copy()
        damaged[rng.integers(0, len(whole), 12)] = rng.integers(0, 256, 12)
        path.write_bytes(damaged.tobytes())
        try:
            read_arrays(path)
        except DataError as error:
            messages.append(str(error))
    assert not [message for message in messages if "\n" in message]
