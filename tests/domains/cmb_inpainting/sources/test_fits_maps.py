"""Every oddity of a HEALPix file: recognised, said, or refused in one line."""

import gzip

import healpy
import numpy as np
import pytest
from astropy.io import fits

from domains.cmb_inpainting.sources.fits_maps import read_map, read_mask
from domains.errors import DataError


@pytest.fixture
def sky(universe):
    return universe.draw(0)


def write(path, values, name="T", unit="uK", kind="E", **cards):
    """A HEALPix table as instruments write it; a card that is None is left out."""
    table = fits.BinTableHDU.from_columns([fits.Column(name, kind, unit=unit, array=values)])
    nside = int((len(values) / 12) ** 0.5)
    for key, value in {"PIXTYPE": "HEALPIX", "ORDERING": "RING", "NSIDE": nside, **cards}.items():
        if value is not None:
            table.header[key] = value
    table.writeto(path)
    return path


def refuses(path, message):
    with pytest.raises(DataError, match=message) as caught:
        read_map(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_healpys_own_files_read_as_healpy_reads_them(tmp_path, sky):
    for nest in (False, True):
        path = tmp_path / f"{nest}.fits"
        healpy.write_map(path, sky, nest=nest, column_units="uK", dtype=np.float32)
        found = read_map(path)
        assert found.order == ("nest" if nest else "ring")
        expected = healpy.read_map(path)  # turns NESTED to RING
        np.testing.assert_array_equal(found.ring(), expected)
        assert found.microkelvin("auto")[1] == 1.0
        assert found.warnings == []


def test_values_come_in_native_byte_order(tmp_path, sky):
    found = read_map(write(tmp_path / "map.fits", sky))
    assert found.values.dtype.isnative
    assert found.values.dtype == np.float64


def test_four_traps_in_one_file_are_all_taken(test_data):
    path = test_data / "cmb" / "trap_V_nside64_NEST_Kelvin_UNSEEN_NaN.fits"
    found = read_map(path)
    assert (found.order, found.nside, found.unit) == ("nest", 64, "K_CMB")
    values, scale = found.microkelvin("auto")
    assert scale == 1e6
    raw = healpy.read_map(path)
    is_missing = np.isnan(raw) | healpy.mask_bad(raw)
    np.testing.assert_array_equal(np.isnan(values), is_missing)
    assert np.isnan(raw).sum() == 5
    assert is_missing.mean() == pytest.approx(0.15, abs=0.01)
    np.testing.assert_allclose(values[~is_missing], 1e6 * raw[~is_missing], rtol=1e-6)


def test_a_spectrum_is_refused_as_a_map(test_data):
    name = "cl_wmap_band_iqumap_r9_7yr_W_v4_udgraded32_II_lmax64_rmmono_3iter.fits"
    refuses(test_data / "cmb" / name, "65 values in a column, expected 12·32² = 12288 pixels; "
            "this looks like a spectrum")  # fmt: skip
    refuses(test_data / "cmb" / "pixel_window_n0032.fits", "129 values .* looks like a spectrum")


def test_wmaps_millikelvin_are_known_by_their_card(test_data):
    found = read_map(test_data / "cmb" / "wmap9_V_1deg_nside128_mK_ring.fits")
    assert found.unit == "mK, thermodynamic"
    assert found.microkelvin("auto")[1] == 1e3


def test_a_file_without_unit_is_millikelvin_by_its_spread_and_says_so(test_data):
    found = read_map(test_data / "cmb" / "wmap_band_iqumap_r9_7yr_V_v4_udgraded32_masked.fits")
    assert np.isnan(found.values).mean() == pytest.approx(0.381, abs=0.001)
    assert found.microkelvin("auto")[1] == 1e3
    assert "no unit card; values spread by 0.0" in found.warnings[0]
    assert "so mK is assumed (ingest.unit says otherwise)" in found.warnings[0]


def test_a_column_is_chosen_by_name_or_number(test_data):
    path = test_data / "cmb" / "galmask_wmapK_10_15_20_nside32_ring.fits"
    by_name, by_number = (read_mask(path, column)[1] for column in ("GAL20", "3"))
    np.testing.assert_array_equal(by_name, by_number)
    assert 1 - by_name.mean() == pytest.approx(0.2, abs=1e-3)
    assert read_mask(path)[0].column == "GAL10"
    with pytest.raises(DataError, match="no column 'GAL25', found GAL10, GAL15, GAL20"):
        read_mask(path, "GAL25")


def test_a_nested_mask_is_the_ring_mask(test_data):
    _, nested = read_mask(test_data / "cmb" / "galmask15_nside64_NEST.fits")
    ring = read_mask(test_data / "cmb" / "galmask_wmapK_10_15_20_nside64_ring.fits", "GAL15")[1]
    np.testing.assert_array_equal(nested, ring)


def test_missing_cards_are_assumed_and_said(tmp_path, sky):
    found = read_map(write(tmp_path / "map.fits", sky, NSIDE=None, ORDERING=None))
    assert found.warnings == [
        f"{tmp_path}/map.fits: no NSIDE card, 768 pixels make nside = 8",
        f"{tmp_path}/map.fits: no ORDERING card, RING assumed",
    ]


def test_what_is_no_healpix_map_is_refused(tmp_path, sky):
    refuses(tmp_path / "absent.fits", "no such file")
    image = tmp_path / "image.fits"
    fits.PrimaryHDU(np.zeros((20, 30))).writeto(image)
    refuses(image, r"an image of shape \(20, 30\), expected a binary table")
    refuses(write(tmp_path / "order.fits", sky, ORDERING="SPIRAL"), "expected RING or NESTED")
    refuses(write(tmp_path / "nside.fits", sky, NSIDE=16), r"768 values .* 12·16² = 3072")
    refuses(write(tmp_path / "odd.fits", np.zeros(12 * 36), NSIDE=6), "expected a power of two")
    refuses(write(tmp_path / "text.fits", ["a"] * 768, kind="3A", unit=None), "expected numbers")
    columns = [fits.Column("PIXEL", "J", array=range(100)), fits.Column("T", "E", array=sky[:100])]
    table = fits.BinTableHDU.from_columns(columns)
    table.header["NSIDE"], table.header["INDXSCHM"] = 8, "EXPLICIT"
    table.writeto(tmp_path / "partial.fits")
    message = r"100 pixels of part of the sky .* \(healpy.write_map, partial=False\)"
    refuses(tmp_path / "partial.fits", message)


def test_damaged_files_are_refused(tmp_path, sky):
    whole = write(tmp_path / "map.fits", sky).read_bytes()
    for name, content in {
        "empty.fits": b"",
        "text.fits": b"pixel,temperature\n0,1.0\n",
        "cut.fits": whole[: len(whole) // 2],
        "header.fits": whole[:3000],
        "cut.fits.gz": gzip.compress(whole)[:-2000],
    }.items():
        (tmp_path / name).write_bytes(content)
        refuses(tmp_path / name, "not a whole FITS file|no data, expected a binary table")


def test_a_gzipped_map_is_read(tmp_path, sky):
    path = write(tmp_path / "map.fits.gz", sky)
    np.testing.assert_array_equal(read_map(path).values, sky)


def test_missing_pixels_are_unseen_nan_infinite_or_the_bad_data_card(tmp_path, sky):
    values = sky.copy()
    values[:4] = [healpy.UNSEEN, np.nan, np.inf, -999.0]
    found = read_map(write(tmp_path / "map.fits", values, BAD_DATA=-999.0))
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(found.values)), [0, 1, 2, 3])


@pytest.mark.parametrize(
    ("card", "letter"),
    [("G", "G"), ("GALACTIC", "G"), ("ecliptic", "E"), ("C", "C"), ("EQUATORIAL", "C"),
     ("unknown", ""), (None, "")],
)  # fmt: skip
def test_coordinates_are_known_by_their_card(tmp_path, sky, card, letter):
    assert read_map(write(tmp_path / "map.fits", sky, COORDSYS=card)).coordinates == letter


def test_masks_are_checked(tmp_path, sky):
    with pytest.raises(DataError, match="expected a mask of 0"):
        read_mask(write(tmp_path / "map.fits", sky))
    with pytest.raises(DataError, match="leaves no pixel observed"):
        read_mask(write(tmp_path / "zero.fits", np.zeros(768)))
    soft = np.ones(768)
    soft[:10], soft[10:30] = 0.0, 0.4
    found, mask = read_mask(write(tmp_path / "soft.fits", soft))
    assert (~mask).sum() == 30
    assert "20 pixels between 0 and 1 count as masked" in found.warnings[-1]
