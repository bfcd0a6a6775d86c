import math

import pytest
import torch
from torch import nn

from shared_layers.recurrent.conv_lstm import TemporalConvLSTM


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def test_it_equals_convolution_then_lstm():
    layer = TemporalConvLSTM(2, 4, conv_channels=3, num_layers=2)
    x = torch.randn(2, 6, 2)
    conv = layer.convs.convs[0]
    hidden = nn.functional.conv1d(x.mT, conv.weight, conv.bias, padding=1).relu()
    torch.testing.assert_close(layer(x), layer.lstm(hidden.mT)[0])


@pytest.mark.parametrize("bidirectional", [False, True])
def test_padding_changes_nothing_at_real_steps_even_if_it_is_nan(bidirectional):
    layer = TemporalConvLSTM(2, 4, num_convs=2, num_layers=2, bidirectional=bidirectional)
    x = torch.randn(2, 5, 2)
    mask = torch.ones(2, 8).bool()
    mask[0, 5:] = mask[1, 3:] = False
    padded = torch.full((2, 8, 2), float("nan"))
    padded[0, :5], padded[1, :3] = x[0], x[1, :3]
    out = layer(padded, mask)
    torch.testing.assert_close(out[0, :5], layer(x[:1])[0])
    torch.testing.assert_close(out[1, :3], layer(x[1:, :3])[0])
    assert (out[~mask] == 0).all()


def test_a_causal_layer_does_not_see_the_future():
    layer = TemporalConvLSTM(2, 4, kernel_size=4, num_convs=2, causal=True)
    x = torch.randn(1, 9, 2)
    changed = x.clone()
    changed[:, 5:] += 1.0
    assert torch.equal(layer(changed)[:, :5], layer(x)[:, :5])
    assert (layer(changed)[:, 5:] != layer(x)[:, 5:]).any(-1).all()


def test_irregular_time_enters_as_log_of_steps_elapsed():
    layer = TemporalConvLSTM(2, 4, time_scale=60.0)
    x, elapsed = torch.randn(1, 5, 2), torch.tensor([[0.0, 60.0, 600.0, 5.0, 0.0]])
    clock = torch.tensor([math.log1p(e / 60) for e in elapsed[0].tolist()]).view(1, 5, 1)
    plain = TemporalConvLSTM(3, 4)
    plain.load_state_dict(layer.state_dict())
    torch.testing.assert_close(layer(x, elapsed=elapsed), plain(torch.cat((x, clock), -1)))


def test_gradients_agree_with_differences():
    layer = TemporalConvLSTM(2, 2, conv_channels=2).double()
    x = torch.randn(1, 4, 2, dtype=torch.double, requires_grad=True)
    mask = torch.tensor([[True, True, True, False]])
    assert torch.autograd.gradcheck(lambda x: layer(x, mask), x)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"causal": True, "bidirectional": True}, "causal=True, bidirectional=True"),
        ({"kernel_size": 2}, "kernel_size=2"),
        ({"time_scale": 0.0}, r"time_scale=0\.0"),
        ({"num_layers": 0}, "num_layers=0"),
        ({"conv_channels": 0}, "conv_channels=0"),
    ],
)
def test_bad_arguments_are_named(keywords, message):
    with pytest.raises(ValueError, match=message):
        TemporalConvLSTM(2, 4, **keywords)


@pytest.mark.parametrize(
    ("time_scale", "keywords", "message"),
    [
        (None, {"x": torch.zeros(1, 3, 5)}, r"input has shape \(1, 3, 5\): expected \(B, T, 2\)"),
        (None, {"mask": torch.ones(1, 4).bool()}, r"mask of shape \(1, 4\)"),
        (None, {"mask": torch.zeros(1, 3).bool()}, "sequence 0: no real step"),
        (None, {"elapsed": torch.ones(1, 3)}, r"elapsed of shape \(1, 3\): expected None"),
        (1.0, {}, r"elapsed of shape None: expected \(1, 3\)"),
    ],
)
def test_bad_inputs_are_named(time_scale, keywords, message):
    layer = TemporalConvLSTM(2, 4, time_scale=time_scale)
    with pytest.raises(ValueError, match=message):
        layer(**({"x": torch.zeros(1, 3, 2)} | keywords))
