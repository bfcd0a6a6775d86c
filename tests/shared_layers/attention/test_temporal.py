import pytest
import torch
from torch import nn

from shared_layers.attention.temporal import PositionAwareAttention


@pytest.fixture
def steps():
    torch.manual_seed(0)
    return torch.randn(2, 5, 3, dtype=torch.double)


def test_weights_sum_to_one_and_context_is_the_weighted_mean(steps):
    context, weights = PositionAwareAttention(3, 8).double()(steps)
    torch.testing.assert_close(weights.sum(1), torch.ones(2, dtype=torch.double))
    torch.testing.assert_close(context, (weights.unsqueeze(-1) * steps).sum(1))


def test_without_position_bias_it_is_content_attention(steps):
    layer = PositionAwareAttention(3, 5, recency=0.0).double()
    energy = torch.stack(
        [torch.stack([layer.score(layer.content(h).tanh())[0] for h in row]) for row in steps]
    )
    torch.testing.assert_close(layer(steps)[1], energy.exp() / energy.exp().sum(1, keepdim=True))
    # and it does not know the order of the steps
    torch.testing.assert_close(layer(steps.flip(1))[0], layer(steps)[0])


def test_a_strong_position_bias_takes_the_last_step(steps):
    layer = PositionAwareAttention(3, 5, recency=1e3).double()
    torch.testing.assert_close(layer(steps)[0], steps[:, -1])


def test_with_equal_content_the_weights_are_a_softmax_of_the_bias_by_lag(steps):
    layer = PositionAwareAttention(3, 8, recency=0.5).double()
    nn.init.zeros_(layer.score.weight)
    expected = torch.softmax(torch.tensor([-2.0, -1.5, -1.0, -0.5, 0.0]).double(), 0)
    torch.testing.assert_close(layer(steps)[1], expected.expand(2, 5))


@pytest.mark.parametrize("side", ["before", "after"])
def test_padding_on_either_side_changes_nothing_even_if_it_is_nan(steps, side):
    layer = PositionAwareAttention(3, 8).double()
    nan = torch.full((2, 2, 3), float("nan"), dtype=torch.double)
    real = torch.ones(2, 5, dtype=torch.bool)
    order = (nan, steps) if side == "before" else (steps, nan)
    masks = (~real[:, :2], real) if side == "before" else (real, ~real[:, :2])
    context, weights = layer(torch.cat(order, 1), torch.cat(masks, 1))
    expected_context, expected_weights = layer(steps)
    torch.testing.assert_close(context, expected_context)
    torch.testing.assert_close(weights[torch.cat(masks, 1)].view(2, 5), expected_weights)
    assert (weights[~torch.cat(masks, 1)] == 0).all()
    found = torch.autograd.grad(context.sum(), list(layer.parameters()))
    expected = torch.autograd.grad(expected_context.sum(), list(layer.parameters()))
    torch.testing.assert_close(found, expected)


def test_query_enters_the_score(steps):
    layer = PositionAwareAttention(3, 5, query_dim=2, hidden_dim=4).double()
    query = torch.randn(2, 2, dtype=torch.double)
    inner = torch.tanh(layer.content(steps) + (query @ layer.query.weight.T)[:, None])
    energy = (inner @ layer.score.weight.T).squeeze(-1) + layer.position_bias.flip(0)
    torch.testing.assert_close(layer(steps, query=query)[1], energy.softmax(1))


def test_gradients_agree_with_differences(steps):
    layer = PositionAwareAttention(3, 5).double()
    assert torch.autograd.gradcheck(layer, steps.requires_grad_())


@pytest.mark.parametrize(
    ("arguments", "keywords", "message"),
    [
        ((0, 4), {}, "dim=0"),
        ((4, 0), {}, "max_steps=0"),
        ((4, 4), {"recency": -1.0}, "recency=-1.0"),
        ((4, 4), {"query_dim": 0}, "query_dim=0"),
    ],
)
def test_bad_arguments_are_named(arguments, keywords, message):
    with pytest.raises(ValueError, match=message):
        PositionAwareAttention(*arguments, **keywords)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"steps": torch.zeros(2, 7, 3)}, "max_steps=6"),
        ({"steps": torch.zeros(2, 4, 5)}, r"steps has shape \(2, 4, 5\)"),
        ({"mask": torch.ones(2, 3).bool()}, r"mask of shape \(2, 3\)"),
        ({"mask": torch.ones(2, 4)}, "torch.float32: expected"),
        ({"mask": torch.tensor([[True] * 4, [False] * 4])}, "sequence 1: no real step"),
        ({"query": torch.zeros(2, 3)}, r"query of shape \(2, 3\): expected \(2, 2\)"),
        ({"query": None}, r"query of shape None: expected \(2, 2\)"),
        ({"query": torch.zeros(2, 2).double()}, "query is torch.float64"),
    ],
)
def test_bad_inputs_are_named(keywords, message):
    layer = PositionAwareAttention(3, 6, query_dim=2)
    inputs = {"steps": torch.zeros(2, 4, 3), "query": torch.zeros(2, 2)} | keywords
    with pytest.raises(ValueError, match=message):
        layer(**inputs)
