import math

import pytest
import torch
from torch.nn import functional as F

from shared_layers.conv.hypercomplex import (
    PHConv1d,
    PHConv2d,
    PHConv3d,
    PHLinear,
    hypercomplex_kernel,
    quaternion_algebra,
)
from shared_layers.conv.padding import pad_axes

CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
LAYERS = {1: PHConv1d, 2: PHConv2d, 3: PHConv3d}


def hamilton_product(p, q):
    """The textbook formula, on lists of four components."""
    (a1, b1, c1, d1), (a2, b2, c2, d2) = p, q
    return [
        a1 * a2 - b1 * b2 - c1 * c2 - d1 * d2,
        a1 * b2 + b1 * a2 + c1 * d2 - d1 * c2,
        a1 * c2 - b1 * d2 + c1 * a2 + d1 * b2,
        a1 * d2 + b1 * c2 - c1 * b2 + d1 * a2,
    ]


def test_quaternion_algebra_is_the_hamilton_product():
    p, q = torch.randn(2, 4, dtype=torch.float64)
    algebra = quaternion_algebra(dtype=torch.float64)
    product = torch.einsum("n,nab,b->a", p, algebra, q)
    torch.testing.assert_close(product, torch.stack(hamilton_product(p, q)))


def test_quaternion_units_obey_hamiltons_equation():
    one, i, j, k = quaternion_algebra()
    for square in (i @ i, j @ j, k @ k, i @ j @ k):
        assert torch.equal(square, -one)


def test_quaternion_convolution_multiplies_the_filters_with_the_map():
    layer = PHConv2d(4, 8, 4, 3, algebra=quaternion_algebra(), bias=False)
    x = torch.randn(1, 8, 5, 5)

    class Convolution:  # stands for a filter bank whose product is the convolution
        def __init__(self, weight):
            self.weight = weight

        def __mul__(self, part):
            return F.conv2d(part, self.weight, padding=1)

    filters = [Convolution(weight) for weight in layer.filters]
    expected = torch.cat(hamilton_product(filters, x.chunk(4, 1)), 1)
    torch.testing.assert_close(layer(x), expected, rtol=1e-4, atol=1e-5)


def test_kernel_is_the_sum_of_kronecker_products():
    algebra, filters = torch.randn(3, 3, 3), torch.randn(3, 2, 4)
    expected = sum(torch.kron(a, f) for a, f in zip(algebra, filters, strict=True))
    torch.testing.assert_close(hypercomplex_kernel(algebra, filters), expected)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_one_dimensional_algebra_is_the_plain_convolution(dims):
    layer = LAYERS[dims](1, 2, 3, 3, stride=2, dilation=2, algebra=torch.ones(1, 1, 1))
    x = torch.randn(2, 2, *(9, 8, 7)[:dims])
    expected = CONV[dims](x, layer.filters[0], layer.bias, stride=2, padding=2, dilation=2)
    torch.testing.assert_close(layer(x), expected)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_convolution_holds_a_cube_and_an_nth_of_the_kernel(dims):
    numel = sum(p.numel() for p in LAYERS[dims](4, 8, 12, 3).parameters())
    assert numel == 4**3 + 8 * 12 * 3**dims // 4 + 12


def test_axes_are_padded_each_in_its_mode():
    layer = PHConv2d(2, 4, 6, (3, 5), padding_mode=("replicate", "circular"))
    x = torch.randn(1, 4, 5, 8)
    weight = hypercomplex_kernel(layer.algebra, layer.filters)
    expected = F.conv2d(pad_axes(x, (1, 2), ("replicate", "circular")), weight, layer.bias)
    torch.testing.assert_close(layer(x), expected)


def test_linear_layer_equals_its_dense_weight():
    layer = PHLinear(3, 6, 9)
    weight = hypercomplex_kernel(layer.algebra, layer.filters)
    x = torch.randn(2, 5, 6)
    torch.testing.assert_close(layer(x), x @ weight.T + layer.bias)
    assert sum(p.numel() for p in layer.parameters()) == 27 + 18 + 9


def test_random_algebra_leaves_the_variance_of_a_plain_kernel():
    layer = PHConv2d(16, 64, 128, 3)
    weight = hypercomplex_kernel(layer.algebra, layer.filters)
    bound = 1 / math.sqrt(64 * 9)  # uniform in ±bound has the variance bound²/3
    assert weight.var().item() == pytest.approx(bound**2 / 3, rel=0.1)


def test_a_fixed_algebra_is_kept_but_saved():
    layer = PHLinear(4, 4, 4, algebra=quaternion_algebra(), learn_algebra=False)
    layer(torch.randn(2, 4)).sum().backward()
    assert layer.algebra.grad is None
    assert layer.filters.grad is not None
    assert torch.equal(layer.state_dict()["algebra"], quaternion_algebra())


def test_the_given_algebra_is_copied():
    algebra = quaternion_algebra()
    layer = PHLinear(4, 4, 4, algebra=algebra)
    with torch.no_grad():
        layer.algebra.zero_()
    assert torch.equal(algebra, quaternion_algebra())


@pytest.mark.parametrize("layer", [PHConv2d, PHLinear])
def test_indivisible_channels_are_refused(layer):
    kernel = (3,) if layer is PHConv2d else ()
    with pytest.raises(ValueError, match="=6: expected a multiple of n=4"):
        layer(4, 6, 8, *kernel)
    with pytest.raises(ValueError, match="=6: expected a multiple of n=4"):
        layer(4, 8, 6, *kernel)
    with pytest.raises(ValueError, match="n=0: expected an integer >= 1"):
        layer(0, 8, 8, *kernel)
    with pytest.raises(ValueError, match=r"algebra has shape \(4, 4, 4\): expected \(2, 2, 2\)"):
        layer(2, 8, 8, *kernel, algebra=quaternion_algebra())


def test_bad_inputs_are_refused():
    with pytest.raises(ValueError, match=r"kernel_size=\(2, 2\): expected odd sizes"):
        PHConv2d(2, 4, 4, 2)
    with pytest.raises(ValueError, match=r"expected \(B, 4, S1, S2\)"):
        PHConv2d(2, 4, 4, 3)(torch.zeros(1, 2, 5, 5))
    with pytest.raises(ValueError, match=r"shape \(2, 3\): expected \(…, 4\)"):
        PHLinear(2, 4, 4)(torch.zeros(2, 3))
    with pytest.raises(ValueError, match=r"input is torch\.float64: expected torch\.float32"):
        PHLinear(2, 4, 4)(torch.zeros(2, 4, dtype=torch.float64))
