"""Files in every order and spelling give the same fields."""

import numpy as np
import pytest
import xarray as xr

from domains.weather.sources.files import collect_files

from ..conftest import make_waves, write_grib


def read_all(source, files, **changes):
    collection = collect_files(str(source), files.model_copy(update=changes))
    return collection, collection.read(np.arange(len(collection)))


def save(dataset, path):
    dataset.to_netcdf(path, engine="h5netcdf")
    return path


@pytest.fixture
def truth():
    return make_waves(60, np.linspace(78.75, -78.75, 8), np.arange(16) * 22.5)


def turned(waves):
    """Longitudes from -180, latitudes from the south, longitude first."""
    return (
        waves.isel(latitude=slice(None, None, -1))
        .assign_coords(longitude=(waves.longitude + 180) % 360 - 180)
        .sortby("longitude")
        .transpose("longitude", "time", "latitude")
    )


def on_levels(waves):
    """One variable with a level dimension in Pa, geopotential height in gpm."""
    level = xr.Variable("plev", [85_000.0, 50_000.0], {"units": "Pa"})
    height = (waves["z500"] / 9.80665).assign_attrs(units="gpm")
    both = xr.concat([height * np.nan, height], dim=level).transpose("time", ...)
    temperature = xr.concat([waves["t850"] - 273.15, waves["t850"] * 0], dim=level)
    return xr.Dataset(
        {
            "zg": both.assign_attrs(units="gpm"),
            "ta": temperature.transpose("time", ...).assign_attrs(units="degC"),
        }
    )


SPELLINGS = {
    "as it is": lambda waves: waves,
    "turned": turned,
    "levels": on_levels,
    "names": lambda waves: waves.rename(latitude="lat", longitude="lon", z500="geopotential_500"),
    "unsorted": lambda waves: waves.isel(time=np.random.default_rng(0).permutation(60)),
    "one member": lambda waves: waves.expand_dims(number=[0]),
    "valid_time": lambda waves: waves.rename(time="valid_time"),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_of_a_file_gives_the_same_fields(tmp_path, waves, truth, files, spelling):
    path = save(SPELLINGS[spelling](waves), tmp_path / "a.nc")
    collection, found = read_all(path, files, channels=["z500", "t850"])
    assert collection.grid.latitude[0] == 78.75
    assert collection.grid.longitude[[0, -1]].tolist() == [0, 337.5]
    assert collection.times.labels()[0] == "2001-01-01T00:00"
    np.testing.assert_allclose(found, truth, rtol=2e-7 if spelling != "levels" else 1e-6)


@pytest.mark.parametrize(("name", "rename"), [("gh500", {}), ("mine", {"mine": "gh500"})])
def test_a_height_without_a_unit_is_in_metres_and_told(tmp_path, waves, truth, files, name, rename):
    height = (waves["z500"] / 9.80665).drop_attrs(deep=False)
    path = save(xr.Dataset({name: height, "t850": waves["t850"]}), tmp_path / "a.nc")
    collection, found = read_all(path, files, rename=rename)
    np.testing.assert_allclose(found, truth, rtol=1e-6)
    (told,) = collection.warnings
    assert told.endswith("taken as SI: z500 (a height in m)")


def test_packed_integers_are_unpacked(tmp_path, waves, truth, files):
    packing = {"dtype": "int16", "scale_factor": 0.25, "add_offset": 54_000.0, "_FillValue": -32768}
    path = tmp_path / "a.nc"
    waves.to_netcdf(path, engine="h5netcdf", encoding={"z500": packing})
    _, found = read_all(path, files)
    np.testing.assert_allclose(found[:, 0], truth[:, 0], atol=0.13)


def test_channels_and_times_may_be_spread_over_files_and_stores(tmp_path, waves, truth, files):
    save(waves[["z500"]].isel(time=slice(0, 30)), tmp_path / "a.nc")
    waves[["z500"]].isel(time=slice(30, 60)).to_zarr(tmp_path / "b.zarr", zarr_format=2)
    save(waves[["t850"]].isel(time=slice(10, 50)), tmp_path / "c.nc")
    (tmp_path / "notes.txt").write_text("not fields")
    collection, found = read_all(tmp_path, files)
    np.testing.assert_array_equal(found, truth[10:50])
    assert collection.rejected == {"frame that not every channel has": 20}


@pytest.mark.parametrize(("version", "consolidated"), [(2, True), (2, False), (3, False)])
def test_zarr_of_either_version_needs_no_consolidated_metadata(
    tmp_path, waves, truth, files, version, consolidated
):
    path = tmp_path / "store"
    waves.to_zarr(path, zarr_format=version, consolidated=consolidated)
    _, found = read_all(path, files)
    np.testing.assert_array_equal(found, truth)


def test_one_frame_is_read_without_the_others(tmp_path, waves, files, monkeypatch):
    import zarr

    waves.chunk({"time": 10}).to_zarr(tmp_path / "a.zarr", zarr_format=2)
    for chunk in (tmp_path / "a.zarr" / "z500").iterdir():
        if chunk.name[0].isdigit() and chunk.name != "2.0.0":
            chunk.write_bytes(b"not to be opened")
    collection = collect_files(str(tmp_path / "a.zarr"), files)
    assert np.isfinite(collection.read(np.array([21, 25]))).all()
    with pytest.raises((RuntimeError, ValueError, zarr.errors.BaseZarrError)):
        collection.read(np.array([30]))


def test_a_time_that_two_files_have_is_taken_once_and_counted(tmp_path, waves, truth, files):
    save(waves.isel(time=slice(0, 35)), tmp_path / "a.nc")
    save(waves.isel(time=slice(30, 60)), tmp_path / "b.nc")
    collection, found = read_all(tmp_path, files)
    np.testing.assert_array_equal(found, truth)
    assert collection.rejected == {"field that is there twice": 10}


def test_what_is_no_channel_is_left_out_and_named(tmp_path, waves, files):
    waves["ozone"] = waves["t850"]
    waves["tp"] = waves["t850"].assign_attrs(units="m")
    collection, _ = read_all(save(waves, tmp_path / "a.nc"), files)
    assert collection.channels == ["z500", "t850"]
    assert collection.warnings == [
        "left out 1 variables: tp: accumulated over time",
        "left out 1 variables: ozone: not a channel that is known",
    ]


def test_a_dataset_of_ours_can_be_read_again(tiny, files):
    collection, found = read_all(tiny / "fields.zarr", files)
    assert collection.channels == ["z500", "t850"]
    np.testing.assert_array_equal(
        found, make_waves(80, collection.grid.latitude, collection.grid.longitude)
    )


def test_grib_is_read_without_index_files(tmp_path, files):
    values = np.linspace(52_000, 56_000, 84).reshape(7, 12)
    messages = [
        {"shortName": name, "level": level, "dataTime": hour, "values": values * factor + hour}
        for hour in (0, 600)
        for name, level, factor in (("z", 500, 1), ("t", 850, 0.005))
    ]
    path = write_grib(tmp_path / "a.grib", messages)
    collection, found = read_all(path, files)
    assert collection.channels == ["z500", "t850"]
    assert collection.times.labels() == ["2020-01-01T00:00", "2020-01-01T06:00"]
    np.testing.assert_allclose(found[1, 0], values + 600, rtol=1e-6)
    np.testing.assert_allclose(found[0, 1], values * 0.005, rtol=1e-5)
    assert [file.name for file in tmp_path.iterdir()] == ["a.grib"]


def test_real_grib_and_netcdf_of_the_same_hours_agree(test_data, files):
    folder = test_data / "weather"
    before = sorted(folder.iterdir())
    grib, ours = read_all(folder / "era5_t2m_uk_20190301_48h.grib", files)
    packed = collect_files(str(folder / "era5_t2m_uk_20190301_21_hourly.nc"), files)
    assert grib.channels == packed.channels == ["2t"]
    assert grib.times.labels() == packed.times.labels()[:48]
    np.testing.assert_allclose(ours, packed.read(np.arange(48)), atol=5e-4)
    assert (grib.grid.longitude[0], grib.grid.longitude[-1]) == (-10, 2)
    assert not grib.grid.is_global
    assert sorted(folder.iterdir()) == before


def test_a_real_state_with_longitude_first_and_latitude_from_the_south(test_data, files):
    path = test_data / "weather" / "era5_tl31_19590102T00.nc"
    collection, found = read_all(path, files, channels=["z500", "u250", "t850"])
    assert collection.times.labels() == ["1959-01-02T00:00"]
    assert collection.grid.is_global
    with xr.open_dataset(path, decode_times=False) as state:
        north = state["geopotential"].sel(level=500).isel(latitude=-1, longitude=5)
        assert found[0, 0, 0, 5] == north
        south = state["temperature"].sel(level=850).isel(latitude=0, longitude=63)
        assert found[0, 2, -1, 63] == south


def test_one_member_of_a_real_ensemble_is_chosen(test_data, files):
    path = test_data / "weather" / "era5_eda_z_t_3deg_members0-4.grib"
    collection, third = read_all(path, files, select={"number": 3})
    _, first = read_all(path, files, select={"number": 0})
    assert collection.channels == ["z500", "z850", "t500", "t850"]
    assert third.shape == (4, 4, 61, 120)
    assert collection.grid.has_poles
    spread = np.abs(third - first).mean(axis=(0, 2, 3))
    assert 1 < spread[0] < 30  # the ensemble's spread at 500 hPa is 14 m2 s-2
