import pytest
import torch
from torch import nn

from shared_layers.regularizers.drop import DropPath, MultiSampleDropout


def test_whole_samples_are_dropped_and_the_others_scaled():
    y = DropPath(0.25)(torch.ones(400, 3, 2))
    per_sample = y.flatten(1)
    assert torch.equal(per_sample.min(1).values, per_sample.max(1).values)
    torch.testing.assert_close(y.unique(), torch.tensor([0.0, 4 / 3]))
    dropped = (per_sample[:, 0] == 0).float().mean().item()
    assert dropped == pytest.approx(0.25, abs=4 * (0.25 * 0.75 / 400) ** 0.5)


def test_path_is_the_identity_at_rest_and_at_probability_0():
    x = torch.randn(4, 3)
    assert DropPath(0.9).eval()(x) is x
    assert DropPath(0.0).train()(x) is x


def test_gradient_of_a_dropped_sample_is_zero():
    x = torch.ones(50, 2, requires_grad=True)
    y = DropPath(0.5)(x)
    y.sum().backward()
    assert torch.equal(x.grad, y.detach())


def test_one_mask_equals_dropout():
    head = nn.Linear(16, 3)
    x = torch.randn(8, 16)
    torch.manual_seed(5)
    ours = MultiSampleDropout(head, 0.5, num_samples=1)(x)
    torch.manual_seed(5)
    expected = head(nn.functional.dropout(x, 0.5))
    torch.testing.assert_close(ours, expected[None])


def test_probability_0_repeats_the_plain_head():
    head = nn.Linear(16, 3)
    x = torch.randn(8, 16)
    expected = head(x).expand(4, 8, 3)
    torch.testing.assert_close(MultiSampleDropout(head, 0.0, num_samples=4)(x), expected)


def test_at_rest_one_plain_prediction_is_returned():
    layer = MultiSampleDropout(nn.Linear(16, 3), 0.5).eval()
    x = torch.randn(8, 16)
    torch.testing.assert_close(layer(x), layer.head(x)[None])


def test_gradient_is_the_mean_over_the_masks():
    head = nn.Linear(6, 2).double()
    layer = MultiSampleDropout(head, 0.5, num_samples=3)
    x, target = torch.randn(4, 6, dtype=torch.float64), torch.randn(4, 2, dtype=torch.float64)
    torch.manual_seed(1)
    torch.stack([nn.functional.mse_loss(y, target) for y in layer(x)]).mean().backward()
    ours = head.weight.grad.clone()
    torch.manual_seed(1)
    masks = nn.functional.dropout(torch.ones(3, 4, 6, dtype=torch.float64), 0.5)
    assert not torch.equal(masks[0], masks[1])
    gradients = []
    for mask in masks:
        head.zero_grad()
        nn.functional.mse_loss(head(x * mask), target).backward()
        gradients.append(head.weight.grad.clone())
    torch.testing.assert_close(ours, torch.stack(gradients).mean(0))


def test_features_may_be_maps():
    layer = MultiSampleDropout(nn.Conv2d(3, 2, 3), 0.1, num_samples=5)
    assert layer(torch.zeros(2, 3, 6, 7)).shape == (5, 2, 2, 4, 5)


def test_bad_arguments_are_refused():
    for probability in (-0.1, 1, 1.5):
        with pytest.raises(
            ValueError, match=rf"probability={probability}: expected a number in \[0, 1\)"
        ):
            DropPath(probability)
        with pytest.raises(ValueError, match=rf"probability={probability}: expected"):
            MultiSampleDropout(nn.Identity(), probability)
    with pytest.raises(ValueError, match="num_samples=0: expected an integer >= 1"):
        MultiSampleDropout(nn.Identity(), 0.5, 0)
