import itertools

import pytest
import torch
from torch import nn

from shared_layers.attention.windowed import WindowedAttention, merge_windows, partition_windows


def dense_reference(layer, x, may_meet):
    """Full N×N attention in which only pairs for which `may_meet` holds take part."""
    sizes = x.shape[2:]
    places = list(itertools.product(*map(range, sizes)))
    tokens = x.flatten(2).transpose(1, 2)
    query, key, value = (
        part.unflatten(-1, (layer.num_heads, -1)).transpose(1, 2)
        for part in layer.qkv(tokens).chunk(3, dim=-1)
    )
    logits = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
    bias = torch.full((layer.num_heads, len(places), len(places)), float("-inf"), dtype=x.dtype)
    table = layer.position_bias.unflatten(1, [2 * w - 1 for w in layer.window_size])
    for i, p in enumerate(places):
        for j, q in enumerate(places):
            offset = may_meet(p, q)
            if offset is not None:
                index = [o + w - 1 for o, w in zip(offset, layer.window_size, strict=True)]
                bias[:, i, j] = table[(slice(None), *index)]
    out = (logits + bias).softmax(-1) @ value
    out = layer.projection(out.transpose(1, 2).flatten(2))
    return out.transpose(1, 2).unflatten(2, sizes)


def same_window(window, shift, sizes=None, periodic=()):
    """The offset query − key when both lie in one (shifted) window, else None."""

    def may_meet(p, q):
        offset = []
        for axis, (a, b, w, s) in enumerate(zip(p, q, window, shift, strict=True)):
            if axis in periodic:
                a, b = (a - s) % sizes[axis], (b - s) % sizes[axis]
            else:
                a, b = a + w - s, b + w - s  # window borders at s, s + w, …; the first is cut
            if a // w != b // w:
                return None
            offset.append(a - b)
        return offset

    return may_meet


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def make(*arguments, **keywords):
    layer = WindowedAttention(*arguments, **keywords).double()
    nn.init.normal_(layer.position_bias)
    return layer


@pytest.mark.parametrize(
    ("sizes", "window"),
    [((6,), (3,)), ((7,), (3,)), ((4, 6), (2, 3)), ((5, 7), (4, 3)), ((3, 4, 5), (2, 3, 2))],
)
@pytest.mark.parametrize("shift", [False, True])
def test_any_size_equals_dense_attention_under_the_window_mask(sizes, window, shift):
    layer = make(6, 2, window, shift=shift, spatial_dims=len(sizes))
    x = torch.randn(2, 6, *sizes, dtype=torch.double)
    shifts = [w // 2 if shift else 0 for w in window]
    torch.testing.assert_close(layer(x), dense_reference(layer, x, same_window(window, shifts)))


def test_an_axis_shorter_than_the_window_is_one_window():
    layer = make(4, 2, (5, 2), shift=True)
    x = torch.randn(1, 4, 3, 4, dtype=torch.double)
    expected = dense_reference(layer, x, same_window((5, 2), (0, 1)))
    torch.testing.assert_close(layer(x), expected)


def test_a_periodic_axis_joins_its_two_ends():
    layer = make(4, 1, (2, 4), shift=True, periodic=(False, True))
    x = torch.randn(1, 4, 6, 8, dtype=torch.double)
    expected = dense_reference(layer, x, same_window((2, 4), (1, 2), (6, 8), periodic={1}))
    torch.testing.assert_close(layer(x), expected)
    # turning the globe by one window turns the answer
    torch.testing.assert_close(layer(x.roll(4, -1)), layer(x).roll(4, -1))


def test_padding_never_takes_part():
    layer = make(4, 1, 4)
    x = torch.randn(1, 4, 5, 4, dtype=torch.double)
    # row 4 is alone in its window beside three rows of padding: equal to a map of that row only
    torch.testing.assert_close(layer(x)[:, :, 4:], layer(x[:, :, 4:]))


def test_partition_round_trip_is_exact():
    x = torch.randn(2, 4, 6, 8, 3)
    windows = partition_windows(x, (2, 3, 4))
    assert windows.shape == (2, 8, 24, 3)
    assert torch.equal(windows[0, 0], x[0, :2, :3, :4].reshape(24, 3))
    assert torch.equal(merge_windows(windows, (2, 3, 4), (4, 6, 8)), x)


@pytest.mark.parametrize(
    ("arguments", "keywords", "message"),
    [
        ((10, 4, 2), {}, "dim=10"),
        ((8, 0, 2), {}, "num_heads=0"),
        ((8, 4, (2, 2, 2)), {}, r"window_size=\(2, 2, 2\)"),
        ((8, 4, 0), {}, "window_size=0"),
        ((8, 4, 2), {"spatial_dims": 4}, "spatial_dims=4"),
        ((8, 4, 2), {"periodic": (True,)}, r"periodic=\(True,\)"),
    ],
)
def test_bad_arguments_are_named(arguments, keywords, message):
    with pytest.raises(ValueError, match=message):
        WindowedAttention(*arguments, **keywords)


def test_bad_inputs_are_named():
    layer = WindowedAttention(8, 4, 4, periodic=(False, True))
    with pytest.raises(ValueError, match=r"\(1, 8, 4\): expected \(B, 8, S1, S2\)"):
        layer(torch.zeros(1, 8, 4))
    with pytest.raises(ValueError, match="periodic axis 1 of size 6: expected a multiple of"):
        layer(torch.zeros(1, 8, 4, 6))
