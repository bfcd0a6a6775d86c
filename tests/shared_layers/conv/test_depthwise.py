"""Depthwise layers against torch.nn's grouped convolution and against padding by hand."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from shared_layers import DepthwiseConv1d, DepthwiseConv2d, DepthwiseConv3d

LAYERS = {1: DepthwiseConv1d, 2: DepthwiseConv2d, 3: DepthwiseConv3d}
TORCH = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("mode", ["zeros", "circular", "replicate", "reflect"])
def test_layer_loads_and_equals_torchs_grouped_convolution(dims, mode):
    twin = TORCH[dims](
        4, 4, 5, padding=4, dilation=2, groups=4, padding_mode=mode, dtype=torch.float64
    )
    layer = LAYERS[dims](4, 5, dilation=2, padding_mode=mode, dtype=torch.float64)
    layer.load_state_dict(twin.state_dict())
    x = torch.randn(2, 4, *[9] * dims, dtype=torch.float64)
    torch.testing.assert_close(layer(x), twin(x), rtol=1e-12, atol=1e-12)


def test_a_globe_wraps_in_longitude_only():
    layer = DepthwiseConv2d(2, 3, padding_mode=("replicate", "circular"), dtype=torch.float64)
    x = torch.randn(1, 2, 6, 8, dtype=torch.float64)
    padded = F.pad(F.pad(x, (1, 1, 0, 0), mode="circular"), (0, 0, 1, 1), mode="replicate")
    expected = F.conv2d(padded, layer.weight, layer.bias, groups=2)
    torch.testing.assert_close(layer(x), expected, rtol=1e-13, atol=1e-13)
    # Turning the globe turns the answer; moving the poles does not.
    torch.testing.assert_close(layer(x.roll(3, 3)), layer(x).roll(3, 3))
    assert not torch.allclose(layer(x.roll(3, 2)), layer(x).roll(3, 2))


def test_zero_and_wrapped_axes_mix():
    layer = DepthwiseConv3d(2, (3, 5, 1), padding_mode=("zeros", "circular", "zeros"))
    x = torch.randn(1, 2, 4, 6, 3)
    expected = F.conv3d(
        F.pad(x, (0, 0, 2, 2, 0, 0), mode="circular"),
        layer.weight, layer.bias, padding=(1, 0, 0), groups=2,
    )  # fmt: skip
    torch.testing.assert_close(layer(x), expected)


def test_gradients_flow_through_every_padding_mode():
    layer = DepthwiseConv2d(1, 3, padding_mode=("replicate", "circular"), dtype=torch.float64)
    x = torch.randn(1, 1, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, x)


@pytest.mark.parametrize("mode", ["zeros", "circular"])
def test_stride_and_explicit_padding_equal_torchs(mode):
    layer = DepthwiseConv2d(3, (4, 3), stride=(2, 1), padding=(1, 2), padding_mode=mode)
    twin = nn.Conv2d(3, 3, (4, 3), (2, 1), (1, 2), groups=3, padding_mode=mode)
    twin.load_state_dict(layer.state_dict())
    x = torch.randn(2, 3, 11, 10)
    torch.testing.assert_close(layer(x), twin(x))


def test_valid_padding_shrinks_by_the_kernel():
    assert DepthwiseConv1d(2, 5, padding="valid")(torch.zeros(1, 2, 9)).shape == (1, 2, 5)


def test_initial_weights_lie_within_torchs_bound():
    weight = DepthwiseConv2d(500, 3).weight
    assert weight.abs().max() <= 1 / 3
    assert weight.std().item() == pytest.approx(1 / 3 / 3**0.5, rel=0.05)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kernel_size": 4}, r"kernel_size=\(4, 4\): expected odd sizes"),
        ({"kernel_size": 3, "padding": "full"}, "padding='full'"),
        ({"kernel_size": 3, "padding_mode": "mirror"}, "padding_mode='mirror'"),
        ({"kernel_size": (3, 3, 3)}, r"kernel_size=\(3, 3, 3\)"),
        ({"kernel_size": 3, "channels": 0}, "channels=0"),
        ({"kernel_size": 3.0}, r"kernel_size=3\.0: expected an integer >= 1"),
        ({"kernel_size": None}, "kernel_size=None: expected an integer >= 1"),
        ({"kernel_size": 3, "stride": 2.0}, r"stride=2\.0: expected an integer >= 1"),
        ({"kernel_size": 3, "padding": 1.0}, r"padding=1\.0: expected an integer >= 0"),
        ({"kernel_size": 3, "padding_mode": 1}, "padding_mode=1: expected one of zeros"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        DepthwiseConv2d(**{"channels": 2, **arguments})


def test_an_input_of_another_rank_or_width_is_named():
    layer = DepthwiseConv2d(2, 3)
    with pytest.raises(ValueError, match=r"\(1, 3, 8, 8\): expected \(B, 2, S1, S2\)"):
        layer(torch.zeros(1, 3, 8, 8))
    with pytest.raises(ValueError, match=r"\(1, 2, 8\)"):
        layer(torch.zeros(1, 2, 8))
    with pytest.raises(ValueError, match="float32"):
        layer(torch.zeros(1, 2, 8, 8, dtype=torch.float64))
