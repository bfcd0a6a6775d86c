"""The spatiotemporal clutter filter: a 3-D attention-gated U-Net with an in–out skip.

Tabassian, Akbari, Queirós, D'hooge, "Deep Spatiotemporal Clutter Filtering of Transthoracic
Echocardiographic Images: Leveraging Contextual Attention and Residual Learning", 2024,
arXiv:2401.13147, with the authors' code (MIT):

    y = x + U(x),   skip ← α(skip, deeper)·skip   (``shared_layers.AttentionGate3d``)

Time is never pooled nor strided.  Four levels of 32 to 256 channels; the 2-D filter is the same
network with kernels that are one frame long.

What differs from the code:

* ``normalisation="group"``: group normalisation of each frame by itself instead of batch
  normalisation, whose running statistics make a short run worse than doing nothing; being of one
  frame, it leaves the answer independent of how a clip is cut into blocks.
* the last layer starts at zero and has no normalisation then, so that training starts from y = x.
* ``activation="leaky_relu"``; the released code's ``"linear"`` leaves max-pooling and gates as the
  only non-linearities.
* a kernel of two is padded at the far end, as Keras does; the gate's θ has no bias of its own.

Legend: B batch, T time, H depth, W width, C channels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from shared_layers import AttentionGate3d

Normalisation = Literal["group", "batch"]
Activation = Literal["leaky_relu", "linear"]

WHITE = 255.0

_GROUP = 8  # channels that are normalised together


class FrameGroupNorm(nn.Module):
    """Group normalisation over (C / groups, H, W) of each frame by itself."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(max(1, channels // _GROUP), channels)

    def forward(self, x: Tensor) -> Tensor:
        frames = x.transpose(1, 2).flatten(0, 1)  # (B·T, C, H, W)
        return self.norm(frames).unflatten(0, (x.shape[0], -1)).transpose(1, 2)


class ClutterFilter(nn.Module):
    """Takes and returns grey levels 0 to 255, (B, T, H, W); the answer is not clipped.

    Args:
        width: channels of the first convolution, 16 in the paper.
        levels: resolutions, 4 in the paper; H and W must divide by 2^(levels − 1).
        kernel_t: frames a kernel sees, 3, or 1 for the 2-D filter.
        normalisation: ``group`` (ours) or ``batch`` (the paper's).
        activation: ``leaky_relu`` (ours) or ``linear`` (the released code's).
        dropout: share of activations, 0.05 in the paper.
    """

    def __init__(
        self,
        width: int = 16,
        levels: int = 4,
        kernel_t: Literal[1, 3] = 3,
        normalisation: Normalisation = "group",
        activation: Activation = "leaky_relu",
        dropout: float = 0.05,
    ) -> None:
        super().__init__()
        self.kernel_t, self.levels = kernel_t, levels

        def double(inputs: int, first: int, second: int) -> nn.Sequential:
            parts = (normalisation, activation, dropout)
            return nn.Sequential(
                _conv_block(inputs, first, (kernel_t, 3, 3), *parts),
                _conv_block(first, second, (kernel_t, 3, 3), *parts),
            )

        channels = [2 * width * 2**level for level in range(levels)]
        self.encoder = nn.ModuleList(
            double(channels[level - 1] if level else 1, channels[level] // 2, channels[level])
            for level in range(levels)
        )
        self.up, self.gates, self.decoder = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for deeper, here in zip(channels[:0:-1], channels[-2::-1], strict=True):
            kernel = (2 if kernel_t > 1 else 1, 2, 2)
            self.up.append(nn.Conv3d(deeper, deeper, kernel))
            gate = AttentionGate3d(here, deeper, stride=(1, 2, 2), kernel_size=(kernel_t, 3, 3))
            self.gates.append(gate)
            self.decoder.append(double(deeper + here, here, here))
        self.last = nn.Conv3d(channels[0], 1, 1)
        self.last_norm = _KerasBatchNorm(1) if normalisation == "batch" else nn.Identity()
        final = self.last if normalisation == "group" else self.last_norm
        for parameter in final.parameters():
            nn.init.zeros_(parameter)

    @property
    def reach(self) -> int:
        """Frames on either side that an output frame depends on."""
        if self.kernel_t == 1:
            return 0
        # two convolutions a level down and up, one in each gate, one frame of each kernel of two
        return 2 * self.levels + 4 * (self.levels - 1)

    def forward(self, x: Tensor) -> Tensor:
        h = x[:, None] / WHITE  # (B, 1, T, H, W)
        skips = []
        for level, block in enumerate(self.encoder):
            if level:
                h = F.max_pool3d(h, (1, 2, 2))
            h = block(h)  # (B, C, T, H / 2^level, W / 2^level)
            skips.append(h)
        for up, gate, block, skip in zip(
            self.up, self.gates, self.decoder, skips[-2::-1], strict=True
        ):
            raised = h.repeat_interleave(2, -1).repeat_interleave(2, -2)
            raised = up(F.pad(raised, (0, 1, 0, 1, 0, int(self.kernel_t > 1))))
            h = block(torch.cat([raised, gate(skip, h)], dim=1))
        return x + WHITE * self.last_norm(self.last(h))[:, 0]


def in_blocks(
    network: Callable[[Tensor], Tensor], x: Tensor, reach: int, max_frames: int
) -> Tensor:
    """``network(x)`` of a long clip (B, T, H, W) in blocks of time, without seams.

    Each block has ``reach`` frames more on either side, which are thrown away: for a network whose
    frames depend on no others than those the answer is the same as of the whole clip.

    Args:
        network: takes and returns (B, T, H, W).
        x: the clip.
        reach: frames on either side that an output frame depends on.
        max_frames: of a block without its margins.
    """
    if x.shape[1] <= max_frames + 2 * reach:
        return network(x)
    parts = []
    for start in range(0, x.shape[1], max_frames):
        first = max(0, start - reach)
        found = network(x[:, first : start + max_frames + reach])
        parts.append(found[:, start - first : start - first + max_frames])
    return torch.cat(parts, dim=1)


class _KerasBatchNorm(nn.BatchNorm3d):
    """Batch normalisation with the momentum and ε that Keras takes unasked."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-3, momentum=0.01)


def _conv_block(
    inputs: int,
    outputs: int,
    kernel: tuple[int, int, int],
    normalisation: Normalisation,
    activation: Activation,
    dropout: float,
) -> nn.Sequential:
    """Convolution, normalisation, activation, dropout."""
    around = (kernel[0] // 2, kernel[1] // 2, kernel[2] // 2)
    return nn.Sequential(
        nn.Conv3d(inputs, outputs, kernel, padding=around),
        _KerasBatchNorm(outputs) if normalisation == "batch" else FrameGroupNorm(outputs),
        nn.LeakyReLU(0.1) if activation == "leaky_relu" else nn.Identity(),
        nn.Dropout(dropout),
    )
