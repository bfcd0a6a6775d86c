"""The filled file is the user's own, bit for bit, but for what was filled."""

import gzip

import healpy
import numpy as np
import pytest
from astropy.io import fits

from domains.cmb_inpainting.sources.fits_maps import read_map
from domains.cmb_inpainting.sources.fits_output import check_output, write_filled
from domains.errors import DataError


@pytest.fixture
def original(tmp_path, universe):
    path = tmp_path / "in.fits"
    healpy.write_map(
        path,
        [universe.draw(0), universe.draw(1)],
        nest=True,
        coord="G",
        column_names=["I_STOKES", "Q_STOKES"],
        column_units="uK",
        dtype=np.float32,
        extra_header=[("TELESCOP", "WMAP", "who looked")],
    )
    return path


def fill(original, output, tables=None, column="I_STOKES"):
    sky = read_map(original, column)
    is_filled = np.arange(768) % 7 == 0  # in the file's order, which is NESTED
    ring = healpy.reorder(is_filled.astype(float), n2r=True) > 0
    write_filled(output, sky, 2.0, np.full(768, 25.0), ring, tables or {}, ["filled"])
    return is_filled


def test_everything_else_stays_bit_for_bit(original, tmp_path):
    output = tmp_path / "out.fits"
    is_filled = fill(original, output)
    with fits.open(original) as before, fits.open(output) as after:
        found, known = (file[1].data["I_STOKES"].ravel() for file in (after, before))
        assert found[~is_filled].tobytes() == known[~is_filled].tobytes()
        assert (found[is_filled] == 12.5).all()
        assert after[1].data["Q_STOKES"].tobytes() == before[1].data["Q_STOKES"].tobytes()
        cards = [card for card in after[1].header.cards if card.keyword != "HISTORY"]
        assert [tuple(c) for c in cards] == [tuple(c) for c in before[1].header.cards]
        assert list(after[1].header["HISTORY"]) == ["filled"]


def test_healpy_reads_the_result_in_its_order(original, tmp_path):
    is_filled = fill(original, tmp_path / "out.fits")
    nested = healpy.read_map(tmp_path / "out.fits", nest=None)
    np.testing.assert_array_equal(nested == 12.5, is_filled)


def test_further_tables_carry_the_same_unit_and_order(original, tmp_path):
    values = np.arange(768.0)
    fill(original, tmp_path / "out.fits", {"SIGMA": {"SIGMA": 2 * values}})
    with fits.open(tmp_path / "out.fits") as file:
        header = file["SIGMA"].header
        assert (header["TUNIT1"], header["ORDERING"], header["NSIDE"]) == ("uK", "NESTED", 8)
        nested = healpy.reorder(values, r2n=True)
        np.testing.assert_array_equal(file["SIGMA"].data["SIGMA"], nested)
    ring = healpy.read_map(tmp_path / "out.fits", hdu="SIGMA")
    np.testing.assert_array_equal(ring, values)


def test_the_same_fill_is_the_same_bytes_gzipped_too(original, tmp_path):
    for suffix in (".fits", ".fits.gz"):
        for name in ("a", "b"):
            fill(original, tmp_path / f"{name}{suffix}")
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
    plain = gzip.decompress((tmp_path / "a.fits.gz").read_bytes())
    assert plain == (tmp_path / "a.fits").read_bytes()


def test_stale_checksums_are_dropped(original, tmp_path):
    with fits.open(original) as file:
        file.writeto(tmp_path / "sums.fits", checksum=True)
    fill(tmp_path / "sums.fits", tmp_path / "out.fits")
    with fits.open(tmp_path / "out.fits", checksum=True) as file:
        assert "CHECKSUM" not in file[1].header


def test_columns_that_cannot_hold_the_fill_are_refused(tmp_path):
    column = fits.Column("T", "J", array=np.arange(768))
    table = fits.BinTableHDU.from_columns([column])
    table.header["NSIDE"], table.header["ORDERING"] = 8, "RING"
    table.writeto(tmp_path / "int.fits")
    with pytest.raises(DataError, match="stored as integers or scaled"):
        fill(tmp_path / "int.fits", tmp_path / "out.fits", column="T")
    assert not (tmp_path / "out.fits").exists()


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"out\.csv: cannot write .* expected one of \.fits"):
        check_output(tmp_path / "out.csv")
