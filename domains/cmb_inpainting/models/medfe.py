"""The mutual encoder-decoder with feature equalisation, on the sphere.

H. Liu, B. Jiang, Y. Song, W. Huang, C. Yang, "Rethinking Image Inpainting via a Mutual
Encoder-Decoder with Feature Equalizations", ECCV 2020, arXiv:2007.06929.  Shallow layers carry the
texture, deep ones the structure; each is filled at three scales by convolutions that count observed
pixels only, the two are equalised, and the result is added to every skip connection.

Written from the paper.  Differs: HEALPix faces; four levels instead of six; means over children
instead of strides; one partial convolution for each scale instead of five; no adversarial,
perceptual and style losses (there is no pretrained network for the sky, and no style), the mean
square error instead of L1.

Legend: S skies, C channel, n = nside.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from domains.cmb_inpainting.models.faces import (
    SphereConv,
    cropped,
    doubled,
    faces,
    halved,
    images,
    lattice,
)
from shared_layers import FeatureEqualization

_SEAM = 3  # pixels of the neighbours that equalisation sees: 2 σ of its Gaussian


class PartialConv(nn.Module):
    """A convolution over observed pixels, rescaled by their share (Liu et al. 2018).

    G. Liu et al., "Image Inpainting for Irregular Holes Using Partial Convolutions", ECCV 2018,
    arXiv:1804.07723.
    """

    def __init__(self, channels: int, kernel_size: int) -> None:
        super().__init__()
        self.conv = SphereConv(channels, channels, kernel_size, bias=False)
        self.bias = nn.Parameter(torch.zeros(channels))
        self.size = kernel_size

    def forward(self, x: Tensor, weight: Tensor) -> Tensor:
        """Features (S, C, 12, n, n) with weights (1, 1, 12, n, n) between 0 and 1."""
        share = faces(F.avg_pool2d(images(weight, self.size // 2), self.size, stride=1))
        return self.conv(x * weight) / share.clamp(min=0.1) + self.bias.view(-1, 1, 1, 1)


class MultiScaleFill(nn.Module):
    """Partial convolutions of three sizes side by side, mixed."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scales = nn.ModuleList(PartialConv(channels, size) for size in (3, 5, 7))
        self.mix = SphereConv(3 * channels, channels, 1)

    def forward(self, x: Tensor, weight: Tensor) -> Tensor:
        return self.mix(F.leaky_relu(torch.cat([s(x, weight) for s in self.scales], 1), 0.2))


class Medfe(nn.Module):
    """A correction of the starting fill.

    Args:
        channels: width at full nside; twice that below, a multiple of 8 for the excitation.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        c = channels
        widths = [c, 2 * c, 2 * c, 2 * c]
        self.encoder = nn.ModuleList(
            SphereConv(before, after) for before, after in zip([3, *widths], widths, strict=False)
        )
        self.texture = SphereConv(3 * c, c, 1)  # of levels 0 and 1
        self.structure = SphereConv(4 * c, c, 1)  # of levels 2 and 3
        self.fill_texture, self.fill_structure = MultiScaleFill(c), MultiScaleFill(c)
        self.equalize = FeatureEqualization(c, reduction=4)
        self.back = nn.ModuleList(SphereConv(2 * c, width, 1) for width in widths)
        self.decoder = nn.ModuleList(
            [SphereConv(4 * c, 2 * c), SphereConv(4 * c, 2 * c), SphereConv(3 * c, c)]
        )
        self.head = SphereConv(c, 1).zeroed()

    def forward(self, start: Tensor, observed: Tensor, distance: Tensor) -> Tensor:
        """Filled skies (S, 12, n, n) from a starting fill of the same shape, both over σ."""
        mask = lattice(observed, distance).expand(len(start), -1, -1, -1, -1)
        levels = [F.leaky_relu(self.encoder[0](torch.cat([start[:, None], mask], 1)), 0.2)]
        for conv in list(self.encoder)[1:]:
            levels.append(F.leaky_relu(conv(halved(levels[-1])), 0.2))
        weight = halved(observed.to(start.dtype)[None, None])  # (1, 1, 12, n/2, n/2)
        joined = self._equalized(levels, weight)
        at_level = [doubled(joined), joined, halved(joined), halved(halved(joined))]
        skips = [
            level + back(extra)
            for level, back, extra in zip(levels, self.back, at_level, strict=True)
        ]
        x = skips[3]
        for conv, skip in zip(self.decoder, (skips[2], skips[1], skips[0]), strict=True):
            x = F.leaky_relu(conv(torch.cat([doubled(x), skip], 1)), 0.2)
        return torch.where(observed, start, start + self.head(x)[:, 0])

    def _equalized(self, levels: list[Tensor], weight: Tensor) -> Tensor:
        """Structure and texture at half of nside, filled and equalised, (S, 2C, 12, n/2, n/2)."""
        texture = self.texture(torch.cat([halved(levels[0]), levels[1]], 1))
        deep = torch.cat([doubled(levels[2]), doubled(doubled(levels[3]))], 1)
        structure = self.structure(deep)
        texture = self.fill_texture(texture, weight)
        structure = self.fill_structure(structure, weight)
        padded = self.equalize(images(structure, _SEAM), images(texture, _SEAM))
        return faces(cropped(padded, _SEAM))
