"""What is usual, from a record of any length."""

import numpy as np
import pytest
import xarray as xr

from domains.weather.science.climatology import climatology_at, fit_climatology, misses_seasons

DIMS = ("time", "channel", "latitude", "longitude")


def record(days, signal):
    """Fields (T, 1, 2, 4) every six hours of ``signal(year phase, day phase)`` × a pattern."""
    hours = 6 * np.arange(days * 4)
    year, day = (hours / 24 / 365) % 1, (hours / 24) % 1
    pattern = np.arange(8.0).reshape(2, 4) + 1
    values = signal(year, day)[:, None, None, None] * pattern
    return xr.DataArray(values.astype(np.float32), dims=DIMS), year, day, pattern


def test_harmonics_and_hours_of_the_year_come_back_exactly():
    def signal(year, day):
        return 5 + 3 * np.cos(2 * np.pi * year) - np.sin(4 * np.pi * year) + (day == 0.5)

    fields, year, day, pattern = record(2 * 365, signal)
    found = fit_climatology(fields, year, day, 2, 730, False)
    assert found.attrs["kind"] == "harmonics"
    assert found.sizes["slot"] == 4
    at = np.array([0.1, 0.9]), np.array([0.5, 0.0])
    np.testing.assert_allclose(
        climatology_at(found, *at, 4)[:, 0], signal(*at)[:, None, None] * pattern, rtol=1e-4
    )


@pytest.mark.parametrize(("days", "kind"), [(5, "mean"), (40, "hour_of_day"), (400, "harmonics")])
def test_a_short_record_gives_less_and_says_so(days, kind):
    fields, year, day, pattern = record(days, lambda year, day: 1 + (day == 0.25))
    found = fit_climatology(fields, year, day, 3, days, False)
    assert found.attrs["kind"] == kind
    usual = climatology_at(found, np.array([0.3]), np.array([0.25]), 4)[0, 0]
    np.testing.assert_allclose(usual, (1.25 if kind == "mean" else 2.0) * pattern, rtol=1e-4)


def test_a_world_without_geography_has_the_mean_over_longitude():
    fields, year, day, _ = record(40, lambda year, day: np.ones_like(year))
    found = fit_climatology(fields, year, day, 3, 40, True)
    assert found.attrs["kind"] == "zonal_mean"
    assert found["coefficient"].shape == (1, 1, 1, 2, 1)
    usual = climatology_at(found, year[:3], day[:3], 4)
    assert usual.shape == (3, 1, 2, 4)
    np.testing.assert_allclose(usual[2, 0], np.repeat([[2.5], [6.5]], 4, 1))


def test_an_hour_that_the_record_lacks_takes_the_nearest_across_midnight():
    fields, year, day, pattern = record(40, lambda year, day: 1 + (day == 0))
    found = fit_climatology(fields, year, day, 0, 40, False)
    late = climatology_at(found, np.array([0.5]), np.array([0.95]), 4)[0, 0]
    np.testing.assert_allclose(late, 2 * pattern)


def test_channels_may_be_fitted_one_by_one(monkeypatch):
    fields, year, day, _ = record(400, lambda year, day: np.cos(2 * np.pi * year) + day)
    both = xr.concat([fields, 2 * fields + 1], dim="channel").transpose(*DIMS)
    whole = fit_climatology(both, year, day, 2, 400, False)
    monkeypatch.setattr("domains.weather.science.climatology._MOMENT_BYTES", 1)
    xr.testing.assert_identical(fit_climatology(both, year, day, 2, 400, False), whole)


def test_ten_summers_say_nothing_about_winter():
    def signal(year, day):
        return 10 + 3 * np.cos(2 * np.pi * year) + (day == 0.5)

    fields, year, day, _ = record(10 * 365, signal)
    summer = (year >= 151 / 365) & (year < 243 / 365)  # June to August
    fields, year, day = fields[summer], year[summer], day[summer]
    found = fit_climatology(fields, year, day, 4, len(year) / 4, False)
    assert found.attrs["kind"] == "hour_of_day"
    mean = fields.to_numpy()[day == 0.5].mean(axis=0, dtype=np.float64)
    for phase in (0.0, 0.5):
        usual = climatology_at(found, np.array([phase]), np.array([0.5]), 4)[0]
        np.testing.assert_allclose(usual, mean, rtol=1e-5)


@pytest.mark.parametrize(
    ("missing_days", "harmonics", "expected"), [(38, 4, False), (43, 4, True), (43, 3, False)]
)
def test_a_gap_in_the_year_may_be_as_long_as_the_harmonics_can_bridge(
    missing_days, harmonics, expected
):
    year = np.arange(missing_days, 365) / 365
    assert misses_seasons(year, np.zeros_like(year), harmonics) == expected


def test_every_hour_of_the_day_needs_its_seasons():
    year = np.tile(np.arange(365) / 365, 2)
    day = np.repeat([0.0, 0.5], 365)
    assert not misses_seasons(year, day, 4)
    kept = (day == 0) | (year > 0.3)
    assert misses_seasons(year[kept], day[kept], 4)
