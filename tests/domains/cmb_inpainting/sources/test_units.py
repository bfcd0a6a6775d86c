"""Units by card or by spread, never in silence."""

import numpy as np
import pytest

from domains.cmb_inpainting.sources.units import unit_scale
from domains.errors import DataError

CMB_UK = np.random.default_rng(0).normal(0, 70, 5000)


@pytest.mark.parametrize(
    ("card", "scale"),
    [
        ("K", 1e6), ("K_CMB", 1e6), ("Kcmb", 1e6), ("Kelvin", 1e6), ("K(CMB)", 1e6),
        ("mK", 1e3), ("mK, thermodynamic", 1e3), ("mK_CMB", 1e3), ("milliK", 1e3),
        ("uK", 1.0), ("uK_CMB", 1.0), ("muK", 1.0), ("µK", 1.0), ("microK", 1.0), ("uK_cmb", 1.0),
    ],
)  # fmt: skip
def test_a_card_names_the_unit(card, scale):
    assert unit_scale(card, CMB_UK, "auto", "map") == (scale, None)


@pytest.mark.parametrize("card", ["counts", "MJy/sr", "uK^2", "unknown", "K_RJ", "km"])
def test_a_card_that_names_no_cmb_temperature_is_refused(card):
    with pytest.raises(DataError, match="expected a temperature"):
        unit_scale(card, CMB_UK, "auto", "map")


@pytest.mark.parametrize(("name", "scale"), [("K", 1e6), ("mK", 1e3), ("uK", 1.0)])
def test_without_a_card_the_spread_decides_and_says_so(name, scale):
    values = CMB_UK / scale
    values[:300] += 5000 / scale  # the Galaxy does not change the answer
    found, said = unit_scale("", values, "auto", "map")
    assert found == scale
    assert f"so {name} is assumed" in said


def test_the_users_word_counts_most():
    assert unit_scale("counts", CMB_UK, "mK", "map") == (1e3, None)


def test_a_spread_that_no_unit_explains_is_refused():
    with pytest.raises(DataError, match=r"no CMB in K, mK or uK; set ingest\.unit"):
        unit_scale("", CMB_UK * 1e-12, "auto", "map")
    with pytest.raises(DataError, match="every pixel is UNSEEN or NaN"):
        unit_scale("K", np.full(10, np.nan), "auto", "map")
