import pytest
import torch
from torch import nn
from torch.nn import functional as F

from shared_layers.conv.padded import PaddedConv1d, PaddedConv2d, PaddedConv3d

LAYERS = {1: PaddedConv1d, 2: PaddedConv2d, 3: PaddedConv3d}
TORCH = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}


@pytest.mark.parametrize("mode", ["zeros", "circular", "replicate", "reflect"])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_one_mode_equals_the_layer_of_torch(mode, dims):
    shape = (7, 8, 9)[:dims]
    ours = LAYERS[dims](4, 6, 3, stride=2, dilation=2, padding_mode=mode, groups=2)
    theirs = TORCH[dims](4, 6, 3, 2, 2, 2, 2, padding_mode=mode)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 4, *shape)
    torch.testing.assert_close(ours(x), theirs(x), rtol=0, atol=1e-6)


def test_a_globe_wraps_in_longitude_only():
    conv = PaddedConv2d(2, 3, (3, 5), padding_mode=("replicate", "circular"))
    x = torch.randn(1, 2, 6, 12)
    by_hand = F.pad(F.pad(x, (2, 2, 0, 0), mode="circular"), (0, 0, 1, 1), mode="replicate")
    torch.testing.assert_close(conv(x), F.conv2d(by_hand, conv.weight, conv.bias))
    torch.testing.assert_close(conv(x.roll(5, -1)), conv(x).roll(5, -1))
    assert not torch.allclose(conv(x.roll(2, -2)), conv(x).roll(2, -2), atol=1e-2)


def test_explicit_padding_may_differ_between_axes():
    conv = PaddedConv2d(1, 1, (4, 3), padding=(0, 2))
    x = torch.randn(1, 1, 6, 6)
    torch.testing.assert_close(conv(x), F.conv2d(x, conv.weight, conv.bias, padding=(0, 2)))


def test_parameters_start_within_the_bound_of_torch():
    conv = PaddedConv2d(8, 64, 3)
    bound = 1 / (8 * 9) ** 0.5
    for parameter in conv.parameters():
        assert 0.9 * bound < parameter.abs().max().item() <= bound


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kernel_size": 4}, r"kernel_size=\(4, 4\): expected odd sizes"),
        ({"padding": "full"}, "padding='full': expected 'same', 'valid' or integers"),
        ({"padding": -1}, "padding=-1: expected an integer >= 0"),
        ({"groups": 3}, "in_channels=4: expected a multiple of groups=3"),
        ({"out_channels": 3, "groups": 2}, "out_channels=3: expected a multiple of groups=2"),
        ({"in_channels": 0}, "in_channels=0: expected an integer >= 1"),
        ({"padding_mode": "mirror"}, "padding_mode='mirror': expected one of"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        PaddedConv2d(**{"in_channels": 4, "out_channels": 6, "kernel_size": 3} | arguments)


def test_valid_padding_is_none():
    conv = PaddedConv2d(4, 6, (3, 4), padding="valid")
    x = torch.randn(1, 4, 7, 9)
    torch.testing.assert_close(conv(x), torch.nn.functional.conv2d(x, conv.weight, conv.bias))


def test_bad_inputs_are_refused():
    conv = PaddedConv2d(4, 6, 3)
    with pytest.raises(ValueError, match=r"shape \(1, 3, 5, 5\): expected \(B, 4, S1, S2\)"):
        conv(torch.zeros(1, 3, 5, 5))
    with pytest.raises(ValueError, match=r"shape \(1, 4, 5\): expected \(B, 4, S1, S2\)"):
        conv(torch.zeros(1, 4, 5))
    with pytest.raises(ValueError, match=r"input is torch\.float64: expected torch\.float32"):
        conv(torch.zeros(1, 4, 5, 5, dtype=torch.float64))


def test_autocast_may_mix_types():
    conv = PaddedConv2d(4, 6, 3, padding_mode="circular")
    with torch.autocast("cpu", torch.bfloat16):
        assert conv(torch.zeros(1, 4, 5, 5, dtype=torch.bfloat16)).dtype == torch.bfloat16
