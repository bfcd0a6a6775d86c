"""The causal hybrid sample by sample: the same numbers as for a whole recording, as they come.

Legend: C channels of ``science.earth_frame``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from vqf import VQF

from domains.errors import DataError
from domains.imu_attitude.models.attitude import MIN_RATE_HZ
from domains.imu_attitude.models.guard import Guard, next_share
from domains.imu_attitude.models.hybrid import TiltNetwork
from domains.imu_attitude.science import latency, tilt
from domains.imu_attitude.science.earth_frame import (
    HORIZONS_S,
    Anchor,
    block_number,
    block_scalars,
    decay,
    matrices,
    per_sample,
    vertical,
)
from domains.imu_attitude.science.quaternions import Array

_KEEP = np.array([decay(horizon_s) for horizon_s in HORIZONS_S])[:, None]  # (H, 1)


class AttitudeStream:
    """``update`` with each sample gives its attitude; ``state`` can be saved and put back.

    >>> stream = task.stream(rate_hz=100.0)                          # doctest: +SKIP
    >>> stream.update([0.0, 0.0, 0.1], [0.0, 0.0, 9.81], dt=0.01)    # doctest: +SKIP

    Args:
        network: trained, of causal mode.
        guard: trained with it.
        rate_hz: nominal samples per second.
        advance_s: seconds to move VQF's attitude by (``Task.advance_s``); ``None`` = the device is
            unknown, and every answer is VQF's.
    """

    def __init__(
        self, network: TiltNetwork, guard: Guard, rate_hz: float, advance_s: float | None
    ) -> None:
        self.network, self.guard = network.eval(), guard
        self.rate_hz, self.advance_s = rate_hz, advance_s
        self.reset()

    def reset(self) -> None:
        """Forget everything, as before the first sample."""
        self._vqf = VQF(1 / self.rate_hz)
        self._memory = self.network.initial_state(1)
        self._time_s = 0.0
        self._block = 0
        self._total, self._count = np.zeros(19), 0
        self._past = np.zeros((len(HORIZONS_S), 3))
        self._frame = np.eye(3)
        self._outside = 0.0
        self._before, self._last = np.zeros(2), np.zeros(2)

    def update(self, gyr: ArrayLike, acc: ArrayLike, dt: float | None = None) -> Array:
        """Attitude (4,) after this sample, convention of ``science.quaternions``.

        Args:
            gyr: (3,) rad/s, sensor frame.
            acc: (3,) m/s², sensor frame.
            dt: seconds since the sample before; ``None`` = the nominal step.  The angle turned
                is exact for any ``dt``; VQF's time constants assume the nominal one.

        Raises:
            DataError: not finite, or ``dt`` not positive.
        """
        gyr, acc = np.array(gyr, dtype=np.float64), np.array(acc, dtype=np.float64)
        step_s = 1 / self.rate_hz if dt is None else float(dt)
        if not (np.isfinite(gyr).all() and np.isfinite(acc).all() and step_s > 0):
            raise DataError(
                f"imu_attitude: sample gyr {gyr}, acc {acc}, dt {dt}: expected finite rad/s, m/s² "
                "and dt > 0 s; leave lost samples out and give the longer dt"
            )
        self._time_s += step_s
        block = int(block_number(np.array(self._time_s)))
        if block > self._block and self._count:
            self._finish_block()
        self._block = max(self._block, block)
        self._vqf.update(gyr * (step_s * self.rate_hz), acc)
        if self.advance_s is None:
            return self._vqf.getQuat6D()
        now = Anchor(
            self._vqf.getQuat6D()[None],
            self._vqf.getQuat3D()[None],
            self._vqf.getBiasEstimate()[0][None],
            np.array([self._vqf.getRestDetected()]),
        )
        in_time = latency.moved(now.attitude, gyr[None] - now.bias, self.advance_s)
        if self.rate_hz < MIN_RATE_HZ:
            return in_time[0]
        self._total += per_sample(now, gyr[None], acc[None])[0]
        self._count += 1
        self._frame = matrices(now.attitude)[0] @ matrices(now.strapdown)[0].T
        up = tilt.slide(self._before, self._last, np.array(self._time_s), np.array(block))
        return tilt.corrected(in_time, up[None])[0]

    @torch.no_grad()
    def _finish_block(self) -> None:
        mean = self._total / self._count
        self._past = _KEEP * self._past + (1 - _KEEP) * mean[16:19]
        seen = vertical(np.broadcast_to(self._frame, (len(HORIZONS_S), 3, 3)), self._past)
        channels = np.concatenate([block_scalars(mean[None])[0], seen.ravel()])
        channels = channels.astype(np.float32)[None]
        device = self.network.trust.device
        up, self._memory = self.network.step(torch.from_numpy(channels).to(device), self._memory)
        self._outside = next_share(self._outside, float(self.guard.is_outside(channels)[0]))
        up = self.guard.held(up.double().cpu().numpy(), np.array([self._outside]))[0]
        self._before, self._last = self._last, up
        self._total, self._count = np.zeros(19), 0

    def state(self) -> dict[str, Any]:
        """Everything that the next ``update`` depends on, as plain JSON values."""
        arrays = {name: getattr(self, name).tolist() for name in _ARRAYS}
        numbers = {name: getattr(self, name) for name in _NUMBERS}
        memory = [part.cpu().tolist() for part in self._memory]
        return {**arrays, **numbers, "_memory": memory, "_vqf": self._vqf.state}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from what ``state`` returned, of a stream with the same network and rate."""
        for name in _ARRAYS:
            setattr(self, name, np.array(state[name], dtype=np.float64))
        for name in _NUMBERS:
            setattr(self, name, state[name])
        device = self.network.trust.device
        inputs, firsts, output, memory = (torch.tensor(p, device=device) for p in state["_memory"])
        self._memory = (inputs, firsts, output, memory)
        vqf = {key: np.array(v) if isinstance(v, list) else v for key, v in state["_vqf"].items()}
        self._vqf.state = vqf


_ARRAYS = ("_total", "_past", "_frame", "_before", "_last")
_NUMBERS = ("_time_s", "_block", "_count", "_outside")
