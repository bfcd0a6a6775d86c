import itertools
import math

import pytest
import torch

from shared_layers.blocks.equalization import BilateralPropagation, FeatureEqualization


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.fixture
def x():
    return torch.randn(2, 3, 4, 5, dtype=torch.double)


def dense_weights(x, sigma):
    """Both weight matrices over all pairs of places, by loops: (N, N) and (B, N, N)."""
    places = list(itertools.product(range(x.shape[2]), range(x.shape[3])))
    near = torch.zeros(len(places), len(places), dtype=x.dtype)
    alike = torch.zeros(x.shape[0], len(places), len(places), dtype=x.dtype)
    for (i, p), (j, q) in itertools.product(enumerate(places), enumerate(places)):
        square = (p[0] - q[0]) ** 2 + (p[1] - q[1]) ** 2
        near[i, j] = math.exp(-square / (2 * sigma**2))
        if max(abs(p[0] - q[0]), abs(p[1] - q[1])) <= 1:
            similarity = (x[:, :, p[0], p[1]] * x[:, :, q[0], q[1]]).sum(1) / x.shape[1] ** 0.5
            alike[:, i, j] = similarity.exp()
    return near / near.sum(1, keepdim=True), alike / alike.sum(2, keepdim=True)


def test_propagation_equals_dense_sums_over_all_places(x):
    layer = BilateralPropagation(3, sigma=1.2).double()
    near, alike = dense_weights(x, 1.2)
    flat = x.flatten(2)
    halves = torch.cat((flat @ near.T, flat @ alike.mT), 1).unflatten(2, (4, 5))
    torch.testing.assert_close(layer(x), layer.merge(halves))


def test_both_kinds_of_weights_sum_to_one(x):
    layer = BilateralPropagation(3).double()
    torch.testing.assert_close(layer.spatial_weights(7, x).sum(1), torch.ones(7).double())
    weights = layer.range_weights(x)
    torch.testing.assert_close(weights.sum(1), torch.ones(2, 20).double())
    # the top left corner has no neighbours above or to the left
    assert (weights[:, [0, 1, 2, 3, 6], 0] == 0).all()
    assert (weights[:, [4, 5, 7, 8], 0] > 0).all()


def test_constant_maps_stay_constant():
    layer = BilateralPropagation(2).double()
    out = layer(torch.ones(1, 2, 5, 4, dtype=torch.double))
    torch.testing.assert_close(out, out[..., :1, :1].expand_as(out))
    expected = layer.merge.weight.sum((1, 2, 3)) + layer.merge.bias
    torch.testing.assert_close(out[0, :, 0, 0], expected)


def test_equalization_is_excitation_then_propagation(x):
    layer = FeatureEqualization(3, reduction=2).double()
    both = torch.cat((x, x.flip(0)), 1)
    excitation = layer.excitation
    hidden = (both.mean((2, 3)) @ excitation.down.weight[..., 0, 0].T + excitation.down.bias).relu()
    scale = (hidden @ excitation.up.weight[..., 0, 0].T + excitation.up.bias).sigmoid()
    expected = layer.propagation(both * scale[:, :, None, None])
    torch.testing.assert_close(layer(x, x.flip(0)), expected)
    assert expected.shape == (2, 6, 4, 5)


def test_texture_reaches_every_structure_channel():
    layer = FeatureEqualization(8)
    structure, texture = torch.randn(1, 8, 4, 4), torch.randn(1, 8, 4, 4, requires_grad=True)
    layer(structure, texture)[:, :8].square().sum().backward()
    assert (texture.grad.abs().sum((0, 2, 3)) > 0).all()


def test_gradients_agree_with_differences():
    layer = BilateralPropagation(2).double()
    x = torch.randn(1, 2, 3, 3, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(layer, x)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"sigma": 0.0}, r"sigma=0\.0"),
        ({"kernel_size": 2}, "kernel_size=2"),
        ({"reduction": 5}, "reduction=5"),
        ({"channels": 0}, "channels=0"),
    ],
)
def test_bad_arguments_are_named(keywords, message):
    with pytest.raises(ValueError, match=message):
        FeatureEqualization(**({"channels": 8} | keywords))


def test_bad_inputs_are_named():
    with pytest.raises(ValueError, match=r"\(1, 4, 5\): expected \(B, 4, S1, S2\)"):
        BilateralPropagation(4)(torch.zeros(1, 4, 5))
    layer, x = FeatureEqualization(8), torch.zeros(1, 8, 3, 3)
    with pytest.raises(ValueError, match=r"texture is \(1, 8, 3, 4\)"):
        layer(x, torch.zeros(1, 8, 3, 4))
    with pytest.raises(ValueError, match=r"texture is .* of torch\.float64"):
        layer(x, x.double())
    with pytest.raises(ValueError, match=r"\(1, 6, 3, 3\): expected \(B, 8, S1, S2\)"):
        layer(x[:, :6], x[:, :6])
