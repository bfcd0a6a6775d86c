"""The path network with its peers, its guard and the hexagonal grids that travel with it.

Legend: B batch, L fixes in, H steps out.  Keys of a batch: ``models.inputs``; and for training
``future`` (B, H, 2) km, 0 where not ``known`` (B, H) bool, ``goal`` (B, 2) km of the destination's
cell, 0 where not ``goal_known`` (B,) bool; ``is_moving`` (B,) bool.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from domains.ais_trajectories.models.guard import Guard
from domains.ais_trajectories.models.inputs import Inputs, nearest_turn, straight_on
from domains.ais_trajectories.models.multipath import ABLATIONS, Multipath
from domains.ais_trajectories.models.peers import PeerPath, same_size, size_of
from domains.ais_trajectories.science.hexgrid import HexGrid

OURS = "multipath"
GRIDS = ("route", "destination")


class PathNetworks(nn.Module):
    """``multipath`` and what it is compared with, each with its own guard.

    Args:
        context, horizon: L and H in steps.
        min_context: fewest fixes shown in training.
        hidden, decode_every, candidates: of ``Multipath``.
        compare: names of peers and ablations.
        grids: shapes of the arrays of the route and the destination grid.
        reveal: share of training windows that are told their destination.
    """

    scale_km: Tensor

    def __init__(
        self,
        *,
        context: int,
        horizon: int,
        min_context: int,
        hidden: int,
        decode_every: int,
        candidates: int,
        compare: Sequence[str],
        grids: Mapping[str, Mapping[str, Sequence[int]]],
        reveal: float,
        **_: Any,
    ) -> None:
        super().__init__()
        self.context, self.horizon, self.min_context = context, horizon, min_context
        self.reveal = reveal
        ours = Multipath(context, horizon, hidden, decode_every, candidates)
        self.networks = nn.ModuleDict({OURS: ours})
        for name in compare:
            if name in ABLATIONS:
                self.networks[name] = Multipath(
                    context, horizon, hidden, decode_every, candidates, without=name
                )
            else:
                make = partial(_peer, name, horizon, decode_every)
                self.networks[name] = same_size(make, size_of(ours))
        self.guards = nn.ModuleDict({name: Guard(horizon) for name in self.networks})
        self.register_buffer("scale_km", torch.ones(horizon))
        for grid, shapes in grids.items():
            for array, shape in shapes.items():
                zeros = torch.zeros(list(shape), dtype=torch.int64)
                self.register_buffer(f"{grid}_{array}", zeros)
        self._grid_names = {grid: list(shapes) for grid, shapes in grids.items()}

    # --- statistics ----------------------------------------------------------------------------

    def set_grid(self, name: str, grid: HexGrid) -> None:
        """Take over the counts of the training tracks."""
        for array, values in grid.arrays().items():
            getattr(self, f"{name}_{array}").copy_(torch.from_numpy(values))

    def grid(self, name: str) -> HexGrid:
        """The ``route`` or ``destination`` grid."""
        arrays = {array: getattr(self, f"{name}_{array}") for array in self._grid_names[name]}
        return HexGrid(**{array: values.cpu().numpy() for array, values in arrays.items()})

    def guard(self, name: str) -> Guard:
        """The guard of the network ``name``."""
        return cast(Guard, self.guards[name])

    def set_statistics(self, batches: Mapping[str, Tensor]) -> None:
        """Scales from all training windows at once; their region may lie across 180°."""
        track, place = batches["track"], nearest_turn(batches["place"], batches["place"][0])
        low, high = place.amin(0), place.amax(0)
        way = torch.diff(track[batches["is_moving"]][..., :2], dim=1)
        step_km = way.square().sum(-1).mean().sqrt().clamp(min=0.1) if len(way) else 1.0
        for network in self.networks.values():
            inputs = cast(Inputs, network.inputs)
            inputs.centre.copy_((low + high) / 2)
            inputs.extent.copy_(((high - low) / 2).clamp(min=0.1))
            inputs.step_km.fill_(step_km)
        error = torch.linalg.vector_norm(
            straight_on(track, self.horizon) - batches["future"], dim=-1
        )
        known = batches["known"].float()
        mean = (error * known).sum(0) / known.sum(0).clamp(min=1)
        self.scale_km.copy_(mean.clamp(min=0.1))

    # --- answers -------------------------------------------------------------------------------

    def forward(self, batch: Mapping[str, Tensor], name: str = OURS) -> Tensor:
        """Guarded path (B, H, 2) in km east and north of the last fix."""
        straight = straight_on(batch["track"], self.horizon)
        return self.guards[name](self.networks[name](batch), straight, batch["is_moving"])

    def losses(self, batch: Mapping[str, Tensor], *, vary: bool) -> Iterator[tuple[str, Tensor]]:
        """Error of each network before its guard, over that of constant velocity, its mean.

        Args:
            batch: with ``future``, ``known`` and ``goal``.
            vary: draw the length of the past and who is told the destination, for training.
        """
        if vary:
            batch = self._varied(batch)
        for name, network in self.networks.items():
            error = torch.linalg.vector_norm(network(batch) - batch["future"], dim=-1)  # (B, H)
            known = batch["known"]
            yield name, (known * error / self.scale_km).sum() / known.sum().clamp(min=1)

    def settle(self, batches: Sequence[Mapping[str, Tensor]]) -> dict[str, float]:
        """Set the guards by validation; relative error of each network behind its own."""
        joined = {key: torch.cat([batch[key] for batch in batches]) for key in batches[0]}
        straight = straight_on(joined["track"], self.horizon)
        true, known = joined["future"], joined["known"]
        found = {}
        for name, network in self.networks.items():
            path = torch.cat([network(batch) for batch in batches])
            self.guard(name).fit(path, straight, joined["is_moving"], true, known)
            held = self.guards[name](path, straight, joined["is_moving"])
            error = torch.linalg.vector_norm(held - true, dim=-1) / self.scale_km
            found[name] = float(error[known].mean())
        return found

    def _varied(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        length = int(torch.randint(self.min_context, self.context + 1, ()))
        told = torch.rand(len(batch["kind"])).to(batch["kind"].device) < self.reveal
        told &= batch["is_moving"] & batch["goal_known"]
        varied = dict(batch)
        varied["track"] = batch["track"][:, -length:]
        return with_goal(varied, batch["goal"], told)


def with_goal(
    batch: Mapping[str, Tensor], goal_km: Tensor, told: Tensor | None = None
) -> dict[str, Tensor]:
    """The batch as if it were certain that each ship is bound for ``goal_km`` (B, 2).

    Args:
        batch: keys of ``models.inputs``.
        goal_km: east and north of the last fix.
        told: (B,) bool, for whom; ``None`` = all.
    """
    candidates, entropy = batch["candidates"].clone(), batch["entropy"].clone()
    sure = torch.zeros_like(candidates[:, 1])  # (B, K, 3)
    sure[:, 0, :2], sure[:, 0, 2] = goal_km, 1.0
    told = torch.ones_like(batch["is_moving"]) if told is None else told
    candidates[:, 1] = torch.where(told[:, None, None], sure, candidates[:, 1])
    entropy[:, 1] = torch.where(told, 0.0, entropy[:, 1])
    return {**batch, "candidates": candidates, "entropy": entropy}


def grid_shapes(grids: Mapping[str, HexGrid]) -> dict[str, dict[str, list[int]]]:
    """Shapes of the arrays of some grids, for ``PathNetworks``."""
    return {
        name: {array: list(np.shape(values)) for array, values in grid.arrays().items()}
        for name, grid in grids.items()
    }


def _peer(name: str, horizon: int, decode_every: int, hidden: int) -> nn.Module:
    return PeerPath(name, horizon, hidden, decode_every)
