import pytest
import torch
from torch.nn import functional as F

from shared_layers.conv.rate_adaptive import RateAdaptiveDilatedConv2d


@pytest.mark.parametrize("rate", [2, 4, 8])
def test_unit_scale_and_no_shift_is_the_dilated_convolution(rate):
    layer = RateAdaptiveDilatedConv2d(3, 4, rates=(2, 4, 8))
    x = torch.randn(2, 3, 17, 18)
    expected = F.conv2d(x, layer.weight, layer.bias, padding=rate, dilation=rate)
    torch.testing.assert_close(layer(x, rate), expected)


def test_scale_and_shift_act_on_the_kernel_of_their_rate_only():
    layer = RateAdaptiveDilatedConv2d(3, 4, rates=(1, 2), bias=False)
    x = torch.randn(1, 3, 8, 8)
    before = layer(x, 1)
    scale, shift = torch.randn(4), torch.randn(4)
    with torch.no_grad():
        layer.scale[1] = scale.view(4, 1, 1, 1)
        layer.shift[1] = shift.view(4, 1, 1, 1)
    # conv(x; γW + β) = γ·conv(x; W) + β·(sum of the window)
    window = F.conv2d(x, torch.ones(4, 3, 3, 3), padding=2, dilation=2)
    plain = F.conv2d(x, layer.weight, padding=2, dilation=2)
    expected = scale.view(1, 4, 1, 1) * plain + shift.view(1, 4, 1, 1) * window
    torch.testing.assert_close(layer(x, 2), expected, rtol=1e-4, atol=1e-5)
    assert torch.equal(layer(x, 1), before)


def test_one_kernel_serves_all_rates():
    layer = RateAdaptiveDilatedConv2d(8, 16, rates=(2, 4, 8, 16))
    assert sum(p.numel() for p in layer.parameters()) == 16 * 8 * 9 + 2 * 4 * 16 + 16


def test_reflection_pads_as_torch_does():
    layer = RateAdaptiveDilatedConv2d(1, 1, rates=(3,), padding_mode="reflect")
    x = torch.randn(1, 1, 7, 7)
    padded = F.pad(x, (3, 3, 3, 3), mode="reflect")
    expected = F.conv2d(padded, layer.weight, layer.bias, dilation=3)
    torch.testing.assert_close(layer(x, 3), expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rates": (2, 2)}, r"rates=\(2, 2\): expected each rate once"),
        ({"rates": ()}, r"rates=\(\): expected one or more integers >= 1"),
        ({"kernel_size": 4}, r"kernel_size=\(4, 4\): expected odd sizes"),
        ({"out_channels": 0}, "out_channels=0: expected an integer >= 1"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        RateAdaptiveDilatedConv2d(**{"in_channels": 2, "out_channels": 2} | arguments)


def test_unknown_rates_and_inputs_are_refused():
    layer = RateAdaptiveDilatedConv2d(2, 2, rates=(1, 2))
    with pytest.raises(ValueError, match=r"rate=3: expected one of \(1, 2\)"):
        layer(torch.zeros(1, 2, 8, 8), 3)
    with pytest.raises(ValueError, match=r"expected \(B, 2, S1, S2\)"):
        layer(torch.zeros(2, 8, 8), 1)
