"""MBConv against the same block from torch.nn's layers."""

import pytest
import torch
from torch import nn

from shared_layers import MBConv1d, MBConv2d, MBConv3d

BLOCKS = {1: (MBConv1d, nn.Conv1d), 2: (MBConv2d, nn.Conv2d), 3: (MBConv3d, nn.Conv3d)}


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("stride", [1, 2])
def test_block_loads_and_equals_torchs_layers(dims, stride):
    block, conv = BLOCKS[dims]
    torch.manual_seed(0)
    ours = block(4, 8, expansion=3, kernel_size=5, stride=stride, num_groups=2).double()
    twin = nn.Sequential(
        conv(4, 12, 1, bias=False), nn.GroupNorm(2, 12), nn.SiLU(),
        conv(12, 12, 5, stride, 2, groups=12, bias=False), nn.GroupNorm(2, 12), nn.SiLU(),
        conv(12, 8, 1, bias=False), nn.GroupNorm(2, 8),
    ).double()  # fmt: skip
    twin.load_state_dict(ours.state_dict())
    x = torch.randn(2, 4, *[7] * dims, dtype=torch.float64)
    torch.testing.assert_close(ours(x), twin(x), rtol=1e-10, atol=1e-10)


def test_the_skip_adds_the_input_where_shapes_allow():
    x = torch.randn(1, 8, 6, 6)
    block = MBConv2d(8, 8)
    plain = MBConv2d(8, 8, has_skip=False)
    plain.load_state_dict(block.state_dict())
    torch.testing.assert_close(block(x), x + plain(x))
    assert not MBConv2d(8, 12).has_skip
    assert not MBConv2d(8, 8, stride=(1, 2)).has_skip


def test_a_block_is_made_under_a_meta_device():
    with torch.device("meta"):
        block = MBConv2d(8, 8)
    assert block.has_skip
    assert next(block.parameters()).is_meta


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_groups": 3}, r"expansion \* in_channels=16.*num_groups=3"),
        ({"out_channels": 6}, "out_channels=6: expected a multiple of num_groups=4"),
        ({"out_channels": 8, "has_skip": True}, "has_skip=True with in_channels=4"),
        ({"stride": 2, "has_skip": True}, "stride=2: expected equal channels and stride 1"),
        ({"expansion": 0}, "expansion=0"),
        ({"out_channels": 0}, "out_channels=0: expected an integer >= 1"),
        ({"num_groups": 0}, "num_groups=0: expected an integer >= 1"),
        ({"kernel_size": 4}, r"\(4, 4\): expected odd"),
        ({"stride": (1, 1, 1)}, r"stride=\(1, 1, 1\): expected an integer >= 1, or 2"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        MBConv2d(**{"in_channels": 4, "out_channels": 4, **arguments})
