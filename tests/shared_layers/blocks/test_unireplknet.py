import pytest
import torch
from torch import nn
from torch.nn import functional as F

from shared_layers.blocks.unireplknet import SqueezeExcitation2d, UniRepLKNetBlock


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def trained(dim, kernel_size, dtype):
    """A block whose statistics and weights are those of no fresh one."""
    block = UniRepLKNetBlock(dim, kernel_size, dtype=dtype)
    for module in block.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
    for parameter in block.parameters():
        nn.init.normal_(parameter, std=0.5)
    return block.eval()


@pytest.mark.parametrize("kernel_size", [7, 13])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 2e-5), (torch.float64, 1e-12)])
def test_merged_block_gives_the_same_result(kernel_size, dtype, tolerance):
    block = trained(8, kernel_size, dtype)
    x = torch.randn(2, 8, 15, 14, dtype=dtype)
    before = block(x)
    merged = block.merge_()(x)
    assert (merged - before).abs().max() < tolerance * before.abs().max()
    assert not any(isinstance(m, nn.BatchNorm2d) for m in block.modules())
    assert torch.equal(block.merge_()(x), merged)  # a second merge changes nothing


def test_merged_block_equals_plain_convolutions():
    block = trained(4, 5, torch.float64).merge_()
    x = torch.randn(1, 4, 6, 7, dtype=torch.double)
    conv = block.depthwise.conv
    y = F.conv2d(x, conv.weight, conv.bias, padding=2, groups=4)
    excitation = block.excitation
    weight = F.relu(y.mean((2, 3)) @ excitation.down.weight[..., 0, 0].T + excitation.down.bias)
    weight = (weight @ excitation.up.weight[..., 0, 0].T + excitation.up.bias).sigmoid()
    y = F.gelu(F.conv2d(y * weight[:, :, None, None], block.expand.weight, block.expand.bias))
    norms = y.square().sum((2, 3), keepdim=True).sqrt()
    share = norms / (norms.mean(1, keepdim=True) + 1e-6)
    gain, offset = (p.view(-1, 1, 1) for p in block.response_norm.parameters())
    y = F.conv2d(y + gain * y * share + offset, block.reduce.weight, block.reduce.bias)
    torch.testing.assert_close(block(x), x + block.scale * y)


def test_every_parameter_gets_a_gradient():
    block = trained(4, 5, torch.float32).train()
    block(torch.randn(2, 4, 6, 6)).square().sum().backward()
    for name, parameter in block.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


def test_squeeze_excitation_scales_each_channel_of_each_sample_by_one_factor():
    layer = SqueezeExcitation2d(4, 2)
    x = torch.randn(2, 4, 3, 3)
    ratio = layer(x) / x
    torch.testing.assert_close(ratio, ratio[:, :, :1, :1].expand_as(ratio))
    assert ((ratio > 0) & (ratio < 1)).all()


@pytest.mark.parametrize(
    ("arguments", "keywords", "message"),
    [
        ((8, 6), {}, "kernel_size=6"),
        ((8, 19), {}, "kernel_size=19"),
        ((3, 7), {}, "dim=3"),
        ((8, 7), {"expansion": 0}, "expansion=0"),
    ],
)
def test_bad_arguments_are_named(arguments, keywords, message):
    with pytest.raises(ValueError, match=message):
        UniRepLKNetBlock(*arguments, **keywords)


def test_bad_inputs_are_named():
    with pytest.raises(ValueError, match=r"\(1, 6, 9, 9\): expected \(B, 8, S1, S2\)"):
        UniRepLKNetBlock(8, 7)(torch.zeros(1, 6, 9, 9))
    with pytest.raises(ValueError, match="hidden=0"):
        SqueezeExcitation2d(4, 0)
