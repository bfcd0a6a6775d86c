"""The scatterers of a four-chamber view, and where they are at each moment of the beat.

Legend: N scatterers; places (x, depth) in mm.

Myocardium: material points of the wall (``motion.Ventricle.wall``), exact.  Around it tissue that
follows the nearest wall the less the farther it is; in it the right ventricle and the left atrium.
Blood scatters 16 to 28 dB less and anew in each frame, because it flows.  The mitral leaflets close
while the ventricle shortens.  Brightness varies smoothly along and outside the wall.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.path import Path
from numpy.typing import NDArray
from scipy.interpolate import RegularGridInterpolator
from scipy.spatial import cKDTree

from domains.echo_clutter.sources.bright import draw_bright
from domains.echo_clutter.sources.motion import Array, Ventricle, Wall, beat

_DENSITY = 1.5  # scatterers per mm², ten or more in a resolution cell: fully developed speckle
_REACH_MM = 25.0  # tissue follows the wall over about this distance
_ALONG_WALL = np.linspace(0, 1, 241)  # positions of the outline's points
_ALONG_BASE = np.linspace(0, 1, 82)[1:]  # from the lateral back to the septal annulus
_POSITION = np.concatenate([_ALONG_WALL, 1 + _ALONG_BASE])

TISSUE_DB = (-24.0, -6.0)
"""Tissue around the heart against myocardium: fat shines, lung is nearly black."""


@dataclass(frozen=True)
class Heart:
    """Scatterers around and in one ventricle.

    Args:
        ventricle: its shape and motion.
        wall: (N1, 2) material coordinates (s, w) of the myocardium.
        around: (N2, 2) places at rest of tissue, right ventricle, atrium.
        follows: (N2,) index into the outline of the epicardium that each of them follows.
        share: (N2,) share of its displacement, 0 to 1.
        cavity: (N3, 2) blood in the ventricle: position along its outline, share of the way
            there from the middle.
        leaflets: (N4, 2) side (0 septal, 1 lateral) and share of the leaflet's length.
        amplitude: (N,) of all in this order, complex, myocardium of mean power one.
        is_blood: (N,) true for scatterers that are drawn anew in each frame.
    """

    ventricle: Ventricle
    wall: Array
    around: Array
    follows: NDArray[np.int64]
    share: Array
    cavity: Array
    leaflets: Array
    amplitude: NDArray[np.complex128]
    is_blood: NDArray[np.bool_]

    def places(self, phase: float) -> Array:
        """(N, 2) of all scatterers at ``phase`` of the beat."""
        now, rest = self.ventricle.at(phase), self.ventricle.at(0.0)
        wall = now.place(self.wall[:, 0], self.wall[:, 1])
        moved = outline(now, 1.0) - outline(rest, 1.0)
        around = self.around + moved[self.follows] * self.share[:, None]
        ends = now.place(np.array([0.0, 1.0]), 0.0)
        middle = (ends.mean(axis=0) * 2 + self.ventricle.axis_point(0.0)) / 3
        rim = outline(now, 0.0)
        where = self.cavity[:, 0] * (len(rim) - 1)
        rim = np.stack([np.interp(where, np.arange(len(rim)), axis) for axis in rim.T], axis=1)
        cavity = middle + (rim - middle) * self.cavity[:, 1:]
        return np.concatenate([wall, around, cavity, self._leaflets(ends, phase)])

    def _leaflets(self, ends: Array, phase: float) -> Array:
        """Two lines from the annulus; they meet in systole and hang open in diastole."""
        is_closed = phase % 1.0 < 0.42
        across = ends[1] - ends[0]
        to_apex = np.array([across[1], -across[0]]) / np.linalg.norm(across)
        opening = 0.0 if is_closed else 0.3 + 0.5 * float(beat(np.asarray(phase)))
        length = np.linalg.norm(across) / 2
        tips = []
        for end, sign in zip(ends, (1, -1), strict=True):
            inwards = sign * across / 2
            tips.append(end + inwards * (1 - 0.7 * opening) + to_apex * length * (0.15 + opening))
        side, along = self.leaflets[:, 0].astype(int), self.leaflets[:, 1:]
        return ends[side] + (np.array(tips)[side] - ends[side]) * along

    def amplitudes(self, rng: np.random.Generator) -> NDArray[np.complex128]:
        """(N,) complex amplitudes of one frame, the blood's new."""
        amplitude = self.amplitude.copy()
        count = int(self.is_blood.sum())
        amplitude[self.is_blood] = np.abs(amplitude[self.is_blood]) * np.exp(
            2j * np.pi * rng.random(count)
        )
        return amplitude


def outline(wall: Wall, w: float) -> Array:
    """(322, 2) closed line: along the wall at depth ``w`` in it, and back across the base."""
    line = wall.place(_ALONG_WALL, w)
    base = line[-1] + (line[0] - line[-1]) * _ALONG_BASE[:, None]
    return np.concatenate([line, base])


def build_heart(
    rng: np.random.Generator,
    ventricle: Ventricle,
    depth_mm: float,
    half_angle: float,
    blood_db: float,
) -> Heart:
    """Random scatterers for ``ventricle`` in a sector of this depth (mm) and half angle (rad)."""
    epicardium = outline(ventricle.at(0.0), 1.0)
    arc = np.sum(np.linalg.norm(np.diff(epicardium[: len(_ALONG_WALL)], axis=0), axis=1))
    wall = rng.random((int(_DENSITY * arc * ventricle.thickness), 2))
    around = _fill_sector(rng, depth_mm, half_angle)
    around = around[~Path(epicardium).contains_points(around)]
    distance, follows = cKDTree(epicardium).query(around)
    around_db, is_blood = _tissue(rng, ventricle, around, distance, follows, blood_db)
    share = np.exp(-distance / _REACH_MM)
    ends = ventricle.at(0.0).place(np.array([0.0, 1.0]), 0.0)
    bright = draw_bright(rng, ends, depth_mm, half_angle)
    around, around_db = np.append(around, bright.places, 0), np.append(around_db, bright.level_db)
    is_blood = np.append(is_blood, np.zeros(len(bright.places), np.bool_))
    follows = np.append(follows, cKDTree(epicardium).query(bright.places)[1])
    share = np.append(share, bright.share)
    area = np.pi / 2 * ventricle.width * ventricle.length
    cavity = np.stack([rng.random(int(_DENSITY * area)), np.sqrt(rng.random(int(_DENSITY * area)))])
    leaflets = np.stack([rng.integers(0, 2, 300), rng.random(300)])
    wall_db = _smooth_db(rng, wall * [12, 2], 3.0)
    level_db = np.concatenate(
        [wall_db, around_db, np.full(cavity.shape[1], blood_db), np.full(leaflets.shape[1], 0.0)]
    )
    phase = rng.random(len(level_db))
    return Heart(
        ventricle=ventricle,
        wall=wall,
        around=around,
        follows=follows,
        share=share,
        cavity=cavity.T,
        leaflets=leaflets.T.astype(np.float64),
        amplitude=10 ** (level_db / 20) * np.exp(2j * np.pi * phase),
        is_blood=np.concatenate(
            [
                np.zeros(len(wall), np.bool_),
                is_blood,
                np.ones(cavity.shape[1], np.bool_),
                np.zeros(leaflets.shape[1], np.bool_),
            ]
        ),
    )


def _fill_sector(rng: np.random.Generator, depth_mm: float, half_angle: float) -> Array:
    """Places evenly spread over the sector."""
    # a margin: what moves into the sector must be there
    depth_mm, half_angle = 1.1 * depth_mm, 1.15 * half_angle
    count = int(_DENSITY * half_angle * depth_mm**2)
    radius, angle = (
        depth_mm * np.sqrt(rng.random(count)),
        rng.uniform(-half_angle, half_angle, count),
    )
    return np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)


def _tissue(
    rng: np.random.Generator,
    ventricle: Ventricle,
    places: Array,
    distance: Array,
    follows: NDArray[np.int64],
    blood_db: float,
) -> tuple[Array, NDArray[np.bool_]]:
    """Level in dB against myocardium, and which are blood, of scatterers around the ventricle."""
    position = _POSITION[follows]  # above 1 below the base
    level = rng.uniform(*TISSUE_DB) + _smooth_db(rng, places / 25.0, 6.0)
    # the pericardium shines behind the wall
    level[(position > 0.55) & (position <= 1) & (distance < 4.0)] += 10.0
    along = np.clip(position / 0.42, 0, 1)
    right = rng.uniform(20, 28) * np.sin(np.pi * (0.15 + 0.85 * along)) + 2
    is_right = (position < 0.42) & (distance > 0.5)
    is_blood = is_right & (distance < right)
    level[is_right & (distance >= right) & (distance < right + 5)] = -3.0  # its free wall
    centre, radii = ventricle.axis_point(1.3), np.array([rng.uniform(17, 22), rng.uniform(20, 25)])
    off = np.sum(((places - centre) / radii) ** 2, axis=1)
    level[(off >= 1) & (off < 1.35)] = np.maximum(level[(off >= 1) & (off < 1.35)], -4.0)
    is_blood |= off < 1  # left atrium
    level[is_blood] = blood_db
    return level, is_blood


def _smooth_db(rng: np.random.Generator, places: Array, spread: float) -> Array:
    """Smooth random levels in dB at ``places`` (N, 2), which vary over about one unit."""
    low, high = np.floor(places.min(axis=0)) - 1, np.ceil(places.max(axis=0)) + 1
    axes = [np.arange(first, last + 1) for first, last in zip(low, high, strict=True)]
    values = rng.normal(0, spread, [len(axis) for axis in axes])
    return np.asarray(RegularGridInterpolator(axes, values)(places))
