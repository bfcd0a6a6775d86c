"""The derivatives of the three ops of ``op.py``, each written with the other two.

The convolution is linear in ``x`` and in ``w``, so that with <a, b> the sum of products

    <g, conv(x, w)> = <grad_input(g, w), x> = <grad_weight(x, g), w>

and every derivative of one is another one.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from shared_layers.ops.depthwise_conv import op

# What an op's backward returns for its three lists of sizes.
_NO_SIZES = (None, None, None)


def _save_forward(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, weight, bias, *ctx.sizes = inputs
    needs_x, needs_weight = ctx.needs_input_grad[:2]
    ctx.save_for_backward(x if needs_weight else None, weight if needs_x else None)
    ctx.space, ctx.kernel = x.shape[2:], weight.shape[2:]
    ctx.has_bias = bias is not None


def _forward_backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    x, weight = ctx.saved_tensors
    needs_x, needs_weight, needs_bias = ctx.needs_input_grad[:3]
    for_x = op.grad_input(grad, weight, ctx.space, *ctx.sizes) if needs_x else None
    for_weight = op.grad_weight(x, grad, ctx.kernel, *ctx.sizes) if needs_weight else None
    for_bias = None
    if ctx.has_bias and needs_bias:
        for_bias = grad.sum((0, *range(2, grad.dim())))
    return for_x, for_weight, for_bias, *_NO_SIZES


def _save_grad_input(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    grad, weight, _, *ctx.sizes = inputs
    ctx.save_for_backward(grad, weight)


def _grad_input_backward(ctx: Any, x: Tensor) -> tuple[Any, ...]:
    grad, weight = ctx.saved_tensors
    for_grad = op.forward(x, weight, None, *ctx.sizes) if ctx.needs_input_grad[0] else None
    for_weight = None
    if ctx.needs_input_grad[1]:
        for_weight = op.grad_weight(x, grad, weight.shape[2:], *ctx.sizes)
    return for_grad, for_weight, None, *_NO_SIZES


def _save_grad_weight(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, grad, _, *ctx.sizes = inputs
    ctx.save_for_backward(x, grad)


def _grad_weight_backward(ctx: Any, weight: Tensor) -> tuple[Any, ...]:
    x, grad = ctx.saved_tensors
    for_x = None
    if ctx.needs_input_grad[0]:
        for_x = op.grad_input(grad, weight, x.shape[2:], *ctx.sizes)
    for_grad = op.forward(x, weight, None, *ctx.sizes) if ctx.needs_input_grad[1] else None
    return for_x, for_grad, None, *_NO_SIZES


def register() -> None:
    """Tell torch the derivatives of the three ops."""
    op.forward.register_autograd(_forward_backward, setup_context=_save_forward)
    op.grad_input.register_autograd(_grad_input_backward, setup_context=_save_grad_input)
    op.grad_weight.register_autograd(_grad_weight_backward, setup_context=_save_grad_weight)
