"""Names, order and units of channels."""

import numpy as np
import pytest

from domains.errors import DataError
from domains.weather.science.channels import (
    PAPER,
    channel_name,
    channel_title,
    channel_unit,
    check_mean,
    plain_unit,
    split_channel,
    standard_height_m,
    to_si,
)


def test_the_paper_has_69_channels_in_its_order():
    assert len(PAPER) == len(set(PAPER)) == 69
    places = {0: "z50", 7: "z500", 12: "z1000", 13: "t50", 26: "u50", 39: "v50", 52: "r50"}
    assert {place: PAPER[place] for place in places} == places
    assert PAPER[65:] == ("2t", "10u", "10v", "msl")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("z500", ("z", 500)), ("geopotential_850", ("z", 850)), ("gh500", ("gh", 500)),
        ("T2M", ("2t", None)), ("2m_temperature", ("2t", None)), ("mslp", ("msl", None)),
        ("u_component_of_wind_250", ("u", 250)), ("t", None), ("ozone", None), ("2t500", None),
    ],
)  # fmt: skip
def test_channels_are_known_by_any_of_their_names(name, expected):
    assert split_channel(name) == expected


def test_a_channel_says_its_unit_and_title():
    assert channel_unit("z500") == "m2 s-2"
    assert channel_title("t850") == "temperature at 850 hPa"
    assert channel_title("2t") == "temperature at 2 m"
    assert channel_name("gh", 500.0) == "z500"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("m**2 s**-2", "m2 s-2"), ("m^2/s^2", "m2 s-2"), ("M2 S-2", "m2 s-2"), ("m s**-1", "m s-1"),
     ("m/s", "m s-1"), ("kg kg**-1", "kg kg-1"), ("kg/kg", "kg kg-1"), ("millibars", "mb"),
     ("degK", "k"), ("geopotential meters", "gpm"), (" K ", "k"), ("°C", "degc"), ("℃", "degc"),
     ("km/h", "km h-1"), ("km h**-1", "km h-1")],
)  # fmt: skip
def test_units_are_brought_to_one_spelling(text, expected):
    assert plain_unit(text) == expected


@pytest.mark.parametrize(
    ("channel", "value", "unit", "expected"),
    [
        ("gh500", 5500.0, "gpm", 5500 * 9.80665),
        ("gh500", 550.0, "dam", 5500 * 9.80665),
        ("z500", 53936.6, "m**2 s**-2", 53936.6),
        ("2t", 20.0, "degC", 293.15),
        ("msl", 1013.25, "hPa", 101325.0),
        ("10u", 10.0, "knots", 5.14444),
        ("10u", 36.0, "km/h", 10.0),
        ("2t", 20.0, "°C", 293.15),
        ("r850", 0.5, "1", 50.0),
        ("q850", 5.0, "g kg-1", 0.005),
    ],
)
def test_values_come_to_si_units(channel, value, unit, expected):
    assert to_si(channel, np.array([value]), unit) == pytest.approx([expected], rel=1e-6)


def test_a_unit_of_something_else_is_not_converted():
    assert to_si("z500", np.ones(1), "K") is None


def test_the_standard_atmosphere_has_its_tabulated_heights():
    # ICAO Doc 7488: 500 hPa at 5574 m, 250 hPa at 10363 m, 100 hPa at 16180 m
    found = [standard_height_m(level) for level in (500, 250, 100)]
    assert found == pytest.approx([5574, 10363, 16180], rel=2e-3)


@pytest.mark.parametrize(
    ("channel", "good", "bad"),
    [("z500", 54_000, 5500), ("z50", 200_000, 20_000), ("z1000", 1000, -8000),
     ("msl", 101_000, 1010), ("2t", 288, 15), ("t850", 280, -5), ("u250", 10, 400),
     ("r850", 60, 0.6)],
)  # fmt: skip
def test_means_that_no_weather_has_are_refused(channel, good, bad):
    check_mean(channel, good, "a.nc")
    with pytest.raises(DataError, match=f"a.nc: {channel} is .* in the mean, expected"):
        check_mean(channel, bad, "a.nc")


@pytest.mark.parametrize(("channel", "mean"), [("z500", 5500), ("t850", -5), ("msl", 1010)])
def test_only_a_geopotential_may_be_a_height(channel, mean):
    with pytest.raises(DataError) as error:
        check_mean(channel, mean, "a.nc")
    assert str(error.value).endswith("or name a height gh") == (channel == "z500")


def test_real_reanalysis_lies_within_the_limits_of_every_level(test_data):
    import xarray as xr

    with xr.open_dataset(
        test_data / "weather" / "era5_tl31_19590102T00.nc", decode_times=False
    ) as state:
        for level in (50, 100, 150, 200, 250, 300, 400, 500, 600, 700, 850, 925, 1000):
            for quantity, name in (("z", "geopotential"), ("t", "temperature")):
                mean = float(state[name].sel(level=level).mean())
                check_mean(f"{quantity}{level}", mean, "era5")
