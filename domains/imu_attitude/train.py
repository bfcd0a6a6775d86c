"""The task: what is learned, how its loss is made, and how a trained one gives attitudes."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from domains import task as contract
from domains.errors import DataError
from domains.imu_attitude.data import (
    HybridData,
    Latencies,
    labelled,
    load_labelled,
    measure_latencies,
)
from domains.imu_attitude.models.attitude import Estimate, hybrid_attitude, window_attitude
from domains.imu_attitude.models.golroudbari import MODELS, WindowNetwork, quaternion_loss
from domains.imu_attitude.models.guard import Guard
from domains.imu_attitude.models.hybrid import TiltNetwork, tilt_loss
from domains.imu_attitude.models.streaming import AttitudeStream
from domains.imu_attitude.models.windows import WindowData, label_place
from domains.imu_attitude.science import latency
from domains.imu_attitude.science.earth_frame import MODES, Mode, anchor
from domains.imu_attitude.science.quaternions import Array
from domains.imu_attitude.science.recording import Recording
from domains.task import DataModule, warmup_cosine

_log = logging.getLogger(__name__)

_MIN_GAIN = 0.01
"""Share by which the network must lower the validation error to be heard at all."""


class Task(contract.Task):
    """The hybrid's two networks, causal and offline, trained side by side; or one of the paper's.

    Args:
        network: ``hybrid``, or the paper's A, B, C, D.
        devices: name -> rate_hz and simulated (bool) of the sensors in the training data.
        **config: the sections ``model`` and ``train`` as far as ``build`` passes them on.
    """

    latency_s: Tensor

    def __init__(self, network: str, devices: Mapping[str, Mapping[str, Any]], **config: Any):
        super().__init__(network=network, devices=devices, **config)
        self.network = network
        self.devices = devices
        self.register_buffer("latency_s", torch.zeros(len(devices), dtype=torch.float64))
        if network == "hybrid":
            self.networks = nn.ModuleDict(
                {mode: TiltNetwork(mode, config["hidden"], config["dropout"]) for mode in MODES}
            )
            self.guard = Guard()
        else:
            self.networks = nn.ModuleDict(
                {self._window_mode(): WindowNetwork(network, config["window"], config["units"])}
            )
        self._seen: dict[Mode, list[tuple[Tensor, ...]]] = {}

    @property
    def modes(self) -> list[Mode]:
        """Modes that ``attitude`` can be asked for."""
        return [mode for mode in MODES if mode in self.networks]

    def trust(self, mode: Mode) -> float:
        """Share of the network's correction that is taken: 0 none, 1 all; set on validation."""
        return float(self._tilt_network(mode).trust) if self.network == "hybrid" else 1.0

    def _window_mode(self) -> Mode:
        return "offline" if self.config["label"] == "centre" else "causal"

    def _tilt_network(self, mode: Mode) -> TiltNetwork:
        return cast(TiltNetwork, self.networks[mode])

    def _window_network(self) -> WindowNetwork:
        return cast(WindowNetwork, self.networks[self._window_mode()])

    # --- training ------------------------------------------------------------------------------

    def training_step(self, batch: dict, _: int) -> Tensor:
        """Loss of a batch: degrees for the hybrid, the paper's own for its networks."""
        if self.network == "hybrid":
            losses = {}
            for mode in self.modes:
                part = batch[mode]
                up = self._tilt_network(mode).untempered(part["x"])
                losses[f"loss_{mode}"] = tilt_loss(up, part["up"], part["weight"])
            loss = torch.stack(list(losses.values())).sum()
            self.log_dict({**losses, "train_loss": loss})
            return loss
        up = self._window_network()(batch["acc"], batch["gyr"], batch["rate_hz"])
        loss = quaternion_loss(up, batch["up"]).mean()
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch: dict, _: int) -> None:
        """Collects answers; ``on_validation_epoch_end`` logs their inclination RMSE in degrees."""
        if self.network == "hybrid":
            for mode in self.modes:
                part = batch[mode]
                counts = part["counts"] > 0
                up = self._tilt_network(mode).untempered(part["x"])
                self._seen.setdefault(mode, []).append((up[counts], part["up"][counts]))
        else:
            up = self._window_network()(batch["acc"], batch["gyr"], batch["rate_hz"])
            self._seen.setdefault(self._window_mode(), []).append((up, batch["up"]))

    def on_validation_epoch_end(self) -> None:
        """Log the RMSE of each mode; set the hybrid's trust to what serves validation best."""
        seen, self._seen = self._seen, {}
        errors = {}
        for mode, trials in seen.items():
            if self.network == "hybrid":
                above = sum(float((up * true).sum()) for up, true in trials)
                below = sum(float(up.square().sum()) for up, _ in trials)
                # Least squares over a few trials is no proof: it has one say, full trust has two
                share = above / below if below > 0 else 0.0
                trust = min(1.0, max(0.0, (share + 2) / 3))
                # No say at all, which is VQF moved by the latency, unless that is clearly worse
                if _error_deg(trials, trust) > (1 - _MIN_GAIN) * _error_deg(trials, 0.0):
                    trust = 0.0
                self._tilt_network(mode).trust.fill_(trust)
                self.log(f"val_trust_{mode}", trust)
                errors[mode] = _error_deg(trials, trust)
            else:
                errors[mode] = _error_deg(trials, 1.0)
        self.log_dict({f"val_inclination_{mode}": error for mode, error in errors.items()})
        self.log("val_loss", sum(errors.values()))

    def configure_optimizers(self) -> Any:
        """AdamW; the rate rises over the first tenth of the steps, then falls as a cosine."""
        optimizer = torch.optim.AdamW(
            self.networks.parameters(),
            lr=self.config["lr"],
            weight_decay=self.config["weight_decay"],
        )
        steps = self.config["max_steps"]
        return warmup_cosine(optimizer, steps, rise=steps // 10)

    def set_statistics(self, trials: Sequence[Recording], latencies: Latencies) -> None:
        """Take means, spreads and ranges from the training ``trials`` into the buffers."""
        for mode in self.modes:
            parts = [labelled(trial, mode, latencies.advance_s(trial)) for trial in trials]
            x = torch.cat([part["x"] for part in parts])
            self._tilt_network(mode).set_statistics(x)
            if mode == "causal":
                self.guard.set_statistics(x, torch.cat([part["up"] for part in parts]))

    # --- use -----------------------------------------------------------------------------------

    def attitude(
        self,
        gyr: ArrayLike,
        acc: ArrayLike,
        rate_hz: float,
        mode: Mode = "offline",
        device: str | None = None,
    ) -> Array:
        """Attitude at each sample, (N, 4), convention of ``science.quaternions``.

        Args:
            gyr: (N, 3) in rad/s, sensor frame.
            acc: (N, 3) in m/s², sensor frame.
            rate_hz: samples per second.
            mode: ``causal`` uses the past alone, ``offline`` the future too.
            device: name of the sensor, if known.  One that the training data did not hold gets
                VQF's attitude, and a warning: what was learned of one sensor misleads on another.
                Without a name it is taken, with a warning, for the real one of its rate.

        Raises:
            DataError: the trained network has no such mode.
        """
        estimate = self.estimate(gyr, acc, rate_hz, mode, device)
        _warn(estimate.notes)
        return estimate.attitude

    def estimate(
        self,
        gyr: ArrayLike,
        acc: ArrayLike,
        rate_hz: float,
        mode: Mode = "offline",
        device: str | None = None,
    ) -> Estimate:
        """As ``attitude``, with notes instead of warnings."""
        if mode not in self.networks:
            raise DataError(
                f"imu_attitude: network {self.network} was trained for {' and '.join(self.modes)}, "
                f"not {mode}; set model.paper.label or evaluate.predict.mode"
            )
        recording = Recording("input", rate_hz, np.asarray(gyr), np.asarray(acc))
        self.eval()
        if self.network == "hybrid":
            advance_s = self.advance_s(rate_hz, device)
            notes = self._device_notes(rate_hz, device)
            if advance_s is None:
                vqf = anchor(recording.gyr, recording.acc, rate_hz, mode)
                return Estimate(vqf.attitude, notes)
            found = hybrid_attitude(self._tilt_network(mode), self.guard, recording, advance_s)
            return Estimate(found.attitude, (*notes, *found.notes))
        return window_attitude(
            self._window_network(),
            recording,
            self.config["rate_hz"],
            label_place(self.config),
            self.config["stride_s"],
        )

    def stream(self, rate_hz: float, device: str | None = None) -> AttitudeStream:
        """The causal form sample by sample; arguments as for ``attitude``, which it equals."""
        if self.network != "hybrid":
            raise DataError(f"imu_attitude: network {self.network} has no streaming form")
        _warn(self._device_notes(rate_hz, device))
        advance_s = self.advance_s(rate_hz, device)
        return AttitudeStream(self._tilt_network("causal"), self.guard, rate_hz, advance_s)

    def _device_notes(self, rate_hz: float, device: str | None) -> tuple[str, ...]:
        """What is said of a sensor that the training data did not hold under this name."""
        known = latency.device_of(self.devices, rate_hz, device)
        if known is None:
            return (
                f"VQF alone: device {device or 'unknown'} at {rate_hz:.4g} Hz is none of those "
                f"trained on ({', '.join(self.devices)}); if it is one, name it in "
                "ingest.files.device",
            )
        if known != device:
            return (
                f"taken for {known} by its rate of {rate_hz:.4g} Hz; name the sensor in "
                "ingest.files.device",
            )
        return ()

    def advance_s(self, rate_hz: float, device: str | None = None) -> float | None:
        """Seconds by which VQF's attitude is moved to make up for a sensor's latency.

        ``None`` for a device that was not in the training data: ``science.latency.device_of``.
        """
        known = latency.device_of(self.devices, rate_hz, device)
        late_s = dict(zip(self.devices, self.latency_s.tolist(), strict=True))
        return None if known is None else latency.advance_s(late_s[known], rate_hz)


def build(
    dataset: Path | str, *, model: Mapping, train: Mapping, **_: Any
) -> tuple[Task, DataModule]:
    """Task and data for the dataset folder that ``ingest`` wrote.

    Args:
        dataset: the folder.
        model: section ``model``.
        train: section ``train``.

    Raises:
        DataError: a split is empty or without reference.
    """
    trials = {split: load_labelled(dataset, split) for split in ("train", "validate")}
    torch.manual_seed(train["seed"])
    devices = {
        recording.device: {"rate_hz": recording.rate_hz, "simulated": recording.is_simulated}
        for recording in (*trials["train"], *trials["validate"])
    }
    optimiser = {key: train[key] for key in ("lr", "weight_decay", "max_steps")}
    if model["network"] == "hybrid":
        task = Task("hybrid", devices, **model["hybrid"], **optimiser)
        latencies = measure_latencies(trials["train"] + trials["validate"])
        task.latency_s.copy_(torch.tensor([latencies.seconds[name] for name in devices]))
        task.set_statistics(trials["train"], latencies)
        return task, HybridData(trials["train"], trials["validate"], latencies, train)
    if model["network"] not in MODELS:
        raise DataError(f"imu_attitude: model.network is hybrid or one of {', '.join(MODELS)}")
    paper = dict(model["paper"])
    paper["window"] = round(paper["window_s"] * paper["rate_hz"])
    task = Task(model["network"], devices, **paper, **optimiser)
    return task, WindowData(
        trials["train"], trials["validate"], {**paper, "batch_size": train["batch_size"]}
    )


def _warn(notes: Sequence[str]) -> None:
    for note in notes:
        _log.warning("warning: imu_attitude: %s", note)


def _error_deg(trials: Sequence[tuple[Tensor, ...]], trust: float) -> float:
    """Mean over trials of the RMS distance in degrees of ``trust * up`` from true (K, 2 or 3)."""
    squares = [(trust * up - true).square().sum(-1).mean() for up, true in trials]
    return float(np.mean([math.degrees(math.sqrt(float(square))) for square in squares]))
