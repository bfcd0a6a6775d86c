import pytest
import torch
from torch import nn
from torch.nn import functional as F

from shared_layers.blocks.modulation import EfficientModulation, FocalModulation

CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def pointwise(layer, y):
    """A 1 × 1 convolution as a linear map of the channels of a channels-last map."""
    return F.linear(y, layer.weight.flatten(1), layer.bias)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("normalize", [False, True])
def test_focal_modulation_equals_the_formula_channels_last(rank, normalize):
    layer = FocalModulation(4, 3, 2, spatial_dims=rank, normalize=normalize).double()
    x = torch.randn(2, 4, *(6, 5, 4)[:rank], dtype=torch.double)
    query, context, gates = pointwise(layer.project_in, x.movedim(1, -1)).split((4, 4, 3), -1)
    levels = []
    for depthwise in layer.contexts:
        size = depthwise.weight.shape[-1]
        y = CONV[rank](context.movedim(-1, 1), depthwise.weight, padding=size // 2, groups=4)
        context = F.gelu(y.movedim(1, -1))
        levels.append(context)
    mean = F.gelu(context.flatten(1, -2).mean(1)).view(2, *[1] * rank, 4)
    total = sum(level * gates[..., i : i + 1] for i, level in enumerate([*levels, mean]))
    total = total / 3 if normalize else total
    expected = pointwise(layer.project_out, query * pointwise(layer.modulator, total))
    torch.testing.assert_close(layer(x), expected.movedim(-1, 1))


def test_focal_kernels_grow_by_two_and_have_no_bias():
    layer = FocalModulation(4, 5, 3)
    assert [tuple(c.weight.shape[-2:]) for c in layer.contexts] == [(5, 5), (7, 7), (9, 9)]
    assert all(c.bias is None for c in layer.contexts)
    assert layer.project_in.weight.shape[0] == 4 + 4 + 4  # query, context, L + 1 gates


def test_without_levels_the_gate_scales_the_global_mean():
    layer = FocalModulation(4, focal_levels=0).double()
    nn.init.zeros_(layer.modulator.bias)
    nn.init.zeros_(layer.project_out.bias)
    x = torch.randn(1, 4, 3, 3, dtype=torch.double)
    query, context, gate = layer.project_in(x).split((4, 4, 1), 1)
    pooled = pointwise(layer.modulator, F.gelu(context.mean((2, 3))))[..., None, None]
    expected = torch.einsum(
        "oc,bchw->bohw", layer.project_out.weight[..., 0, 0], query * pooled * gate
    )
    torch.testing.assert_close(layer(x), expected)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_efficient_modulation_equals_the_formula_with_a_repeated_context(rank):
    layer = EfficientModulation(4, 3, expansion=3, spatial_dims=rank).double()
    x = torch.randn(2, 4, *(6, 5, 4)[:rank], dtype=torch.double)
    last = x.movedim(1, -1)
    context = pointwise(layer.context_in, last).movedim(-1, 1)
    context = CONV[rank](context, layer.context.weight, layer.context.bias, padding=1, groups=4)
    context = pointwise(layer.context_out, F.gelu(context).movedim(1, -1))
    value = F.gelu(pointwise(layer.value, last))
    repeated = context.repeat(*[1] * (rank + 1), 3)
    expected = pointwise(layer.project_out, value * repeated).movedim(-1, 1)
    torch.testing.assert_close(layer(x), expected)


def test_evaluation_draws_nothing_at_random():
    layer = EfficientModulation(4).eval()
    x = torch.randn(1, 4, 5, 5)
    assert torch.equal(layer(x), layer(x))


@pytest.mark.parametrize("layer", [FocalModulation, EfficientModulation])
def test_a_globe_wraps_in_longitude_only(layer):
    modulation = layer(4, padding_mode=("zeros", "circular"))
    x = torch.randn(1, 4, 7, 9)
    torch.testing.assert_close(modulation(x.roll(4, -1)), modulation(x).roll(4, -1))


@pytest.mark.parametrize(
    ("layer", "arguments", "keywords", "message"),
    [
        (FocalModulation, (4, 4), {}, "focal_window=4"),
        (FocalModulation, (4, 3, -1), {}, "focal_levels=-1"),
        (FocalModulation, (0,), {}, "dim=0"),
        (FocalModulation, (4,), {"spatial_dims": 0}, "spatial_dims=0"),
        (EfficientModulation, (4, 4), {}, "kernel_size=.*4"),
        (EfficientModulation, (4,), {"expansion": 0}, "expansion=0"),
        (EfficientModulation, (4,), {"spatial_dims": 4}, "spatial_dims=4"),
    ],
)
def test_bad_arguments_are_named(layer, arguments, keywords, message):
    with pytest.raises(ValueError, match=message):
        layer(*arguments, **keywords)


@pytest.mark.parametrize("layer", [FocalModulation, EfficientModulation])
def test_bad_inputs_are_named(layer):
    with pytest.raises(ValueError, match=r"\(1, 3, 5, 5\): expected \(B, 4, S1, S2\)"):
        layer(4)(torch.zeros(1, 3, 5, 5))
