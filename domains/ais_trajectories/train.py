"""The task: which networks are trained, how their loss is made, and how a trained one answers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from domains import task as contract
from domains.ais_trajectories.data import (
    Goals,
    PathData,
    Plan,
    count_grids,
    cross_fitted,
    cut_windows,
    find_candidates,
    load_split,
    to_batch,
    with_truth,
)
from domains.ais_trajectories.models.inputs import Inputs
from domains.ais_trajectories.models.message_data import MessageData
from domains.ais_trajectories.models.message_data import to_batch as to_message_batch
from domains.ais_trajectories.models.messages import MessageNetworks
from domains.ais_trajectories.models.paths import OURS, PathNetworks, grid_shapes, with_goal
from domains.ais_trajectories.science import geodesy, message_errors, messages, windows
from domains.ais_trajectories.science.hexgrid import Candidates, HexGrid
from domains.ais_trajectories.science.windows import step_min_of
from domains.errors import DataError
from domains.task import DataModule, warmup_cosine


class Task(contract.Task):
    """Path networks or message networks, ours and its peers side by side.

    Args:
        network: ``multipath`` or ``messages``.
        **config: sizes for ``PathNetworks`` or ``MessageNetworks``, the plan of the windows, and
            ``lr``, ``weight_decay``, ``max_steps``, ``grad_clip``.
    """

    def __init__(self, network: str, **config: Any) -> None:
        super().__init__(network=network, **config)
        self.network = network
        make = {"multipath": PathNetworks, "messages": MessageNetworks}[network]
        self.model = make(**config)
        self._seen: list[dict[str, Tensor]] = []

    @property
    def names(self) -> list[str]:
        """Ours first, then what it is compared with."""
        return list(self.model.networks)

    # --- training ------------------------------------------------------------------------------

    def training_step(self, batch: dict[str, Tensor], _: int) -> Tensor:
        """Sum of the losses of all networks, which share no weight."""
        losses = dict(self.model.losses(batch, vary=True))
        self.log_dict({f"train_{name}": loss for name, loss in losses.items()})
        total = torch.stack(list(losses.values())).mean()
        self.log("train_loss", total)
        return total * len(losses)

    def configure_gradient_clipping(self, *_: Any, **__: Any) -> None:
        """Clips each network by itself: one that explodes must not slow the others."""
        if self.config["grad_clip"]:
            for network in self.model.networks.values():
                torch.nn.utils.clip_grad_norm_(network.parameters(), self.config["grad_clip"])

    def validation_step(self, batch: dict[str, Tensor], _: int) -> None:
        """Keeps the batch; ``on_validation_epoch_end`` scores all windows at once."""
        self._seen.append(batch)

    def on_validation_epoch_end(self) -> None:
        """Set the guards, log each network's error and, as ``val_loss``, their mean.

        The mean over all networks chooses the step at which all are taken, so that none is
        favoured over another.
        """
        seen, self._seen = self._seen, []
        errors = self.model.settle(seen)
        self.log_dict({f"val_{name}": error for name, error in errors.items()})
        self.log("val_loss", float(np.mean(list(errors.values()))))

    def configure_optimizers(self) -> Any:
        """AdamW; the rate rises over a tenth of the steps and falls to zero as a cosine."""
        optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=self.config["lr"], weight_decay=self.config["weight_decay"]
        )
        steps = self.config["max_steps"]
        return warmup_cosine(optimizer, steps, rise=steps // 10)

    # --- paths ---------------------------------------------------------------------------------

    @property
    def paths_model(self) -> PathNetworks:
        """The path networks.

        Raises:
            DataError: the task was trained on messages.
        """
        if self.network != OURS:
            raise DataError(
                "ais_trajectories: the model forecasts the next message, not a path; set "
                "model.network: multipath and train again"
            )
        return cast(PathNetworks, self.model)

    @property
    def plan(self) -> Plan:
        """Sizes of the windows."""
        return Plan(**self.config["plan"])

    @property
    def context_steps(self) -> int:
        """L: fixes that the model makes use of, ``step_min`` apart, the last one being now."""
        return self.plan.context

    @property
    def least_steps(self) -> int:
        """Fixes that are enough: the shortest past that training showed."""
        return self.plan.min_context

    @property
    def region(self) -> tuple[float, float, float, float]:
        """West, south, east, north of the training windows, degrees."""
        inputs = cast(Inputs, self.paths_model.networks[OURS].inputs)
        low, high = inputs.centre - inputs.extent, inputs.centre + inputs.extent
        west, south, east, north = (*low.tolist(), *high.tolist())
        return west, south, east, north

    @property
    def horizon_steps(self) -> int:
        """H: steps that it looks ahead."""
        return self.plan.horizon

    @property
    def step_min(self) -> float:
        """Minutes between fixes, in and out."""
        return self.plan.step_min

    def grids(self) -> dict[str, HexGrid]:
        """The counts of the training tracks."""
        return {name: self.paths_model.grid(name) for name in ("route", "destination")}

    @torch.no_grad()
    def forecast_km(self, batch: Mapping[str, Tensor], name: str = OURS) -> NDArray[np.float64]:
        """Path (N, H, 2) in km east and north of the last fix, by the network ``name``."""
        self.eval()
        model, size = self.paths_model, len(batch["place"])
        parts = []
        for first in range(0, size, 512):
            part = {key: value[first : first + 512].to(self.device) for key, value in batch.items()}
            parts.append(model(part, name).double().cpu().numpy())
        return np.concatenate(parts)

    def paths(
        self,
        longitude: NDArray,
        latitude: NDArray,
        sog_kn: NDArray,
        cog_deg: NDArray,
        ship_type: NDArray,
        num_paths: int = 1,
    ) -> tuple[NDArray, NDArray, NDArray]:
        """Longitude, latitude (B, K, H) in degrees and probability (B, K), the best first.

        One path is the forecast, with probability 1.  Several are those to the most probable
        destinations, with the probability of each; there are at most ``candidates`` of them.

        Args:
            longitude, latitude, sog_kn, cog_deg: (B, L), ``step_min`` apart, the last one now.
            ship_type: (B,) code of the AIS standard.
            num_paths: K.
        """
        cut = windows.asked(
            longitude, latitude, sog_kn, cog_deg, ship_type, self.plan.horizon, self.step_min
        )
        found = find_candidates(self.grids(), cut, self.plan)
        batch = to_batch(cut, found)
        origin = cut.longitude[:, -1:], cut.latitude[:, -1:]
        if num_paths == 1:
            km = self.forecast_km(batch)[:, None]  # (B, 1, H, 2)
            probability = np.ones((len(cut), 1))
        else:
            km = self.ways_km(batch, found)[:, :num_paths]
            probability = found["destination"].probability[:, :num_paths]
        origin = origin[0][..., None], origin[1][..., None]
        return *geodesy.from_local_km(km[..., 0], km[..., 1], *origin), probability

    def ways_km(
        self, batch: Mapping[str, Tensor], found: Mapping[str, Candidates]
    ) -> NDArray[np.float64]:
        """Paths (N, K, H, 2) in km, each as if bound for one of the K destination candidates."""
        count = found["destination"].cells.shape[1]
        goals = [batch["candidates"][:, 1, number, :2] for number in range(count)]
        return np.stack([self.forecast_km(with_goal(batch, goal)) for goal in goals], axis=1)

    # --- messages ------------------------------------------------------------------------------

    @torch.no_grad()
    def next_message(self, batch: Mapping[str, Tensor], name: str) -> NDArray[np.float64]:
        """Content (N, V) of the next message, quantities of ``models.messages``."""
        self.eval()
        parts = []
        for first in range(0, len(batch["messages"]), 512):
            part = {key: value[first : first + 512].to(self.device) for key, value in batch.items()}
            parts.append(self.model(part, name).double().cpu().numpy())
        return np.concatenate(parts)

    def next_content(
        self,
        longitude: NDArray,
        latitude: NDArray,
        sog_kn: NDArray,
        cog_deg: NDArray,
        time_s: NDArray,
    ) -> dict[str, NDArray[np.float64]]:
        """Variable of ``science.message_errors`` -> (B,) of each ship's next message.

        Args:
            longitude, latitude, sog_kn, cog_deg, time_s: (B, N) of the newest messages, of which
                the model sees its ``length``; NaN where a speed or course was not reported.

        Raises:
            DataError: the model forecasts paths, or fewer messages than it needs.
        """
        if self.network != "messages":
            raise DataError(
                "ais_trajectories: the model forecasts a path, not the next message; set "
                "model.network: messages and train again"
            )
        length = self.config["length"]
        if longitude.shape[1] < length + 1:
            raise DataError(
                f"ais_trajectories: {longitude.shape[1]} messages of each ship, the model needs "
                f"{length + 1}: the {length} it sees and the time of the one before"
            )
        cut = messages.asked(longitude, latitude, sog_kn, cog_deg, time_s, length)
        content = self.next_message(to_message_batch(cut), self.names[0])
        return message_errors.described(content, cut)


def build(
    dataset: Path | str, *, model: Mapping, train: Mapping, **_: Any
) -> tuple[Task, DataModule]:
    """Task and data for the dataset folder that ``ingest`` wrote.

    Args:
        dataset: the folder.
        model: section ``model``.
        train: section ``train``.

    Raises:
        DataError: a split is empty, its tracks too short, or a length does not fit their step.
    """
    return {"multipath": _build_paths, "messages": _build_messages}[model["network"]](
        Path(dataset), model, train
    )


_OPTIMISER = ("lr", "weight_decay", "max_steps", "grad_clip")


def _build_paths(dataset: Path, model: Mapping, train: Mapping) -> tuple[Task, DataModule]:
    table, held_out = load_split(dataset, "train"), load_split(dataset, "validate")
    plan = Plan.of(model["multipath"], train["min_context_h"], step_min_of(table))
    goals = Goals.of(table, plan)
    grids = count_grids(table, goals, plan, np.ones(len(table["time_s"]), bool))
    cut = cut_windows(table, plan, train["stride"], "train")
    teach = with_truth(to_batch(cut, cross_fitted(table, goals, plan, cut)), cut, goals)
    seen = cut_windows(held_out, plan, 3 * train["stride"], "validate")
    choose = with_truth(
        to_batch(seen, find_candidates(grids, seen, plan)), seen, Goals.of(held_out, plan)
    )
    torch.manual_seed(train["seed"])
    task = Task(
        "multipath",
        context=plan.context,
        horizon=plan.horizon,
        min_context=plan.min_context,
        hidden=model["multipath"]["hidden"],
        decode_every=plan.decode_every,
        candidates=plan.candidates,
        compare=list(model["compare"]),
        grids=grid_shapes(grids),
        reveal=train["reveal"],
        plan=vars(plan),
        **{key: train[key] for key in _OPTIMISER},
    )
    for name, grid in grids.items():
        task.paths_model.set_grid(name, grid)
    task.paths_model.set_statistics(teach)
    return task, PathData(teach, choose, train["batch_size"])


def _build_messages(dataset: Path, model: Mapping, train: Mapping) -> tuple[Task, DataModule]:
    section = model["messages"]
    data = MessageData(dataset, section, train)
    torch.manual_seed(train["seed"])
    task = Task(
        "messages",
        length=section["length"],
        max_gap_min=section["max_gap_min"],
        hidden=section["hidden"],
        compare=list(model["compare"]),
        **{key: train[key] for key in _OPTIMISER},
    )
    cast(MessageNetworks, task.model).set_statistics(data.train)
    return task, data
