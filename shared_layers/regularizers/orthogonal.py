"""Distance of a convolution from an orthogonal one.

E. M. Achour, F. Malgouyres, F. Mamalet, "Existence, Stability and Scalability of Orthogonal
Convolutional Neural Networks" (2021, arXiv:2108.05623), after Wang et al. (2019,
arXiv:1911.12207):

    L_orth(K) = ‖conv(K, K, padding P, stride S) − I_{r0}‖²_F,   P = ⌊(k − 1)/S⌋·S,

less M − C·S² if the M outputs outnumber the C·S² inputs under one stride (then columns, not rows,
can be orthogonal). For circular padding and an output of N places per axis, N ≥ 2⌊(k − 1)/S⌋ + 1,
it is the distance of the whole layer's matrix 𝒦 from orthogonality: ‖𝒦𝒦ᵀ − I‖²_F = N²·L_orth.
Differs: 1-, 2- and 3-d kernels, and kernels and strides of their own on each axis.

`torch.nn.utils.parametrizations.orthogonal` is not that: on a convolution it makes each k × k
slice of the kernel orthogonal, which says nothing of the layer.
"""

# M output channels, C input channels, k kernel, S stride, n number of axes

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F


def orthogonal_conv_loss(weight: Tensor, stride: int | Sequence[int] = 1) -> Tensor:
    """Return L_orth, a scalar: 0 for an orthogonal convolution, else positive.

    Args:
        weight: (M, C, k…) of a 1-, 2- or 3-d convolution without groups or dilation.
        stride: of the convolution, one or one per axis.

    Returns:
        () of the type of `weight`

    Raises:
        ValueError: a weight without one to three kernel axes, a stride below 1 or of another count.

    Example:
        >>> weight = torch.nn.init.dirac_(torch.empty(4, 4, 3, 3))
        >>> orthogonal_conv_loss(weight).item()
        0.0
    """
    kernel = weight.shape[2:]
    if not 1 <= len(kernel) <= 3:
        raise ValueError(
            f"weight has shape {tuple(weight.shape)}: expected (M, C, k…) with one to three axes k"
        )
    strides = (stride,) * len(kernel) if isinstance(stride, int) else tuple(stride)
    if len(strides) != len(kernel) or any(s < 1 for s in strides):
        raise ValueError(
            f"stride={stride!r}: expected an integer >= 1, or {len(kernel)} of them (one per axis)"
        )
    # every shift of the kernel against itself at which the two overlap
    padding = tuple((k - 1) // s * s for k, s in zip(kernel, strides, strict=True))
    correlate = (F.conv1d, F.conv2d, F.conv3d)[len(kernel) - 1]
    gram = correlate(weight, weight, stride=strides, padding=padding)  # (M, M, 2P/S + 1…)
    num_outputs, num_inputs = weight.shape[:2]
    identity = torch.zeros_like(gram)  # I_{r0}: the unshifted product alone is to be 1
    shifts = gram.shape[2:].numel()
    identity.view(num_outputs, num_outputs, shifts)[:, :, shifts // 2].fill_diagonal_(1)
    loss = (gram - identity).square().sum()
    return loss - max(num_outputs - num_inputs * math.prod(strides), 0)
