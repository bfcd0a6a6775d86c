"""From tracks to batches: lengths in steps, goals, and candidates that come from other ships."""

import numpy as np
import pytest

from domains.ais_trajectories import data
from domains.ais_trajectories.data import Goals, Plan
from domains.errors import DataError

SECTION = {
    "context_h": 1.0,
    "horizon_h": 4.0,
    "decode_every": 3,
    "candidates": 2,
    "cell_resolution": 5,
    "target_resolution": 4,
    "route_h": 2.0,
    "concentration": 1.0,
}


def plan_of(**changes: float) -> Plan:
    return Plan.of({**SECTION, **changes}, 0.5, 10.0)


def test_hours_become_steps() -> None:
    plan = plan_of()
    assert (plan.context, plan.horizon, plan.route, plan.min_context) == (6, 24, 12, 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"context_h": 1.05}, r"context_h is 1.05 h, expected a multiple of the 10 minutes"),
        ({"context_h": 0.1}, r"context_h is 0.1 h, .* at least 30 minutes"),
        ({"decode_every": 5}, r"decode_every is 5, expected a divisor of the 24 steps"),
    ],
)
def test_lengths_that_do_not_fit_the_step_are_refused(changes: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        plan_of(**changes)


@pytest.fixture(scope="module")
def table(tiny_dataset):
    return data.load_split(tiny_dataset, "train")


def test_a_batch_is_what_the_table_says(table) -> None:
    plan = plan_of()
    cut = data.cut_windows(table, plan, 7, "train")
    goals = Goals.of(table, plan)
    everything = np.ones(len(table["time_s"]), bool)
    grids = data.count_grids(table, goals, plan, everything)
    found = data.find_candidates(grids, cut, plan)
    batch = data.with_truth(data.to_batch(cut, found), cut, goals)
    assert batch["track"].shape == (len(cut), 6, 5)
    assert batch["candidates"].shape == (len(cut), 2, 2, 3)
    np.testing.assert_allclose(batch["track"][:, -1, :2], 0, atol=1e-6)
    one = int(np.flatnonzero(cut.is_moving)[0])
    step = 24
    from domains.ais_trajectories.science.geodesy import haversine_km

    row = cut.point[one]
    far = haversine_km(
        *(table[name][r] for r in (row, row + step) for name in ("longitude", "latitude"))
    )
    assert float(batch["future"][one, step - 1].norm()) == pytest.approx(far, rel=1e-5)
    assert not batch["future"][~batch["known"]].any()


def test_candidates_of_a_training_ship_come_from_the_others(table) -> None:
    plan = plan_of()
    cut = data.cut_windows(table, plan, 5, "train")
    ships = np.unique(table["vessel"])
    lone = ships[3]
    # where only this ship has gone, the others cannot know
    far_table = {name: column.copy() for name, column in table.items()}
    far_table["latitude"] = table["latitude"] + np.where(table["vessel"] == lone, 10.0, 0.0)
    far_cut = data.cut_windows(far_table, plan, 5, "train")
    goals = Goals.of(far_table, plan)
    fitted = data.cross_fitted(far_table, goals, plan, far_cut)
    grids = data.count_grids(far_table, goals, plan, np.ones(len(table["time_s"]), bool))
    leaky = data.find_candidates(grids, far_cut, plan)
    mine = (far_cut.vessel == lone) & far_cut.is_moving
    truth = goals.destination[far_cut.point][mine, None]
    assert (leaky["destination"].cells[mine] == truth).any(1).all()
    assert not (fitted["destination"].cells[mine] == truth).any()
    assert len(fitted["route"].entropy) == len(cut)


def test_speed_and_course_that_were_not_reported_are_made_good(table) -> None:
    plan = plan_of()
    bare = {**table, "sog_kn": np.full_like(table["sog_kn"], np.nan)}
    bare["cog_deg"] = np.full_like(table["cog_deg"], np.nan)
    cut = data.cut_windows(table, plan, 9, "train")
    goals = Goals.of(table, plan)
    grids = data.count_grids(table, goals, plan, np.ones(len(table["time_s"]), bool))
    found = data.find_candidates(grids, cut, plan)
    told = data.to_batch(cut, found)["track"][..., 2:]
    seen = data.to_batch(data.cut_windows(bare, plan, 9, "train"), found)["track"][..., 2:]
    moving = cut.is_moving
    # the tracks of the fixture are drawn from speed and course, the course of a step leads to it
    np.testing.assert_allclose(seen[moving][:, 1:], told[moving][:, 1:], atol=0.3)


def test_one_ship_cannot_learn_from_others(table) -> None:
    mine = table["vessel"] == table["vessel"][-1]
    alone = {name: column[mine] for name, column in table.items()}
    plan = plan_of()
    cut = data.cut_windows(alone, plan, 5, "train")
    with pytest.raises(DataError, match="has one ship, expected two or more"):
        data.cross_fitted(alone, Goals.of(alone, plan), plan, cut)


def test_too_long_a_window_is_refused_with_the_remedy(table) -> None:
    with pytest.raises(DataError, match=r"lower\s+model.multipath.context_h"):
        data.cut_windows(table, plan_of(context_h=30.0), 1, "train")


def test_a_split_without_tracks_is_named(tmp_path) -> None:
    from domains.ais_trajectories.science.storage import COLUMNS, write_table

    empty = {n: np.zeros(0, str if k == "string" else k) for n, k in COLUMNS["tracks"].items()}
    write_table(tmp_path, "tracks", empty)
    with pytest.raises(DataError, match="split test has no track"):
        data.load_split(tmp_path, "test")
