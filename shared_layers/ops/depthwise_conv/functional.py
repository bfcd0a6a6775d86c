"""The function a caller uses: arguments checked, autocast applied, the form's call made.

A small convolution takes PyTorch about 25 µs, so that checks and choices may not take ten. They
look at shapes, types and layout only, and are made once for each combination of these: a plan.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from shared_layers.config import active_mode
from shared_layers.ops.autocast import autocast_dtype
from shared_layers.ops.depthwise_conv import op
from shared_layers.ops.depthwise_conv.reference import output_size
from shared_layers.ops.depthwise_conv.table import Pass

_CONV: dict[int, Callable[..., Tensor]] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_PASSES: tuple[Pass, ...] = ("forward", "grad_input", "grad_weight")

# Products of a forward pass up to which PyTorch's own call is as fast as ours with the overhead of
# a custom op; its fixed cost is 38 µs on contiguous maps, 24 µs on channels-last ones (EPYC).
_FEW_PRODUCTS = {False: 2**15, True: 2**19}
_MOST_PLANS = 1024


class Plan(NamedTuple):
    """How arguments of one kind are run."""

    is_aten: bool  # by F.convNd, without the op
    sizes: tuple[list[int], list[int], list[int]]  # stride, padding, dilation, one per axis


_plans: dict[Any, Plan] = {}


def _sizes(name: str, value: int | Sequence[int], dims: int, least: int) -> list[int]:
    sizes = [value] * dims if isinstance(value, int) else list(value)
    if len(sizes) != dims or any(size < least for size in sizes):
        raise ValueError(
            f"{name}={value!r}: expected an integer >= {least} or {dims} of them, one per axis"
        )
    return sizes


def _check(x: Tensor, weight: Tensor, bias: Tensor | None) -> None:
    if x.dim() not in (3, 4, 5):
        raise ValueError(
            f"x has shape {tuple(x.shape)}: expected (N, C, *space) with one to three axes of space"
        )
    if weight.dim() != x.dim() or weight.shape[:2] != (x.shape[1], 1):
        raise ValueError(
            f"weight has shape {tuple(weight.shape)}: expected ({x.shape[1]}, 1, *kernel) with "
            f"{x.dim() - 2} axes of kernel for x of shape {tuple(x.shape)}"
        )
    if bias is not None and bias.shape != (x.shape[1],):
        raise ValueError(f"bias has shape {tuple(bias.shape)}: expected ({x.shape[1]},)")
    for name, other in (("weight", weight), ("bias", bias)):
        if other is not None and (other.dtype != x.dtype or other.device != x.device):
            raise ValueError(
                f"{name} is {other.dtype} on {other.device}: expected the type and device of x, "
                f"{x.dtype} on {x.device}"
            )


def depthwise_conv(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
) -> Tensor:
    """Each channel convolved with its own kernel: ``F.convNd(..., groups=C)``, faster.

    Args:
        x: input (N, C, *space), one to three axes of space; contiguous or channels-last.
        weight: kernel (C, 1, *kernel).
        bias: (C,) or none.
        stride, padding, dilation: one integer for all axes, or one for each. The padding is zeros.

    Returns:
        (N, C, *out), in the memory format of ``x``.

    Raises:
        ValueError: shapes, types or sizes that do not go together.

    Example::

        >>> depthwise_conv(torch.ones(1, 2, 5), torch.ones(2, 1, 3)).shape
        torch.Size([1, 2, 3])
    """
    dtype = autocast_dtype(x.device.type)
    if dtype is not None and x.dtype != torch.float64:
        x, weight = x.to(dtype), weight.to(dtype)
        bias = None if bias is None else bias.to(dtype)
    if torch.compiler.is_compiling():  # which saves the overhead itself, and cannot trace a choice
        return op.forward(x, weight, bias, *_checked(x, weight, bias, stride, padding, dilation))
    plan = _plan(x, weight, bias, stride, padding, dilation)
    if plan.is_aten:
        return _CONV[x.dim() - 2](x, weight, bias, *plan.sizes, groups=x.shape[1])
    return op.forward(x, weight, bias, *plan.sizes)


Size = int | Sequence[int]


def _checked(
    x: Tensor, weight: Tensor, bias: Tensor | None, stride: Size, padding: Size, dilation: Size
) -> tuple[list[int], list[int], list[int]]:
    """Stride, padding and dilation for each axis, once all arguments go together."""
    _check(x, weight, bias)
    dims, kernel = x.dim() - 2, weight.shape[2:]
    sizes = (
        _sizes("stride", stride, dims, 1),
        _sizes("padding", padding, dims, 0),
        _sizes("dilation", dilation, dims, 1),
    )
    if min(output_size(x.shape[2:], kernel, *sizes)) < 1:
        raise ValueError(
            f"kernel {tuple(kernel)} with dilation {sizes[2]} does not fit: x has shape "
            f"{tuple(x.shape)}, padded by {sizes[1]}; expected a map at least as large"
        )
    return sizes


def _plan(
    x: Tensor, weight: Tensor, bias: Tensor | None, stride: Size, padding: Size, dilation: Size
) -> Plan:
    """The plan for these arguments, made when they are first seen."""
    is_trained = torch.is_grad_enabled() and (
        x.requires_grad or weight.requires_grad or (bias is not None and bias.requires_grad)
    )
    kind: list[Any] = [is_trained, active_mode(), x.shape, x.stride(), x.dtype, x.device]
    kind += [weight.shape, weight.dtype, weight.device]
    if bias is not None:
        kind += [bias.shape, bias.dtype, bias.device]
    kind += [s if isinstance(s, int) else tuple(s) for s in (stride, padding, dilation)]
    key = tuple(kind)
    try:
        plan = _plans.get(key)
    except TypeError:  # symbolic sizes have no hash
        return _make_plan(x, weight, _checked(x, weight, bias, stride, padding, dilation), True)
    if plan is None:
        sizes = _checked(x, weight, bias, stride, padding, dilation)
        if len(_plans) >= _MOST_PLANS:
            _plans.clear()
        plan = _plans[key] = _make_plan(x, weight, sizes, is_trained)
    return plan


def _make_plan(
    x: Tensor, weight: Tensor, sizes: tuple[list[int], list[int], list[int]], is_trained: bool
) -> Plan:
    """PyTorch's own function has the least overhead: it runs where no pass would be ours.

    Without gradients only the forward pass counts, and a small one is not worth an op.
    """
    kernel = weight.shape[2:]
    passes = _PASSES if is_trained else _PASSES[:1]
    is_aten = all(op.choose(which, x, kernel, *sizes) == "aten" for which in passes)
    if not is_trained and active_mode() == "auto":
        is_last = op.memory_format(x) is not torch.contiguous_format
        is_aten |= x.numel() * math.prod(kernel) <= _FEW_PRODUCTS[is_last]
    return Plan(is_aten, sizes)
