"""Errors of paths on the sphere: by horizon, at the end, and of ships under way."""

import numpy as np
import pytest

from domains.ais_trajectories.science import path_errors, windows
from domains.ais_trajectories.science.path_errors import PathErrors
from domains.ais_trajectories.science.path_metrics import by_horizon, features, geography
from tests.domains.ais_trajectories.science.test_windows import table_of


@pytest.fixture(scope="module")
def result() -> PathErrors:
    cut = windows.cut(table_of(40, 14), context=3, horizon=18, stride=1)
    paths = path_errors.simple_paths(cut, 0.1)
    return PathErrors.of(cut, {"ours": cut.future_km(), **paths})


def test_the_truth_has_no_error_and_persistence_that_of_the_way(result: PathErrors) -> None:
    known = np.isfinite(result.windows.future_longitude)
    np.testing.assert_allclose(result.errors_km["ours"][known], 0, atol=1e-4)  # 10 cm
    way = np.linalg.norm(result.windows.future_km(), axis=-1)
    np.testing.assert_allclose(result.errors_km["persistence"][known], way[known], atol=1e-4)
    assert np.isnan(result.errors_km["ours"][~known]).all()


def test_horizons_are_named_by_hours_and_end_with_the_window(result: PathErrors) -> None:
    assert result.horizons() == {"1h": 5, "2h": 11, "3h": 17}


def test_each_horizon_counts_the_windows_whose_truth_is_known(result: PathErrors) -> None:
    metrics = {metric.name: metric for metric in by_horizon(result, "ours")}
    assert next(iter(metrics)) == "error_3h"
    # tracks of 40 and 14 points: fixes 3 to n − h have a truth h steps ahead
    assert metrics["error_1h"].n == (40 - 2 - 6) + (14 - 2 - 6)
    assert metrics["error_3h"].n == 40 - 2 - 18
    km_per_step = 0.02 * 111.195 * np.cos(np.deg2rad(57))
    assert metrics["error_3h"].baselines["persistence"] == pytest.approx(18 * km_per_step, rel=1e-3)
    assert metrics["final_displacement"].n == len(result.windows)
    assert not any(name.endswith("still") for name in metrics)  # nobody rests


def test_the_final_point_is_the_last_one_known(result: PathErrors) -> None:
    everything = np.ones(len(result.windows), bool)
    km_per_step = 0.02 * 111.195 * np.cos(np.deg2rad(57))
    known = np.isfinite(result.windows.future_longitude).sum(1)
    np.testing.assert_allclose(
        result.final(everything)["persistence"], known * km_per_step, rtol=1e-3
    )


def test_r2_stands_beside_that_of_persistence(result: PathErrors) -> None:
    metrics = {metric.name: metric for metric in geography(result, "ours")}
    assert metrics["r2_longitude_3h"].value == pytest.approx(1)
    assert metrics["r2_longitude_3h"].baselines["persistence"] < 1
    assert metrics["rpd_latitude_3h"].value == pytest.approx(0, abs=1e-3)


def test_scores_of_longitude_do_not_jump_at_the_antimeridian(result: PathErrors) -> None:
    cut = windows.cut(table_of(40, 14, start_lon=179.4), context=3, horizon=18, stride=1)
    last = cut.future_longitude[:, -1]
    assert np.nanmin(last) < 0 < np.nanmax(last)
    paths = path_errors.simple_paths(cut, 0.1)
    across = PathErrors.of(cut, {"ours": cut.future_km(), **paths})
    there = {metric.name: metric for metric in geography(across, "ours")}
    here = {metric.name: metric for metric in geography(result, "ours")}
    r2 = there["r2_longitude_3h"]
    assert r2.value == pytest.approx(1)
    assert r2.baselines == pytest.approx(here["r2_longitude_3h"].baselines, rel=1e-6)
    # 18 steps of 0.02° at about 180°
    persistence = there["rpd_longitude_3h"].baselines["persistence"]
    assert persistence == pytest.approx(200 * 0.36 / 360, rel=2e-3)


def test_the_noise_of_the_kalman_filter_is_chosen_where_it_errs_least() -> None:
    table = table_of(60)
    random = np.random.default_rng(0)
    table["longitude"] = table["longitude"] + random.normal(0, 0.005, 60)
    noisy = windows.cut(table, context=12, horizon=12, stride=1)
    assert path_errors.best_noise_ratio(noisy) == min(path_errors.NOISE_RATIOS)


def test_f1_is_of_ships_under_way_with_a_known_goal(result: PathErrors) -> None:
    from domains.ais_trajectories.science.hexgrid import HexGrid, cells_of

    cut = result.windows
    cells = cells_of(cut.longitude[:, -1], cut.latitude[:, -1], 5)
    goal = cells_of(cut.longitude[:, -1], cut.latitude[:, -1], 4)
    kind = cut.ship_type
    grid = HexGrid.count(cells, cut.course_deg(), kind, goal, np.arange(len(cells)))
    found = grid.candidates(cells, cut.course_deg(), kind, 0.1, 2)
    truth = np.where(np.arange(len(cut)) < 5, -1, goal)
    (metric,) = features({"route": found}, {"route": truth}, {"route": grid}, cut)
    assert metric.n == len(cut) - 5
    assert metric.value > metric.baselines["most_common"]
