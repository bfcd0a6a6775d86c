import pytest
import torch
from torch import nn

from shared_layers.recurrent.conv_bilstm import ConvBiLSTM


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def test_it_equals_the_lstm_of_signal_and_features_in_each_direction():
    layer = ConvBiLSTM(2, 4, conv_channels=3, kernel_size=5)
    x = torch.randn(1, 6, 2)
    hidden = x.mT
    for conv in layer.convs.convs:
        hidden = nn.functional.mish(nn.functional.conv1d(hidden, conv.weight, conv.bias, padding=2))
    both = torch.cat((x, hidden.mT), -1)
    forward, backward = nn.LSTM(5, 4, batch_first=True), nn.LSTM(5, 4, batch_first=True)
    weights = layer.lstm.state_dict()
    forward.load_state_dict({k: v for k, v in weights.items() if not k.endswith("_reverse")})
    backward.load_state_dict(
        {k.removesuffix("_reverse"): v for k, v in weights.items() if k.endswith("_reverse")}
    )
    expected = torch.cat((forward(both)[0], backward(both.flip(1))[0].flip(1)), -1)
    torch.testing.assert_close(layer(x), expected)


def test_padding_changes_nothing_at_real_steps():
    layer = ConvBiLSTM(2, 4, conv_channels=3, kernel_size=5)
    x, mask = torch.randn(1, 8, 2), torch.tensor([[True] * 6 + [False] * 2])
    out = layer(x, mask)
    torch.testing.assert_close(out[:, :6], layer(x[:, :6]))
    assert (out[:, 6:] == 0).all()


def test_padding_may_hold_nan():
    layer = ConvBiLSTM(2, 4, conv_channels=3, kernel_size=5)
    x, mask = torch.randn(1, 8, 2), torch.tensor([[True] * 6 + [False] * 2])
    x[:, 6:] = float("nan")
    layer(x, mask).sum().backward()
    assert all(p.grad.isfinite().all() for p in layer.parameters())


@pytest.mark.parametrize("mask", [None, torch.tensor([[True] * 6 + [False] * 2])])
def test_autocast_agrees_with_single_precision(mask):
    layer, x = ConvBiLSTM(2, 4, conv_channels=3, kernel_size=5), torch.randn(1, 8, 2)
    with torch.autocast("cpu", torch.bfloat16):
        out = layer(x, mask)
    torch.testing.assert_close(out.float(), layer(x, mask), rtol=0.02, atol=0.01)
    out.sum().backward()
    assert all(p.grad.isfinite().all() for p in layer.parameters())


def test_one_direction_halves_the_output():
    assert ConvBiLSTM(2, 4, bidirectional=False)(torch.zeros(1, 5, 2)).shape == (1, 5, 4)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"kernel_size": 4}, "kernel_size=4"),
        ({"num_convs": 0}, "num_convs=0"),
        ({"num_layers": 0}, "num_layers=0"),
    ],
)
def test_bad_arguments_are_named(keywords, message):
    with pytest.raises(ValueError, match=message):
        ConvBiLSTM(2, 4, **keywords)


def test_bad_inputs_are_named():
    layer = ConvBiLSTM(2, 4)
    with pytest.raises(ValueError, match=r"\(1, 5, 3\): expected \(B, T, 2\)"):
        layer(torch.zeros(1, 5, 3))
    with pytest.raises(ValueError, match=r"mask of shape \(1, 4\)"):
        layer(torch.zeros(1, 5, 2), torch.ones(1, 4).bool())
