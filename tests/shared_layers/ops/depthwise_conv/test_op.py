"""The depthwise convolution's forms against ``F.convNd(groups=C)`` and its derivatives."""

import pytest
import torch
import torch.nn.functional as F

from shared_layers import depthwise_conv, use_kernels
from shared_layers.ops import native
from shared_layers.ops.depthwise_conv import cpu, op, rewrite

CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
LAST = {2: torch.channels_last, 3: torch.channels_last_3d}

# shape, kernel, padding, dilation: sizes that fill no vector, kernels of every tile height and
# width, even kernels, paddings from none to full, dilations that do not divide the size.
CASES = [
    ((2, 3, 37), (3,), (1,), (1,)),
    ((1, 2, 70), (8,), (0,), (3,)),
    ((2, 3, 19, 21), (3, 3), (1, 1), (1, 1)),
    ((1, 2, 17, 40), (5, 5), (2, 2), (1, 1)),
    ((1, 2, 23, 18), (7, 7), (9, 9), (3, 3)),
    ((2, 2, 12, 7), (4, 2), (3, 0), (1, 2)),
    ((1, 2, 20, 33), (9, 13), (4, 6), (1, 1)),
    ((1, 1, 6, 5), (1, 11), (0, 5), (2, 1)),
    ((1, 2, 7, 9, 18), (3, 3, 3), (1, 1, 1), (1, 1, 1)),
    ((2, 2, 6, 11, 8), (3, 5, 2), (2, 0, 1), (1, 2, 3)),
]


def make(shape, kernel, dtype=torch.float64):
    torch.manual_seed(0)
    x = torch.randn(shape, dtype=dtype)
    weight = torch.randn(shape[1], 1, *kernel, dtype=dtype)
    return x, weight, torch.randn(shape[1], dtype=dtype)


def close(found, expected, tolerance=1e-12):
    assert found.shape == expected.shape
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("mode", ["reference", "cpp", "auto"])
@pytest.mark.parametrize(("shape", "kernel", "padding", "dilation"), CASES)
def test_every_pass_equals_the_grouped_convolution(shape, kernel, padding, dilation, mode):
    if mode == "cpp" and native.state(cpu.SOURCE) != "live":
        pytest.skip(native.state(cpu.SOURCE))
    inputs = [t.requires_grad_() for t in make(shape, kernel)]
    dims = len(kernel)
    expected = CONV[dims](*inputs, 1, padding, dilation, shape[1])
    grad = torch.randn_like(expected)
    expected_gradients = torch.autograd.grad(expected, inputs, grad)
    with use_kernels(mode):
        found = op.forward(*inputs, [1] * dims, padding, dilation)
        gradients = torch.autograd.grad(found, inputs, grad)
    close(found, expected)
    for a, b in zip(gradients, expected_gradients, strict=True):
        close(a, b)


@pytest.mark.parametrize(("shape", "kernel", "padding", "dilation"), CASES)
def test_the_rewritten_passes_equal_pytorchs(shape, kernel, padding, dilation):
    x, weight, bias = make(shape, kernel)
    dims = len(kernel)
    ones, zeros = [1] * dims, [0] * dims
    expected = CONV[dims](x, weight, bias, 1, padding, dilation, shape[1])
    grad = torch.randn_like(expected)
    close(rewrite.forward(x, weight, bias, padding, dilation), expected)
    for_x, for_weight, _ = torch.ops.aten.convolution_backward(
        grad, x, weight, None, ones, padding, dilation, False, zeros, shape[1], [True, True, False]
    )
    close(rewrite.grad_input(grad, weight, padding, dilation), for_x)
    close(rewrite.grad_weight(x, grad, kernel, padding, dilation), for_weight)


@pytest.mark.parametrize("dims", [2, 3])
def test_output_and_gradient_keep_the_memory_format(dims):
    for is_last in (False, True):
        x, weight, _ = make((2, 5, *[9] * dims), (3,) * dims, torch.float32)
        layout = LAST[dims] if is_last else torch.contiguous_format
        x = x.to(memory_format=layout).requires_grad_()
        for mode in ("auto", "reference", "cpp"):
            with use_kernels(mode):
                y = op.forward(x, weight, None, [1] * dims, [1] * dims, [1] * dims)
                (grad,) = torch.autograd.grad(y, x, torch.ones_like(y))
            assert y.is_contiguous(memory_format=layout)
            assert grad.is_contiguous(memory_format=layout)


def test_strided_convolution_equals_pytorchs():
    x, weight, bias = make((2, 3, 11, 13), (3, 5))
    inputs = [t.requires_grad_() for t in (x, weight, bias)]
    for mode in ("auto", "reference"):
        with use_kernels(mode):
            found = op.forward(*inputs, [2, 3], [1, 2], [1, 1])
            gradients = torch.autograd.grad(found.square().sum(), inputs)
        expected = F.conv2d(*inputs, (2, 3), (1, 2), 1, 3)
        close(found, expected)
        for a, b in zip(
            gradients, torch.autograd.grad(expected.square().sum(), inputs), strict=True
        ):
            close(a, b)


def test_first_and_second_derivatives_pass_gradcheck():
    x, weight, bias = make((1, 2, 5, 4), (3, 3))
    inputs = tuple(t.requires_grad_() for t in (x, weight, bias))

    def call(*tensors):
        return op.forward(*tensors, [1, 1], [1, 2], [1, 2])

    for mode in ("cpp", "reference"):
        with use_kernels(mode):
            assert torch.autograd.gradcheck(call, inputs)
            assert torch.autograd.gradgradcheck(call, inputs)


def test_opcheck_passes_for_all_three_ops():
    x, weight, bias = make((2, 3, 8, 9), (3, 3), torch.float32)
    sizes = ([1, 1], [1, 1], [1, 1])
    for layout in (torch.contiguous_format, torch.channels_last):
        image = x.detach().to(memory_format=layout).requires_grad_()
        torch.library.opcheck(op.forward, (image, weight.requires_grad_(), bias, *sizes))
        torch.library.opcheck(op.grad_input, (image, weight, [8, 9], *sizes))
        torch.library.opcheck(op.grad_weight, (image, image.detach(), [3, 3], *sizes))


# Importing inductor runs a line of torch's own that torch deprecates.
@pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated:DeprecationWarning")
@pytest.mark.parametrize("backend", ["aot_eager", "inductor"])
def test_compiles_into_one_graph(backend):
    x, weight, bias = make((1, 4, 9, 20), (5, 5), torch.float32)
    inputs = [t.requires_grad_() for t in (x, weight, bias)]

    def call(*tensors):
        return depthwise_conv(*tensors, padding=6, dilation=3).square().sum()

    compiled = torch.compile(call, fullgraph=True, backend=backend)
    found = torch.autograd.grad(compiled(*inputs), inputs)
    for a, b in zip(found, torch.autograd.grad(call(*inputs), inputs), strict=True):
        close(a, b, 1e-4)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_the_rounded_double_result(dtype):
    x, weight, bias = make((1, 3, 6, 7, 20), (3, 3, 3), dtype)
    expected = F.conv3d(x.double(), weight.double(), bias.double(), 1, 2, 2, 3)
    with use_kernels("cpp"):
        found = depthwise_conv(x, weight, bias, padding=2, dilation=2)
    assert found.dtype == dtype
    torch.testing.assert_close(found.double(), expected, rtol=torch.finfo(dtype).eps, atol=1e-3)


def test_autocast_computes_in_its_type():
    x, weight, bias = make((1, 2, 12, 12), (3, 3), torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        assert depthwise_conv(x, weight, bias, padding=1).dtype == torch.bfloat16


def test_several_threads_give_the_same_numbers():
    x, weight, _ = make((3, 5, 20, 30), (5, 5), torch.float32)
    before = torch.get_num_threads()
    try:
        results = []
        for threads in (1, 2):
            torch.set_num_threads(threads)
            results.append(cpu.forward(x, weight, None, [2, 2], [1, 1]))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(*results)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.ones(2, 3), torch.ones(3, 1, 3)), r"\(2, 3\).*\(N, C, \*space\)"),
        ((torch.ones(1, 3, 9), torch.ones(2, 1, 3)), r"\(2, 1, 3\).*\(3, 1, \*kernel\)"),
        ((torch.ones(1, 3, 9), torch.ones(3, 1, 3).double()), "float64.*float32"),
        ((torch.ones(1, 3, 9), torch.ones(3, 1, 3), torch.ones(4)), r"\(4,\).*\(3,\)"),
        ((torch.ones(1, 3, 2), torch.ones(3, 1, 3)), "does not fit"),
    ],
)
def test_arguments_that_do_not_go_together_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        depthwise_conv(*arguments)


def test_sizes_of_the_wrong_count_or_sign_are_named():
    x, weight, _ = make((1, 2, 9, 9), (3, 3))
    with pytest.raises(ValueError, match=r"padding=\[1, 1, 1\].*2 of them"):
        depthwise_conv(x, weight, padding=[1, 1, 1])
    with pytest.raises(ValueError, match="dilation=0"):
        depthwise_conv(x, weight, dilation=0)
