"""Augmentation: unchanged it is a crop, changed it stays near; chance comes from the seed."""

import torch

from domains.medical_segmentation.models import augmentation
from domains.medical_segmentation.models.augmentation import (
    change_intensity,
    patch_places,
    sampled_image,
    sampled_label,
)

CUBE = (1.0, 1.0, 1.0)


def test_without_spatial_change_a_patch_is_an_exact_crop():
    random = torch.Generator().manual_seed(0)
    volume = torch.randint(9, (20, 22, 24), generator=random)
    place = patch_places((8, 10, 12), CUBE, torch.tensor([9.7, 10.2, 13.0]), False, random)
    # middle 9.7 − 3.5 = 6.2 → 6, 10.2 − 4.5 = 5.7 → 6, 13 − 5.5 = 7.5 → 8 (round half to even)
    crop = volume[6:14, 6:16, 8:20]
    assert torch.equal(sampled_label(volume, place), crop)
    found = sampled_image(volume[None].float(), place)
    torch.testing.assert_close(found, crop[None].float(), atol=1e-4, rtol=1e-4)


def test_beyond_its_border_a_volume_goes_on_as_it_ends():
    volume = torch.arange(4.0).expand(3, 2, 4)
    place = patch_places((3, 2, 8), CUBE, torch.tensor([1.0, 0.5, 1.5]), False, torch.Generator())
    expected = torch.tensor([0.0, 0, 0, 1, 2, 3, 3, 3]).expand(3, 2, 8)
    torch.testing.assert_close(sampled_image(volume[None], place)[0], expected)
    assert torch.equal(sampled_label(volume.long(), place), expected.long())


def test_a_turned_patch_keeps_its_middle_and_stays_within_the_ranges():
    random = torch.Generator().manual_seed(1)
    centre = torch.tensor([32.0, 32.0, 32.0])
    for _ in range(20):
        place = patch_places((33, 33, 33), CUBE, centre, True, random)
        assert (place[16, 16, 16] - centre).norm() < 8  # the bend alone
        # corner at 16·√3 = 27.7 voxels; scaled by at most 1 / 0.85 and bent
        assert 27.7 / 1.2 - 10 < (place[0, 0, 0] - place[-1, -1, -1]).norm() / 2 < 27.7 / 0.85 + 10


def test_a_patch_of_thick_slices_is_turned_without_shear(monkeypatch):
    monkeypatch.setattr(augmentation, "_BEND", 0.0)
    spacing, random = torch.tensor([1.0, 1.0, 5.0]), torch.Generator().manual_seed(1)
    for _ in range(5):
        place = patch_places((3, 3, 3), spacing.tolist(), torch.zeros(3), True, random)
        # where steps along x, y, z lead, in mm for each mm: at right angles, all of one length
        steps = torch.stack([place[2, 1, 1], place[1, 2, 1], place[1, 1, 2]])
        steps = steps * spacing / spacing[:, None]
        torch.testing.assert_close(steps @ steps.T, (steps[0] @ steps[0]) * torch.eye(3))


def test_a_patch_of_thick_slices_is_bent_as_far_in_mm_along_all_axes(monkeypatch):
    for name, value in (("_MAX_ANGLE", 0.0), ("_MIN_SCALE", 1.0), ("_MAX_SCALE", 1.0)):
        monkeypatch.setattr(augmentation, name, value)

    def bend_mm(spacing):
        random = torch.Generator().manual_seed(1)
        places = [
            patch_places((9, 9, 9), spacing, torch.zeros(3), is_bent, random)
            for is_bent in (True, False)
        ]
        return (places[0] - places[1]) * torch.tensor(spacing)

    torch.testing.assert_close(bend_mm((1.0, 1.0, 5.0)), bend_mm(CUBE), atol=1e-4, rtol=1e-4)


def test_patches_differ_by_seed_and_repeat_with_it():
    def made(seed):
        random = torch.Generator().manual_seed(seed)
        return patch_places((8, 8, 8), CUBE, torch.tensor([8.0, 8.0, 8.0]), True, random)

    assert torch.equal(made(3), made(3))
    assert not torch.allclose(made(3), made(4))


def test_contrast_and_brightness_change_within_their_ranges():
    random = torch.Generator().manual_seed(2)
    image = torch.stack([torch.zeros(20, 20, 20), torch.ones(20, 20, 20)])[:, None].flatten(0, 1)
    for _ in range(20):
        changed = change_intensity(image, random)
        shift, top = changed[0].mean(), changed[1].mean()
        assert -0.21 <= shift <= 0.21
        assert 0.54 <= top <= 1.46  # gain 0.75 … 1.25 and shift
        assert changed.std((1, 2, 3)).max() < 0.16
