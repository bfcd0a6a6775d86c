"""The three passes of a depthwise convolution as forward convolutions of PyTorch's own.

PyTorch's depthwise convolution is fast forward and undilated only.  So (stride 1):

1. a dilated convolution is d^n undilated ones over the d^n sub-images (polyphase split);
2. the input gradient is the forward pass of ``grad`` with the kernel mirrored,
   padding dilation·(kernel - 1) - padding;
3. the weight gradient is the convolution of ``x`` with ``grad`` as kernel and stride = dilation,
   batch folded into the channels.

Legend: N batch, C channel, K kernel, d dilation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch.nn.functional as F
from torch import Tensor

_CONV: dict[int, Callable[..., Tensor]] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


def forward(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    padding: Sequence[int],
    dilation: Sequence[int],
) -> Tensor:
    """Undilated: PyTorch's; dilated: over the polyphase components (N·d^n, C, *space/d)."""
    dims = x.dim() - 2
    conv = _CONV[dims]
    if all(d == 1 for d in dilation):
        return conv(x, weight, bias, 1, tuple(padding), 1, x.shape[1])
    n, c = x.shape[:2]
    size = x.shape[2:]
    axes = list(zip(size, weight.shape[2:], padding, dilation, strict=True))
    out = [s + 2 * p - d * (k - 1) for s, k, p, d in axes]
    # Each axis is padded up to a multiple of its dilation.
    margins = [(p, p + -(s + 2 * p) % d) for s, _, p, d in axes]
    padded = F.pad(x, [m for pair in reversed(margins) for m in pair])
    split = [part for s, d in zip(padded.shape[2:], dilation, strict=True) for part in (s // d, d)]
    phases = padded.reshape(n, c, *split)  # N C H/d d W/d d
    coarse, fine = range(2, 2 + 2 * dims, 2), range(3, 3 + 2 * dims, 2)
    phases = phases.permute(*fine, 0, 1, *coarse)  # d d N C H/d W/d
    batch = phases.reshape(-1, c, *phases.shape[dims + 2 :])  # N·d² C H/d W/d
    result = conv(batch, weight, bias, 1, 0, 1, c)
    result = result.reshape(*dilation, n, c, *result.shape[2:])
    order = [dims, dims + 1]
    for axis in range(dims):
        order += [dims + 2 + axis, axis]
    joined = result.permute(order)  # N C H/d d W/d d
    full = [joined.shape[2 + 2 * a] * joined.shape[3 + 2 * a] for a in range(dims)]
    return joined.reshape(n, c, *full)[:, :, *(slice(o) for o in out)]


def grad_input(
    grad: Tensor,
    weight: Tensor,
    padding: Sequence[int],
    dilation: Sequence[int],
) -> Tensor:
    """The mirrored forward pass; takes padding up to dilation·(kernel - 1)."""
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
    """The gradient for the weight (C, 1, *kernel), with ``grad`` as the kernel."""
    n, c = x.shape[:2]
    dims = x.dim() - 2
    image = x.reshape(1, n * c, *x.shape[2:])
    filters = grad.reshape(n * c, 1, *grad.shape[2:])
    result = _CONV[dims](image, filters, None, tuple(dilation), tuple(padding), 1, n * c)
    window = tuple(slice(k) for k in kernel)
    return result.reshape(n, c, *result.shape[2:])[:, :, *window].sum(0).unsqueeze(1)
