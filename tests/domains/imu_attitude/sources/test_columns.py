"""Columns as real loggers name them."""

from pathlib import Path

import numpy as np
import pytest

from domains.errors import DataError
from domains.imu_attitude.sources.columns import select

LOG = Path("log.csv")


def columns(*names):
    return {name: np.arange(5.0) + index for index, name in enumerate(names)}


@pytest.mark.parametrize(
    ("names", "group"),
    [
        (["gyr_x", "gyr_y", "gyr_z", "acc_x"], "gyr"),
        (["Gyroscope X (deg/s)", "Gyroscope Y (deg/s)", "Gyroscope Z (deg/s)"], "Gyroscope"),
        (["IMU Gyroscope X", "IMU Gyroscope Y", "IMU Gyroscope Z"], "IMU Gyroscope"),
        (["wx", "wy", "wz"], "w"),
        (["g0", "g1", "g2"], "g"),
    ],
)
def test_a_common_beginning_names_three_columns(names, group):
    found = select(columns(*names), group, "xyz", "gyr", LOG)
    np.testing.assert_array_equal(found, np.arange(5.0)[:, None] + [0, 1, 2])


def test_an_array_with_time_along_its_second_axis_is_turned():
    wide = np.arange(30.0).reshape(3, 10)
    np.testing.assert_array_equal(select({"gyr": wide}, "gyr", "xyz", "gyr", LOG), wide.T)


def test_an_array_of_another_width_is_refused():
    with pytest.raises(DataError, match=r"gyr \(gyr\) has shape \(10, 6\), expected \(N, 3\)"):
        select({"gyr": np.zeros((10, 6))}, "gyr", "xyz", "gyr", LOG)


def test_a_name_that_resembles_none_gets_the_list_of_those_there():
    with pytest.raises(DataError, match=r"no column 'omega' \(found gyr_x, gyr_y, gyr_z\)"):
        select(columns("gyr_x", "gyr_y", "gyr_z"), "omega", "xyz", "gyr", LOG)
