"""Raw fields to the dataset at rest."""

from itertools import pairwise

import numpy as np
import pytest
import xarray as xr

from domains.contract import Card
from domains.errors import DataError
from domains.files import hash_folder
from domains.weather.ingest import ingest
from domains.weather.science.climatology import open_climatology
from domains.weather.science.dataset import open_dataset, times_of

from .conftest import make_waves


@pytest.fixture
def short(params):
    """The sample's first forty days."""
    params["ingest"] |= {"end": "1900-02-09T18"}
    return params


@pytest.fixture
def file(tmp_path, waves):
    """Fifteen days of waves, with splits that fit them."""
    path = tmp_path / "waves.nc"
    waves.to_netcdf(path, engine="h5netcdf")
    return path


@pytest.fixture
def fitting(params):
    """Splits for fifteen days."""
    params["ingest"]["split"] |= {"gap_days": 0.5, "validate_share": 0.2, "test_share": 0.3}
    return params


def test_the_sample_becomes_a_dataset_in_three_blocks_of_time(tmp_path, short):
    card = ingest("sample", tmp_path / "out", **short)
    dataset = open_dataset(tmp_path / "out")
    assert "simulation" in card.title
    assert dataset.attrs["is_simulated"]
    assert dataset.attrs["is_zonally_symmetric"]
    assert card.counts["frames"] == dataset.sizes["time"] == 160
    assert np.isfinite(dataset["field"].to_numpy()).all()
    split, minutes = dataset["split"].to_numpy(), dataset["time"].to_numpy()
    ends = [(minutes[split == n].min(), minutes[split == n].max()) for n in range(3)]
    gap = short["ingest"]["split"]["gap_days"] * 1440
    for (_, last), (first, _) in pairwise(ends):
        assert first - last >= gap
    assert (split == 2).sum() == round(160 * short["ingest"]["split"]["test_share"])
    assert card.splits["test"][0].endswith("/1900-02-09T18:00")
    assert open_climatology(tmp_path / "out").attrs["kind"] == "zonal_mean"


def test_the_same_parameters_give_the_same_bytes(tmp_path, short):
    ingest("sample", tmp_path / "a", **short)
    ingest("sample", tmp_path / "b", **short)
    assert hash_folder(tmp_path / "a") == hash_folder(tmp_path / "b")
    assert Card.load(tmp_path / "a") == Card.load(tmp_path / "b")


def test_fields_written_in_many_pieces_are_the_same(tmp_path, file, fitting, monkeypatch):
    ingest(str(file), tmp_path / "a", **fitting)
    monkeypatch.setattr("domains.weather.science.dataset._CHUNK_BYTES", 7 * 4 * 2 * 8 * 16)
    monkeypatch.setattr("domains.weather.sources.quality._PIECE_BYTES", 1)
    ingest(str(file), tmp_path / "b", **fitting)
    a, b = (open_dataset(tmp_path / name)["field"] for name in "ab")
    assert b.encoding["chunks"][0] == 7
    np.testing.assert_array_equal(a, b)


def test_the_climatology_knows_the_training_frames_alone(tmp_path, file, fitting):
    ingest(str(file), tmp_path / "a", **fitting)
    with xr.open_dataset(file, decode_times=False) as waves:
        changed = waves.load()
    changed["z500"][44:] += 1000.0  # the test begins at frame 42
    changed.to_netcdf(tmp_path / "changed.nc", engine="h5netcdf")
    ingest(str(tmp_path / "changed.nc"), tmp_path / "b", **fitting)
    a, b = (open_climatology(tmp_path / name)["coefficient"] for name in "ab")
    np.testing.assert_array_equal(a, b)
    fields = open_dataset(tmp_path / "a")
    train = fields["field"].to_numpy()[fields["split"].to_numpy() == 0]
    np.testing.assert_allclose(a.to_numpy()[0, 0], train.mean(axis=0), rtol=1e-6)


def test_hourly_files_are_thinned_to_the_step(tmp_path, file, fitting, waves):
    hours = waves.assign_coords(time=("time", np.arange(60), {"units": "hours since 2001-01-01"}))
    hours.to_netcdf(file, engine="h5netcdf")
    fitting["ingest"] |= {"step_h": 2.0}
    fitting["ingest"]["split"]["gap_days"] = 0.1
    ingest(str(file), tmp_path / "out", **fitting)
    found = open_dataset(tmp_path / "out")["field"].to_numpy()
    np.testing.assert_array_equal(found[:, 0], waves["z500"].to_numpy()[::2])


def test_blocks_may_be_given_by_date(tmp_path, file, fitting):
    fitting["ingest"]["split"] |= {"validate_from": "2001-01-06", "test_from": "2001-01-10T12"}
    card = ingest(str(file), tmp_path / "out", **fitting)
    assert card.splits == {
        "train": ["2001-01-01T00:00/2001-01-05T06:00"],
        "validate": ["2001-01-06T00:00/2001-01-09T18:00"],
        "test": ["2001-01-10T12:00/2001-01-15T18:00"],
    }


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("split", {"test_from": "2002-01-01"},
         "ingest.split.test_from: 2002-01-01 lies outside the record; the data reach from "
         "2001-01-01T00:00 to 2001-01-15T18:00"),
        ("split", {"validate_from": "2001-01-14"}, "validation begins at 2001-01-14, expected bef"),
        ("split", {"gap_days": 10.0}, "frames for the split train, expected 4 or more of 60"),
        ("start", "1999-01-01", "ingest.start: 1999-01-01 lies outside the record"),
        ("end", "2001-02-28", "ingest.end: 2001-02-28 lies outside the record"),
        ("end", "2001-02-30", "ingest.end: '2001-02-30' is no date of the standard calendar"),
        ("step_h", 3.0, "frames are 6 h apart, expected ingest.step_h: 3"),
        ("region", {"latitude": [79, 80]}, "region holds 0 rows and 16 columns, expected two"),
    ],
)  # fmt: skip
def test_wishes_outside_of_the_record_are_refused(tmp_path, file, fitting, key, value, message):
    if isinstance(value, dict):
        fitting["ingest"][key] |= value
    else:
        fitting["ingest"][key] = value
    with pytest.raises(DataError, match=message):
        ingest(str(file), tmp_path / "out", **fitting)
    assert not (tmp_path / "out").exists()


def test_a_region_is_cut_out_in_one_piece_across_the_meridian(tmp_path, file, fitting, waves):
    fitting["ingest"]["region"] |= {"latitude": [0, 60], "longitude": [-50, 30]}
    ingest(str(file), tmp_path / "out", **fitting)
    dataset = open_dataset(tmp_path / "out")
    assert dataset["longitude"].to_numpy().tolist() == [-45, -22.5, 0, 22.5]
    assert dataset["latitude"].to_numpy().tolist() == [56.25, 33.75, 11.25]
    assert not dataset.attrs["is_global"]
    expected = waves["t850"].to_numpy()[:, 1:4][:, :, [14, 15, 0, 1]]
    np.testing.assert_array_equal(dataset["field"].to_numpy()[:, 1], expected)


def test_cells_that_never_have_a_value_are_refused_or_filled_and_never_count(
    tmp_path, file, fitting, waves
):
    waves["t850"][:, 2:4, 5:9] = np.nan
    waves.to_netcdf(file, engine="h5netcdf")
    with pytest.raises(DataError, match=r"1 of 2 channels have cells without a value \(t850: 8 of"):
        ingest(str(file), tmp_path / "out", **fitting)
    fitting["ingest"]["files"]["missing"] = "nearest"
    card = ingest(str(file), tmp_path / "out", **fitting)
    dataset = open_dataset(tmp_path / "out")
    valid = dataset["valid"].to_numpy()
    assert card.counts["cells filled from the nearest"] == 8
    assert not valid[1, 2:4, 5:9].any()
    assert valid.sum() == 2 * 8 * 16 - 8
    found = dataset["field"].to_numpy()[:, 1]
    np.testing.assert_array_equal(found[:, 2, 6], waves["t850"].to_numpy()[:, 1, 6])
    assert np.isfinite(found).all()


def test_a_frame_with_holes_is_in_no_split_and_is_counted(tmp_path, file, fitting, waves):
    waves["z500"][7] = np.nan
    waves["t850"][9, 0, 0] = np.nan
    waves.to_netcdf(file, engine="h5netcdf")
    card = ingest(str(file), tmp_path / "out", **fitting)
    assert card.rejected == {"frame with missing cells": 2}
    dataset = open_dataset(tmp_path / "out")
    assert dataset["split"].to_numpy()[[6, 7, 8, 9, 10]].tolist() == [0, -1, 0, -1, 0]
    run = dataset["run"].to_numpy()
    assert len({run[6], run[8], run[10]}) == 3
    waves["z500"][7:50, 0, 0] = np.nan
    waves.to_netcdf(file, engine="h5netcdf")
    with pytest.raises(DataError, match="43 of 60 frames have missing cells"):
        ingest(str(file), tmp_path / "out", **fitting)


def test_a_gap_in_time_is_counted_and_starts_a_new_run(tmp_path, file, fitting, waves):
    waves.drop_isel(time=[10, 11]).to_netcdf(file, engine="h5netcdf")
    card = ingest(str(file), tmp_path / "out", **fitting)
    assert any(line.startswith("2 frames are missing between") for line in card.warnings)
    dataset = open_dataset(tmp_path / "out")
    run = dataset["run"].to_numpy()
    assert run[10] == run[9] + 1
    assert times_of(dataset).labels()[10] == "2001-01-04T00:00"


def test_a_height_that_calls_itself_geopotential_is_refused(tmp_path, file, fitting, waves):
    wrong = waves.assign(z500=(waves.z500 / 9.80665).assign_attrs(units="m**2 s**-2"))
    wrong.to_netcdf(file, engine="h5netcdf")
    with pytest.raises(
        DataError, match=r"z500 is 5\d\d\d\.\d+ in the mean, expected .*name a height"
    ):
        ingest(str(file), tmp_path / "out", **fitting)
    fitting["ingest"]["files"]["rename"] = {"z500": "gh500"}
    wrong.z500.attrs["units"] = "gpm"
    wrong.to_netcdf(file, engine="h5netcdf")
    ingest(str(file), tmp_path / "out", **fitting)
    found = open_dataset(tmp_path / "out")["field"].to_numpy()[:, 0]
    np.testing.assert_allclose(found, waves["z500"], rtol=1e-6)


def test_a_refused_source_leaves_the_old_dataset_untouched(tmp_path, file, fitting):
    ingest(str(file), tmp_path / "out", **fitting)
    before = hash_folder(tmp_path / "out")
    file.write_bytes(b"")
    with pytest.raises(DataError, match="empty file"):
        ingest(str(file), tmp_path / "out", **fitting)
    assert hash_folder(tmp_path / "out") == before


def test_real_analyses_with_a_mask_become_a_dataset(tmp_path, fitting, test_data):
    fitting["ingest"]["files"] |= {
        "rename": {"t_sfc": "2t", "u_sfc": "10u", "v_sfc": "10v"}, "missing": "nearest",
    }  # fmt: skip
    source = test_data / "weather" / "storm_na_199601_6h.nc"
    card = ingest(str(source), tmp_path / "out", **fitting)
    assert list(card.units) == ["u500", "v500", "2t", "10u", "10v", "msl"]
    assert card.rejected == {"frame with missing cells": 3}
    dataset = open_dataset(tmp_path / "out")
    assert dataset["valid"].to_numpy().mean() == pytest.approx(1 - 0.18855, abs=1e-4)
    assert dataset["latitude"].to_numpy()[[0, -1]].tolist() == [60, 20]
    assert not dataset.attrs["is_global"]


def test_the_fixture_of_the_tests_is_such_a_dataset(tiny, tmp_path, file, fitting):
    ingest(str(file), tmp_path / "out", **fitting)
    ours, theirs = open_dataset(tmp_path / "out"), open_dataset(tiny)
    assert set(ours.variables) == set(theirs.variables)
    assert set(ours.attrs) == set(theirs.attrs)
    expected = make_waves(60, ours["latitude"].to_numpy(), ours["longitude"].to_numpy())
    np.testing.assert_array_equal(ours["field"], expected)


def test_summers_alone_have_a_climatology_of_hours_and_the_card_says_so(tmp_path, params, waves):
    one = np.resize(waves["t850"].to_numpy()[:, 2:4, :3], (92, 2, 3))
    days = np.concatenate([151 + 365 * year + np.arange(92) for year in range(10)])
    xr.Dataset(
        {"t850": (("time", "latitude", "longitude"), np.tile(one, (10, 1, 1)), {"units": "K"})},
        coords={
            "time": ("time", days, {"units": "days since 2001-01-01", "calendar": "noleap"}),
            "latitude": ("latitude", [10.0, 5.0], {"units": "degrees_north"}),
            "longitude": ("longitude", [0.0, 5.0, 10.0], {"units": "degrees_east"}),
        },
    ).to_netcdf(tmp_path / "summers.nc", engine="h5netcdf")
    params["ingest"] |= {"step_h": 24.0}
    card = ingest(str(tmp_path / "summers.nc"), tmp_path / "out", **params)
    assert open_climatology(tmp_path / "out").attrs["kind"] == "hour_of_day"
    (note,) = [line for line in card.warnings if "climatology" in line]
    assert "the same in all seasons: the training split lacks a part of the year" in note


def test_a_channel_without_any_value_is_refused(tmp_path, file, fitting, waves):
    waves["t850"][:] = np.nan
    waves.to_netcdf(file, engine="h5netcdf")
    fitting["ingest"]["files"]["missing"] = "nearest"
    with pytest.raises(DataError, match="t850 has no value at all, expected some; leave it out"):
        ingest(str(file), tmp_path / "out", **fitting)
