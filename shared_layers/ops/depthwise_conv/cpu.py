"""The C++ form of the three passes: contiguous planes, float32 and float64, stride 1.

Other layouts and half precisions are converted on the way in and out.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from shared_layers.ops import native

SOURCE = Path(__file__).with_name("cpu.cpp")
_SUFFIX = {torch.float32: "f32", torch.float64: "f64"}


def covers(
    x: Tensor, kernel: Sequence[int], padding: Sequence[int], dilation: Sequence[int]
) -> bool:
    """Whether both the forward pass and the mirrored one fit the C++ form."""
    axes = zip(kernel, padding, dilation, strict=True)
    return (
        x.device.type == "cpu"
        and x.dtype in (torch.float32, torch.float64, torch.bfloat16, torch.float16)
        and x.numel() > 0
        and all(0 <= p <= d * (k - 1) for k, p, d in axes)
    )


def _arguments(
    x: Tensor,
    kernel: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    is_mirrored: bool = False,
) -> ctypes.Array[ctypes.c_int64]:
    """The 16 integers of the C interface; missing leading axes have size 1."""
    missing = 5 - x.dim()
    ones, zeros = [1] * missing, [0] * missing
    values = [*x.shape[:2], *ones, *x.shape[2:], *ones, *kernel, *ones, *dilation, *zeros, *padding]
    return (ctypes.c_int64 * 16)(*values, torch.get_num_threads(), int(is_mirrored))


def _plain(tensor: Tensor) -> Tensor:
    dtype = tensor.dtype if tensor.dtype in _SUFFIX else torch.float32
    return tensor.to(dtype).contiguous()


def forward(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    padding: Sequence[int],
    dilation: Sequence[int],
    is_mirrored: bool = False,
) -> Tensor:
    """The convolution, with the kernel mirrored on all axes if asked; contiguous."""
    kernel = weight.shape[2:]
    axes = zip(x.shape[2:], kernel, padding, dilation, strict=True)
    image, filters = _plain(x), _plain(weight)
    shift = None if bias is None else _plain(bias)
    out = image.new_empty(*x.shape[:2], *(n + 2 * p - d * (k - 1) for n, k, p, d in axes))
    function = getattr(native.library(SOURCE), f"forward_{_SUFFIX[image.dtype]}")
    arguments = _arguments(x, kernel, padding, dilation, is_mirrored)
    function(arguments, *map(native.pointer, (image, filters, shift, out)))
    return out.to(x.dtype)


def grad_input(
    grad: Tensor, weight: Tensor, padding: Sequence[int], dilation: Sequence[int]
) -> Tensor:
    """The mirrored convolution of ``grad``."""
    axes = zip(weight.shape[2:], padding, dilation, strict=True)
    full = [d * (k - 1) - p for k, p, d in axes]
    return forward(grad, weight, None, full, dilation, is_mirrored=True)


def grad_weight(
    x: Tensor,
    grad: Tensor,
    kernel: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> Tensor:
    """The gradient for the weight (C, 1, *kernel)."""
    image, gradient = _plain(x), _plain(grad)
    out = image.new_empty(x.shape[1], 1, *kernel)
    function = getattr(native.library(SOURCE), f"grad_weight_{_SUFFIX[image.dtype]}")
    function(_arguments(x, kernel, padding, dilation), *map(native.pointer, (image, gradient, out)))
    return out.to(x.dtype)
