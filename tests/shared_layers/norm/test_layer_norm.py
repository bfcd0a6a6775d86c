import pytest
import torch
from torch import nn

from shared_layers.norm.layer_norm import ChannelLayerNorm, GlobalResponseNorm, MultiHeadLayerNorm


@pytest.mark.parametrize("shape", [(3, 6), (2, 6, 5), (2, 6, 4, 5), (2, 6, 3, 4, 5)])
@pytest.mark.parametrize("bias", [True, False])
def test_channels_first_equals_channels_last(shape, bias):
    ours, theirs = ChannelLayerNorm(6, bias=bias), nn.LayerNorm(6, eps=1e-6, bias=bias)
    for parameter in ours.parameters():
        nn.init.normal_(parameter)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(shape) * 3 + 2
    expected = theirs(x.movedim(1, -1)).movedim(-1, 1)
    torch.testing.assert_close(ours(x), expected)


def test_channel_norm_leaves_mean_0_and_variance_1_at_each_place():
    y = ChannelLayerNorm(64)(torch.randn(2, 64, 5, 3) * 4 - 1)
    torch.testing.assert_close(y.mean(1), torch.zeros(2, 5, 3), rtol=0, atol=1e-6)
    torch.testing.assert_close(y.var(1, correction=0), torch.ones(2, 5, 3))


def test_channel_norm_keeps_the_memory_format():
    x = torch.randn(2, 6, 4, 5).contiguous(memory_format=torch.channels_last)
    assert ChannelLayerNorm(6)(x).is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("space", [(5,), (4, 5), (3, 4, 2)])
def test_response_norm_follows_the_formula(space):
    norm = GlobalResponseNorm(3)
    gain, offset = torch.randn(3), torch.randn(3)
    with torch.no_grad():
        norm.weight.copy_(gain)
        norm.bias.copy_(offset)
    x = torch.randn(2, 3, *space)
    y = norm(x)
    for sample in range(2):
        lengths = [x[sample, c].flatten().norm() for c in range(3)]
        mean = sum(lengths) / 3
        for c in range(3):
            expected = gain[c] * x[sample, c] * lengths[c] / mean + offset[c] + x[sample, c]
            torch.testing.assert_close(y[sample, c], expected, rtol=1e-5, atol=1e-5)


def test_response_norm_starts_as_the_identity():
    x = torch.randn(2, 4, 5, 5)
    assert torch.equal(GlobalResponseNorm(4)(x), x)


def test_response_norm_of_equal_channels_doubles_them():
    norm = GlobalResponseNorm(4)
    nn.init.ones_(norm.weight)
    x = torch.randn(1, 1, 6).expand(1, 4, 6)
    torch.testing.assert_close(norm(x), 2 * x)


def test_response_norm_of_an_empty_map_has_finite_gradients():
    norm = GlobalResponseNorm(2)
    nn.init.ones_(norm.weight)
    x = torch.zeros(1, 2, 4, requires_grad=True)
    norm(x).sum().backward()
    assert torch.equal(x.grad, torch.ones(1, 2, 4))


@pytest.mark.parametrize("bias", [True, False])
def test_multi_head_norm_is_a_group_norm_of_tokens(bias):
    ours = MultiHeadLayerNorm(3, 12, bias=bias)
    for parameter in ours.parameters():
        nn.init.normal_(parameter)
    x = torch.randn(2, 5, 12) * 2 + 1
    offset = ours.bias if bias else None
    groups = nn.functional.group_norm(x.reshape(10, 12), 3, ours.weight, offset)
    torch.testing.assert_close(ours(x), groups.reshape(2, 5, 12))


def test_multi_head_norm_does_not_mix_heads():
    norm = MultiHeadLayerNorm(2, 8)
    x = torch.randn(1, 3, 8)
    other = x.clone()
    other[..., 4:] = torch.randn(1, 3, 4) * 9
    assert torch.equal(norm(x)[..., :4], norm(other)[..., :4])
    one_head = MultiHeadLayerNorm(1, 8)
    torch.testing.assert_close(one_head(x), nn.LayerNorm(8)(x))


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="num_channels=0: expected an integer >= 1"):
        ChannelLayerNorm(0)
    with pytest.raises(ValueError, match="num_channels=-2: expected an integer >= 1"):
        GlobalResponseNorm(-2)
    with pytest.raises(ValueError, match="num_heads=0: expected an integer >= 1"):
        MultiHeadLayerNorm(0, 8)
    with pytest.raises(ValueError, match="num_features=8: expected a multiple of num_heads=3"):
        MultiHeadLayerNorm(3, 8)


def test_bad_inputs_are_refused():
    with pytest.raises(ValueError, match=r"shape \(2, 5, 4\): expected \(B, 4, …\)"):
        ChannelLayerNorm(4)(torch.zeros(2, 5, 4))
    with pytest.raises(ValueError, match=r"shape \(2, 4\): expected \(B, 4, S…\)"):
        GlobalResponseNorm(4)(torch.zeros(2, 4))
    with pytest.raises(ValueError, match=r"shape \(2, 5\): expected \(…, 4\)"):
        MultiHeadLayerNorm(2, 4)(torch.zeros(2, 5))
    for norm in (ChannelLayerNorm(4), GlobalResponseNorm(4), MultiHeadLayerNorm(2, 4)):
        with pytest.raises(ValueError, match=r"torch\.float64: expected torch\.float32"):
            norm(torch.zeros(1, 4, 4, dtype=torch.float64))
