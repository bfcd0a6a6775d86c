"""A state to a forecast, with a forecaster that needs no training."""

import json
import shutil

import numpy as np
import pytest
import torch
import xarray as xr

from domains.errors import DataError
from domains.weather.predict import example_input, infer, predict

from .conftest import make_waves


class Drift:
    """Adds the step's number to the last frame; notes how it was asked."""

    step_h = 6.0
    is_simulated = True

    def __init__(self, latitude, longitude, fail_at=None):
        self.channels = ["z500", "t850"]
        self.latitude, self.longitude = latitude.tolist(), longitude.tolist()
        self.valid = torch.ones(2, len(latitude), len(longitude), dtype=torch.bool)
        self.fail_at = fail_at
        self.asked = []

    def state_dict(self):
        return {"weights": torch.ones(3)}

    def forecast(self, frames, year_phase, day_phase, num_steps, first_step=0):
        self.asked.append((first_step, num_steps, float(day_phase[0])))
        for step in range(first_step, first_step + num_steps):
            if step == self.fail_at:
                raise KeyboardInterrupt
            new = frames[:, 1] + 0.5 * (frames[:, 1] - frames[:, 0]) + step
            frames = torch.stack([frames[:, 1], new], 1)
            yield new


LATITUDE, LONGITUDE = np.linspace(78.75, -78.75, 8), np.arange(16) * 22.5


@pytest.fixture
def model():
    return Drift(LATITUDE, LONGITUDE)


@pytest.fixture
def state(tmp_path, waves):
    """A file of ten frames."""
    waves.isel(time=slice(0, 10)).to_netcdf(tmp_path / "state.nc", engine="h5netcdf")
    return tmp_path / "state.nc"


@pytest.fixture
def sections(params):
    """What ``convoy predict`` passes: two days, three leads at a time."""
    params["evaluate"] = {"predict": {"days": 2.0, "chunk_steps": 3, "start": None}}
    return params


def expected(fields, num_steps):
    """What ``Drift`` makes of the last two of ``fields`` (T, C, H, W)."""
    before, last = fields[-2:]
    found = []
    for step in range(num_steps):
        before, last = last, last + 0.5 * (last - before) + step
        found.append(last)
    return np.stack(found)


@pytest.mark.parametrize("ending", ["nc", "zarr"])
def test_the_forecast_has_its_leads_times_and_units(tmp_path, state, model, sections, ending):
    output = tmp_path / f"forecast.{ending}"
    predict(model, state, output, **sections)
    opened = xr.open_dataset if ending == "nc" else xr.open_zarr
    with opened(output) as forecast:
        assert forecast["time"].to_numpy() == np.datetime64("2001-01-03T06")
        assert forecast["valid_time"].to_numpy()[-1] == np.datetime64("2001-01-05T06")
        assert forecast["z500"].attrs["units"] == "m2 s-2"
        assert forecast.attrs["title"].endswith("by a network that learnt from a simulated world")
        for level in (500, 850):
            assert forecast[f"pressure_{level}"].item() == level
            assert forecast[f"pressure_{level}"].attrs["standard_name"] == "air_pressure"
        where = forecast["t850"].encoding["coordinates"].split()
        assert sorted(where) == ["pressure_850", "time", "valid_time"]
        assert forecast["t850"].attrs["standard_name"] == "air_temperature"
        assert forecast["z500"].dims == ("lead_time", "latitude", "longitude")
        truth = expected(make_waves(10, LATITUDE, LONGITUDE), 8)
        np.testing.assert_allclose(forecast["z500"], truth[:, 0], rtol=1e-6)
        np.testing.assert_allclose(forecast["t850"], truth[:, 1], rtol=1e-6)
    with opened(output, decode_times=False) as forecast:
        assert forecast["lead_time"].to_numpy().tolist() == [6.0 * n for n in range(1, 9)]
        assert forecast["lead_time"].attrs["standard_name"] == "forecast_period"
    assert sorted(p.name for p in tmp_path.iterdir()) == [output.name, "state.nc"]


def test_a_forecast_that_learnt_from_files_claims_nothing_of_them(tmp_path, state, model, sections):
    model.is_simulated = False
    predict(model, state, tmp_path / "f.nc", **sections)
    with xr.open_dataset(tmp_path / "f.nc") as forecast:
        assert forecast.attrs["title"] == "forecast from 2001-01-03T06:00 by a network"


def test_the_model_is_told_how_far_it_is_and_the_time(tmp_path, state, model, sections):
    predict(model, state, tmp_path / "f.nc", **sections)
    assert model.asked == [(0, 3, 0.25), (3, 3, 0.0), (6, 2, 0.75)]


@pytest.mark.parametrize("ending", ["nc", "zarr"])
def test_a_forecast_that_was_killed_goes_on_to_the_same_bytes(
    tmp_path, state, model, sections, ending
):
    whole, output = tmp_path / f"whole.{ending}", tmp_path / f"again.{ending}"
    predict(model, state, whole, **sections)
    with pytest.raises(KeyboardInterrupt):
        predict(Drift(LATITUDE, LONGITUDE, fail_at=7), state, output, **sections)
    assert not output.exists()
    model.asked.clear()
    predict(model, state, output, **sections)
    assert [asked[0] for asked in model.asked] == [6]
    assert contents(output) == contents(whole)


def contents(path):
    """Bytes of a file, or of all files in a folder."""
    if path.is_file():
        return path.read_bytes()
    return {str(p.relative_to(path)): p.read_bytes() for p in path.rglob("*") if p.is_file()}


def test_a_killed_forecast_of_another_state_is_not_gone_on_with(tmp_path, state, model, sections):
    output = tmp_path / "f.nc"
    with pytest.raises(KeyboardInterrupt):
        predict(Drift(LATITUDE, LONGITUDE, fail_at=7), state, output, **sections)
    note = json.loads((tmp_path / ".f.nc.part" / "progress.json").read_text())
    assert note["done"] == 6
    sections["evaluate"]["predict"]["start"] = "2001-01-02"
    predict(model, state, output, **sections)
    assert model.asked[0][0] == 0
    with xr.open_dataset(output) as forecast:
        assert forecast["time"].to_numpy() == np.datetime64("2001-01-02T00")


def test_two_forecasts_to_one_place_do_not_mix(tmp_path, state, model, sections):
    asked = model.forecast

    def forecast(*args, **options):
        if not model.asked:
            with pytest.raises(DataError, match=r"f.nc: another forecast is being written to it"):
                predict(Drift(LATITUDE, LONGITUDE), state, tmp_path / "f.nc", **sections)
        return asked(*args, **options)

    model.forecast = forecast
    predict(model, state, tmp_path / "f.nc", **sections)
    truth = expected(make_waves(10, LATITUDE, LONGITUDE), 8)
    np.testing.assert_allclose(xr.load_dataset(tmp_path / "f.nc")["z500"], truth[:, 0], rtol=1e-6)


def test_a_forecast_can_start_the_next_one(tmp_path, state, model, sections):
    predict(model, state, tmp_path / "f.nc", **sections)
    predict(model, tmp_path / "f.nc", tmp_path / "g.nc", **sections)
    with xr.open_dataset(tmp_path / "g.nc") as forecast:
        assert forecast["time"].to_numpy() == np.datetime64("2001-01-05T06")


def test_a_model_of_a_region_takes_its_part_of_the_globe(tmp_path, state, sections):
    region = Drift(LATITUDE[2:5], np.array([-45, -22.5, 0.0, 22.5]))
    predict(region, state, tmp_path / "f.nc", **sections)
    with xr.open_dataset(tmp_path / "f.nc") as forecast:
        truth = expected(make_waves(10, LATITUDE, LONGITUDE), 1)[0, 0, 2:5][:, [14, 15, 0, 1]]
        np.testing.assert_allclose(forecast["z500"][0], truth, rtol=1e-6)
        assert forecast["longitude"].to_numpy().tolist() == [-45, -22.5, 0, 22.5]


def drop_channel(data):
    return data.drop_vars("t850")


def punch(data):
    data["t850"][-1, 0, 0] = np.nan
    return data


STATES = {
    "channel": (drop_channel, "t850 missing, found z500"),
    "one frame": (
        lambda data: data.isel(time=[9]),
        r"the model needs frames at 2001-01-03T00:00 and 2001-01-03T06:00, 6 h apart",
    ),
    "other grid": (
        lambda data: data.assign_coords(latitude=data.latitude + 1),
        r"grid 8 from 79.75 to -77.75 degrees × 16 .* expected that of the model, 8 from 78.75",
    ),
    "hole": (
        punch,
        "1 of 256 cells have no value at the start; fill them, or set ingest.files.mis",
    ),
    "unit": (lambda data: data / 10, "z500 is 5.* in the mean, expected"),
}


@pytest.mark.parametrize("flaw", STATES)
def test_a_state_that_cannot_be_used_is_refused(tmp_path, waves, model, sections, flaw):
    spoil, message = STATES[flaw]
    spoil(waves.isel(time=slice(0, 10)).load()).to_netcdf(tmp_path / "s.nc", engine="h5netcdf")
    with pytest.raises(DataError, match=message):
        predict(model, tmp_path / "s.nc", tmp_path / "f.nc", **sections)
    assert [path.name for path in tmp_path.iterdir()] == ["s.nc"]


def test_a_hole_is_filled_where_asked_for_and_counted(tmp_path, waves, model, sections, caplog):
    punch(waves.isel(time=slice(0, 10)).load()).to_netcdf(tmp_path / "s.nc", engine="h5netcdf")
    sections["ingest"]["files"]["missing"] = "nearest"
    predict(model, tmp_path / "s.nc", tmp_path / "f.nc", **sections)
    assert np.isfinite(xr.load_dataset(tmp_path / "f.nc")["t850"]).all()
    assert "1 of 256 cells of the state have no value and were filled" in caplog.text


@pytest.mark.parametrize("ending", ["nc", "zarr"])
def test_cells_that_training_never_saw_are_nan_and_change_no_other(
    tmp_path, state, sections, ending
):
    plain, masked = tmp_path / f"plain.{ending}", tmp_path / f"masked.{ending}"
    predict(Drift(LATITUDE, LONGITUDE), state, plain, **sections)
    model = Drift(LATITUDE, LONGITUDE, fail_at=7)
    model.valid[1, 2:4, 5:9] = False
    with pytest.raises(KeyboardInterrupt):
        predict(model, state, masked, **sections)
    model.fail_at = None
    predict(model, state, masked, **sections)
    opened = xr.open_dataset if ending == "nc" else xr.open_zarr
    with opened(plain) as whole, opened(masked) as found:
        np.testing.assert_array_equal(found["z500"], whole["z500"])
        expected = np.where(model.valid[1], whole["t850"], np.nan)
        np.testing.assert_array_equal(found["t850"], expected)


@pytest.mark.parametrize("ending", ["nc", "zarr"])
@pytest.mark.parametrize(
    ("calendar", "last"), [("noleap", "2001-03-01T00:00"), ("360_day", "2001-02-29T00:00")]
)
def test_a_forecast_in_a_model_calendar_opens_plainly(
    tmp_path, waves, model, sections, ending, calendar, last
):
    short = waves.isel(time=slice(0, 10))
    units = {"units": "hours since 2001-02-24T18:00:00", "calendar": calendar}
    short = short.assign_coords(time=("time", 6 * np.arange(10), units))
    short.to_netcdf(tmp_path / "state.nc", engine="h5netcdf")
    output = tmp_path / f"f.{ending}"
    predict(model, tmp_path / "state.nc", output, **sections)
    opened = xr.open_dataset if ending == "nc" else xr.open_zarr
    with opened(output) as forecast:
        valid = forecast["valid_time"].to_numpy()
        assert valid[-1].calendar == calendar
        assert valid[-1].strftime("%Y-%m-%dT%H:%M") == last


def test_places_that_cannot_be_written_are_refused(tmp_path, state, model, sections):
    with pytest.raises(DataError, match=r"f.csv: cannot write this kind of file, expected .nc or"):
        predict(model, state, tmp_path / "f.csv", **sections)
    with pytest.raises(DataError, match="is the input itself"):
        predict(model, state, state, **sections)
    (tmp_path / "own.zarr").mkdir()
    (tmp_path / "own.zarr" / "thesis.txt").write_text("years of work")
    with pytest.raises(DataError, match="is there and is no Zarr store; name another place"):
        predict(model, state, tmp_path / "own.zarr", **sections)
    assert (tmp_path / "own.zarr" / "thesis.txt").is_file()
    shutil.rmtree(tmp_path / "own.zarr")


def test_a_forecast_that_blows_up_is_refused(tmp_path, state, model, sections):
    model.forecast = lambda frames, *_, **__: iter([frames[:, 1] * np.inf])
    with pytest.raises(DataError, match="the forecast is not finite 1 to 3 steps ahead"):
        predict(model, state, tmp_path / "f.nc", **sections)


def test_inference_on_arrays_is_the_same_forecast(model):
    frames = make_waves(3, LATITUDE, LONGITUDE)
    arrays = {
        "frames": np.stack([frames[:2], frames[1:]]),
        "year_phase": np.array([0.1, 0.2]),
        "day_phase": np.array([0.0, 0.25]),
        "num_steps": np.array([4]),
    }
    fields = infer(model, arrays)["fields"]
    assert fields.shape == (2, 4, 2, 8, 16)
    np.testing.assert_allclose(fields[1], expected(frames, 4), rtol=1e-6)
    assert fields.dtype == np.float32


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"frames": None}, "frames missing, expected frames, year_phase, day_phase, num_steps"),
        ({"frames": np.ones((1, 2, 2, 8, 8))}, r"frames have shape \(1, 2, 2, 8, 8\), expected"),
        ({"frames": np.full((1, 2, 2, 8, 16), np.nan)}, "frames are not finite everywhere"),
        ({"frames": np.full((1, 2, 2, 8, 16), 280.0)}, "frames: z500 is 280 in the mean"),
        ({"year_phase": np.zeros(2)}, "2 year_phase and 1 day_phase, expected 1"),
        ({"num_steps": np.array([0])}, r"num_steps is \[0\], expected one number, 1 or more"),
        ({"num_steps": np.array([-3])}, r"num_steps is \[-3\], expected"),
    ],
)
def test_inference_refuses_what_it_cannot_use(model, changes, message):
    arrays = {k: v for k, v in {**example_input(model), **changes}.items() if v is not None}
    with pytest.raises(DataError, match=message):
        infer(model, arrays)


def test_the_example_is_a_day_ahead_of_a_state_the_model_takes(model):
    assert infer(model, example_input(model))["fields"].shape == (1, 4, 2, 8, 16)
