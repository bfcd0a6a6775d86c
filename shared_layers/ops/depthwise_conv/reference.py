"""Depthwise convolution as the sum it is: the oracle of every faster form.

    y[n, c, p] = b[c] + sum_t w[c, 0, t] · x[n, c, stride·p + dilation·t - padding]

Legend: N batch, C channel, D H W space (any one to three of them), t kernel position.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

# One slice per spatial axis.
Window = tuple[slice, ...]


def output_size(
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> list[int]:
    """Spatial size of the output (may be < 1 where the kernel does not fit)."""
    axes = zip(size, kernel, stride, padding, dilation, strict=True)
    return [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in axes]


def _windows(
    kernel: Sequence[int], out: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> Iterator[Window]:
    """For each kernel position, in memory order, the part of the padded input it multiplies."""
    for tap in itertools.product(*map(range, kernel)):
        axes = zip(tap, out, stride, dilation, strict=True)
        yield tuple(slice(t * d, t * d + (n - 1) * s + 1, s) for t, n, s, d in axes)


def _pad(x: Tensor, padding: Sequence[int]) -> Tensor:
    return F.pad(x, [p for p in reversed(padding) for _ in range(2)])


def forward(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> Tensor:
    """The convolution of ``x`` (N, C, *space) with ``weight`` (C, 1, *kernel)."""
    kernel = weight.shape[2:]
    out = output_size(x.shape[2:], kernel, stride, padding, dilation)
    padded = _pad(x, padding)
    ones = [1] * len(kernel)
    total = x.new_zeros(*x.shape[:2], *out)
    for tap, window in enumerate(_windows(kernel, out, stride, dilation)):
        total = total + weight.flatten(1)[:, tap].view(-1, *ones) * padded[:, :, *window]
    return total if bias is None else total + bias.view(-1, *ones)


def grad_input(
    grad: Tensor,
    weight: Tensor,
    size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> Tensor:
    """The gradient for the input of spatial ``size``, from ``grad`` (N, C, *out)."""
    kernel = weight.shape[2:]
    ones = [1] * len(kernel)
    padded = grad.new_zeros(
        *grad.shape[:2], *(n + 2 * p for n, p in zip(size, padding, strict=True))
    )
    for tap, window in enumerate(_windows(kernel, grad.shape[2:], stride, dilation)):
        padded[:, :, *window] += weight.flatten(1)[:, tap].view(-1, *ones) * grad
    inner = tuple(slice(p, p + n) for n, p in zip(size, padding, strict=True))
    return padded[:, :, *inner].contiguous()


def grad_weight(
    x: Tensor,
    grad: Tensor,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> Tensor:
    """The gradient for the weight (C, 1, *kernel)."""
    padded = _pad(x, padding)
    space = tuple(range(2, grad.dim()))
    windows = _windows(kernel, grad.shape[2:], stride, dilation)
    columns = [(padded[:, :, *window] * grad).sum(dim=(0, *space)) for window in windows]
    return torch.stack(columns, 1).reshape(x.shape[1], 1, *kernel)
