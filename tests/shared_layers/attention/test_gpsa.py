import itertools

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from shared_layers.attention.gpsa import GPSA


def peak_offsets(alpha, grid, centre):
    """Offset and mass of each head's peak, for the query in the middle of the grid."""
    layer = GPSA(9, 9, locality_strength=alpha, gate=60.0)  # σ(60) = 1: fully positional
    rows = layer.attention(torch.randn(1, 9, *grid))[0, :, centre[0] * grid[1] + centre[1]]
    mass, where = rows.max(dim=-1)
    offsets = [(int(w) // grid[1] - centre[0], int(w) % grid[1] - centre[1]) for w in where]
    return offsets, mass


@pytest.mark.parametrize(("alpha", "expected"), [(10.0, 1.00), (4.0, 0.93), (1.0, 0.32)])
def test_nine_heads_start_at_the_nine_offsets_of_a_3x3_kernel(alpha, expected):
    offsets, mass = peak_offsets(alpha, (9, 11), (4, 5))
    assert sorted(offsets) == sorted(itertools.product((-1, 0, 1), repeat=2))
    assert mass.mean().item() == pytest.approx(expected, abs=5e-3)


def test_positional_heads_shift_the_map_like_a_convolution():
    layer = GPSA(9, 9, locality_strength=60.0, gate=60.0).double()
    nn.init.eye_(layer.projection.weight)
    nn.init.zeros_(layer.projection.bias)
    x = torch.randn(2, 9, 6, 7, dtype=torch.double)
    out = layer(x)
    for head, (dy, dx) in enumerate(itertools.product((-1, 0, 1), repeat=2)):
        shifted = torch.roll(x[:, head], (-dy, -dx), (1, 2))
        torch.testing.assert_close(out[:, head, 1:-1, 1:-1], shifted[:, 1:-1, 1:-1])


def test_gate_closed_equals_multi_head_self_attention():
    torch.manual_seed(0)
    layer = GPSA(16, 4, gate=-60.0, qkv_bias=True).double()
    nn.init.normal_(layer.value.weight)
    reference = nn.MultiheadAttention(16, 4, batch_first=True, dtype=torch.double)
    with torch.no_grad():
        reference.in_proj_weight.copy_(torch.cat((layer.query_key.weight, layer.value.weight)))
        reference.in_proj_bias.copy_(torch.cat((layer.query_key.bias, layer.value.bias)))
        reference.out_proj.weight.copy_(layer.projection.weight)
        reference.out_proj.bias.copy_(layer.projection.bias)
    x = torch.randn(2, 16, 3, 5, dtype=torch.double)
    tokens = x.flatten(2).transpose(1, 2)
    expected = reference(tokens, tokens, tokens)[0].transpose(1, 2).unflatten(2, (3, 5))
    torch.testing.assert_close(layer(x), expected)


@pytest.mark.parametrize(("grid", "heads"), [((7,), 3), ((4, 5), 4), ((2, 3, 4), 8)])
def test_axis_by_axis_form_equals_the_dense_form_of_the_paper(grid, heads):
    torch.manual_seed(1)
    dim = 2 * heads
    layer = GPSA(dim, heads, spatial_dims=len(grid), gate=0.3).double()
    for parameter in (layer.value.weight, layer.position, layer.gate):
        nn.init.normal_(parameter, std=0.5)
    x = torch.randn(2, dim, *grid, dtype=torch.double)
    # dense: relative coordinates of all pairs, one linear map, softmax over all keys
    places = torch.tensor(list(itertools.product(*map(range, grid))), dtype=torch.double)
    delta = places[None] - places[:, None]
    features = torch.cat((delta, delta.square().sum(-1, keepdim=True)), dim=-1)
    position = torch.einsum("qkf,hf->hqk", features, layer.position).softmax(-1)
    tokens = x.flatten(2).transpose(1, 2)
    query, key = layer.query_key(tokens).chunk(2, dim=-1)
    split = lambda t: t.unflatten(-1, (heads, 2)).transpose(1, 2)  # noqa: E731
    content = (split(query) @ split(key).transpose(-2, -1) / 2**0.5).softmax(-1)
    gate = layer.gate.sigmoid().view(-1, 1, 1)
    attention = (1 - gate) * content + gate * position
    mixed = (attention @ split(layer.value(tokens))).transpose(1, 2).flatten(2)
    expected = layer.projection(mixed).transpose(1, 2).unflatten(2, grid)
    torch.testing.assert_close(layer.attention(x), attention)
    torch.testing.assert_close(layer(x), expected)


def test_attention_rows_sum_to_one():
    rows = GPSA(8, 4, gate=0.0).double().attention(torch.randn(2, 8, 3, 4, dtype=torch.double))
    torch.testing.assert_close(rows.sum(-1), torch.ones(2, 4, 12, dtype=torch.double))


def test_two_grids_with_the_same_number_of_positions_do_not_share_positions():
    layer = GPSA(4, 4)
    x = torch.randn(1, 4, 12)
    wide, tall = layer(x.unflatten(2, (2, 6))), layer(x.unflatten(2, (6, 2)))
    assert (wide.flatten(2) - tall.flatten(2)).abs().max() > 1e-3
    torch.testing.assert_close(layer(x.unflatten(2, (2, 6))), wide)


def test_values_pass_unchanged_at_the_start():
    torch.testing.assert_close(GPSA(8, 4).value.weight, torch.eye(8))


def test_gradients_are_finite_in_every_parameter():
    layer = GPSA(8, 4)
    F.mse_loss(layer(torch.randn(2, 8, 3, 4)), torch.randn(2, 8, 3, 4)).backward()
    for name, parameter in layer.named_parameters():
        assert parameter.grad.abs().sum() > 0, name
        assert parameter.grad.isfinite().all(), name


@pytest.mark.parametrize(
    ("arguments", "keywords", "message"),
    [
        ((16, 8), {}, "num_heads=8"),
        ((18, 9), {"spatial_dims": 3}, "num_heads=9"),
        ((16, 0), {}, "num_heads=0"),
        ((16, 9), {}, "dim=16"),
        ((16, 4), {"spatial_dims": 4}, "spatial_dims=4"),
        ((16, 4), {"locality_strength": 0.0}, "locality_strength=0.0"),
    ],
)
def test_bad_arguments_are_named(arguments, keywords, message):
    with pytest.raises(ValueError, match=message):
        GPSA(*arguments, **keywords)


def test_input_of_another_dtype_is_refused():
    with pytest.raises(ValueError, match=r"input is torch\.float64: expected torch\.float32"):
        GPSA(16, 4)(torch.zeros(1, 16, 4, 4, dtype=torch.double))


@pytest.mark.parametrize("shape", [(1, 16, 4), (1, 8, 4, 4), (1, 16, 4, 4, 4)])
def test_input_of_another_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"expected \(B, 16, S1, S2\)"):
        GPSA(16, 4)(torch.zeros(shape))
