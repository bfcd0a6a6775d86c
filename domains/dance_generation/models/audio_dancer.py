"""Ours that hears: an encoder that learns where the beat is, and the decoder that follows it.

Legend: B dances, T frames, N frequency bins, W sub-frames, E bands, D numbers of a pose.

As in Yalta et al. sound goes through an encoder to a decoder, with three changes.  The encoder is
given rises of loudness in a few bands, where beats are, rather than raw spectra; it has a head that
tells the phase of the beat, trained on the beats of the songs; and the decoder hears that phase
alone, so that it cannot know a song by its timbre.  Everything looks back only: a pose follows from
the sound up to its own frame's end.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from domains.dance_generation.models.decoding import NEVER
from domains.dance_generation.models.phase_dancer import STYLE, pose_losses
from shared_layers import AutoConditionedLSTM

BANDS = 20
_LAYERS = 2
_PHASES = 4  # cosine and sine of the beat and of half a beat
_WARM_UP = 1 / 3  # of a sequence: the encoder has not heard enough to know the phase
_DECODED = 40  # frames at the end of a sequence that the decoder learns from

Heard = tuple[Tensor, tuple[Tensor, Tensor] | None]
"""The last sub-frame (B, E) and the state of the LSTM."""


class AudioDancer(nn.Module):
    """Poses from sound, by way of the beat's phase.

    Args:
        size: D.
        num_steps: different steps.
        hidden: width of every LSTM layer.
        num_bins: N of the spectra.
        num_sub_frames: W of the spectra.
    """

    bands: Tensor
    hears = True
    is_bounded = False

    def __init__(
        self, size: int, num_steps: int, hidden: int, num_bins: int, num_sub_frames: int
    ) -> None:
        super().__init__()
        self.register_buffer("bands", _bands(num_bins), persistent=False)
        self.spread = nn.Linear(BANDS * (num_sub_frames + 1), hidden)
        self.encoder = nn.LSTM(hidden, hidden, _LAYERS, batch_first=True)
        self.phase = nn.Linear(hidden, _PHASES)
        self.style = nn.Embedding(num_steps, STYLE)
        self.decoder = AutoConditionedLSTM(
            size,
            hidden,
            num_layers=3,
            truth_length=1,
            condition_length=NEVER,
            signal_features=_PHASES + STYLE,
        )

    def signal(
        self, cues: Mapping[str, Tensor], state: Heard | None = None
    ) -> tuple[Tensor, Heard]:
        """(B, T, K) from ``spectrum`` (B, T, N, W) and ``step`` (B, T), and what was heard."""
        phase, state = self.hear(cues["spectrum"], state)
        return torch.cat([phase, self.style(cues["step"])], -1), state

    def hear(self, spectrum: Tensor, state: Heard | None = None) -> tuple[Tensor, Heard]:
        """Phase of the beat (B, T, 4) as the head tells it, and what was heard so far."""
        levels = torch.einsum("btnw,ne->btwe", spectrum, self.bands)  # B, T, W, E
        flat = levels.flatten(1, 2)  # B, T·W, E
        before, memory = (flat[:, :1].squeeze(1), None) if state is None else state
        rises = torch.cat([before[:, None], flat], 1).diff(dim=1).clamp(min=0.0)
        rises = rises.unflatten(1, levels.shape[1:3]).flatten(2)  # B, T, W·E
        heard = torch.cat([4.0 * rises, levels.mean(2)], -1)
        hidden, memory = self.encoder(F.elu(self.spread(heard)), memory)
        return self.phase(hidden), (flat[:, -1], memory)

    def losses(self, frames: Tensor, cues: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """``loss_phase`` of the head, ``loss_pose`` and ``loss_speed`` of the frames (B, T + 1, D).

        The phase counts from a third of the sequence on; the decoder begins ``_DECODED`` frames
        before the end, at the true pose.
        """
        phase, _ = self.hear(cues["spectrum"])
        first, begins = int(_WARM_UP * frames.shape[1]), max(0, frames.shape[1] - _DECODED - 1)
        true = beat_phase(cues["passed"])[:, first:]
        signal = torch.cat([phase, self.style(cues["step"])], -1)
        found = pose_losses(self.decoder, frames[:, begins:], signal[:, begins:])
        return {"loss_phase": F.mse_loss(phase[:, first:], true), **found}


def beat_phase(passed: Tensor) -> Tensor:
    """Cosine and sine (..., 4) of the phase of the beat and of half a beat at ``passed`` (...)."""
    angle = 2 * math.pi * passed[..., None] * torch.tensor([1.0, 2.0], device=passed.device)
    return torch.cat([angle.cos(), angle.sin()], -1)


def _bands(num_bins: int) -> Tensor:
    """Triangles (N, E) evenly spaced in the logarithm of the bin, each with sum 1."""
    edges = torch.logspace(0.0, math.log10(num_bins - 1), BANDS + 2)
    edges = torch.maximum(edges, 1.0 + torch.arange(BANDS + 2.0))  # no band without a bin
    bins = torch.arange(float(num_bins))[:, None]
    rise = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    weight = torch.minimum(rise, fall).clamp(min=0.0)
    return weight / weight.sum(0)
