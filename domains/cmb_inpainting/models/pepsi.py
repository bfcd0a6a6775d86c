"""PEPSI++ with the shared kernel of Diet-PEPSI, on the sphere.

Y. Shin, M. Sagong, Y. Yeo, S. Kim, S. Ko, "PEPSI++: Fast and Lightweight Network for Image
Inpainting", 2019, arXiv:1905.09010: one encoder, contextual attention, and one decoder used twice,
on the encoder's features (coarse path) and on the attended ones (inpainting path).

Differs: layers live on HEALPix faces; two halvings of nside instead of three; means over children
instead of strides; the discriminator is left out (there is no perceptual realism to gain on a
Gaussian field), the loss is the mean square error instead of L1; the sky is in units of its
spread, so nothing is clipped to [−1, 1].

Legend: S skies, C channel, n = nside.
"""

from __future__ import annotations

from collections.abc import Sequence

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
from domains.cmb_inpainting.science.sphere import NUM_FACES
from shared_layers import ContextualAttention, RateAdaptiveDilatedConv2d


class DietUnit(nn.Module):
    """Residual unit of dilated convolutions that share one kernel."""

    def __init__(self, channels: int, rates: Sequence[int]) -> None:
        super().__init__()
        self.rates = rates
        self.conv = RateAdaptiveDilatedConv2d(channels, channels, rates=rates)

    def forward(self, x: Tensor) -> Tensor:
        for rate in self.rates:
            x = x + faces(cropped(self.conv(F.elu(images(x, rate)), rate), rate))
        return x


class SphereAttention(nn.Module):
    """Contextual attention over all faces at once, laid below each other with their padding."""

    def __init__(self) -> None:
        super().__init__()
        self.attend = ContextualAttention(3)

    def forward(self, x: Tensor, hole: Tensor) -> Tensor:
        """Features (S, C, 12, n, n) with what lies in the ``hole`` (12, n, n) pasted anew."""
        padded, holes = images(x, 1), images(hole[None, None].to(x.dtype), 1)
        size = padded.shape[-1]
        strip = padded.unflatten(0, (-1, NUM_FACES)).transpose(1, 2).flatten(2, 3)
        holes = holes.view(1, 1, NUM_FACES * size, size) > 0  # (1, 1, 12·(n + 2), n + 2)
        found = self.attend(strip, holes.expand(len(x), -1, -1, -1))
        return cropped(found.unflatten(2, (NUM_FACES, size)), 1)


class Pepsi(nn.Module):
    """Coarse and inpainting path; in training the coarse fill is kept in ``coarse``.

    Args:
        channels: width at full nside; twice and four times that below.
        dilations: rates of the shared kernel at a quarter of nside, at most nside/4.
    """

    def __init__(self, channels: int, dilations: Sequence[int]) -> None:
        super().__init__()
        c = channels
        self.encoder = nn.ModuleList(
            [SphereConv(3, c, 5), SphereConv(c, 2 * c), SphereConv(2 * c, 4 * c)]
        )
        self.diet = DietUnit(4 * c, tuple(dict.fromkeys(dilations)))
        self.attention = SphereAttention()
        self.decoder = nn.ModuleList(
            [SphereConv(4 * c, 2 * c), SphereConv(2 * c, c), SphereConv(c, c)]
        )
        self.head = SphereConv(c, 1)
        self.coarse: Tensor | None = None

    def forward(self, start: Tensor, observed: Tensor, distance: Tensor) -> Tensor:
        """Filled skies (S, 12, n, n) from a starting fill of the same shape, both over σ."""
        mask = lattice(observed, distance).expand(len(start), -1, -1, -1, -1)
        x = F.elu(self.encoder[0](torch.cat([start[:, None], mask], dim=1)))
        x = F.elu(self.encoder[1](halved(x)))
        x = self.diet(F.elu(self.encoder[2](halved(x))))  # (S, 4C, 12, n/4, n/4)
        if self.training:
            self.coarse = torch.where(observed, start, start + self._decode(x))
        hole = halved(halved((~observed).to(x.dtype)[None, None]))[0, 0] > 0.5
        if hole.any():
            x = self.attention(x, hole)
        return torch.where(observed, start, start + self._decode(x))

    def _decode(self, x: Tensor) -> Tensor:
        """A correction (S, 12, n, n); the weights serve both paths."""
        x = doubled(F.elu(self.decoder[0](x)))
        x = doubled(F.elu(self.decoder[1](x)))
        return self.head(F.elu(self.decoder[2](x)))[:, 0]
