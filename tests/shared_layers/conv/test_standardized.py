import pytest
import torch
from torch import nn
from torch.nn import functional as F

from shared_layers.conv.standardized import WSConv1d, WSConv2d, WSConv3d, weight_standardize

LAYERS = {1: WSConv1d, 2: WSConv2d, 3: WSConv3d}
TORCH = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}


def by_the_formula(weight, eps=1e-5):
    over = tuple(range(1, weight.dim()))
    centred = weight - weight.mean(over, keepdim=True)
    return centred / (weight.var(over, keepdim=True, correction=1) + eps).sqrt()


@pytest.mark.parametrize("shape", [(5, 3, 3), (4, 2, 3, 3), (3, 2, 3, 1, 2), (4, 1, 5), (6, 9)])
def test_weight_equals_the_formula(shape):
    weight = torch.randn(shape, dtype=torch.float64) * 0.05 + 0.3
    torch.testing.assert_close(
        weight_standardize(weight), by_the_formula(weight), rtol=1e-12, atol=1e-12
    )


def test_filters_have_mean_0_and_unbiased_deviation_1():
    filters = weight_standardize(torch.randn(6, 4, 3, 3) * 3 + 7, eps=1e-12).flatten(1)
    torch.testing.assert_close(filters.mean(1), torch.zeros(6), rtol=0, atol=1e-5)
    torch.testing.assert_close(filters.std(1), torch.ones(6), rtol=1e-5, atol=0)


def test_gradient_equals_that_of_the_formula():
    weight = torch.randn(4, 3, 3, 3, dtype=torch.float64, requires_grad=True)
    coefficients = torch.randn_like(weight)
    (ours,) = torch.autograd.grad((weight_standardize(weight) * coefficients).sum(), weight)
    (theirs,) = torch.autograd.grad((by_the_formula(weight) * coefficients).sum(), weight)
    torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-12)
    assert torch.autograd.gradgradcheck(weight_standardize, weight[:2].detach().requires_grad_())


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_layer_takes_the_place_of_the_layer_of_torch(dims):
    arguments = (4, 6, 3, 2, 1, 1, 2)
    theirs, ours = TORCH[dims](*arguments), LAYERS[dims](*arguments)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(2, 4, *(7, 6, 5)[:dims])
    with torch.no_grad():
        theirs.weight.copy_(by_the_formula(theirs.weight))
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-4, atol=1e-5)


def test_output_does_not_change_with_scale_and_offset_of_the_weight():
    layer = WSConv2d(3, 4, 3, padding=1, padding_mode="circular").double()
    x = torch.randn(1, 3, 5, 5, dtype=torch.float64)
    before = layer(x)
    with torch.no_grad():
        layer.weight.mul_(100).add_(5)
    torch.testing.assert_close(layer(x), before, rtol=1e-3, atol=1e-3)  # but for eps


def test_filters_of_one_number_are_refused():
    with pytest.raises(
        ValueError, match=r"weight has shape \(4, 1, 1\): expected two or more numbers"
    ):
        weight_standardize(torch.zeros(4, 1, 1))
    with pytest.raises(ValueError, match=r"weight has shape \(4,\): expected two or more"):
        weight_standardize(torch.zeros(4))
    with pytest.raises(ValueError, match=r"weight has shape \(4, 1, 1, 1\): expected two or more"):
        WSConv2d(4, 4, 1, groups=4)


def test_channels_last_weights_give_the_same():
    weight = torch.randn(4, 3, 3, 3)
    other = weight.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(weight_standardize(other), weight_standardize(weight))
    assert F.conv2d(torch.zeros(1, 3, 4, 4), weight_standardize(other)).shape == (1, 4, 2, 2)
