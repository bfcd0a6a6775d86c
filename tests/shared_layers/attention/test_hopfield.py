import pytest
import torch
from torch import nn

from shared_layers.attention.hopfield import Hopfield, HopfieldPooling, hopfield_retrieve


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def test_a_noisy_pattern_is_retrieved_and_a_warm_network_is_metastable():
    stored = torch.randn(100, 64, dtype=torch.double)
    noisy = stored + 0.3 * torch.randn_like(stored)
    cold = hopfield_retrieve(noisy, stored, beta=0.5, num_steps=5)
    warm = hopfield_retrieve(noisy, stored, beta=0.01, num_steps=5)
    assert (cold - stored).abs().max() < 1e-3  # of 100 patterns × 64 channels
    assert (warm - stored.mean(0)).norm(dim=1).max() < 0.1 * stored.norm(dim=1).mean()


def test_every_update_lowers_the_energy():
    stored, state = torch.randn(20, 8).double(), torch.randn(5, 8).double()
    beta = 0.7
    energy = []
    for steps in range(6):
        xi = hopfield_retrieve(state, stored, beta=beta, num_steps=steps)
        energy.append(-torch.logsumexp(beta * xi @ stored.T, 1) / beta + xi.square().sum(1) / 2)
    falls = torch.stack(energy).diff(dim=0)
    assert (falls <= 1e-12).all()
    assert (falls[0] < -1e-3).all()


def test_one_step_equals_multi_head_attention():
    layer = Hopfield(8, 2, normalize=False).double()
    reference = nn.MultiheadAttention(8, 2, batch_first=True, dtype=torch.double)
    parts = (layer.query, layer.key, layer.value)
    with torch.no_grad():
        reference.in_proj_weight.copy_(torch.cat([p.weight for p in parts]))
        reference.in_proj_bias.copy_(torch.cat([p.bias for p in parts]))
        reference.out_proj.weight.copy_(layer.projection.weight)
        reference.out_proj.bias.copy_(layer.projection.bias)
    stored, state = torch.randn(3, 6, 8).double(), torch.randn(3, 4, 8).double()
    mask = torch.rand(3, 6) > 0.4
    mask[:, 0] = True
    expected = reference(state, stored, stored, key_padding_mask=~mask)[0]
    torch.testing.assert_close(layer(stored, state, mask), expected)


def test_several_steps_follow_the_formula():
    layer = Hopfield(6, 1, stored_dim=4, head_dim=5, beta=0.8, num_steps=3).double()
    stored, state = torch.randn(1, 7, 4).double(), torch.randn(1, 2, 6).double()
    y = nn.functional.layer_norm(stored, (4,))
    xi = layer.query(nn.functional.layer_norm(state, (6,)))
    for _ in range(2):
        xi = torch.softmax(0.8 * xi @ layer.key(y).mT, -1) @ layer.key(y)
    expected = layer.projection(torch.softmax(0.8 * xi @ layer.key(y).mT, -1) @ layer.value(y))
    torch.testing.assert_close(layer(stored, state), expected)


def test_pooling_does_not_depend_on_the_order_or_on_padding():
    layer = HopfieldPooling(4, 2, num_heads=2, num_steps=2).double()
    stored = torch.randn(2, 5, 4).double()
    pooled = layer(stored)
    assert pooled.shape == (2, 2, 4)
    torch.testing.assert_close(layer(stored[:, torch.randperm(5)]), pooled)
    padded = torch.cat((stored, torch.randn(2, 3, 4).double()), 1)
    mask = torch.tensor([True] * 5 + [False] * 3).expand(2, 8)
    torch.testing.assert_close(layer(padded, mask), pooled)


def test_pooling_trains_its_queries():
    layer = HopfieldPooling(4)
    layer(torch.randn(2, 5, 4)).square().sum().backward()
    assert layer.queries.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("arguments", "keywords", "message"),
    [
        ((6, 4), {}, "dim=6"),
        ((8, 0), {}, "num_heads=0"),
        ((8, 2), {"num_steps": 0}, "num_steps=0"),
        ((8, 2), {"beta": 0.0}, r"beta=0\.0"),
        ((8, 2), {"stored_dim": 0}, "stored_dim=0"),
        ((8, 2), {"head_dim": 0}, "head_dim=0"),
    ],
)
def test_bad_arguments_are_named(arguments, keywords, message):
    with pytest.raises(ValueError, match=message):
        Hopfield(*arguments, **keywords)


def test_a_pooling_without_queries_is_refused():
    with pytest.raises(ValueError, match="num_queries=0"):
        HopfieldPooling(8, 0)


@pytest.mark.parametrize(
    ("stored", "state", "mask", "message"),
    [
        (torch.zeros(1, 3, 5), None, None, r"stored has shape \(1, 3, 5\)"),
        (torch.zeros(1, 3, 4), torch.zeros(2, 3, 4), None, r"state has shape \(2, 3, 4\)"),
        (torch.zeros(1, 3, 4), torch.zeros(1, 3, 4).double(), None, r"state is torch\.float64"),
        (torch.zeros(1, 3, 4), None, torch.ones(1, 2).bool(), r"mask of shape \(1, 2\)"),
        (torch.zeros(1, 3, 4), None, torch.zeros(1, 3).bool(), "sample 0: no real stored"),
    ],
)
def test_bad_inputs_are_named(stored, state, mask, message):
    with pytest.raises(ValueError, match=message):
        Hopfield(4)(stored, state, mask)
