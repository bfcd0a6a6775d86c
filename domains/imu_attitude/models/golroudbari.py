"""Attitude from a short window of gyroscope and accelerometer: the paper's networks A, B, C, D.

E. Golroudbari, M. H. Sabour, "End-to-End Deep Learning Framework for Real-Time Inertial Attitude
Estimation using 6DoF IMU", Measurement 2023, arXiv:2302.06037; layers and sizes after the authors'
``model.py``.  Legend: B batch, W samples of a window, C channel, U ``units``.

What we changed, and why:

- The heading is removed through the direction of gravity in the sensor frame; the paper's Euler
  angles break down at ±90° pitch.  The loss keeps the paper's form on what is left, and q and -q,
  the same attitude, now give the same loss.
- Windows are cut inside a trial, and trials, not windows that overlap by 96 %, are held out.
- The window is given in seconds, and the label may stand at its last sample (causal) instead of
  its centre, which makes half the window future.
- The rate enters as rate / 100 Hz, so that the dense layer behind it starts in range.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

NOISE = 0.25  # m/s² and rad/s, standard deviation, as in the authors' code
KERNEL = 11
POOL = 3


class GaussianNoise(nn.Module):
    """Adds normal noise of the given standard deviation, in training only."""

    def __init__(self, std: float) -> None:
        super().__init__()
        self.std = std

    def forward(self, x: Tensor) -> Tensor:
        """Same shape and unit as ``x``."""
        return x + self.std * torch.randn_like(x) if self.training else x


class BiLSTM(nn.LSTM):
    """Bidirectional LSTM that returns the whole sequence: (B, W, C) -> (B, W, 2 U)."""

    def __init__(self, channels: int, units: int) -> None:
        super().__init__(channels, units, batch_first=True, bidirectional=True)

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        """The hidden states of both directions."""
        return super().forward(x)[0]


class Convolution(nn.Conv1d):
    """Width-11 convolution over time that keeps its length: (B, W, C) -> (B, W, U)."""

    def __init__(self, channels: int, units: int) -> None:
        super().__init__(channels, units, KERNEL, padding="same")

    def forward(self, x: Tensor) -> Tensor:
        """Followed by mish."""
        return functional.mish(super().forward(x.transpose(1, 2)).transpose(1, 2))


def pooled(x: Tensor) -> Tensor:
    """Greatest of each 3 neighbours in time: (B, W, C) -> (B, W // 3, C)."""
    return functional.max_pool1d(x.transpose(1, 2), POOL).transpose(1, 2)


class ModelA(nn.Module):
    """A convolution per axis, one over all, beside a BiLSTM.

    Args:
        window: W.
        units: convolution and LSTM width U, 128 in the paper; dense layers have 2 U.
    """

    def __init__(self, window: int, units: int = 128) -> None:
        super().__init__()
        dense = 2 * units
        self.noise = GaussianNoise(NOISE)
        self.axes = nn.ModuleList(Convolution(1, units) for _ in range(6))
        self.convolution = Convolution(6 * units, units)
        self.convolution_dense = nn.Linear(units, dense)
        self.lstm = BiLSTM(6, units)
        self.dropout = nn.Dropout(0.2)
        self.lstm_dense = nn.Linear(2 * units, dense)
        self.rate_dense = nn.Linear(1, dense)
        self.head = nn.Linear((window // POOL + window + 1) * dense, 4)

    def forward(self, acc: Tensor, gyr: Tensor, rate: Tensor) -> Tensor:
        """Unnormalised quaternion (B, 4); ``acc``, ``gyr`` (B, W, 3), ``rate`` (B, 1) / 100 Hz."""
        both = torch.cat([self.noise(acc), self.noise(gyr)], dim=-1)  # (B, W, 6)
        axes = [pooled(axis(both[..., i : i + 1])) for i, axis in enumerate(self.axes)]
        seen = self.noise(self.convolution(torch.cat(axes, dim=-1)))  # (B, W // 3, U)
        seen = functional.mish(self.convolution_dense(seen)).flatten(1)
        kept = self.dropout(self.lstm(both))  # (B, W, 2 U)
        kept = functional.mish(self.lstm_dense(kept)).flatten(1)
        rate = functional.mish(self.rate_dense(rate))
        return self.head(torch.cat([seen, kept, rate], dim=-1))


class ModelB(nn.Module):
    """A BiLSTM per axis; no convolution.  ``units`` is 128 in the paper, where a BiLSTM has 50."""

    def __init__(self, window: int, units: int = 128) -> None:
        super().__init__()
        dense, lstm = 2 * units, round(units * 50 / 128)
        self.axes = nn.ModuleList(BiLSTM(1, lstm) for _ in range(6))
        self.dropout = nn.Dropout(0.2)
        self.axes_dense = nn.Linear(window * 6 * 2 * lstm, dense)
        self.rate_dense = nn.Linear(1, dense)
        self.both_dense = nn.Linear(2 * dense, dense)
        self.noise = GaussianNoise(NOISE)
        self.head = nn.Linear(dense, 4)

    def forward(self, acc: Tensor, gyr: Tensor, rate: Tensor) -> Tensor:
        """As ``ModelA.forward``."""
        both = torch.cat([acc, gyr], dim=-1)  # (B, W, 6)
        axes = [self.dropout(axis(both[..., i : i + 1])) for i, axis in enumerate(self.axes)]
        seen = functional.relu(self.axes_dense(torch.cat(axes, dim=-1).flatten(1)))  # (B, 2 U)
        rate = functional.relu(self.rate_dense(rate))
        seen = functional.relu(self.both_dense(torch.cat([seen, rate], dim=-1)))
        return self.head(self.noise(seen))


class ModelC(nn.Module):
    """Convolutions per sensor, one over both, beside a BiLSTM; ``units`` as in ``ModelA``."""

    def __init__(self, window: int, units: int = 128) -> None:
        super().__init__()
        dense = 2 * units
        self.acc = nn.Sequential(Convolution(3, units), Convolution(units, units))
        self.gyr = nn.Sequential(Convolution(3, units), Convolution(units, units))
        self.convolution = Convolution(2 * units, units)
        self.lstm = BiLSTM(6, units)
        self.rate_dense = nn.Linear(1, dense)
        self.dense = nn.Linear(window // POOL * units + window * 2 * units + dense, dense)
        self.head = nn.Linear(dense, 4)

    def forward(self, acc: Tensor, gyr: Tensor, rate: Tensor) -> Tensor:
        """As ``ModelA.forward``."""
        seen = torch.cat([pooled(self.acc(acc)), pooled(self.gyr(gyr))], dim=-1)
        seen = self.convolution(seen).flatten(1)  # (B, W // 3 * U)
        kept = functional.mish(self.lstm(torch.cat([acc, gyr], dim=-1))).flatten(1)
        rate = functional.mish(self.rate_dense(rate))
        return self.head(functional.mish(self.dense(torch.cat([seen, kept, rate], dim=-1))))


class ModelD(nn.Module):
    """A BiLSTM per sensor; no convolution; ``units`` as in ``ModelA``."""

    def __init__(self, window: int, units: int = 128) -> None:
        super().__init__()
        dense = 2 * units
        self.acc = BiLSTM(3, units)
        self.gyr = BiLSTM(3, units)
        self.sensor_dense = nn.Linear(window * 4 * units, dense)
        self.rate_dense = nn.Linear(1, dense)
        self.dense = nn.Linear(2 * dense, dense)
        self.head = nn.Linear(dense, 4)

    def forward(self, acc: Tensor, gyr: Tensor, rate: Tensor) -> Tensor:
        """As ``ModelA.forward``."""
        seen = torch.cat([self.acc(acc), self.gyr(gyr)], dim=-1).flatten(1)  # (B, W * 4 U)
        seen = functional.mish(self.sensor_dense(seen))
        rate = functional.mish(self.rate_dense(rate))
        return self.head(functional.mish(self.dense(torch.cat([seen, rate], dim=-1))))


MODELS: dict[str, Callable[[int, int], nn.Module]] = {
    "A": ModelA,
    "B": ModelB,
    "C": ModelC,
    "D": ModelD,
}


class WindowNetwork(nn.Module):
    """One of the paper's networks with its last two layers: normalisation, heading removed.

    Args:
        letter: A, B, C or D.
        window: W, samples of a window.
        units: width, 128 in the paper.
    """

    def __init__(self, letter: str, window: int, units: int) -> None:
        super().__init__()
        self.window = window
        self.model = MODELS[letter](window, units)

    def forward(self, acc: Tensor, gyr: Tensor, rate_hz: Tensor) -> Tensor:
        """Up in the sensor frame (B, 3), unit length.

        Args:
            acc: (B, W, 3) specific force in m/s².
            gyr: (B, W, 3) angular rate in rad/s.
            rate_hz: (B, 1) samples per second.
        """
        q = functional.normalize(self.model(acc, gyr, rate_hz / 100.0), dim=-1)
        return up_in_sensor_frame(q)


def up_in_sensor_frame(q: Tensor) -> Tensor:
    """Direction (..., 3) of the earth's z axis as the sensor sees it: ``q`` without its heading."""
    w, x, y, z = q.unbind(-1)
    return torch.stack(
        [2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z], dim=-1
    )


def quaternion_loss(up: Tensor, true: Tensor) -> Tensor:
    """The paper's ``QQuat_mult`` (B,): mean |(e_w - 1, e_x, e_y, e_z)|, each at most 1.

    e is the shortest rotation between the two verticals ``up`` and ``true`` (B, 3), the part of
    conj(q_predicted) ⊗ q_true that does not turn about the vertical.
    """
    cosine = (up * true).sum(-1).clamp(-1 + 1e-6, 1.0)
    e_w = torch.sqrt((1 + cosine) / 2)
    e_xyz = torch.linalg.cross(up, true) / (2 * e_w)[..., None]
    parts = torch.cat([(1 - e_w)[..., None], e_xyz.abs()], dim=-1)
    return parts.clamp(max=1.0).mean(-1)
