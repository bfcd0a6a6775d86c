"""Our clutter filter: each frame is judged against the whole beat it belongs to.

Near-field clutter stands still while tissue moves, so what tells them apart is the statistics of
the beat, not the next frame alone.  Each frame goes through a coarse 2-D U-Net; at
every block the mean and the spread over the frames of the clip are handed back to each frame.
The output is a smooth field of clutter, subtracted from the untouched frame: speckle stays as it
was (clutter adds to grey levels; fits to the clips of arXiv:2401.13147 in ``science/clutter``).

    y_t = x_t − up(U(x_t, mean, spread and lower decile of x over t)),
    block: h_t ← conv(h_t),   h_t ← conv(h_t + W [mean_t h, std_t h])

Any number of frames at any rate can be given: frames are a set, their order does not count.  It is
trained on a few frames spread over the beat and used on all of them.

Legend: B batch, T time, H depth, W width, C channels.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from domains.echo_clutter.models.clutter_filter import WHITE

_CENTRE = 0.3  # of the grey scale: a usual value, taken off the inputs
_SPREAD = 4.0  # brings spreads of grey levels over time to order one
_LOW = 0.1  # quantile: as telling as the minimum, and it hardly depends on the number of frames
_GROUP = 4  # channels that are normalised together


class BeatFilter(nn.Module):
    """Takes and returns grey levels 0 to 255, (B, T, H, W); the answer is not clipped.

    Args:
        widths: channels at each resolution, the finest first.
        scale: pixels of the image for one of the finest resolution, along each axis; H and W must
            divide by scale · 2^(len(widths) − 1).
    """

    def __init__(self, widths: Sequence[int], scale: int) -> None:
        super().__init__()
        self.scale = scale
        self.stem = nn.Conv2d(4 * scale**2 + 2, widths[0], 3, padding=1)
        self.encoder = nn.ModuleList(
            _BeatBlock(widths[max(level - 1, 0)], width) for level, width in enumerate(widths)
        )
        self.decoder = nn.ModuleList(
            _BeatBlock(here + deeper, here) for here, deeper in itertools.pairwise(widths)
        )
        self.last = nn.Conv2d(widths[0], 1, 3, padding=1)
        for parameter in self.last.parameters():
            nn.init.zeros_(parameter)  # training starts from y = x

    def forward(self, x: Tensor) -> Tensor:
        return x - WHITE * self.field(x)

    def field(self, x: Tensor) -> Tensor:
        """The clutter (B, T, H, W) that is found in ``x``, as a share of the grey scale."""
        batch, frames = x.shape[:2]
        h = self.stem(_inputs(x, self.scale))  # (B·T, C, H/scale, W/scale)
        skips = []
        for level, block in enumerate(self.encoder):
            if level:
                h = F.max_pool2d(h, 2)
            h = block(h, frames)  # (B·T, C, H / scale / 2^level, ...)
            skips.append(h)
        for block, skip in zip(reversed(self.decoder), skips[-2::-1], strict=True):
            h = h.repeat_interleave(2, -1).repeat_interleave(2, -2)
            h = block(torch.cat([skip, h], dim=1), frames)
        # cubic: a Gaussian spot is told by few values
        field = F.interpolate(
            self.last(h).float(), scale_factor=self.scale, mode="bicubic", align_corners=False
        )
        return field[:, 0].unflatten(0, (batch, frames))


class _BeatBlock(nn.Module):
    """Two convolutions, and between them what the other frames of the clip show."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = _conv_block(inputs, outputs)
        self.beat = nn.Conv2d(2 * outputs, outputs, 1)
        self.second = _conv_block(outputs, outputs)

    def forward(self, x: Tensor, frames: int) -> Tensor:
        h = self.first(x).unflatten(0, (-1, frames))  # (B, T, C, H, W)
        mean = h.mean(dim=1, keepdim=True)
        spread = ((h - mean).square().mean(dim=1) + 1e-4).sqrt()
        beat = self.beat(torch.cat([mean[:, 0], spread], dim=1))  # (B, C, H, W)
        return self.second((h + beat[:, None]).flatten(0, 1))


def _conv_block(inputs: int, outputs: int) -> nn.Sequential:
    """Convolution, group normalisation, activation."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1),
        nn.GroupNorm(max(1, outputs // _GROUP), outputs),
        nn.LeakyReLU(0.1),
    )


def _inputs(x: Tensor, scale: int) -> Tensor:
    """Frames, statistics of the beat and place, (B·T, 4·scale² + 2, H/scale, W/scale)."""
    grey = x.float() / WHITE
    mean = grey.mean(dim=1, keepdim=True)
    spread = (grey - mean).square().mean(dim=1, keepdim=True).sqrt()
    low = grey.quantile(_LOW, dim=1, keepdim=True)
    beat = [(mean - _CENTRE), _SPREAD * spread, (low - _CENTRE)]
    parts = [grey - _CENTRE, *(part.expand_as(grey) for part in beat)]
    fine = F.pixel_unshuffle(torch.stack(parts, dim=2).flatten(0, 1), scale)
    height, width = fine.shape[-2:]
    down = torch.linspace(-1, 1, height, device=x.device)[:, None].expand(height, width)
    right = torch.linspace(-1, 1, width, device=x.device)[None].expand(height, width)
    place = torch.stack([down, right]).expand(len(fine), 2, height, width)
    return torch.cat([fine, place], dim=1)
