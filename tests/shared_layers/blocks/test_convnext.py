import pytest
import torch
from torch import nn
from torch.nn import functional as F

from shared_layers.blocks.convnext import ConvNeXtBlock, InceptionNeXtBlock


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def randomized(block):
    for parameter in block.parameters():
        nn.init.normal_(parameter, std=0.5)
    return block.double()


def channels_last_reference(block, x, conv):
    """The NHWC form of the paper: linear layers on the last axis."""
    rank = x.dim() - 2
    y = conv(x, block.depthwise.weight, block.depthwise.bias, padding=3, groups=x.shape[1])
    y = F.layer_norm(y.movedim(1, -1), (x.shape[1],), block.norm.weight, block.norm.bias, 1e-6)
    y = F.gelu(F.linear(y, block.expand.weight.flatten(1), block.expand.bias))
    if not isinstance(block.response_norm, nn.Identity):
        norms = y.square().sum(tuple(range(1, rank + 1)), keepdim=True).sqrt()
        share = norms / (norms.mean(-1, keepdim=True) + 1e-6)
        y = y + block.response_norm.weight * y * share + block.response_norm.bias
    y = F.linear(y, block.reduce.weight.flatten(1), block.reduce.bias)
    return x + (block.scale * y if block.scale is not None else y).movedim(-1, 1)


@pytest.mark.parametrize(("rank", "conv"), [(1, F.conv1d), (2, F.conv2d), (3, F.conv3d)])
@pytest.mark.parametrize("response_norm", [False, True])
def test_channels_first_form_equals_the_channels_last_form(rank, conv, response_norm):
    block = randomized(ConvNeXtBlock(6, spatial_dims=rank, response_norm=response_norm))
    x = torch.randn(2, 6, *(5, 4, 3)[:rank], dtype=torch.double)
    torch.testing.assert_close(block(x), channels_last_reference(block, x, conv))


def test_layer_scale_starts_at_one_millionth_and_may_be_left_out():
    assert (ConvNeXtBlock(4).scale == 1e-6).all()
    block = randomized(ConvNeXtBlock(4, layer_scale=None))
    x = torch.randn(1, 4, 5, 5, dtype=torch.double)
    torch.testing.assert_close(block(x), channels_last_reference(block, x, F.conv2d))


def test_on_a_globe_turning_the_input_in_longitude_turns_the_output():
    block = randomized(ConvNeXtBlock(4, padding_mode=("replicate", "circular")))
    x = torch.randn(1, 4, 6, 9, dtype=torch.double)
    torch.testing.assert_close(block(x.roll(4, -1)), block(x).roll(4, -1))
    flat = randomized(ConvNeXtBlock(4))
    assert (flat(x.roll(4, -1)) - flat(x).roll(4, -1)).abs().max() > 1e-3


def test_drop_path_leaves_whole_samples_out_in_training_only():
    block = randomized(ConvNeXtBlock(4, drop_path=0.5))
    x = torch.randn(32, 4, 3, 3, dtype=torch.double)
    unchanged = (block(x) == x).flatten(1).all(1)
    assert 4 < unchanged.sum() < 28
    assert not (block.eval()(x) == x).flatten(1).all(1).any()


def test_inception_block_equals_its_parts():
    block = randomized(InceptionNeXtBlock(16)).eval()
    block.norm.running_mean.normal_()
    block.norm.running_var.uniform_(0.5, 2.0)
    x = torch.randn(2, 16, 6, 5, dtype=torch.double)
    inception, parts = block.inception, x.split((10, 2, 2, 2), 1)
    y = torch.cat(
        (
            parts[0],
            F.conv2d(parts[1], inception.square.weight, inception.square.bias, padding=1, groups=2),
            F.conv2d(parts[2], inception.row.weight, inception.row.bias, padding=(0, 5), groups=2),
            F.conv2d(
                parts[3], inception.column.weight, inception.column.bias, padding=(5, 0), groups=2
            ),
        ),
        1,
    )
    y = (y - block.norm.running_mean.view(-1, 1, 1)) / (
        block.norm.running_var.view(-1, 1, 1) + 1e-5
    ).sqrt()
    y = y * block.norm.weight.view(-1, 1, 1) + block.norm.bias.view(-1, 1, 1)
    y = torch.einsum("oc,bchw->bohw", block.expand.weight[..., 0, 0], y)
    y = F.gelu(y + block.expand.bias.view(-1, 1, 1))
    y = torch.einsum("oc,bchw->bohw", block.reduce.weight[..., 0, 0], y)
    y = (y + block.reduce.bias.view(-1, 1, 1)) * block.scale.view(-1, 1, 1)
    torch.testing.assert_close(block(x), x + y)


def test_inception_block_takes_a_norm_for_small_batches():
    block = InceptionNeXtBlock(16, norm=lambda channels: nn.GroupNorm(4, channels))
    x = torch.randn(3, 16, 4, 4)
    torch.testing.assert_close(block(x)[:1], block(x[:1]))


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"kernel_size": 4}, "kernel_size=.*4"),
        ({"spatial_dims": 4}, "spatial_dims=4"),
        ({"expansion": 0}, "expansion=0"),
        ({"drop_path": 1.5}, r"probability=1\.5"),
        ({"padding_mode": "wrap"}, "padding_mode='wrap'"),
    ],
)
def test_bad_arguments_are_named(keywords, message):
    with pytest.raises(ValueError, match=message):
        ConvNeXtBlock(8, **keywords)


def test_bad_inputs_are_named():
    with pytest.raises(ValueError, match=r"\(1, 8, 5\): expected \(B, 8, S1, S2\)"):
        ConvNeXtBlock(8)(torch.zeros(1, 8, 5))
    with pytest.raises(ValueError, match=r"\(1, 8, 5, 5\): expected \(B, 16, S1, S2\)"):
        InceptionNeXtBlock(16)(torch.zeros(1, 8, 5, 5))
    with pytest.raises(ValueError, match="channels=4"):
        InceptionNeXtBlock(4)
    with pytest.raises(ValueError, match="expansion=0"):
        InceptionNeXtBlock(16, expansion=0)
