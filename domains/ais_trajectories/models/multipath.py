"""Hours of a track to the path ahead, helped by the probabilities of route and destination.

Spadon et al. 2023, "Multi-Path Long-Term Vessel Trajectories Forecasting with Probabilistic Feature
Fusion for Problem Shifting", arXiv:2310.18948: convolutions and a bidirectional LSTM over the past,
position-aware attention that starts with the recent steps ahead, a recurrent decoder.  Widths,
kernels and losses are not public; ours are choices.  Differs: the path is added to constant
velocity in km, and the decoder may answer at every n-th step.

Legend: B batch, L fixes in, H steps out, Q = H / n knots, D width, S static features.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from domains.ais_trajectories.models.inputs import TRACK, Inputs, PathHead
from shared_layers import ConvBiLSTM, PositionAwareAttention

ABLATIONS = ("no_conv", "no_attention", "no_probabilities")


class Multipath(nn.Module):
    """Conv ×2, BiLSTM, attention over time, BiLSTM over the horizon.

    Args:
        context: L, the most fixes that come in.
        horizon: H.
        hidden: D, width of everything.
        decode_every: n, steps that a knot stands for; divides H.
        candidates: route and destination cells that are shown, each.
        without: one of ``ABLATIONS``, or ``None``.
    """

    def __init__(
        self,
        context: int,
        horizon: int,
        hidden: int,
        decode_every: int,
        candidates: int,
        without: str | None = None,
    ) -> None:
        super().__init__()
        self.inputs = Inputs(0 if without == "no_probabilities" else candidates)
        if without == "no_conv":
            self.encoder: nn.Module = nn.LSTM(TRACK, hidden, batch_first=True, bidirectional=True)
        else:
            self.encoder = ConvBiLSTM(TRACK, hidden, conv_channels=hidden, kernel_size=3)
        self.attention = None
        if without != "no_attention":
            self.attention = PositionAwareAttention(2 * hidden, context, hidden_dim=hidden)
        self.static = nn.Sequential(
            nn.Linear(self.inputs.num_static, 2 * hidden), nn.Mish(), nn.Linear(2 * hidden, hidden)
        )
        self.fuse = nn.Linear(5 * hidden, hidden)
        knots = horizon // decode_every
        self.ahead = nn.Parameter(torch.randn(knots, hidden) * hidden**-0.5)
        self.decoder = nn.LSTM(hidden, hidden, batch_first=True, bidirectional=True)
        self.head = PathHead(2 * hidden, decode_every)

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Path (B, H, 2) in km east and north of the last fix."""
        steps, static = self.inputs(batch)
        seen = self.encoder(steps)
        if isinstance(seen, tuple):  # torch's own LSTM also returns its state
            seen = seen[0]  # (B, L, 2D)
        summary = seen.mean(1) if self.attention is None else self.attention(seen)[0]  # (B, 2D)
        known = torch.cat([summary, seen[:, -1], self.static(static)], dim=-1)  # (B, 5D)
        knots = self.ahead + self.fuse(known)[:, None]  # (B, Q, D)
        decoded, _ = self.decoder(nn.functional.mish(knots))  # (B, Q, 2D)
        return self.head(decoded, batch["track"], self.inputs.step_km)
