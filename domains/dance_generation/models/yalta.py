"""The networks of Yalta et al.: power spectra to poses.

Legend: B dances, T frames, N frequency bins, W sub-frames, D numbers of a pose.

N. Yalta, S. Watanabe, K. Nakadai, T. Ogata, "Weakly-Supervised Deep Recurrent Neural Networks for
Basic Dance Step Generation", IJCNN 2019, arXiv:1807.01126, and the authors' code.  A convolutional
front end for each frame's spectrum (plain, or with a residual pair of convolutions first), three
LSTM layers, a linear map back to 65 features, and an auto-conditioned decoder of three LSTM layers
that hears the features beside its own last pose.

Differs: rotations are 6-D, not quaternions; the last ELU of the decoder is left out (poses are
scaled to −0.9 … 0.9, where it does almost nothing); frames of one sequence are one batch of the
front end; at other rates than 16 kHz and 30 fps a spectrum is averaged to the paper's 129 × 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from domains.dance_generation.models.decoding import NEVER
from shared_layers import AutoConditionedLSTM

FEATURES = 65
_MARGIN = 3.0  # of the contrastive cost
_RESIDUAL_CHANNELS = 32
_KERNEL = (33, 2)
_SPECTRUM = (129, 5)  # N, W that four such kernels make one of


class FrontEnd(nn.Module):
    """Features (..., 65) of spectra (..., N, W): four convolutions of 33 × 2 without padding.

    Args:
        channels: of the first convolution, doubled twice; 16 in the paper.
        is_residual: a residual pair of 15 × 3 convolutions comes first.
    """

    def __init__(self, channels: int, *, is_residual: bool) -> None:
        super().__init__()
        self.residual: nn.Module | None = None
        if is_residual:
            wide = _RESIDUAL_CHANNELS
            self.residual = nn.Sequential(
                *_layer(1, wide, (15, 3), (7, 1)), *_layer(wide, 1, (15, 3), (7, 1))
            )
        widths = (1, channels, 2 * channels, 4 * channels, FEATURES)
        layers = [layer for i, o in pairwise(widths) for layer in _layer(i, o, _KERNEL, (0, 0))]
        self.stack = nn.Sequential(*layers)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.uniform_(module.weight, -0.1, 0.1)

    def forward(self, spectrum: Tensor) -> Tensor:
        x = spectrum.flatten(0, -3)[:, None]  # B·T, 1, N, W
        if x.shape[-2:] != _SPECTRUM:
            x = F.adaptive_avg_pool2d(x, _SPECTRUM)  # B·T, 1, 129, 5
        if self.residual is not None:
            x = x + self.residual(x)
        return self.stack(x).flatten(1).unflatten(0, spectrum.shape[:-2])


def _layer(
    inputs: int, outputs: int, kernel: tuple[int, int], padding: tuple[int, int]
) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, kernel, padding=padding),
        nn.BatchNorm2d(outputs),
        nn.ELU(),
    ]


class YaltaDancer(nn.Module):
    """Poses from sound, as the paper has them.

    Args:
        size: D.
        hidden: width of every LSTM layer; 500 in the paper.
        channels: of the front end's first convolution; 16 in the paper.
        is_residual: the residual front end.
        is_contrastive: train with the contrastive cost; features then end in tanh, else in ELU.
    """

    hears = True
    is_bounded = True

    def __init__(
        self, size: int, hidden: int, channels: int, *, is_residual: bool, is_contrastive: bool
    ) -> None:
        super().__init__()
        self.front_end = FrontEnd(channels, is_residual=is_residual)
        self.encoder = nn.LSTM(FEATURES, hidden, 3, batch_first=True)
        self.to_features = nn.Linear(hidden, FEATURES)
        self.is_contrastive = is_contrastive
        self.decoder = AutoConditionedLSTM(
            size,
            hidden,
            num_layers=3,
            truth_length=1,
            condition_length=NEVER,
            signal_features=FEATURES,
        )

    def signal(
        self, cues: Mapping[str, Tensor], state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Features (B, T, 65) of ``spectrum`` (B, T, N, W), and the encoder's state."""
        hidden, state = self.encoder(self.front_end(cues["spectrum"]), state)
        features = self.to_features(hidden)
        return (features.tanh() if self.is_contrastive else F.elu(features)), state

    def losses(self, frames: Tensor, cues: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Mean squared error ``loss_pose``, and ``loss_contrastive``; frames (B, T + 1, D)."""
        features, _ = self.signal(cues)
        made = self.decoder(frames[:, :-1], features[:, 1:])
        found = {"loss_pose": F.mse_loss(made, frames[:, 1:])}
        if self.is_contrastive:
            found["loss_contrastive"] = contrastive_cost(features, frames)
        return found


def direction_labels(frames: Tensor) -> Tensor:
    """Weak labels (B, T − 1): 0 where the motion turns, which is a beat of the dance, else 1.

    With o_t the deviation over the numbers of pose t and s_t = sign(o_t − o_{t−1}), the label is
    min(|s_t + s_{t−1}|, 1).  The first frame that has two before it is t = 2; t = 1 gets 1.

    Args:
        frames: (B, T, D) true poses.
    """
    sign = frames.std(-1, correction=0).diff(dim=1).sign()  # B, T - 1
    kept = (sign[:, 1:] + sign[:, :-1]).abs().clamp(max=1.0)
    return F.pad(kept, (1, 0), value=1.0)


def contrastive_cost(features: Tensor, frames: Tensor) -> Tensor:
    """Neighbouring features are drawn together, and at a beat pushed ``_MARGIN`` apart.

    mean of [label·d² + (1 − label)·max(3 − d, 0)²] / 2, divided by the length of the sequence.

    Args:
        features: (B, T, 65).
        frames: (B, T, D) true poses.
    """
    label = direction_labels(frames)
    distance = (features.diff(dim=1).square().sum(-1) + 1e-8).sqrt()  # B, T - 1
    apart = (_MARGIN - distance).clamp(min=0.0)
    cost = label * distance.square() + (1.0 - label) * apart.square()
    return 0.5 * cost.mean() / features.shape[1]
