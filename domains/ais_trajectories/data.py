"""Dataset to batches of the path networks: windows of tracks with where such ships went.

Legend: P points of all tracks, N windows, L fixes in, H steps out, K candidates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader

from domains.ais_trajectories.science import geodesy, hexgrid, windows
from domains.ais_trajectories.science.hexgrid import Candidates, HexGrid
from domains.ais_trajectories.science.storage import read_table
from domains.ais_trajectories.science.windows import Windows
from domains.errors import DataError
from domains.task import DataModule, one_at_a_time

_FOLDS = 5
"""A training ship's candidates come from the other four fifths of the training ships."""

_MIN_FUTURE_H = 1.0

Table = dict[str, NDArray]


@dataclass(frozen=True)
class Plan:
    """Sizes in steps, from the section ``model.multipath`` and the dataset's step.

    Args:
        step_min: minutes between points.
        context, horizon, route, min_context, decode_every: steps.
        cell_resolution, target_resolution: of H3.
        candidates: K.
        concentration: of the smoothing.
    """

    step_min: float
    context: int
    horizon: int
    route: int
    min_context: int
    decode_every: int
    cell_resolution: int
    target_resolution: int
    candidates: int
    concentration: float

    @staticmethod
    def of(section: Mapping[str, Any], min_context_h: float, step_min: float) -> Plan:
        """Hours to steps.

        Raises:
            DataError: a length is no whole number of steps, too short, or does not divide.
        """

        def steps(key: str, hours: float, least: int) -> int:
            count = round(60 * hours / step_min)
            if count < least or abs(count * step_min - 60 * hours) > 1e-6 * step_min:
                raise DataError(
                    f"ais_trajectories: {key} is {hours:g} h, expected a multiple of the "
                    f"{step_min:g} minutes between points, at least {least * step_min:g} minutes"
                )
            return count

        context = steps("model.multipath.context_h", section["context_h"], 3)
        horizon = steps("model.multipath.horizon_h", section["horizon_h"], 1)
        every = section["decode_every"]
        if horizon % every:
            raise DataError(
                f"ais_trajectories: model.multipath.decode_every is {every}, expected a divisor of "
                f"the {horizon} steps in horizon_h"
            )
        return Plan(
            step_min=step_min,
            context=context,
            horizon=horizon,
            route=steps("model.multipath.route_h", section["route_h"], 1),
            min_context=min(context, steps("train.min_context_h", min_context_h, 3)),
            decode_every=every,
            **{key: section[key] for key in _KEPT},
        )


_KEPT = ("cell_resolution", "target_resolution", "candidates", "concentration")


@dataclass(frozen=True)
class Goals:
    """Where each point of a table went, (P,) each; cell −1 where it is not known.

    Args:
        route, destination: H3 cell some hours later, and of the voyage's end.
        voyage: number of the voyage.
    """

    route: NDArray[np.int64]
    destination: NDArray[np.int64]
    voyage: NDArray[np.int64]

    @staticmethod
    def of(table: Table, plan: Plan) -> Goals:
        """Goals of all points of ``table``."""
        cells = hexgrid.cells_of(table["longitude"], table["latitude"], plan.target_resolution)
        later = windows.points_ahead(table, plan.route)
        end, voyage = windows.voyage_ends(table)
        cut_off = windows.is_cut_off(table, end)
        return Goals(
            np.where(later >= 0, cells[later], -1), np.where(cut_off, -1, cells[end]), voyage
        )


def load_split(dataset: Path | str, split: str) -> Table:
    """The tracks of a split.

    Raises:
        DataError: there is none.
    """
    table = read_table(Path(dataset), "tracks", split=split)
    if len(table["time_s"]) == 0:
        raise DataError(
            f"ais_trajectories: {dataset}: split {split} has no track; change ingest.split, lower "
            "ingest.tracks.min_points, or bring more days"
        )
    return table


def count_grids(table: Table, goals: Goals, plan: Plan, which: NDArray) -> dict[str, HexGrid]:
    """The ``route`` and ``destination`` grid of the points at ``which`` (P,) bool, that move."""
    cells = hexgrid.cells_of(table["longitude"], table["latitude"], plan.cell_resolution)
    course = _courses(table, plan.step_min)
    kind = windows.ship_group(table["ship_type"])
    grids = {}
    for name in ("route", "destination"):
        goal = getattr(goals, name)
        used = which & (goal >= 0) & table["is_moving"]
        grids[name] = HexGrid.count(
            cells[used], course[used], kind[used], goal[used], goals.voyage[used]
        )
    return grids


def find_candidates(
    grids: Mapping[str, HexGrid], cut: Windows, plan: Plan
) -> dict[str, Candidates]:
    """The most probable route and destination cells of each window."""
    last = cut.longitude[:, -1], cut.latitude[:, -1]
    cells = hexgrid.cells_of(*last, plan.cell_resolution)
    asked = cells, cut.course_deg(), cut.ship_type, plan.concentration, plan.candidates
    return {name: grid.candidates(*asked) for name, grid in grids.items()}


def cross_fitted(table: Table, goals: Goals, plan: Plan, cut: Windows) -> dict[str, Candidates]:
    """Candidates of training windows from the other ships, as a test ship will find them.

    From counts that hold the ship itself, its own past would tell its future.

    Raises:
        DataError: fewer than two ships.
    """
    ships, number = np.unique(table["vessel"], return_inverse=True)
    if len(ships) < 2:
        raise DataError(
            "ais_trajectories: the training split has one ship, expected two or more: where others "
            "went is learned from others; bring more data or raise ingest.split.train_vessels"
        )
    fold = number % min(_FOLDS, len(ships))
    found: list[tuple[NDArray, dict[str, Candidates]]] = []
    for one in range(int(fold.max()) + 1):
        mine = np.flatnonzero(fold[cut.point] == one)
        if len(mine):
            grids = count_grids(table, goals, plan, fold != one)
            found.append((mine, find_candidates(grids, cut.take(mine), plan)))
    order = np.argsort(np.concatenate([mine for mine, _ in found]))
    joined = {}
    for name in ("route", "destination"):
        parts = [candidates[name] for _, candidates in found]
        joined[name] = Candidates(
            *(
                np.concatenate([getattr(part, key) for part in parts])[order]
                for key in ("cells", "longitude", "latitude", "probability", "entropy")
            )
        )
    return joined


def to_batch(cut: Windows, candidates: Mapping[str, Candidates]) -> dict[str, Tensor]:
    """What the network sees of all windows, keys of ``models.inputs`` and ``is_moving``."""
    origin = cut.longitude[:, -1:], cut.latitude[:, -1:]
    km = cut.context_km()
    shown, entropy = [], []
    for name in ("route", "destination"):
        one = candidates[name]
        east, north = geodesy.to_local_km(one.longitude, one.latitude, *origin)
        shown.append(np.stack([east, north, one.probability], axis=-1))  # (N, K, 3)
        entropy.append(one.entropy)
    sog, course = _filled(cut, km)
    track = [km, sog[..., None], np.sin(course)[..., None], np.cos(course)[..., None]]
    parts = {
        "track": np.concatenate(track, axis=-1),
        "place": np.concatenate(origin, axis=1),
        "candidates": np.stack(shown, axis=1),
        "entropy": np.stack(entropy, axis=1),
    }
    batch = {key: torch.from_numpy(value.astype(np.float32)) for key, value in parts.items()}
    batch["kind"] = torch.from_numpy(cut.ship_type)
    batch["is_moving"] = torch.from_numpy(cut.is_moving)
    return batch


def with_truth(batch: dict[str, Tensor], cut: Windows, goals: Goals) -> dict[str, Tensor]:
    """The batch with ``future``, ``known``, ``goal`` and ``goal_known``."""
    future = cut.future_km()
    cells = goals.destination[cut.point]
    goal = np.zeros((2, len(cut)))
    has_goal = cells >= 0
    origin = cut.longitude[has_goal, -1], cut.latitude[has_goal, -1]
    goal[:, has_goal] = geodesy.to_local_km(*hexgrid.centres_of(cells[has_goal]), *origin)
    return {
        **batch,
        "future": torch.from_numpy(np.nan_to_num(future).astype(np.float32)),
        "known": torch.from_numpy(np.isfinite(future[..., 0])),
        "goal": torch.from_numpy(goal.T.astype(np.float32)),
        "goal_known": torch.from_numpy(has_goal),
    }


class PathData(DataModule):
    """All windows in memory, as one batch to draw from.

    Args:
        train, validate: batches with truth.
        batch_size: windows per step.
    """

    def __init__(
        self, train: dict[str, Tensor], validate: dict[str, Tensor], batch_size: int
    ) -> None:
        super().__init__(len(train["place"]), batch_size)
        self.train, self.validate = train, validate

    def train_sample(self, index: int, seed: int) -> dict[str, Tensor]:
        """Window ``index``; what varies in training is drawn for a whole batch by the task."""
        return {key: value[index] for key, value in self.train.items()}

    def val_dataloader(self) -> DataLoader:
        """All validation windows, 512 at a time."""
        size = len(self.validate["place"])
        parts = [
            {key: value[first : first + 512] for key, value in self.validate.items()}
            for first in range(0, size, 512)
        ]
        return one_at_a_time(parts)


def cut_windows(table: Table, plan: Plan, stride: int, split: str) -> Windows:
    """Windows of a split with an hour of future or more.

    Raises:
        DataError: no track is long enough.
    """
    least = min(plan.horizon, max(1, round(60 * _MIN_FUTURE_H / plan.step_min)))
    cut = windows.cut(table, plan.context, plan.horizon, stride, least)
    if len(cut) == 0:
        raise DataError(
            f"ais_trajectories: no track of split {split} has {plan.context + least} points; lower "
            "model.multipath.context_h, or raise ingest.tracks.gap_min"
        )
    return cut


def _courses(table: Table, step_min: float) -> NDArray[np.float64]:
    """Course (P,) made good over the last two steps within a track, as windows have it."""
    first, stop = windows.track_bounds(table["track_id"])
    start = np.repeat(first, stop - first)
    rows = np.arange(len(start))
    before = np.maximum(start, rows - 2)
    ends = np.stack([before, rows], axis=1)
    hours_ok = rows - before == 2
    course = windows.made_good(table["longitude"][ends], table["latitude"][ends], 2 * step_min)
    return np.where(hours_ok, course, np.nan)


def _filled(cut: Windows, km: NDArray) -> tuple[NDArray, NDArray]:
    """Speed in knots and course in radians (N, L), made good where a ship did not report them."""
    way = np.diff(km, axis=1, prepend=2 * km[:, :1] - km[:, 1:2])
    hours = cut.step_min / 60
    speed = np.hypot(way[..., 0], way[..., 1]) / geodesy.KM_PER_NAUTICAL_MILE / hours
    course = np.arctan2(way[..., 0], way[..., 1])
    sog = np.where(np.isfinite(cut.sog_kn), cut.sog_kn, speed)
    return sog, np.where(np.isfinite(cut.cog_deg), np.deg2rad(cut.cog_deg), course)
