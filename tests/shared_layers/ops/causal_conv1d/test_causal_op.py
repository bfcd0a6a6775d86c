"""The causal convolution's forms against ``F.conv1d`` with its transposes."""

import pytest
import torch
import torch.nn.functional as F

from shared_layers import causal_depthwise_conv1d, use_kernels
from shared_layers.ops.causal_conv1d import op


def make(batch, steps, channels, taps, dtype=torch.float64):
    torch.manual_seed(0)
    x = torch.randn(batch, steps, channels, dtype=dtype)
    tensors = (x, torch.randn(channels, taps, dtype=dtype), torch.randn(channels, dtype=dtype))
    return [t.requires_grad_() for t in tensors]


def transposing_form(x, weight, bias, is_reversed=False):
    taps = weight.shape[1]
    kernel = weight.flip(1) if is_reversed else weight
    pad = (0, taps - 1) if is_reversed else (taps - 1, 0)
    rows = F.pad(x.transpose(1, 2), pad)
    return F.conv1d(rows, kernel.unsqueeze(1), bias, groups=x.shape[2]).transpose(1, 2)


@pytest.mark.parametrize("is_reversed", [False, True])
@pytest.mark.parametrize("mode", ["reference", "cpp"])
@pytest.mark.parametrize(
    "sizes", [(2, 50, 37, 4), (1, 3, 64, 7), (2, 9, 5, 1), (1, 600, 33, 5), (1, 2, 3, 9)]
)
def test_values_and_gradients_equal_the_padded_convolution(sizes, mode, is_reversed):
    tensors = make(*sizes)
    expected = transposing_form(*tensors, is_reversed)
    grad = torch.randn_like(expected)
    with use_kernels(mode):
        found = causal_depthwise_conv1d(*tensors, is_reversed=is_reversed)
        gradients = torch.autograd.grad(found, tensors, grad)
    torch.testing.assert_close(found, expected, rtol=1e-13, atol=1e-13)
    for a, b in zip(gradients, torch.autograd.grad(expected, tensors, grad), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


def test_reversed_is_the_flip_of_the_flipped():
    x, weight, bias = make(1, 12, 8, 3)
    flipped = causal_depthwise_conv1d(x.flip(1), weight, bias).flip(1)
    assert torch.equal(causal_depthwise_conv1d(x, weight, bias, is_reversed=True), flipped)


@pytest.mark.parametrize("mode", ["reference", "cpp"])
def test_first_and_second_derivatives_pass_gradcheck(mode):
    tensors = make(1, 5, 3, 3)
    with use_kernels(mode):
        assert torch.autograd.gradcheck(causal_depthwise_conv1d, tensors)
        assert torch.autograd.gradgradcheck(causal_depthwise_conv1d, tensors)


def test_opcheck_passes_for_both_ops():
    x, weight, bias = make(2, 6, 5, 3, torch.float32)
    torch.library.opcheck(op.forward, (x, weight, bias, False))
    torch.library.opcheck(op.grad_weight, (x, x.detach(), 3, True))


def test_compiles_into_one_graph():
    tensors = make(2, 6, 5, 3, torch.float32)
    compiled = torch.compile(causal_depthwise_conv1d, fullgraph=True, backend="aot_eager")
    found = torch.autograd.grad(compiled(*tensors).square().sum(), tensors)
    expected = torch.autograd.grad(causal_depthwise_conv1d(*tensors).square().sum(), tensors)
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b)


def test_a_strided_view_gives_the_same_as_its_copy():
    x = torch.randn(2, 16, 10).transpose(1, 2)
    weight = torch.randn(16, 4)
    found = causal_depthwise_conv1d(x, weight)
    assert torch.equal(found, causal_depthwise_conv1d(x.contiguous(), weight))


def test_half_precision_and_autocast_keep_their_type():
    x, weight, _ = make(1, 20, 8, 4, torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        found = causal_depthwise_conv1d(x, weight)
    assert found.dtype == torch.bfloat16
    expected = transposing_form(x.bfloat16().float(), weight.bfloat16().float(), None)
    torch.testing.assert_close(found.float(), expected, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.ones(2, 3), torch.ones(3, 2)), r"\(2, 3\).*\(B, T, C\)"),
        ((torch.ones(1, 4, 3), torch.ones(2, 2)), r"\(2, 2\).*\(C, K >= 1\)"),
        ((torch.ones(1, 4, 3), torch.ones(3, 2), torch.ones(2)), r"\(2,\): expected \(3,\)"),
        ((torch.ones(1, 4, 3), torch.ones(3, 2).double()), "float64.*float32"),
    ],
)
def test_arguments_that_do_not_go_together_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        causal_depthwise_conv1d(*arguments)
