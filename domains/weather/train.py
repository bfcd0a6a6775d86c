"""The task: a cascade of forecasters, how each of them learns, and how a trained one forecasts.

Legend: B batch, T frames, C channels, S steps, H latitude, W longitude.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from domains import task as contract
from domains.errors import DataError
from domains.task import DataModule
from domains.weather.data import Fields, WeatherData, measure_statistics
from domains.weather.models.cascade import Cascade, rollout
from domains.weather.models.forecaster import Forecaster, position_maps
from domains.weather.models.networks import TIME_COLUMNS, make_network
from domains.weather.models.phases import Phases, begin_choices, sample_frames
from domains.weather.models.weights import cell_weights, channel_weights
from domains.weather.science.calendars import DAYS_PER_YEAR, embeddings
from domains.weather.science.leads import headline_channel, scored_starts


class Task(contract.Task):
    """PuYun's cascade on one grid, and beside it, if wanted, a plain network of equal size.

    Args:
        world: what the fields are: ``channels``, ``units``, ``latitude``, ``longitude`` (degrees),
            ``step_h``, ``calendar``, ``is_global``, ``is_zonally_symmetric``, ``is_simulated``.
        model: section ``model``.
        **config: keys of section ``train`` that ``build`` passes on.
    """

    cell_weights: Tensor
    channel_weights: Tensor
    valid: Tensor

    def __init__(self, world: Mapping[str, Any], model: Mapping[str, Any], **config: Any) -> None:
        super().__init__(world=world, model=model, **config)
        self.world, self.model = world, model
        self.phases = Phases(
            num_stages=model["cascade"],
            **{key: config[key] for key in Phases.__dataclass_fields__ if key != "num_stages"},
        )
        self.frames = sample_frames(
            model["cascade"], model["handover_steps"], config["rollout_steps"], self.reach
        )
        self.cascade = Cascade(
            [self._forecaster(model["network"]) for _ in range(model["cascade"])],
            model["handover_steps"],
        )
        self.peer = (
            Cascade([self._forecaster("resnet")], model["handover_steps"])
            if model["peer"] and model["network"] != "resnet"
            else None
        )
        grid = (len(world["channels"]), len(world["latitude"]), len(world["longitude"]))
        self.register_buffer("cell_weights", torch.ones(grid))
        self.register_buffer("valid", torch.ones(grid, dtype=torch.bool))
        self.register_buffer(
            "channel_weights", channel_weights(world["channels"], config["channel_weights"])
        )
        self._seen: dict[str, list[Tensor]] = {}

    @property
    def reach(self) -> int:
        """Steps from a hand-over to the last target in training."""
        return int(self.config["reach_steps"]) if self.model["cascade"] > 1 else 0

    def _forecaster(self, kind: str) -> Forecaster:
        world = self.world
        position = position_maps(
            world["latitude"], world["longitude"], not world["is_zonally_symmetric"]
        )
        channels = len(world["channels"])
        network = make_network(kind, self.model, channels, len(position), world["is_global"])
        return Forecaster(network, channels, position)

    def _networks(self) -> dict[str, Cascade]:
        return {"cascade": self.cascade} | ({"peer": self.peer} if self.peer is not None else {})

    # --- training ------------------------------------------------------------------------------

    def training_step(self, batch: Mapping[str, Tensor], _: int) -> Tensor:
        """Loss of the stage whose turn it is, and of the peer."""
        step = self.global_step
        stage = self.phases.stage_at(step)
        if stage and step == self.phases.starts[stage]:
            self._start_stage(stage)
        losses = {"train_loss": self._loss(self.cascade, stage, batch)}
        if self.peer is not None:
            losses["train_loss_peer"] = self._loss(self.peer, 0, batch)
        self.log_dict(losses)
        total = torch.stack(list(losses.values())).sum()
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            # several devices wait for a gradient of every weight, of stages at rest too
            total = total + 0 * sum(p.sum() for p in self.parameters())
        return total

    def _start_stage(self, stage: int) -> None:
        """Give a stage the weights of the one before it, and no memory of earlier gradients."""
        self.cascade.start_stage(stage)
        optimizer = self.optimizers()
        for parameter in self.cascade.stage(stage).parameters():
            optimizer.state.pop(parameter, None)  # type: ignore[union-attr]

    def _loss(self, cascade: Cascade, stage: int, batch: Mapping[str, Tensor]) -> Tensor:
        """Mean error of a rollout's steps, each over the spread of the change in one step."""
        fields, times = batch["fields"], batch["times"]  # (B, T, C, H, W), (B, S, 12)
        length = 1 if self.phases.is_pretraining(self.global_step) else self.config["rollout_steps"]
        begin, frames = 0, fields[:, :2]
        if stage:
            choices = begin_choices(length, self.reach)
            begin = stage * cascade.handover
            begin += choices[int(torch.randint(len(choices), ()))]
            with torch.no_grad():  # the states that the stages before hand over
                *_, before, last = self._rollout(cascade, frames, times, begin)
            frames = torch.stack([before, last], dim=1)
        steps = self._rollout(cascade, frames, times[:, begin:], length, begin)
        errors = [
            self._error(cascade, forecast, fields[:, self.frames.index(2 + begin + number)])
            for number, forecast in enumerate(steps)
        ]
        return torch.stack(errors).mean()

    def _rollout(
        self, cascade: nn.Module, frames: Tensor, times: Tensor, length: int, begin: int = 0
    ) -> Iterator[Tensor]:
        """As ``rollout``, with those columns of ``times`` (B, S, 12) that the networks know."""
        columns = list(TIME_COLUMNS[self.model["time"]])
        return rollout(
            cascade,
            frames,
            times[..., columns] if columns else None,
            length,
            first_step=begin,
            recompute=self.model["recompute"] == "steps",
        )

    def _error(self, cascade: Cascade, forecast: Tensor, truth: Tensor) -> Tensor:
        scale: Tensor = cascade.stage(0).change_std  # type: ignore[assignment]
        error = (forecast - truth) / scale[:, None, None]  # (B, C, H, W)
        size = error.abs() if self.config["loss"] == "l1" else error.square()
        return (size * self.cell_weights * self.channel_weights[:, None, None]).mean()

    def validation_step(self, batch: Mapping[str, Tensor], _: int) -> None:
        """Collects the error of each lead, over the spread of each channel."""
        fields, times = batch["fields"], batch["times"]
        std: Tensor = self.cascade.stage(0).std  # type: ignore[assignment]
        for name, cascade in self._networks().items():
            length = fields.shape[1] - 2
            errors = []
            for number, forecast in enumerate(self._rollout(cascade, fields[:, :2], times, length)):
                error = (forecast - fields[:, 2 + number]) / std[:, None, None]
                errors.append((error.square() * self.cell_weights).mean((-2, -1)).sqrt())
            self._seen.setdefault(name, []).append(torch.stack(errors, 1).float())  # (B, S, C)

    def on_validation_epoch_end(self) -> None:
        """Log the mean over forecasts, leads and channels; the peer has its say in the choice."""
        seen, self._seen = self._seen, {}
        means = {name: torch.cat(errors).mean() for name, errors in seen.items()}
        self.log_dict({f"val_loss_{name}": mean for name, mean in means.items()})
        self.log("val_loss", torch.stack(list(means.values())).mean())

    def configure_optimizers(self) -> Any:
        """AdamW; each stage has a rate of its own, zero while it is not its turn."""
        stages = [
            (module.parameters(), lambda step, n=number: self.phases.rate(n, step))
            for number, module in enumerate(self.cascade.stages.values())
        ]
        if self.peer is not None:
            stages.append((self.peer.parameters(), self.phases.peer_rate))  # type: ignore[arg-type]
        optimizer = torch.optim.AdamW(
            [{"params": parameters} for parameters, _ in stages],
            lr=self.config["lr"],
            betas=(0.9, 0.99),
            fused=True,  # hundreds of small tensors: one by one they take a tenth of a step
            weight_decay=self.config["weight_decay"],
        )
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, [rate for _, rate in stages])
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }

    def set_statistics(self, mean: Tensor, std: Tensor, change_std: Tensor, valid: Any) -> None:
        """Take what was measured on the training frames into the buffers.

        Args:
            mean, std, change_std: (C,), of the field and of its change in one step.
            valid: (C, H, W), false where a value was filled in.
        """
        for cascade in self._networks().values():
            for forecaster in cascade.stages.values():
                forecaster.set_statistics(mean, std, change_std)  # type: ignore[operator]
        self.cell_weights.copy_(cell_weights(self.world["latitude"], valid))
        self.valid.copy_(torch.as_tensor(valid))

    # --- use -----------------------------------------------------------------------------------

    @property
    def channels(self) -> list[str]:
        """Names of the channels, in order."""
        return list(self.world["channels"])

    @property
    def latitude(self) -> list[float]:
        """Latitudes of the grid, degrees, north → south."""
        return list(self.world["latitude"])

    @property
    def longitude(self) -> list[float]:
        """Longitudes of the grid, degrees east, ascending."""
        return list(self.world["longitude"])

    @property
    def step_h(self) -> float:
        """Hours of one forecast step."""
        return float(self.world["step_h"])

    @property
    def is_simulated(self) -> bool:
        """Whether what it learnt from is known to be a simulation, as the sample is."""
        return bool(self.world["is_simulated"])

    @property
    def calendar(self) -> str:
        """CF calendar of the training data."""
        return str(self.world["calendar"])

    @torch.no_grad()
    def forecast(
        self,
        frames: Tensor,
        year_phase: ArrayLike,
        day_phase: ArrayLike,
        num_steps: int,
        first_step: int = 0,
        network: str = "cascade",
    ) -> Iterator[Tensor]:
        """Forecast fields (B, C, H, W), SI units, step by step.

        A forecast that is continued starts from its last two fields, with the number of steps that
        were made as ``first_step``, so that the same stage of the cascade goes on.

        Args:
            frames: (B, 2, C, H, W), the last two known or forecast fields, SI units, channels and
                grid as above.
            year_phase: (B,), fraction of the year at the second of them.
            day_phase: (B,), fraction of the day at the second of them.
            num_steps: how many fields.
            first_step: steps made before.
            network: ``cascade``, ``short`` (it alone, at every lead) or ``peer``.

        Raises:
            DataError: frames of another shape than the network's grid.
        """
        grid = tuple(self.cell_weights.shape)
        if tuple(frames.shape[1:]) != (2, *grid):
            raise DataError(
                f"weather: initial fields have shape {tuple(frames.shape[1:])}, expected two of "
                f"{grid[0]} channels on {grid[1]} × {grid[2]} points, {(2, *grid)}"
            )
        self.eval()
        cascade = {**self._networks(), "short": _Short(self.cascade)}[network]
        days = np.arange(num_steps)[None] * self.step_h / 24  # (1, S)
        times = embeddings(
            np.asarray(year_phase)[:, None] + days / DAYS_PER_YEAR[self.calendar],
            np.asarray(day_phase)[:, None] + days,
            self.step_h,
            self.calendar,
        )
        device = self.cell_weights.device
        yield from self._rollout(
            cascade,
            frames.to(device),
            torch.from_numpy(times).float().to(device),
            num_steps,
            first_step,
        )


class _Short(nn.Module):
    """A cascade whose first stage never hands over."""

    def __init__(self, cascade: Cascade) -> None:
        super().__init__()
        self.first = cascade.stage(0)

    def forward(self, frames: Tensor, time: Tensor | None, _: int) -> Tensor:
        return self.first(frames, time)


def build(
    dataset: Path | str,
    *,
    model: Mapping,
    train: Mapping,
    evaluate: Mapping | None = None,
    **_: Any,
) -> tuple[Task, DataModule]:
    """Task and data for the dataset folder that ``ingest`` wrote.

    Args:
        dataset: the folder.
        model: section ``model``.
        train: section ``train``.
        evaluate: section ``evaluate``; what could not be scored is refused before it is trained.

    Raises:
        DataError: a file is missing, a split is too short, a channel or lead that is to be scored
            is not there, or the kernel is wider than the grid.
    """
    fields = Fields(dataset)
    world = fields.world
    if evaluate is not None:
        headline_channel(world["channels"], evaluate["headline_channel"])
        scored_starts(fields.dataset, evaluate)
    _check_kernel(model, len(world["longitude"]) if world["is_global"] else None)
    torch.manual_seed(train["seed"])
    own = (
        "max_steps", "lr", "weight_decay", "loss", "channel_weights", "pretrain_share",
        "short_share", "finetune_lr_share", "rollout_steps", "reach_steps",
    )  # fmt: skip
    task = Task(world, dict(model), **{key: train[key] for key in own})
    data = WeatherData(fields, task.frames, train)
    task.set_statistics(*measure_statistics(fields), fields.valid)
    return task, data


def _check_kernel(model: Mapping[str, Any], width: int | None) -> None:
    """Refuse a kernel without a middle, or one that wraps more than once round the globe."""
    size, dilation = model["kernel_size"], model["dilation"]
    wide = -(-size // dilation)
    if wide % 2 == 0:
        raise DataError(
            f"weather: model.kernel_size {size} with model.dilation {dilation} gives a dilated "
            f"kernel of {wide}, expected an odd one; try model.kernel_size {(wide + 1) * dilation}"
        )
    reach = max(dilation - 1, dilation * (wide - 1) // 2)
    if width is not None and reach > -(-width // model["patch"]):
        raise DataError(
            f"weather: model.kernel_size {size} reaches {reach} patches to each side, but the grid "
            f"has {-(-width // model['patch'])} along a circle of latitude; lower it"
        )
