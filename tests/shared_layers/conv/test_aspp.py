import pytest
import torch
from torch import nn
from torch.nn import functional as F

from shared_layers.conv.aspp import ASPP2d


def select(layer, branch):
    """Let the projection return the channels of one branch."""
    width = layer.projection.weight.shape[0]
    with torch.no_grad():
        layer.projection.weight.zero_()
        block = layer.projection.weight[:, branch * width : (branch + 1) * width, 0, 0]
        block.copy_(torch.eye(width))


@pytest.mark.parametrize(("branch", "rate"), [(1, 2), (2, 3), (3, 5)])
def test_ring_is_a_dilated_convolution(branch, rate):
    layer = ASPP2d(3, 4, rates=(2, 3, 5), normalization=lambda _: nn.Identity())
    select(layer, branch)
    x = torch.randn(2, 3, 11, 12)
    weight = layer.rings[branch - 1].weight
    expected = F.conv2d(x, weight, padding=rate, dilation=rate).relu()
    torch.testing.assert_close(layer(x), expected)


def test_first_branch_sees_one_pixel():
    layer = ASPP2d(3, 4, rates=(2,), normalization=lambda _: nn.Identity())
    select(layer, 0)
    x = torch.randn(1, 3, 5, 5)
    expected = torch.einsum("oc,bchw->bohw", layer.pixel.weight[:, :, 0, 0], x).relu()
    torch.testing.assert_close(layer(x), expected)


def test_last_branch_sees_the_mean_of_the_image():
    layer = ASPP2d(3, 4, rates=(2,), normalization=lambda _: nn.Identity())
    select(layer, 2)
    x = torch.randn(2, 3, 6, 5)
    pooled = (x.mean((2, 3)) @ layer.image.weight[:, :, 0, 0].T).relu()
    torch.testing.assert_close(layer(x), pooled[:, :, None, None].expand(2, 4, 6, 5))


def test_default_normalisation_trains_on_one_image():
    layer = ASPP2d(3, 4, rates=(1, 2)).train()
    layer(torch.randn(1, 3, 6, 6)).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in layer.parameters())


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="rates=3: expected one or more integers"):
        ASPP2d(2, 2, rates=3)
    with pytest.raises(ValueError, match=r"rates=\(\): expected one or more integers"):
        ASPP2d(2, 2, rates=())
    with pytest.raises(ValueError, match="padding_mode='wrap': expected one of"):
        ASPP2d(2, 2, padding_mode="wrap")
    with pytest.raises(ValueError, match="in_channels=-1: expected an integer >= 1"):
        ASPP2d(-1, 2)
    with pytest.raises(ValueError, match=r"expected \(B, 2, S1, S2\)"):
        ASPP2d(2, 2)(torch.zeros(1, 3, 8, 8))
