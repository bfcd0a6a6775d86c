"""Inference: windows are placed, blended and padded so that no voxel is left out or wrong."""

import pytest
import torch

from domains.medical_segmentation.models.inference import probabilities, window_size


def by_voxel(windows):
    """A network that looks at the voxel alone: two classes, logit = intensity."""
    return [torch.cat([torch.zeros_like(windows), windows], 1)]


@pytest.mark.parametrize("sizes", [(5, 8, 9), (16, 12, 8), (40, 17, 9)])
@pytest.mark.parametrize("is_regions", [False, True])
def test_a_voxelwise_network_gives_the_same_in_windows_as_at_once(sizes, is_regions):
    image = torch.randn(1, *sizes, generator=torch.Generator().manual_seed(0))
    found = probabilities(by_voxel, image, (8, 8, 8), (4, 4, 4), is_regions)
    assert found.shape == (2, *sizes)
    torch.testing.assert_close(found[1], image[0].sigmoid(), atol=1e-5, rtol=1e-5)
    expected = torch.full(sizes, 0.5) if is_regions else (-image[0]).sigmoid()
    torch.testing.assert_close(found[0], expected, atol=1e-5, rtol=1e-5)


def test_windows_are_the_patch_or_all_of_an_axis_that_is_hardly_longer():
    patch, strides = (32, 48, 32), (8, 8, 8)
    assert window_size((20, 50, 33), patch, strides) == (32, 56, 40)
    assert window_size((100, 72, 49), patch, strides) == (32, 72, 32)


def test_a_small_volume_is_continued_by_its_border():
    seen = []

    def network(windows):
        seen.append(windows)
        return by_voxel(windows)

    probabilities(network, torch.full((1, 3, 3, 3), 7.0), (8, 8, 8), (4, 4, 4), False)
    assert seen[0].shape == (1, 1, 8, 8, 8)
    assert (seen[0] == 7.0).all()
