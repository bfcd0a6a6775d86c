"""The Triton form's three passes; the kernels are imported when first used."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor


def covers(
    x: Tensor, kernel: Sequence[int], padding: Sequence[int], dilation: Sequence[int]
) -> bool:
    """Whether the Triton form fits: up to three axes, padding at most dilation·(kernel - 1)."""
    axes = zip(kernel, padding, dilation, strict=True)
    return x.numel() > 0 and all(0 <= p <= d * (k - 1) for k, p, d in axes)


def forward(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    padding: Sequence[int],
    dilation: Sequence[int],
) -> Tensor:
    """The convolution of ``x`` (N, C, *space)."""
    from shared_layers.ops.depthwise_conv import triton_kernel

    return triton_kernel.forward(x, weight, bias, padding, dilation)


def grad_input(
    grad: Tensor, weight: Tensor, padding: Sequence[int], dilation: Sequence[int]
) -> Tensor:
    """The mirrored convolution of ``grad``."""
    mirrored = weight.flip(tuple(range(2, weight.dim())))
    axes = zip(weight.shape[2:], padding, dilation, strict=True)
    return forward(grad, mirrored, None, [d * (k - 1) - p for k, p, d in axes], dilation)


def grad_weight(
    x: Tensor,
    grad: Tensor,
    kernel: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> Tensor:
    """The gradient for the weight (C, 1, *kernel)."""
    from shared_layers.ops.depthwise_conv import triton_kernel

    return triton_kernel.grad_weight(x, grad, kernel, padding, dilation)
