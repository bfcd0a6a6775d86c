import pytest
import torch
from torch import nn
from torch.nn import functional as F

from shared_layers.conv.inception import InceptionDWConv2d, InceptionResidual


def test_untouched_channels_are_those_of_the_input():
    layer = InceptionDWConv2d(19)  # g = ⌊19/8⌋ = 2
    x = torch.randn(2, 19, 7, 8)
    y = layer(x)
    assert torch.equal(y[:, :13], x[:, :13])
    assert not torch.isclose(y[:, 13:], x[:, 13:]).all()


def test_parts_are_square_row_and_column_in_this_order():
    layer = InceptionDWConv2d(8, square_kernel_size=3, band_kernel_size=5, branch_ratio=0.25)
    x = torch.randn(1, 8, 9, 10)
    square = F.conv2d(x[:, 2:4], layer.square.weight, layer.square.bias, padding=1, groups=2)
    row = F.conv2d(x[:, 4:6], layer.row.weight, layer.row.bias, padding=(0, 2), groups=2)
    column = F.conv2d(x[:, 6:], layer.column.weight, layer.column.bias, padding=(2, 0), groups=2)
    assert layer.row.weight.shape[2:] == (1, 5)
    assert layer.column.weight.shape[2:] == (5, 1)
    torch.testing.assert_close(layer(x), torch.cat([x[:, :2], square, row, column], 1))


def test_a_row_may_wrap():
    layer = InceptionDWConv2d(8, padding_mode=("zeros", "circular"))
    x = torch.randn(1, 8, 6, 13)
    torch.testing.assert_close(layer(x.roll(4, -1)), layer(x).roll(4, -1))


def test_residual_of_scale_0_is_the_identity():
    block = InceptionResidual([nn.Conv2d(4, 2, 1)], nn.Conv2d(2, 4, 1), scale=0)
    x = torch.randn(1, 4, 5, 5)
    assert torch.equal(block(x), x)


def test_residual_adds_the_scaled_expansion():
    branches = [nn.Conv1d(4, 2, 1), nn.Conv1d(4, 3, 3, padding=1)]
    block = InceptionResidual(branches, nn.Conv1d(5, 4, 1), scale=0.3, activation=nn.ReLU())
    x = torch.randn(2, 4, 6)
    mixed = torch.cat([branch(x) for branch in branches], 1)
    expected = x + 0.3 * (block.expansion.weight[:, :, 0] @ mixed + block.expansion.bias[:, None])
    torch.testing.assert_close(block(x), expected.clamp(min=0))


def test_bad_arguments_are_refused():
    with pytest.raises(
        ValueError, match=r"branch_ratio=0\.125 of channels=7 gives 0 .*: expected 1 to 2"
    ):
        InceptionDWConv2d(7)
    with pytest.raises(ValueError, match=r"branch_ratio=0\.5 of channels=8 gives 4"):
        InceptionDWConv2d(8, branch_ratio=0.5)
    with pytest.raises(ValueError, match="kernel_size"):
        InceptionDWConv2d(8, band_kernel_size=10)
    with pytest.raises(ValueError, match=r"expected \(B, 8, S1, S2\)"):
        InceptionDWConv2d(8)(torch.zeros(1, 9, 5, 5))
    with pytest.raises(ValueError, match="branches is empty"):
        InceptionResidual([], nn.Identity())
    with pytest.raises(ValueError, match=r"scale=-0\.1: expected a number >= 0"):
        InceptionResidual([nn.Identity()], nn.Identity(), scale=-0.1)
    with pytest.raises(
        ValueError,
        match=r"returned shape \(1, 2, 5, 5\): expected that of the input, \(1, 4, 5, 5\)",
    ):
        InceptionResidual([nn.Identity()], nn.Conv2d(4, 2, 1))(torch.zeros(1, 4, 5, 5))
