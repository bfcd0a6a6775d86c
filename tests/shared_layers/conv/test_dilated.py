import pytest
import torch
from torch import nn
from torch.nn import functional as F

from shared_layers.conv.dilated import (
    DilatedConvBranch1d,
    DilatedConvBranch2d,
    DilatedConvBranch3d,
)
from shared_layers.conv.padding import pad_axes

CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
LAYERS = {1: DilatedConvBranch1d, 2: DilatedConvBranch2d, 3: DilatedConvBranch3d}


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_each_branch_is_a_dilated_convolution(dims):
    layer = LAYERS[dims](2, 3, dilations=(1, 2, 3), branch_channels=2)
    x = torch.randn(2, 2, *(8, 9, 7)[:dims])
    branches = [
        CONV[dims](x, branch.weight, branch.bias, dilation=rate, padding=rate)
        for rate, branch in zip((1, 2, 3), layer.branches, strict=True)
    ]
    mixing = layer.mixing.weight.flatten(1)  # (3, 6)
    expected = torch.einsum("oc,bc...->bo...", mixing, torch.cat(branches, 1))
    expected += layer.mixing.bias.view(-1, *(1,) * dims)
    torch.testing.assert_close(layer(x), expected)


def test_without_activation_the_layer_is_one_convolution():
    layer = DilatedConvBranch1d(1, 1, dilations=(1, 2), branch_channels=1, bias=False).double()
    (near, far), mixing = layer.branches, layer.mixing.weight.flatten()
    kernel = torch.zeros(1, 1, 5, dtype=torch.float64)
    kernel[..., 1:4] += mixing[0] * near.weight
    kernel[..., ::2] += mixing[1] * far.weight
    x = torch.randn(1, 1, 9, dtype=torch.float64)
    torch.testing.assert_close(layer(x), F.conv1d(x, kernel, padding=2))


def test_activation_acts_before_the_mixing():
    layer = DilatedConvBranch2d(2, 3, activation=nn.ReLU())
    x = torch.randn(1, 2, 6, 6)
    branches = torch.cat([branch(x) for branch in layer.branches], 1)
    torch.testing.assert_close(layer(x), layer.mixing(branches.clamp(min=0)))


@pytest.mark.parametrize("mode", ["zeros", "circular", "replicate", "reflect"])
def test_valid_on_a_padded_map_equals_same(mode):
    same = DilatedConvBranch2d(2, 3, dilations=(1, 2, 4), padding_mode=(mode, "circular"))
    valid = DilatedConvBranch2d(2, 3, dilations=(1, 2, 4), padding="valid")
    valid.load_state_dict(same.state_dict())
    x = torch.randn(1, 2, 9, 10)
    assert valid.margin == (4, 4)
    padded = pad_axes(x, valid.margin, (mode, "circular"))
    torch.testing.assert_close(valid(padded), same(x))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kernel_size": 2}, r"kernel_size=\(2, 2\): expected odd sizes"),
        ({"dilations": ()}, r"dilations=\(\): expected one or more integers >= 1"),
        ({"dilations": (1, 0)}, r"dilations=\(1, 0\): expected one or more integers >= 1"),
        ({"padding": "full"}, "padding='full': expected 'same' or 'valid'"),
        ({"branch_channels": 0}, "branch_channels=0: expected an integer >= 1"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        DilatedConvBranch2d(2, 3, **arguments)


def test_bad_inputs_are_refused():
    layer = DilatedConvBranch2d(2, 3, dilations=(1, 3), padding="valid")
    with pytest.raises(ValueError, match=r"expected spatial axes longer than twice .* \(3, 3\)"):
        layer(torch.zeros(1, 2, 6, 9))
    with pytest.raises(ValueError, match=r"expected \(B, 2, S1, S2\)"):
        layer(torch.zeros(1, 3, 9, 9))
