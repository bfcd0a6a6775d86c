"""Where ships that were here, on this course, went: counts on a hexagonal grid.

The Route and Destination Probability Matrices of Spadon et al. 2023 (arXiv:2310.18948) as we read
them: P(target | cell, course, ship type), the target being the cell of a later time (route) or of
the voyage's end (destination).  Each row is smoothed towards its less specific parent, Dirichlet
with concentration α, from the whole region down to cell, course and type:

    p_l = (n_l + α·p_{l−1}) / (Σ n_l + α)

Cells are H3's (Uber, Apache-2.0).  A voyage counts once per row and target, so that a slow ship or
a chatty transponder weighs no more than another.

Legend: N fixes, R targets, K most probable targets.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from h3.api import basic_int as h3
from numpy.typing import NDArray

from domains.errors import DataError

NUM_COURSES = 8
"""Bins of 45°, the first one centred on north; one more holds what has no course."""

NUM_LEVELS = 4
"""Whole region; parent cell and course; cell and course; cell, course and ship type."""

_AT_ONCE = 4096  # fixes whose (N, R) table is held in memory

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


def cells_of(longitude: Array, latitude: Array, resolution: int) -> Ints:
    """H3 cell of each fix.

    Args:
        longitude, latitude: (N,) degrees.
        resolution: of H3, 0 to 15; 5 has edges of 10 km, 4 of 26 km.
    """
    pairs = zip(latitude.tolist(), longitude.tolist(), strict=True)
    return np.array([h3.latlng_to_cell(lat, lon, resolution) for lat, lon in pairs], np.int64)


def centres_of(cells: Ints) -> tuple[Array, Array]:
    """Longitude and latitude of the centres of ``cells``, same shape, degrees."""
    unique, inverse = np.unique(cells, return_inverse=True)
    centres = np.array([h3.cell_to_latlng(cell) for cell in unique.tolist()], np.float64).reshape(
        -1, 2
    )
    found = centres[inverse.reshape(cells.shape)]
    return found[..., 1], found[..., 0]


def course_bins(cog_deg: Array) -> Ints:
    """Number of the course bin; ``NUM_COURSES`` where the course is NaN."""
    known = np.isfinite(cog_deg)
    width = 360 / NUM_COURSES
    bins = np.floor((np.where(known, cog_deg, 0.0) + width / 2) / width).astype(np.int64)
    return np.where(known, bins % NUM_COURSES, NUM_COURSES)


@dataclass(frozen=True)
class Candidates:
    """The K most probable targets of each fix.

    Args:
        cells: (N, K) H3 cells, the most probable first.
        longitude, latitude: (N, K) of their centres, degrees.
        probability: (N, K).
        entropy: (N,) of the whole distribution over R targets, in nat.
    """

    cells: Ints
    longitude: Array
    latitude: Array
    probability: Array
    entropy: Array


@dataclass(frozen=True)
class HexGrid:
    """Counts of targets by cell, course and type; all arrays are plain integers.

    Args:
        cells: (C,) H3 cells with counts, sorted.
        parents: (C,) number of the parent of each.
        targets: (R,) H3 cells that a fix can lead to, sorted.
        level0 to level3: (3, M) row, target and count, sorted by row; see ``NUM_LEVELS``.
    """

    cells: Ints
    parents: Ints
    targets: Ints
    level0: Ints
    level1: Ints
    level2: Ints
    level3: Ints

    @staticmethod
    def count(cells: Ints, cog_deg: Array, ship_type: Ints, targets: Ints, voyage: Ints) -> HexGrid:
        """Grid of the fixes of some voyages.

        Args:
            cells: (N,) H3 cell of each fix.
            cog_deg: (N,) course, NaN where unknown.
            ship_type: (N,) small number of the type, ≥ 0.
            targets: (N,) H3 cell that the fix led to.
            voyage: (N,) number of the voyage, which counts once per row and target.

        Raises:
            DataError: no fix.
        """
        if len(cells) == 0:
            raise DataError(
                "ais_trajectories: no fix to count routes from; the training split has no track "
                "longer than a window: lower model.context_h or model.horizon_h"
            )
        known, number = np.unique(cells, return_inverse=True)
        ends, target = np.unique(targets, return_inverse=True)
        above = [h3.cell_to_parent(cell) for cell in known.tolist()]
        _, parents = np.unique(np.array(above, np.int64), return_inverse=True)
        rows = _rows(number, parents, course_bins(cog_deg), ship_type)
        levels = [_count(row, target, voyage) for row in rows]
        return HexGrid(known, parents.astype(np.int64), ends, *levels)

    def probabilities(
        self, cells: Ints, cog_deg: Array, ship_type: Ints, concentration: float
    ) -> Array:
        """P(target | cell, course, type), (N, R); an unknown cell gets the region's.

        Args:
            cells, cog_deg, ship_type: (N,) as for ``count``.
            concentration: α > 0, the voyages that the less specific row counts for.
        """
        place = np.searchsorted(self.cells, cells).clip(max=len(self.cells) - 1)
        is_known = self.cells[place] == cells
        rows = _rows(place, self.parents, course_bins(cog_deg), ship_type)
        shares = np.full((len(cells), len(self.targets)), 1 / len(self.targets))
        for level, (row, table) in enumerate(zip(rows, self.levels, strict=True)):
            counts = _look_up(table, row, len(self.targets))
            if level:
                counts *= is_known[:, None]
            shares = (counts + concentration * shares) / (
                counts.sum(1, keepdims=True) + concentration
            )
        return shares

    def candidates(
        self, cells: Ints, cog_deg: Array, ship_type: Ints, concentration: float, num: int
    ) -> Candidates:
        """The ``num`` most probable targets of each fix; arguments as for ``probabilities``.

        Where there are fewer targets, the last one is repeated with probability 0.
        """
        best, top, entropy = [], [], []
        for first in range(0, len(cells), _AT_ONCE):
            part = slice(first, first + _AT_ONCE)
            shares = self.probabilities(cells[part], cog_deg[part], ship_type[part], concentration)
            order = np.argsort(-shares, axis=1, kind="stable")[:, :num]
            best.append(order)
            top.append(np.take_along_axis(shares, order, axis=1))
            entropy.append(-(shares * np.log(shares)).sum(1))
        lacking = max(0, num - len(self.targets))
        order = np.pad(np.concatenate(best), ((0, 0), (0, lacking)), mode="edge")
        probability = np.pad(np.concatenate(top), ((0, 0), (0, lacking)))
        found = self.targets[order]
        longitude, latitude = centres_of(found)
        return Candidates(found, longitude, latitude, probability, np.concatenate(entropy))

    def most_common(self) -> int:
        """The target that most voyages of the region lead to."""
        return int(self.targets[self.level0[1][self.level0[2].argmax()]])

    @property
    def levels(self) -> tuple[Ints, ...]:
        """The four tables, the least specific first."""
        return self.level0, self.level1, self.level2, self.level3

    def arrays(self) -> dict[str, Ints]:
        """All arrays by name; ``HexGrid(**arrays)`` is the grid again."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def _rows(number: Ints, parents: Ints, course: Ints, ship_type: Ints) -> tuple[Ints, ...]:
    """Row of each fix in the tables of the four levels."""
    num = NUM_COURSES + 1
    cell = number * num + course
    return np.zeros_like(number), parents[number] * num + course, cell, cell * 256 + ship_type


def _count(row: Ints, target: Ints, voyage: Ints) -> Ints:
    """Voyages by row and target, (3, M)."""
    once = np.unique(np.stack([row, target, voyage]), axis=1)
    pairs, counts = np.unique(once[:2], axis=1, return_counts=True)
    return np.concatenate([pairs, counts[None]]).astype(np.int64)


def _look_up(table: Ints, row: Ints, num_targets: int) -> Array:
    """Counts (N, R) in the rows asked for, 0 where a row is absent."""
    start = np.searchsorted(table[0], row, side="left")
    length = np.searchsorted(table[0], row, side="right") - start
    fix = np.repeat(np.arange(len(row)), length)
    entry = np.arange(len(fix)) - np.repeat(np.cumsum(length) - length, length) + start[fix]
    counts = np.zeros((len(row), num_targets))
    counts[fix, table[1][entry]] = table[2][entry]
    return counts
