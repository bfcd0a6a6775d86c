"""Layers of flat images on the sphere: each face is an image, its neighbours are the padding.

Legend: B batch, C channel, n = nside pixels along an edge of the 12 faces, p padding.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from domains.cmb_inpainting.science.sphere import NUM_FACES, pad_faces


def images(x: Tensor, pad: int = 0) -> Tensor:
    """Faces (B, C, 12, n, n) as a batch of padded images (B·12, C, n + 2p, n + 2p)."""
    return pad_faces(x, pad).transpose(1, 2).flatten(0, 1)


def faces(x: Tensor) -> Tensor:
    """Images (B·12, C, n, n) as faces (B, C, 12, n, n)."""
    return x.unflatten(0, (-1, NUM_FACES)).transpose(1, 2)


def on_sphere(layer: Callable[[Tensor], Tensor], x: Tensor, pad: int) -> Tensor:
    """``layer``, which takes ``pad`` off each side of an image, on the faces (B, C, 12, n, n)."""
    return faces(layer(images(x, pad)))


def cropped(x: Tensor, margin: int) -> Tensor:
    """Images (..., m, m) without ``margin`` pixels on each side."""
    if margin == 0:
        return x
    return x[..., margin:-margin, margin:-margin]


class SphereConv(nn.Module):
    """A convolution on the faces (B, C, 12, n, n); the padding is what lies beyond each edge.

    Args:
        in_channels, out_channels: C before and after.
        kernel_size: odd.
        dilation: (kernel_size − 1)/2 · dilation is at most n.
        bias: without one the layer is linear in the sky.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        dilation: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.pad = (kernel_size - 1) // 2 * dilation
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, dilation=dilation, bias=bias)

    def zeroed(self) -> SphereConv:
        """Itself with all weights 0: a head that at first adds nothing."""
        for parameter in self.parameters():
            nn.init.zeros_(parameter)
        return self

    def forward(self, x: Tensor) -> Tensor:
        return on_sphere(self.conv, x, self.pad)


def halved(x: Tensor) -> Tensor:
    """Means over the four children of each pixel of half the nside, (B, C, 12, n/2, n/2)."""
    return faces(F.avg_pool2d(images(x), 2))


def doubled(x: Tensor) -> Tensor:
    """Each pixel's value for its four children, (B, C, 12, 2n, 2n)."""
    return x.repeat_interleave(2, -1).repeat_interleave(2, -2)


def lattice(observed: Tensor, distance: Tensor) -> Tensor:
    """What the networks are told about the mask besides the sky, (1, 2, 12, n, n).

    Args:
        observed: (12, n, n), true where observed.
        distance: (12, n, n), degrees to the edge of the mask.
    """
    depth = torch.tanh(distance / 10.0)  # 10°: the half width of a usual galactic mask
    return torch.stack([observed.to(depth.dtype), depth])[None]
