"""Whatever is wrong with a file is said in one line, with the remedy."""

import numpy as np
import pytest

from domains.errors import DataError
from domains.weather.sources.files import collect_files

from .conftest import write_grib


def month(waves):
    return waves.isel(time=slice(0, 12)).rename(time="month")


def shift_grid(waves):
    return waves[["t850"]].assign_coords(latitude=waves.latitude + 1)


def curvilinear(waves):
    north = waves.latitude + 0 * waves.longitude
    return waves.rename(latitude="y", longitude="x").drop_vars(("y", "x")).assign_coords(
        latitude=(("y", "x"), north.to_numpy())
    )  # fmt: skip


TRAPS = {
    "members": (
        lambda w: w.expand_dims(number=[0, 1, 2]),
        r"z500: dimension number has 3 values, expected one; choose it with ingest.files.select: "
        r"\{number: …\} among 0, 1, 2",
    ),
    "month": (month, "dimension month is a month of any year, expected a time axis with dates"),
    "no time": (lambda w: w.isel(time=0, drop=True), "no time axis among .*expected a coordinate"),
    "time without units": (
        lambda w: w.assign_coords(time=np.arange(60)), "time has no units, expected e.g. 'hours",
    ),
    "calendar": (
        lambda w: w.assign_coords(time=("time", np.arange(60), {"units": "days since 2000-01-01",
                                                                 "calendar": "julian"})),
        "calendar 'julian', expected one of standard",
    ),
    "curvilinear": (curvilinear, "no latitude dimension among time, y, x, expected a regular lat"),
    "uneven": (
        lambda w: w.assign_coords(longitude=w.longitude**1.01), "longitude is not evenly spaced",
    ),
    "closed circle": (
        lambda w: w.isel(longitude=[*range(16), 0]).assign_coords(
            longitude=("longitude", np.linspace(0, 360, 17), {"units": "degrees_east"})),
        "longitude 0 is there twice",
    ),
    "swapped": (
        lambda w: w.assign_coords(latitude=("latitude", np.arange(8) * 40.0)),
        "latitude reaches 280, expected degrees from -90 to 90",
    ),
    "unit": (
        lambda w: w.assign(z500=w.z500.assign_attrs(units="feet")),
        "z500: unit 'feet', expected one of m2 s-2, j kg-1, m, gpm, dam",
    ),
    "no channel": (
        lambda w: w.rename(z500="a", t850="b"),
        "no variable is known as a channel.*ingest.files.rename",
    ),
    "no level": (
        lambda w: w.rename(z500="z")[["z"]],
        r"geopotential without a pressure level.*ingest.files.rename, e.g. \{z: z500\}",
    ),
    "model levels": (
        lambda w: w.rename(t850="t")[["t"]].expand_dims(hybrid=[1, 2, 3]),
        r"t: on model levels \(hybrid\), expected pressure levels",
    ),
    "sigma levels called lev": (
        lambda w: w.rename(t850="t")[["t"]].expand_dims("lev").assign_coords(
            lev=("lev", [0.9], {"units": "sigma_level"})),
        "on levels lev in 'sigma_level', expected pressure in hPa or Pa",
    ),
    "several lead times": (
        lambda w: w.expand_dims(step=[0, 6]),
        r"several times and several lead times \(step, time\), expected one time axis",
    ),
}  # fmt: skip


@pytest.mark.parametrize("trap", TRAPS)
def test_a_trap_is_refused_with_its_remedy(tmp_path, waves, files, trap):
    make, message = TRAPS[trap]
    path = tmp_path / "a.nc"
    make(waves).to_netcdf(path, engine="h5netcdf")
    with pytest.raises(DataError, match=message) as error:
        collect_files(str(path), files).read(np.arange(1))
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"channels": ["z500", "u850"]}, "u850 missing, found z500; mend"),
        ({"select": {"number": 7}}, "select.number: 7 is not in the file, expected one of 0, 1"),
        ({"channels": ["tp"], "select": {"number": 0}},
         "tp is accumulated over time, expected a state at each time; take its differences first"),
    ],
)  # fmt: skip
def test_wishes_that_the_file_cannot_fulfil_are_refused(tmp_path, waves, files, changes, message):
    waves["tp"] = waves["t850"]
    data = waves.expand_dims(number=[0, 1]) if "select" in changes else waves
    data.to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    with pytest.raises(DataError, match=message):
        collect_files(str(tmp_path / "a.nc"), files.model_copy(update=changes))


def test_files_on_other_grids_or_calendars_do_not_go_together(tmp_path, waves, files):
    waves[["z500"]].to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    shift_grid(waves).to_netcdf(tmp_path / "b.nc", engine="h5netcdf")
    with pytest.raises(DataError, match=r"b.nc: t850: 8 values of latitude from 79.75 .*regrid"):
        collect_files(str(tmp_path), files)
    other = waves[["t850"]]
    other.time.attrs["calendar"] = "noleap"
    other.to_netcdf(tmp_path / "b.nc", engine="h5netcdf")
    with pytest.raises(DataError, match="calendar noleap, expected standard as in"):
        collect_files(str(tmp_path), files)


def test_channels_without_a_common_time_are_refused(tmp_path, waves, files):
    waves[["z500"]].isel(time=slice(0, 30)).to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    waves[["t850"]].isel(time=slice(30, 60)).to_netcdf(tmp_path / "b.nc", engine="h5netcdf")
    with pytest.raises(DataError, match="no time at which all of z500, t850 are there"):
        collect_files(str(tmp_path), files)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.nc", b"", "a.nc: empty file"),
        ("a.nc", b"this is no NetCDF file at all", "a.nc: cannot be read as NetCDF"),
        ("a.grib", b"GRIB but not really", "a.grib: cannot be read as GRIB|no GRIB messages"),
        ("a.grib", b"nothing of the kind", "a.grib: cannot be read as GRIB|no GRIB messages"),
        ("a.csv", b"1,2,3", r"a.csv: cannot read this kind of file, expected one of .nc"),
    ],
)
def test_damaged_and_other_files_are_refused(tmp_path, files, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        collect_files(str(tmp_path / name), files)


def test_a_file_cut_short_is_refused(tmp_path, waves, files):
    path = tmp_path / "a.nc"
    waves.to_netcdf(path, engine="h5netcdf")
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(DataError, match="damaged, cut short"):
        collect_files(str(path), files)


def test_empty_and_missing_folders_are_refused(tmp_path, files):
    with pytest.raises(DataError, match=r"no fields in this folder, expected files \.nc"):
        collect_files(str(tmp_path), files)
    with pytest.raises(DataError, match="no such file or folder"):
        collect_files(str(tmp_path / "a.nc"), files)


def test_grib_messages_under_one_name_are_told_apart_by_their_keys(tmp_path, files):
    values = np.full((7, 12), 54_000.0)
    messages = [
        {"shortName": "z", "level": 500, "dataTime": 0, "dataType": kind, "values": values + shift}
        for kind, shift in (("an", 0), ("fc", 100))
    ]
    path = write_grib(tmp_path / "a.grib", messages)
    with pytest.raises(DataError, match=r"several times|do not fit into one array") as error:
        collect_files(str(path), files)
    assert "ingest.files.select" in str(error.value)
    chosen = collect_files(str(path), files.model_copy(update={"select": {"dataType": "fc"}}))
    assert chosen.read(np.arange(1)).mean() == pytest.approx(54_100)


def test_grib_on_a_reduced_grid_is_refused(tmp_path, files):
    import eccodes

    handle = eccodes.codes_grib_new_from_samples("reduced_gg_pl_32_grib1")
    with open(tmp_path / "a.grib", "wb") as stream:
        eccodes.codes_write(handle, stream)
    eccodes.codes_release(handle)
    with pytest.raises(DataError, match=r"grid type reduced_gg\), expected a regular latitude"):
        collect_files(str(tmp_path / "a.grib"), files)
