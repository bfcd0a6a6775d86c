"""Groups of skies: new ones from each seed, in physical units, never those that are scored."""

import numpy as np
import pytest
import torch

from domains.cmb_inpainting.data import SkyData, Start
from domains.cmb_inpainting.science.fills import diffusive_fill
from domains.cmb_inpainting.science.masks import draw_masks
from domains.cmb_inpainting.science.skies import Masks, SkySet
from domains.cmb_inpainting.science.sphere import from_faces
from domains.errors import DataError

SECTION = {"batch_size": 1, "skies_per_mask": 3}


@pytest.fixture
def masks():
    return Masks(["a", "b"], draw_masks("discs15x2", 8, seed=3))


@pytest.fixture
def data(universe, masks):
    validate = SkySet(["v"], universe.draw_fixed("validate", 1, 0), masks)
    return SkyData(universe, masks, validate, "diffusive", SECTION)


def test_a_sample_is_a_function_of_index_and_seed(data):
    first, again, other = (data.train_sample(1, seed) for seed in (5, 5, 6))
    for key in first:
        assert torch.equal(first[key], again[key])
    assert not torch.equal(first["sky"], other["sky"])
    assert torch.equal(first["observed"], other["observed"])


def test_neighbouring_seeds_share_no_sky(data):
    skies = torch.cat([data.train_sample(0, seed)["sky"] for seed in range(4)]).flatten(1)
    assert len(skies.unique(dim=0)) == 4 * 3


def test_index_is_the_mask_and_the_start_is_diffusive(data, masks):
    for number in (0, 1):
        sample = data.train_sample(number, 9)
        np.testing.assert_array_equal(from_faces(sample["observed"].numpy()), masks.values[number])
        skies = from_faces(sample["sky"].numpy())
        expected = diffusive_fill(skies, masks.values[number])
        np.testing.assert_allclose(from_faces(sample["start"].numpy()), expected, atol=1e-3)


def test_skies_are_in_microkelvin(data, universe):
    sky = torch.cat([data.train_sample(0, seed)["sky"] for seed in range(20)])
    ell = np.arange(len(universe.spectra[0]))
    expected = np.sqrt(((2 * ell + 1) * universe.spectra[0]).sum() / (4 * np.pi))
    assert float(sky.std()) == pytest.approx(expected, rel=0.1)


def test_a_zero_start_holds_nothing_behind_the_mask(universe, masks):
    start = Start(masks.values[0], "zero")
    sky = universe.draw_fixed("test", 2, 0)
    found = start(sky)
    assert found[:, ~start.observed].abs().max() == 0
    assert torch.equal(found[:, start.observed], start.group(sky)["sky"][:, start.observed])


def test_validation_has_every_sky_behind_every_mask(data):
    groups = list(data.val_dataloader())
    assert [group["sky"].shape[:2] for group in groups] == [(1, 1), (1, 1)]


def test_a_mask_that_hides_nothing_is_refused(universe, masks):
    empty = Masks(["none"], np.ones((1, 768), dtype=bool))
    validate = SkySet(["v"], universe.draw_fixed("validate", 1, 0), masks)
    with pytest.raises(DataError, match="mask none masks no pixel; leave it out of"):
        SkyData(universe, empty, validate, "zero", SECTION)
