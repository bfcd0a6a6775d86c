"""Counts on the hexagonal grid: smoothing by hand, a voyage counted once, the region to fall on."""

import numpy as np
import pytest

from domains.ais_trajectories.science import hexgrid
from domains.ais_trajectories.science.hexgrid import HexGrid
from domains.errors import DataError

HERE = hexgrid.cells_of(np.array([-62.0]), np.array([48.0]), 5)[0]
FAR = hexgrid.cells_of(np.array([10.0]), np.array([57.0]), 5)[0]
PORTS = np.sort(hexgrid.cells_of(np.array([-64.0, -59.0]), np.array([49.0, 47.5]), 4))


def grid_of(*fixes: tuple[int, int]) -> HexGrid:
    """Grid of fixes (port, voyage), all in one cell on course 90° with ship type 6."""
    ports, voyages = np.array(fixes).T
    size = len(fixes)
    return HexGrid.count(
        np.full(size, HERE), np.full(size, 90.0), np.full(size, 6), PORTS[ports], voyages
    )


def ask(grid: HexGrid, cell: int = HERE, course: float = 90.0, kind: int = 6) -> np.ndarray:
    return grid.probabilities(np.array([cell]), np.array([course]), np.array([kind]), 2.0)[0]


def test_each_level_is_smoothed_towards_the_one_above() -> None:
    # 3 voyages against 1, α = 2: p → (3 + 2p)/6 four times from 1/2: 2/3, 13/18, 20/27, 121/162
    grid = grid_of((0, 1), (0, 2), (0, 3), (1, 4))
    np.testing.assert_allclose(ask(grid), [121 / 162, 41 / 162], rtol=1e-12)
    np.testing.assert_allclose(ask(grid, kind=3), [20 / 27, 7 / 27], rtol=1e-12)


@pytest.mark.parametrize(("cell", "course"), [(FAR, 90.0), (HERE, 270.0), (HERE, np.nan)])
def test_an_unknown_cell_or_course_gets_the_shares_of_the_region(cell: int, course: float) -> None:
    grid = grid_of((0, 1), (0, 2), (0, 3), (1, 4))
    np.testing.assert_allclose(ask(grid, cell, course), [2 / 3, 1 / 3], rtol=1e-12)


def test_a_voyage_counts_once_however_many_fixes_it_has() -> None:
    slow = grid_of((0, 1), (0, 1), (0, 1), (0, 1), (1, 2))
    np.testing.assert_allclose(ask(slow), [0.5, 0.5], rtol=1e-12)


def test_candidates_are_in_order_and_filled_up_with_nothing() -> None:
    grid = grid_of((0, 1), (1, 2), (1, 3), (1, 4))
    found = grid.candidates(np.array([HERE]), np.array([90.0]), np.array([6]), 2.0, 4)
    assert found.cells[0, :2].tolist() == [PORTS[1], PORTS[0]]
    np.testing.assert_allclose(found.probability[0], [121 / 162, 41 / 162, 0, 0], rtol=1e-12)
    p = np.array([121 / 162, 41 / 162])
    assert found.entropy[0] == pytest.approx(-(p * np.log(p)).sum(), rel=1e-12)
    assert grid.most_common() == PORTS[1]


def test_the_grid_is_the_same_after_a_trip_through_its_arrays() -> None:
    grid = grid_of((0, 1), (1, 2), (1, 3))
    np.testing.assert_array_equal(ask(HexGrid(**grid.arrays())), ask(grid))


def test_courses_fall_into_bins_centred_on_north() -> None:
    courses = np.array([0.0, 22.4, 22.6, 337.4, 337.6, 359.9, 180.0, np.nan])
    assert hexgrid.course_bins(courses).tolist() == [0, 0, 1, 7, 0, 0, 4, 8]


def test_a_fix_lies_within_an_edge_of_the_centre_of_its_cell() -> None:
    random = np.random.default_rng(0)
    lon, lat = random.uniform(-180, 180, 200), random.uniform(-70, 70, 200)
    from domains.ais_trajectories.science.geodesy import haversine_km

    centre = hexgrid.centres_of(hexgrid.cells_of(lon, lat, 5))
    assert haversine_km(lon, lat, *centre).max() < 14  # mean edge of resolution 5: 9.9 km


def test_no_fix_is_refused_with_the_remedy() -> None:
    none = np.zeros(0, np.int64)
    with pytest.raises(DataError, match=r"lower model.context_h or model.horizon_h"):
        HexGrid.count(none, np.zeros(0), none, none, none)
