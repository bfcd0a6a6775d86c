"""The function a caller uses: arguments checked, autocast applied, the op called."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from shared_layers.ops.depthwise_conv import op
from shared_layers.ops.depthwise_conv.reference import output_size
from shared_layers.ops.depthwise_conv.table import Pass

_CONV: dict[int, Callable[..., Tensor]] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


def _sizes(name: str, value: int | Sequence[int], dims: int, least: int) -> list[int]:
    sizes = [value] * dims if isinstance(value, int) else list(value)
    if len(sizes) != dims or any(size < least for size in sizes):
        raise ValueError(
            f"{name} is {value!r}; it takes an integer >= {least} or {dims} of them, one per axis"
        )
    return sizes


def _check(x: Tensor, weight: Tensor, bias: Tensor | None) -> None:
    if x.dim() not in (3, 4, 5):
        raise ValueError(
            f"x has shape {tuple(x.shape)}; it takes (N, C, *space) with one to three axes of space"
        )
    if weight.dim() != x.dim() or weight.shape[:2] != (x.shape[1], 1):
        raise ValueError(
            f"weight has shape {tuple(weight.shape)}; for x of shape {tuple(x.shape)} it takes "
            f"({x.shape[1]}, 1, *kernel) with {x.dim() - 2} axes of kernel"
        )
    if bias is not None and bias.shape != (x.shape[1],):
        raise ValueError(f"bias has shape {tuple(bias.shape)}; it takes ({x.shape[1]},)")
    for name, other in (("weight", weight), ("bias", bias)):
        if other is not None and (other.dtype != x.dtype or other.device != x.device):
            raise ValueError(
                f"{name} is {other.dtype} on {other.device}; it takes the type and device of x, "
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
    if torch.is_autocast_enabled(x.device.type) and x.dtype != torch.float64:
        dtype = torch.get_autocast_dtype(x.device.type)
        x, weight = x.to(dtype), weight.to(dtype)
        bias = None if bias is None else bias.to(dtype)
    _check(x, weight, bias)
    dims = x.dim() - 2
    kernel = weight.shape[2:]
    sizes = (
        _sizes("stride", stride, dims, 1),
        _sizes("padding", padding, dims, 0),
        _sizes("dilation", dilation, dims, 1),
    )
    if min(output_size(x.shape[2:], kernel, *sizes)) < 1:
        raise ValueError(
            f"kernel {tuple(kernel)} with dilation {sizes[2]} does not fit x of shape "
            f"{tuple(x.shape)} padded by {sizes[1]}"
        )
    passes: tuple[Pass, ...] = ("forward", "grad_input", "grad_weight")
    # Where every pass would be PyTorch's own, its own function has the least overhead.  A compiler
    # cannot trace the choice, and saves the overhead itself.
    if not torch.compiler.is_compiling() and all(
        op.choose(which, x, kernel, *sizes) == "aten" for which in passes
    ):
        return _CONV[dims](x, weight, bias, *map(tuple, sizes), groups=x.shape[1])
    return op.forward(x, weight, bias, *sizes)
