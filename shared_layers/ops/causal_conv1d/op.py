"""``shared_layers::causal_conv1d``: the custom op, its gradients, and the choice of the form.

The input gradient is the same op with time reversed, so that two ops are closed under
differentiation:  dL/dx = conv(g, w, reversed),  dL/dw = grad_weight(x, g).

Legend: B batch, T time, C channel, K kernel.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from shared_layers.config import active_mode
from shared_layers.ops import native
from shared_layers.ops.autocast import autocast_dtype
from shared_layers.ops.causal_conv1d import reference

SOURCE = Path(__file__).with_name("cpu.cpp")
_SUFFIX = {torch.float32: "f32", torch.float64: "f64"}


def _is_cpp(x: Tensor) -> bool:
    """Whether the C++ form runs; it is the fastest wherever it exists."""
    mode = active_mode()
    if mode == "reference" or x.device.type != "cpu":
        return False
    if mode == "cpp":
        native.library(SOURCE)
    return x.is_floating_point() and x.numel() > 0 and native.is_live(SOURCE)


def _plain(tensor: Tensor) -> Tensor:
    return tensor.to(tensor.dtype if tensor.dtype in _SUFFIX else torch.float32).contiguous()


def _arguments(x: Tensor, taps: int, is_reversed: bool) -> ctypes.Array[ctypes.c_int64]:
    return (ctypes.c_int64 * 6)(*x.shape, taps, int(is_reversed), torch.get_num_threads())


@torch.library.custom_op("shared_layers::causal_conv1d", mutates_args=())
def forward(x: Tensor, weight: Tensor, bias: Tensor | None, is_reversed: bool) -> Tensor:
    """y (B, T, C) of ``x`` (B, T, C), ``weight`` (C, K) and ``bias`` (C)."""
    if not _is_cpp(x):
        return reference.forward(x, weight, bias, is_reversed).contiguous()
    rows, filters = _plain(x), _plain(weight.T)
    shift = None if bias is None else _plain(bias)
    out = torch.empty_like(rows)
    function = getattr(native.library(SOURCE), f"forward_{_SUFFIX[rows.dtype]}")
    arguments = _arguments(rows, weight.shape[1], is_reversed)
    function(arguments, *map(native.pointer, (rows, filters, shift, out)))
    return out.to(x.dtype)


@forward.register_fake
def _(x: Tensor, weight: Tensor, bias: Tensor | None, is_reversed: bool) -> Tensor:
    return x.new_empty(x.shape)


@torch.library.custom_op("shared_layers::causal_conv1d_grad_weight", mutates_args=())
def grad_weight(x: Tensor, grad: Tensor, taps: int, is_reversed: bool) -> Tensor:
    """The gradient for a weight (C, K)."""
    if not _is_cpp(x):
        return reference.grad_weight(x, grad, taps, is_reversed)
    rows, gradient = _plain(x), _plain(grad)
    out = rows.new_empty(taps, x.shape[2])
    function = getattr(native.library(SOURCE), f"grad_weight_{_SUFFIX[rows.dtype]}")
    arguments = _arguments(rows, taps, is_reversed)
    function(arguments, *map(native.pointer, (rows, gradient, out)))
    return out.to(x.dtype).T.contiguous()


@grad_weight.register_fake
def _(x: Tensor, grad: Tensor, taps: int, is_reversed: bool) -> Tensor:
    return x.new_empty(x.shape[2], taps)


def _save_forward(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, weight, bias, ctx.is_reversed = inputs
    ctx.save_for_backward(x, weight)
    ctx.has_bias = bias is not None


def _forward_backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    x, weight = ctx.saved_tensors
    needs_x, needs_weight, needs_bias = ctx.needs_input_grad[:3]
    for_x = forward(grad, weight, None, not ctx.is_reversed) if needs_x else None
    for_weight = None
    if needs_weight:
        for_weight = grad_weight(x, grad, weight.shape[1], ctx.is_reversed)
    for_bias = grad.sum((0, 1)) if ctx.has_bias and needs_bias else None
    return for_x, for_weight, for_bias, None


def _save_grad_weight(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, grad, _, ctx.is_reversed = inputs
    ctx.save_for_backward(x, grad)


def _grad_weight_backward(ctx: Any, weight: Tensor) -> tuple[Any, ...]:
    x, grad = ctx.saved_tensors
    needs_x, needs_grad = ctx.needs_input_grad[:2]
    for_x = forward(grad, weight, None, not ctx.is_reversed) if needs_x else None
    for_grad = forward(x, weight, None, ctx.is_reversed) if needs_grad else None
    return for_x, for_grad, None, None


forward.register_autograd(_forward_backward, setup_context=_save_forward)
grad_weight.register_autograd(_grad_weight_backward, setup_context=_save_grad_weight)


def causal_depthwise_conv1d(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, *, is_reversed: bool = False
) -> Tensor:
    """Each channel filtered over its own past, in the layout of a sequence model.

    y[t] = b + Σ_j w[:, j] x[t - (K-1) + j]: ``weight[:, -1]`` acts on the present step.

    Args:
        x: (B, T, C).
        weight: (C, K).
        bias: (C,) or none.
        is_reversed: look at the future instead, as a backward scan direction needs:
            the same as flipping time before and after.

    Returns:
        (B, T, C).

    Raises:
        ValueError: shapes or types that do not go together.

    Example::

        >>> x = torch.tensor([[[1.0], [2.0], [4.0]]])
        >>> causal_depthwise_conv1d(x, torch.tensor([[10.0, 1.0]]))
        tensor([[[ 1.], [12.], [24.]]])
    """
    dtype = autocast_dtype(x.device.type)
    if dtype is not None and x.dtype != torch.float64:
        x, weight = x.to(dtype), weight.to(dtype)
        bias = None if bias is None else bias.to(dtype)
    if x.dim() != 3 or weight.dim() != 2 or weight.shape[0] != x.shape[2] or weight.shape[1] < 1:
        raise ValueError(
            f"x and weight have shapes {tuple(x.shape)} and {tuple(weight.shape)}: "
            "expected (B, T, C) and (C, K >= 1)"
        )
    if bias is not None and bias.shape != (x.shape[2],):
        raise ValueError(f"bias has shape {tuple(bias.shape)}: expected ({x.shape[2]},)")
    for name, other in (("weight", weight), ("bias", bias)):
        if other is not None and other.dtype != x.dtype:
            raise ValueError(f"{name} is {other.dtype}: expected the type of x, {x.dtype}")
    return forward(x, weight, bias, is_reversed)
