import pytest
import torch
from torch import nn
from torch.nn import functional as F

from shared_layers.conv.bcos import BcosConv2d, BcosLinear


def by_patches(x, weight, b, unit_weight, stride=1, padding=0, dilation=1):
    """|cos(patch, w)|^(B−1) · wᵀ patch, from unfolded patches."""
    patches = F.unfold(x, weight.shape[2:], dilation, padding, stride).movedim(1, 2)  # (B, L, n)
    kernels = weight.flatten(1)
    cosine = F.cosine_similarity(patches[:, :, None], kernels, dim=-1)  # (B, L, C_out)
    product = patches @ (F.normalize(kernels, dim=1) if unit_weight else kernels).T
    return (cosine.abs() ** (b - 1) * product).movedim(2, 1)


@pytest.mark.parametrize("b", [1.0, 1.5, 2.0, 3.0])
@pytest.mark.parametrize("unit_weight", [True, False])
def test_convolution_scales_each_patch_by_its_cosine(b, unit_weight):
    layer = BcosConv2d(3, 4, 3, b=b, stride=2, padding=2, dilation=2, unit_weight=unit_weight)
    x = torch.randn(2, 3, 8, 7)
    expected = by_patches(x, layer.weight, b, unit_weight, 2, 2, 2)
    torch.testing.assert_close(layer(x).flatten(2), expected, rtol=1e-4, atol=1e-5)


def test_exponent_1_is_the_convolution():
    layer = BcosConv2d(3, 4, 3, b=1, unit_weight=False)
    x = torch.randn(1, 3, 6, 6)
    torch.testing.assert_close(layer(x), F.conv2d(x, layer.weight, padding=1))
    unit = BcosConv2d(3, 4, 3, b=1)
    weight = unit.weight / unit.weight.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    torch.testing.assert_close(unit(x), F.conv2d(x, weight, padding=1))


def test_groups_have_patches_of_their_own():
    layer = BcosConv2d(4, 6, 3, groups=2)
    x = torch.randn(1, 4, 5, 5)
    expected = [
        by_patches(part, weight, 2, True, padding=1)
        for part, weight in zip(x.chunk(2, 1), layer.weight.chunk(2), strict=True)
    ]
    torch.testing.assert_close(layer(x).flatten(2), torch.cat(expected, 1), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("b", [1.5, 2.0])
def test_network_is_a_dynamic_linear_map_of_its_input(b):
    first, second = BcosConv2d(2, 5, 3, b=b).double(), BcosLinear(5, 3, b=b).double()
    for layer in (first, second):
        layer.is_explaining = True
    x = torch.randn(1, 2, 6, 6, dtype=torch.float64, requires_grad=True)
    y = second(first(x).mean((2, 3)))
    for output in y[0]:
        (row,) = torch.autograd.grad(output, x, retain_graph=True)
        torch.testing.assert_close((row * x).sum(), output, rtol=1e-10, atol=1e-12)


def test_explaining_changes_gradients_but_not_values():
    layer = BcosLinear(4, 2).double()
    x = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    plain = layer(x)
    (gradient,) = torch.autograd.grad(plain.sum(), x)
    layer.is_explaining = True
    explained = layer(x)
    (rows,) = torch.autograd.grad(explained.sum(), x)
    assert torch.equal(plain, explained)
    # y has degree 1 in x and the cosine degree 0, so that Euler's theorem gives y for both
    torch.testing.assert_close((gradient * x).sum(), plain.sum())
    torch.testing.assert_close((rows * x).sum(), plain.sum())
    assert not torch.allclose(gradient, rows)


def test_gradient_is_that_of_finite_differences():
    for b in (1.5, 2.0):
        layer = BcosConv2d(1, 2, 3, b=b).double()
        x = torch.randn(1, 1, 3, 3, dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradcheck(layer, (x,))


@pytest.mark.parametrize("b", [1.5, 2.0])
def test_empty_patches_give_zero_and_finite_gradients(b):
    layer = BcosConv2d(1, 2, 3, b=b)
    x = torch.zeros(1, 1, 4, 4, requires_grad=True)
    y = layer(x)
    y.sum().backward()
    assert torch.equal(y, torch.zeros(1, 2, 4, 4))
    assert x.grad is not None
    assert x.grad.isfinite().all()


@pytest.mark.parametrize("unit_weight", [True, False])
def test_half_precision_agrees_and_survives_empty_patches(unit_weight):
    single = BcosConv2d(2, 3, 3, unit_weight=unit_weight)
    half = BcosConv2d(2, 3, 3, unit_weight=unit_weight, dtype=torch.float16)
    half.load_state_dict(single.state_dict())
    x = torch.randn(1, 2, 6, 9)
    x[..., :4] = 0
    y = half(x.half())
    assert y.dtype == torch.float16
    torch.testing.assert_close(y.float(), single(x), rtol=0.01, atol=0.003)


@pytest.mark.parametrize("scale", [3e-4, 300.0])
def test_squares_of_half_precision_neither_vanish_nor_overflow(scale):
    conv, linear = BcosConv2d(16, 3, 3), BcosLinear(16, 3)
    x = (scale * torch.randn(1, 16, 16, 16)).half().float()
    for layer in (conv, linear):
        expected = layer(x)
        with torch.autocast("cpu", torch.float16):
            autocast = layer(x)
        half = layer.half()(x.half())
        for found in (autocast, half):
            assert (found - expected).norm() < 0.01 * expected.norm()


def test_linear_layer_of_aligned_input_returns_its_length():
    layer = BcosLinear(5, 3)
    y = layer(layer.weight.detach() * 4)
    torch.testing.assert_close(y.diagonal(), 4 * layer.weight.norm(dim=1))
    pretrained = BcosLinear(5, 3, b=1, unit_weight=False)
    x = torch.randn(2, 5)
    torch.testing.assert_close(pretrained(x), F.linear(x, pretrained.weight))
    cosine = F.cosine_similarity(x[:, None], pretrained.weight, dim=-1).abs()
    pretrained.b = 2.0
    torch.testing.assert_close(pretrained(x), cosine * F.linear(x, pretrained.weight))


def test_weights_of_a_trained_convolution_load():
    conv = nn.Conv2d(2, 3, 3, bias=False)
    layer = BcosConv2d(2, 3, 3)
    layer.load_state_dict(conv.state_dict())
    assert torch.equal(layer.weight, conv.weight)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match=r"b=0\.5: expected an exponent >= 1"):
        BcosConv2d(2, 2, 3, b=0.5)
    with pytest.raises(ValueError, match=r"b=0\.5: expected an exponent >= 1"):
        BcosLinear(2, 2, b=0.5)
    with pytest.raises(ValueError, match=r"kernel_size=\(2, 2\): expected odd sizes"):
        BcosConv2d(2, 2, 2)
    with pytest.raises(ValueError, match="out_features=0: expected an integer >= 1"):
        BcosLinear(2, 0)
    with pytest.raises(ValueError, match=r"expected \(B, 2, S1, S2\)"):
        BcosConv2d(2, 2, 3)(torch.zeros(1, 3, 5, 5))
    with pytest.raises(ValueError, match=r"shape \(1, 3\): expected \(…, 2\)"):
        BcosLinear(2, 2)(torch.zeros(1, 3))
