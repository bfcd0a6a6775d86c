import pytest
import torch
from torch.nn import functional as F

from shared_layers.conv.large_kernel import (
    LargeKernelAttention1d,
    LargeKernelAttention2d,
    LargeKernelAttention3d,
)
from shared_layers.conv.padding import pad_axes

CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
LAYERS = {1: LargeKernelAttention1d, 2: LargeKernelAttention2d, 3: LargeKernelAttention3d}


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_layer_is_the_input_times_three_convolutions(dims):
    layer = LAYERS[dims](3, kernel_size=9, dilation=3)
    x = torch.randn(2, 3, *(11, 10, 9)[:dims])
    y = CONV[dims](x, layer.local.weight, layer.local.bias, padding=2, groups=3)
    y = CONV[dims](y, layer.wide.weight, layer.wide.bias, padding=3, dilation=3, groups=3)
    y = CONV[dims](y, layer.mixing.weight, layer.mixing.bias)
    torch.testing.assert_close(layer(x), x * y)


def test_published_sizes_are_5_and_7_at_dilation_3():
    layer = LargeKernelAttention2d(2)
    assert layer.local.weight.shape == (2, 1, 5, 5)
    assert layer.wide.weight.shape == (2, 1, 7, 7)
    assert sum(p.numel() for p in layer.parameters()) == 2 * (25 + 1) + 2 * (49 + 1) + 2 * 2 + 2


def test_attention_is_not_squashed():
    layer = LargeKernelAttention2d(2, kernel_size=3, dilation=1)
    with torch.no_grad():
        layer.mixing.weight.zero_()
        layer.mixing.bias.copy_(torch.tensor([-3.0, 5.0]))
    x = torch.randn(1, 2, 4, 4)
    assert torch.equal(layer(x), x * torch.tensor([-3.0, 5.0]).view(2, 1, 1))


def test_field_of_view_is_23_places_wide():
    layer = LargeKernelAttention1d(1).double()
    attention = torch.nn.Sequential(layer.local, layer.wide, layer.mixing)
    x = torch.zeros(1, 1, 61, dtype=torch.float64)
    impulse = x.clone()
    impulse[..., 30] = 1
    reached = (attention(impulse) - attention(x)).flatten().nonzero().flatten()
    assert (reached.min().item(), reached.max().item()) == (30 - 11, 30 + 11)


def test_a_globe_wraps_in_longitude_only():
    layer = LargeKernelAttention2d(2, padding_mode=("replicate", "circular"))
    x = torch.randn(1, 2, 9, 24)
    torch.testing.assert_close(layer(x.roll(7, -1)), layer(x).roll(7, -1))
    modes = ("replicate", "circular")
    y = F.conv2d(pad_axes(x, (2, 2), modes), layer.local.weight, layer.local.bias, groups=2)
    wide = layer.wide
    y = F.conv2d(pad_axes(y, (9, 9), modes), wide.weight, wide.bias, dilation=3, groups=2)
    torch.testing.assert_close(layer(x), x * layer.mixing(y))


def test_bad_arguments_are_refused():
    with pytest.raises(
        ValueError, match=r"kernel_size=12 .* dilated kernel of 4: .*kernel_size=15"
    ):
        LargeKernelAttention2d(2, 12)
    assert LargeKernelAttention2d(2, 15).wide.weight.shape == (2, 1, 5, 5)
    with pytest.raises(ValueError, match="dilation=0: expected an integer >= 1"):
        LargeKernelAttention2d(2, dilation=0)
    with pytest.raises(ValueError, match="padding_mode"):
        LargeKernelAttention2d(2, padding_mode="wrap")
    with pytest.raises(ValueError, match=r"expected \(B, 2, S1, S2, S3\)"):
        LargeKernelAttention3d(2)(torch.zeros(1, 2, 8, 8))
