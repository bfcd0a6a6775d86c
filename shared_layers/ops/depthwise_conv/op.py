"""``shared_layers::depthwise_conv``: the custom op, its gradients, and the choice of the form.

Three ops, each differentiable in terms of the others, so that any order of derivative works:

    y = conv(x, w) + b,   dL/dx = grad_input(g, w),   dL/dw = grad_weight(x, g)

The output has the memory format of the input.

Legend: N batch, C channel, space one to three axes.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from shared_layers.config import active_mode
from shared_layers.ops import native, triton_state
from shared_layers.ops.depthwise_conv import cpu, gpu, reference, rewrite
from shared_layers.ops.depthwise_conv.reference import output_size
from shared_layers.ops.depthwise_conv.table import NARROW, Form, Pass, preferred

Sizes = Sequence[int]


def memory_format(x: Tensor) -> torch.memory_format:
    """Channels-last when ``x`` is in it and not contiguous as well, else contiguous."""
    last = {4: torch.channels_last, 5: torch.channels_last_3d}.get(x.dim())
    if last is None or x.is_contiguous() or not x.is_contiguous(memory_format=last):
        return torch.contiguous_format
    return last


def choose(
    which: Pass, x: Tensor, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
) -> Form:
    """The form that runs this pass; ``x`` is the tensor whose layout and size decide.

    Raises:
        NativeUnavailable: mode "cpp" without a C++ form.
        ValueError: mode "triton" where Triton cannot run.
    """
    mode = active_mode()
    if mode == "reference":
        return "reference"
    is_plain = all(s == 1 for s in stride)
    if mode == "triton" and is_plain:
        triton_state.require(x)
        return "triton" if gpu.covers(x, kernel, padding, dilation) else "aten"
    if not is_plain or not cpu.covers(x, kernel, padding, dilation):
        return "aten"
    if mode == "cpp":
        native.library(cpu.SOURCE)
        return "cpp"
    is_last = memory_format(x) is not torch.contiguous_format
    is_dilated = any(d > 1 for d in dilation)
    is_narrow = x.shape[-1] < NARROW
    forms = preferred(which, x.dim() - 2, is_last, is_dilated, is_narrow, max(kernel))
    return next(form for form in forms if form != "cpp" or native.is_live(cpu.SOURCE))


def _aten_backward(
    grad: Tensor, x: Tensor, weight: Tensor, stride: Sizes, padding: Sizes, dilation: Sizes, at: int
) -> Tensor:
    dims = x.dim() - 2
    wanted = [at == 0, at == 1, False]
    return torch.ops.aten.convolution_backward(
        grad, x, weight, None, stride, padding, dilation, False, [0] * dims, x.shape[1], wanted
    )[at]


@torch.library.custom_op("shared_layers::depthwise_conv", mutates_args=())
def forward(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> Tensor:
    """The convolution of ``x`` (N, C, *space) with ``weight`` (C, 1, *kernel)."""
    form = choose("forward", x, weight.shape[2:], stride, padding, dilation)
    if form == "reference":
        out = reference.forward(x, weight, bias, stride, padding, dilation)
    elif form == "cpp":
        out = cpu.forward(x, weight, bias, padding, dilation)
    elif form == "rewrite":
        out = rewrite.forward(x, weight, bias, padding, dilation)
    elif form == "triton":
        out = gpu.forward(x, weight, bias, padding, dilation)
    else:
        dims = x.dim() - 2
        out = torch.ops.aten.convolution(
            x, weight, bias, stride, padding, dilation, False, [0] * dims, x.shape[1]
        )
    return out.contiguous(memory_format=memory_format(x))


@forward.register_fake
def _(
    x: Tensor, weight: Tensor, bias: Tensor | None, stride: Sizes, padding: Sizes, dilation: Sizes
) -> Tensor:
    size = output_size(x.shape[2:], weight.shape[2:], stride, padding, dilation)
    return x.new_empty(*x.shape[:2], *size).contiguous(memory_format=memory_format(x))


@torch.library.custom_op("shared_layers::depthwise_conv_grad_input", mutates_args=())
def grad_input(
    grad: Tensor,
    weight: Tensor,
    size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> Tensor:
    """The gradient for an input of spatial ``size``."""
    form = choose("grad_input", grad, weight.shape[2:], stride, padding, dilation)
    if form == "reference":
        out = reference.grad_input(grad, weight, size, stride, padding, dilation)
    elif form == "cpp":
        out = cpu.grad_input(grad, weight, padding, dilation)
    elif form == "rewrite":
        out = rewrite.grad_input(grad, weight, padding, dilation)
    elif form == "triton":
        out = gpu.grad_input(grad, weight, padding, dilation)
    else:
        shape = grad.new_empty(1).expand(*grad.shape[:2], *size)
        out = _aten_backward(grad, shape, weight, stride, padding, dilation, 0)
    return out.contiguous(memory_format=memory_format(grad))


@grad_input.register_fake
def _(
    grad: Tensor, weight: Tensor, size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
) -> Tensor:
    return grad.new_empty(*grad.shape[:2], *size).contiguous(memory_format=memory_format(grad))


@torch.library.custom_op("shared_layers::depthwise_conv_grad_weight", mutates_args=())
def grad_weight(
    x: Tensor,
    grad: Tensor,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> Tensor:
    """The gradient for a weight (C, 1, *kernel)."""
    form = choose("grad_weight", x, kernel, stride, padding, dilation)
    if form == "reference":
        out = reference.grad_weight(x, grad, kernel, stride, padding, dilation)
    elif form == "cpp":
        out = cpu.grad_weight(x, grad, kernel, padding, dilation)
    elif form == "rewrite":
        out = rewrite.grad_weight(x, grad, kernel, padding, dilation)
    elif form == "triton":
        out = gpu.grad_weight(x, grad, kernel, padding, dilation)
    else:
        weight = x.new_empty(x.shape[1], 1, *kernel)
        out = _aten_backward(grad, x, weight, stride, padding, dilation, 1)
    return out.contiguous()


@grad_weight.register_fake
def _(
    x: Tensor, grad: Tensor, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
) -> Tensor:
    return x.new_empty(x.shape[1], 1, *kernel)
