import pytest
import torch
from torch import nn
from torch.nn import functional as F

from shared_layers.attention.convolutional import ConvProjectionAttention, ConvTokenEmbed

CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def torch_attention(layer):
    """torch's own multi-head attention with the weights of the layer."""
    reference = nn.MultiheadAttention(layer.dim, layer.num_heads, batch_first=True).double()
    parts = (layer.query, layer.key, layer.value)
    with torch.no_grad():
        reference.in_proj_weight.copy_(torch.cat([p.weight for p in parts]))
        reference.in_proj_bias.copy_(torch.cat([p.bias for p in parts]))
        reference.out_proj.weight.copy_(layer.projection.weight)
        reference.out_proj.bias.copy_(layer.projection.bias)
    return reference


@pytest.mark.parametrize("sizes", [(7,), (4, 5), (2, 3, 4)])
def test_kernel_one_and_stride_one_equal_multi_head_self_attention(sizes):
    layer = ConvProjectionAttention(
        8, 2, kernel_size=1, stride_kv=1, spatial_dims=len(sizes)
    ).double()
    x = torch.randn(2, 8, *sizes, dtype=torch.double)
    tokens = x.flatten(2).mT
    expected = torch_attention(layer)(tokens, tokens, tokens)[0].mT.unflatten(2, sizes)
    torch.testing.assert_close(layer(x), expected)


@pytest.mark.parametrize("sizes", [(7,), (4, 5), (2, 3, 4)])
def test_it_equals_convolution_norm_and_attention_over_fewer_keys(sizes):
    rank = len(sizes)
    layer = ConvProjectionAttention(8, 2, spatial_dims=rank).double().eval()
    x = torch.randn(2, 8, *sizes, dtype=torch.double)
    tokens = []
    for branch, stride in ((layer.query_conv, 1), (layer.key_conv, 2), (layer.value_conv, 2)):
        depthwise, norm = branch
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 2.0)
        y = CONV[rank](x, depthwise.weight, stride=stride, padding=1, groups=8)
        mean, deviation = norm.running_mean, (norm.running_var + 1e-5).sqrt()
        tokens.append((y.flatten(2).mT - mean) / deviation)
    assert tokens[1].shape[1] == torch.Size([-(-n // 2) for n in sizes]).numel()
    expected = torch_attention(layer)(*tokens)[0].mT.unflatten(2, sizes)
    torch.testing.assert_close(layer(x), expected)


def test_a_stride_of_two_quarters_the_keys_of_a_map():
    layer = ConvProjectionAttention(8, 2)
    x = torch.zeros(1, 8, 6, 8)
    assert layer.key_conv(x).shape == layer.value_conv(x).shape == (1, 8, 3, 4)
    assert layer.query_conv(x).shape == x.shape


def test_the_scale_multiplies_the_logits():
    layer = ConvProjectionAttention(8, 2, kernel_size=1, stride_kv=1).double()
    official = ConvProjectionAttention(8, 2, kernel_size=1, stride_kv=1, scale=8**-0.5).double()
    official.load_state_dict(layer.state_dict())
    x = torch.randn(1, 8, 3, 3, dtype=torch.double)
    with torch.no_grad():
        layer.query.weight.mul_((4 / 8) ** 0.5)
        layer.query.bias.mul_((4 / 8) ** 0.5)
    torch.testing.assert_close(official(x), layer(x))


def test_another_norm_makes_samples_independent():
    layer = ConvProjectionAttention(8, 2, norm=lambda channels: nn.GroupNorm(2, channels))
    x = torch.randn(3, 8, 4, 4)
    torch.testing.assert_close(layer(x)[:1], layer(x[:1]))


def test_embedding_equals_convolution_and_layer_norm():
    layer = ConvTokenEmbed(3, 6, (5, 3), (4, 1)).double()
    x = torch.randn(2, 3, 9, 7, dtype=torch.double)
    y = F.conv2d(x, layer.conv.weight, layer.conv.bias, (4, 1), (2, 1)).permute(0, 2, 3, 1)
    torch.testing.assert_close(layer(x), F.layer_norm(y, (6,)).permute(0, 3, 1, 2))
    assert layer(x).shape == (2, 6, 3, 7)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"num_heads": 3}, "dim=8: expected a multiple of num_heads=3"),
        ({"kernel_size": 2}, r"kernel_size=\(2, 2\)"),
        ({"stride_kv": 0}, "stride_kv=0"),
        ({"stride_kv": (1, 2, 2)}, r"stride_kv=\(1, 2, 2\)"),
        ({"spatial_dims": 4}, "spatial_dims=4"),
    ],
)
def test_bad_arguments_of_attention_are_named(keywords, message):
    with pytest.raises(ValueError, match=message):
        ConvProjectionAttention(8, **({"num_heads": 2} | keywords))


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"kernel_size": 4}, r"kernel_size=\(4, 4\)"),
        ({"stride": 0}, "stride=0"),
        ({"spatial_dims": 0}, "spatial_dims=0"),
        ({"dim": 0}, "dim=0"),
    ],
)
def test_bad_arguments_of_embedding_are_named(keywords, message):
    with pytest.raises(ValueError, match=message):
        ConvTokenEmbed(3, **({"dim": 8} | keywords))


def test_bad_inputs_are_named():
    with pytest.raises(ValueError, match=r"\(1, 4, 5, 5\): expected \(B, 8, S1, S2\)"):
        ConvProjectionAttention(8, 2)(torch.zeros(1, 4, 5, 5))
    with pytest.raises(ValueError, match=r"\(1, 3, 5\): expected \(B, 3, S1, S2\)"):
        ConvTokenEmbed(3, 8)(torch.zeros(1, 3, 5))
