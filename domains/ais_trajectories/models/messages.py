"""Irregular messages to the content of the next one.

Spadon et al. 2023, "Unfolding AIS transmission behavior for vessel movement modeling on noisy data
leveraging machine learning", arXiv:2202.13867: convolutions extract features, a bidirectional,
multi-layer LSTM reads them, feed-forward layers answer.  Sizes are not public; ours are choices.
Differs: positions are km from the last message instead of degrees, and what does not change from
message to message (speed, course) is predicted as a change, the interval as one from its mean.

Legend: B batch, T messages, V = 6 quantities of a message: km east and north of the last message,
speed in knots, sine and cosine of the course, minutes since the message before.

Keys of a batch: ``messages`` (B, T, V), 0 where not known; ``is_known`` (B, T) whether speed and
course are; for training ``next`` (B, V) and ``next_known`` (B,) likewise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn

from domains.ais_trajectories.models.peers import CELLS, same_size, size_of
from shared_layers import ConvBiLSTM

OURS = "conv_recurrent"
QUANTITIES = ("east_km", "north_km", "speed_kn", "course_sine", "course_cosine", "interval_min")
_NUM = len(QUANTITIES)
_NEWEST = 4
"""Messages that the feed-forward branch sees."""

_INTERVAL = 5


_RELATIVE = [2, _INTERVAL]


class Scales(nn.Module):
    """Messages over the spread of the training messages."""

    spread: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("spread", torch.ones(_NUM))

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Features (B, T, V + 3): scaled messages, way since the one before, what is known."""
        messages = batch["messages"]
        way = torch.diff(messages[..., :2], dim=1, prepend=messages[:, :1, :2])
        known = batch["is_known"].to(messages.dtype)[..., None]
        scaled = torch.cat([messages / self.spread, way / self.spread[:2]], dim=-1)
        # distances and silences have long tails
        return torch.cat([torch.asinh(scaled), known], dim=-1)


def start(messages: Tensor) -> Tensor:
    """What networks start from, (B, V): the last message again after the mean interval."""
    again = messages[:, -1].clone()  # its place is the origin
    again[:, _INTERVAL] = messages[..., _INTERVAL].mean(1)
    return again


class NextMessage(nn.Module):
    """A feed-forward head on top of ``start``.

    Args:
        features: of what was read.
        hidden: width.
    """

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(features, hidden)
        self.out = nn.Linear(hidden, _NUM)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, read: Tensor, messages: Tensor, spread: Tensor) -> Tensor:
        """Content (B, V) of the next message."""
        change = self.out(self.hidden(read).relu()).float() * spread
        return start(messages) + change


class ConvRecurrent(nn.Module):
    """Convolutions and a bidirectional LSTM of two layers beside a feed-forward branch.

    The branch sees the newest messages as they are, which convolutions and gates blur.

    Args:
        hidden: D.
    """

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.scales = Scales()
        self.recurrent = ConvBiLSTM(
            _NUM + 3, hidden, conv_channels=hidden, kernel_size=3, num_layers=2
        )
        self.newest = nn.Sequential(
            nn.Linear(_NEWEST * (_NUM + 3), hidden), nn.ReLU(), nn.Linear(hidden, hidden)
        )
        self.norm = nn.LayerNorm(5 * hidden)  # gates and convolutions shrink what they pass on
        self.head = NextMessage(5 * hidden, 2 * hidden)

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Content (B, V) of the next message."""
        messages, features = batch["messages"], self.scales(batch)
        read = self.recurrent(features)  # (B, T, 2D)
        last = nn.functional.pad(features, (0, 0, max(0, _NEWEST - features.shape[1]), 0))
        newest = self.newest(last[:, -_NEWEST:].flatten(1))  # (B, D)
        seen = torch.cat([read[:, -1], read.mean(1), newest], dim=-1)  # (B, 5D)
        return self.head(self.norm(seen), messages, self.scales.spread)


class PeerMessages(nn.Module):
    """One layer of one kind of cell and the same head.

    Args:
        cell: ``elman``, ``gru`` or ``lstm``.
        hidden: D.
    """

    def __init__(self, cell: str, hidden: int) -> None:
        super().__init__()
        self.scales = Scales()
        self.recurrent = CELLS[cell](_NUM + 3, hidden, batch_first=True)
        self.head = NextMessage(hidden, hidden)

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Content (B, V) of the next message."""
        read, _ = self.recurrent(self.scales(batch))  # (B, T, D)
        return self.head(read[:, -1], batch["messages"], self.scales.spread)


class MessageNetworks(nn.Module):
    """``conv_recurrent`` and its peers.

    Args:
        hidden: D.
        compare: names of peers.
    """

    def __init__(self, *, hidden: int, compare: Sequence[str], **_: Any) -> None:
        super().__init__()
        ours = ConvRecurrent(hidden)
        self.networks = nn.ModuleDict({OURS: ours})
        for name in compare:
            self.networks[name] = same_size(partial(PeerMessages, name), size_of(ours))

    def set_statistics(self, batches: Mapping[str, Tensor]) -> None:
        """Spread of each quantity's change from message to message, from all training windows."""
        change = (batches["next"] - start(batches["messages"])).abs()
        for network in self.networks.values():
            cast(Scales, network.scales).spread.copy_(change.mean(0).clamp(min=1e-2))

    def forward(self, batch: Mapping[str, Tensor], name: str = OURS) -> Tensor:
        """Content (B, V) of the next message."""
        return self.networks[name](batch)

    def losses(self, batch: Mapping[str, Tensor], *, vary: bool) -> Iterator[tuple[str, Tensor]]:
        """Mean absolute error of each network over the mean change of the quantity.

        Speed and interval, whose size varies most, by |y − p| / (|y| + |p| + mean change).
        """
        true = batch["next"]
        weight = torch.ones_like(true)
        weight[:, 2:5] = batch["next_known"][:, None].to(weight.dtype)
        for name, network in self.networks.items():
            said, spread = network(batch), cast(Scales, network.scales).spread
            size = spread.expand_as(true).clone()
            size[:, _RELATIVE] += (true.abs() + said.abs())[:, _RELATIVE]
            yield name, (weight * (said - true).abs() / size).sum() / weight.sum()

    def settle(self, batches: Sequence[Mapping[str, Tensor]]) -> dict[str, float]:
        """Validation error of each network, mean over windows."""
        size = [len(batch["next"]) for batch in batches]
        found = dict.fromkeys(self.networks, 0.0)
        for batch, count in zip(batches, size, strict=True):
            for name, loss in self.losses(batch, vary=False):
                found[name] += float(loss) * count / sum(size)
        return found
