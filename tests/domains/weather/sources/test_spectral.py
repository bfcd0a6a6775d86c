"""Spherical harmonics and the packed record."""

import numpy as np
import pytest

from domains.weather.sources.spectral import (
    QUANTISATION,
    TRUNCATION,
    analyse,
    basis,
    gaussian_latitudes,
    read_fields,
    read_header,
    synthesise,
    write_record,
)

LATITUDE, WEIGHTS = gaussian_latitudes(32)


def test_the_basis_is_orthonormal_in_the_mean_over_the_sphere():
    maps = basis(LATITUDE, 64, TRUNCATION)
    assert len(maps) == (TRUNCATION + 1) ** 2
    area = WEIGHTS[:, None] / 2 / 64
    product = np.einsum("knm,lnm->kl", maps * area, maps)
    np.testing.assert_allclose(product, np.eye(len(maps)), atol=1e-10)


def test_the_first_harmonics_are_the_known_ones():
    maps = basis(LATITUDE, 64, 2)
    sine = np.sin(np.deg2rad(LATITUDE))
    np.testing.assert_allclose(maps[0], 1.0)
    np.testing.assert_allclose(maps[1][:, 0], np.sqrt(3) * sine, atol=1e-12)
    np.testing.assert_allclose(maps[2][:, 0], np.sqrt(5) / 2 * (3 * sine**2 - 1), atol=1e-12)


def test_synthesis_undoes_analysis():
    coefficients = np.random.default_rng(0).normal(size=(3, (TRUNCATION + 1) ** 2))
    fields = synthesise(coefficients, LATITUDE, 64, TRUNCATION)
    np.testing.assert_allclose(analyse(fields, LATITUDE, WEIGHTS, TRUNCATION), coefficients)


def test_a_packed_record_errs_by_the_promised_share_of_a_change(tmp_path):
    random = np.random.default_rng(1)
    walk = np.cumsum(random.normal(size=(50, 21**2)), axis=0)
    field = 54_000 + synthesise(walk, LATITUDE, 64, 20).astype(np.float32)
    wind = (field - 54_000) * np.cos(np.deg2rad(LATITUDE))[:, None]
    path = tmp_path / "record.nc"
    write_record(path, {"z500": field, "u850": wind}, LATITUDE, 6)
    header = read_header(path)
    assert (header.channels, header.num_times, header.step_h) == (("z500", "u850"), 50, 6.0)
    found = read_fields(path, header, "z500", np.arange(10, 30))
    assert found.shape == (20, 32, 64)
    area = WEIGHTS[:, None] / WEIGHTS.mean()
    error = np.sqrt(np.mean((found - field[10:30]) ** 2 * area))
    change = np.sqrt(np.mean(np.diff(field, axis=0) ** 2 * area))
    assert error == pytest.approx(QUANTISATION * change, rel=0.15)
    write_record(tmp_path / "again.nc", {"z500": field, "u850": wind}, LATITUDE, 6)
    assert (tmp_path / "again.nc").read_bytes() == path.read_bytes()
