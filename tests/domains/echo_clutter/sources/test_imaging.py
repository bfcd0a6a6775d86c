"""Speckle, point spread function and compression against their closed forms."""

import numpy as np
import pytest

from domains.echo_clutter.sources.imaging import NEAR_MM, SCANNERS, Grid, compress


@pytest.fixture(scope="module")
def speckle():
    """Envelope of scatterers spread evenly in depth and angle, many in each resolution cell."""
    rng = np.random.default_rng(0)
    scanner = SCANNERS["A"]
    radius = rng.uniform(NEAR_MM, scanner.depth_mm, 150_000)
    angle = np.deg2rad(rng.uniform(-scanner.half_angle_deg, scanner.half_angle_deg, 150_000))
    places = np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)
    return np.abs(Grid.of(scanner).echo(places, np.ones(150_000, complex)))[10:-10, 8:-8]


def test_speckle_is_fully_developed(speckle):
    # a Rayleigh variable's mean is 1.913 of its standard deviation (Burckhardt 1978)
    assert speckle.mean() / speckle.std() == pytest.approx(1.913, rel=0.04)


@pytest.mark.parametrize("vendor", SCANNERS)
def test_a_point_is_smeared_by_pulse_and_beam(vendor):
    scanner = SCANNERS[vendor]
    grid = Grid.of(scanner)
    image = np.abs(grid.echo(np.array([[0.0, 80.0]]), np.ones(1, complex)))
    ranges = np.linspace(NEAR_MM, scanner.depth_mm, grid.num_ranges)
    beams = np.linspace(-scanner.half_angle_deg, scanner.half_angle_deg, grid.num_beams)
    along, across = image.sum(axis=1) / image.sum(), image.sum(axis=0) / image.sum()
    assert along @ ranges == pytest.approx(80.0, abs=1e-3)
    assert across @ beams == pytest.approx(0.0, abs=1e-3)
    # splitting a point between neighbouring cells adds at most a quarter cell² to the variance
    pulse = np.sqrt(along @ (ranges - 80) ** 2)
    beam = np.sqrt(across @ beams**2)
    assert scanner.pulse_mm * 0.97 < pulse < scanner.pulse_mm * 1.15
    assert scanner.beam_deg * 0.97 < beam < scanner.beam_deg * 1.15


def test_two_points_half_a_wavelength_apart_in_depth_cancel_where_a_quarter_would():
    grid = Grid.of(SCANNERS["A"])
    quarter = SCANNERS["A"].wavelength_mm / 4  # the echo's path is twice as long
    one = np.abs(grid.echo(np.array([[0.0, 80.0]]), np.ones(1, complex))).max()
    apart, together = (
        np.abs(grid.echo(np.array([[0.0, 80.0], [0.0, 80.0 + step]]), np.ones(2, complex))).max()
        for step in (quarter, 2 * quarter)
    )
    assert apart < 0.3 * one
    assert together > 1.8 * one


def test_noise_has_unit_power_at_full_depth_and_falls_linearly_towards_the_probe():
    grid = Grid.of(SCANNERS["A"])
    power = np.mean([np.abs(grid.noise(np.random.default_rng(s))) ** 2 for s in range(30)], axis=0)
    rows = power.mean(axis=1)
    assert rows[-10:].mean() == pytest.approx(0.95, abs=0.06)
    middle = rows[len(rows) // 2 - 10 : len(rows) // 2 + 10]
    assert np.sqrt(middle.mean() / rows[-20:].mean()) == pytest.approx(0.54, abs=0.04)


def test_grey_levels_are_linear_in_decibels():
    envelope = 10 ** (np.array([0.0, -15.0, -30.0, -60.0, -80.0, 10.0]) / 20) * 3.0
    found = compress(envelope, white=3.0, dynamic_range_db=60.0)
    np.testing.assert_allclose(found, [255, 191.25, 127.5, 0, 0, 255], atol=1e-9)
