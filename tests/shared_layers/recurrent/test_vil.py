import itertools

import pytest
import torch
from torch.nn import functional as F

from shared_layers.recurrent.vil import ViLBlock, ViLLayer


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def randomized(layer):
    """Weights far from the special first values, so that every term of the formula counts."""
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return layer.double()


def blockwise(layer, row, c):
    """q, k, v and the two gates of one token, with the block-diagonal maps written out."""
    q, k, v = (
        torch.block_diag(*weight) @ source
        for weight, source in zip(layer.qkv_weight, (c, c, row), strict=True)
    )
    gates = torch.cat((q, k, v))
    i, f = (g.weight @ gates + g.bias for g in (layer.input_gate, layer.forget_gate))
    q, k, v = (part.view(layer.num_heads, -1) for part in (q, k, v))
    return q / q.shape[1] ** 0.5, k, v, i, F.logsigmoid(f)


def token_by_token(layer, sample):
    """The formulas of the papers for one sample (S, C), one token after the other."""
    taps = layer.conv.weight.flatten(1)  # (E, taps), the last one is now
    x, z = (sample @ layer.up.weight.T + layer.up.bias).chunk(2, dim=1)
    heads, width = layer.num_heads, x.shape[1] // layer.num_heads
    memory, normaliser = (
        torch.zeros(heads, width, width).double(),
        torch.zeros(heads, width).double(),
    )
    stabiliser = torch.full((heads,), -torch.inf).double()
    rows = []
    for t, row in enumerate(x):
        past = [taps[:, -1 - lag] * x[t - lag] for lag in range(min(t + 1, taps.shape[1]))]
        c = F.silu(layer.conv.bias + sum(past))
        q, k, v, i, log_f = blockwise(layer, row, c)
        new = torch.maximum(log_f + stabiliser, i)
        keep, write = (log_f + stabiliser - new).exp()[:, None], (i - new).exp()[:, None]
        memory = keep[..., None] * memory + (write * k)[:, :, None] * v[:, None, :]
        normaliser, stabiliser = keep * normaliser + write * k, new
        lower = torch.maximum((q * normaliser).sum(1).abs(), (-new).exp())[:, None]
        h = torch.einsum("hk,hkv->hv", q, memory) / (lower + 1e-6)
        h = F.layer_norm(h, (width,)).flatten() * layer.norm.weight
        rows.append((h + layer.skip * c) * F.silu(z[t]))
    return torch.stack(rows) @ layer.down.weight.T + layer.down.bias


@pytest.mark.parametrize("chunk_size", [4, 64])
def test_layer_equals_the_formulas_token_by_token(chunk_size):
    layer = randomized(ViLLayer(4, num_heads=2, chunk_size=chunk_size))
    tokens = torch.randn(2, 11, 4, dtype=torch.double)
    expected = torch.stack([token_by_token(layer, sample) for sample in tokens])
    torch.testing.assert_close(layer(tokens), expected, rtol=1e-8, atol=1e-9)


def test_first_gates_are_those_of_the_paper():
    layer = ViLLayer(8, num_heads=4)
    assert (layer.input_gate.weight == 0).all()
    assert (layer.forget_gate.weight == 0).all()
    assert layer.forget_gate.bias.tolist() == [3, 4, 5, 6]
    assert 0 < layer.input_gate.bias.abs().max() < 0.5


@pytest.mark.parametrize(
    ("sizes", "order"), [((6,), (0,)), ((3, 4), (1, 0)), ((2, 3, 2), (2, 0, 1))]
)
@pytest.mark.parametrize("reverse", [False, True])
def test_each_place_sees_exactly_the_places_before_it_in_the_scan(sizes, order, reverse):
    block = randomized(
        ViLBlock(4, spatial_dims=len(sizes), axis_order=order, is_reversed=reverse, num_heads=2)
    )
    scan = sorted(itertools.product(*map(range, sizes)), key=lambda p: [p[a] for a in order])
    if reverse:
        scan.reverse()
    x = torch.randn(1, 4, *sizes, dtype=torch.double, requires_grad=True)
    for rank, place in enumerate(scan):
        out = block(x)[(0, slice(None), *place)].square().sum()
        seen = torch.autograd.grad(out, x)[0][0].abs().sum(0) > 0
        assert {tuple(p.tolist()) for p in seen.nonzero()} == set(scan[: rank + 1])


def test_axis_order_equals_transposing_the_map():
    row, column = ViLBlock(4, num_heads=2), ViLBlock(4, num_heads=2, axis_order=(1, 0))
    column.load_state_dict(row.state_dict())
    x = torch.randn(2, 4, 3, 5)
    torch.testing.assert_close(column(x), row(x.mT).mT)


def test_reverse_equals_turning_the_map_around():
    there, back = ViLBlock(4, num_heads=2), ViLBlock(4, num_heads=2, is_reversed=True)
    back.load_state_dict(there.state_dict())
    x = torch.randn(2, 4, 3, 5)
    torch.testing.assert_close(back(x), there(x.flip(2, 3)).flip(2, 3))


def test_block_is_the_input_plus_the_layer_of_normalised_tokens():
    block = randomized(ViLBlock(4, spatial_dims=1, num_heads=2))
    x = torch.randn(2, 4, 7, dtype=torch.double)
    tokens = F.layer_norm(x.mT, (4,), block.norm.weight)
    torch.testing.assert_close(block(x), x + block.layer(tokens).mT)


def test_autocast_keeps_gates_and_cell_in_float32():
    layer = ViLLayer(8, num_heads=2)
    torch.nn.init.normal_(layer.input_gate.weight, std=0.3)
    # bfloat16 knows only every half step above 128: rounded gates would be wrong by a factor
    torch.nn.init.constant_(layer.input_gate.bias, 200.0)
    tokens = torch.randn(4, 9, 8)
    with torch.autocast("cpu", torch.bfloat16):
        half = layer(tokens)
    full = layer(tokens)
    assert half.dtype == torch.bfloat16
    assert (half.float() - full).norm() < 0.02 * full.norm()


def test_every_parameter_gets_a_gradient():
    block = randomized(ViLBlock(4, num_heads=2))
    block(torch.randn(1, 4, 3, 3, dtype=torch.double)).square().sum().backward()
    for name, parameter in block.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"num_heads": 5}, "num_heads=5"),
        ({"block_size": 3}, "block_size=3"),
        ({"expansion": 0}, "expansion=0"),
        ({"spatial_dims": 4}, "spatial_dims=4"),
        ({"axis_order": (0, 0)}, r"axis_order=\(0, 0\)"),
        ({"axis_order": (0, 1, 2)}, r"axis_order=\(0, 1, 2\)"),
        ({"drop_path": 1.0}, r"probability=1\.0"),
    ],
)
def test_bad_arguments_are_named(keywords, message):
    with pytest.raises(ValueError, match=message):
        ViLBlock(8, **keywords)


def test_a_chunk_without_tokens_is_refused():
    with pytest.raises(ValueError, match="chunk_size=0"):
        ViLLayer(8, chunk_size=0)


def test_bad_inputs_are_named():
    with pytest.raises(ValueError, match=r"\(1, 5, 4\): expected \(B, T, 8\)"):
        ViLLayer(8)(torch.zeros(1, 5, 4))
    with pytest.raises(ValueError, match=r"\(1, 8, 5\): expected \(B, 8, S1, S2\)"):
        ViLBlock(8)(torch.zeros(1, 8, 5))
