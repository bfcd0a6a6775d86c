"""Bright structures that hardly move, and are no clutter: pericardium, diaphragm, calcified annuli.

A filter that learns "bright and still is clutter" takes them away, so training clips must hold
them.  A smooth interface reflects like a mirror: its scatterers lie in a line and shine 6 to 20 dB
above myocardium.  Clots of calcium sit on the annulus and go with it.

Legend: N scatterers; places (x, depth) in mm.  Sizes and levels are ours, from adult anatomy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_PER_MM = 6.0  # scatterers along a line, enough for an even echo
_LEVEL_DB = (6.0, 20.0)  # above myocardium
_FOLLOWS = (0.0, 0.25)  # share of the motion of the wall nearest to it
_MAX_SHEETS = 3
_ANNULUS_CHANCE = 0.4  # of calcium, each side


@dataclass(frozen=True)
class Bright:
    """Scatterers to add to a heart.

    Args:
        places: (N, 2) at rest.
        level_db: (N,) against myocardium.
        share: (N,) of the nearest wall's displacement that each follows.
    """

    places: Array
    level_db: Array
    share: Array


def draw_bright(
    rng: np.random.Generator, annulus: Array, depth_mm: float, half_angle: float
) -> Bright:
    """None to three sheets below the heart and beside it, and calcium on the annulus.

    Args:
        rng: all chance.
        annulus: (2, 2) septal and lateral end of the wall at rest.
        depth_mm: of the sector.
        half_angle: of the sector, rad.
    """
    parts = [
        _sheet(rng, float(annulus[:, 1].mean()), depth_mm, half_angle)
        for _ in range(rng.integers(0, _MAX_SHEETS + 1))
    ]
    parts += [_clot(rng, end) for end in annulus if rng.random() < _ANNULUS_CHANCE]
    if not parts:
        return Bright(np.empty((0, 2)), np.empty(0), np.empty(0))
    return Bright(
        np.concatenate([part.places for part in parts]),
        np.concatenate([part.level_db for part in parts]),
        np.concatenate([part.share for part in parts]),
    )


def _sheet(rng: np.random.Generator, base: float, depth_mm: float, half_angle: float) -> Bright:
    """An arc: as pericardium and diaphragm lie below the atrium, or as the lung beside the wall."""
    if rng.random() < 0.7:  # deep, across the beams, ends rising
        radius = rng.uniform(base + 8, 0.98 * depth_mm)
        centre, width = rng.uniform(-0.8, 0.8) * half_angle, rng.uniform(0.15, 0.9) * half_angle
        angle = centre + width * np.linspace(-1, 1, int(_PER_MM * 2 * width * radius))
        bend = rng.uniform(-0.02, 0.12) * radius * ((angle - centre) / half_angle) ** 2
        tilt = rng.uniform(-12, 12) * (angle - centre) / half_angle
        along = radius - bend + tilt
    else:  # beside the heart, along the beams
        near, far = np.sort(rng.uniform(0.35, 0.95, 2)) * depth_mm
        along = np.linspace(near, far, int(_PER_MM * (far - near)) + 2)
        side = rng.choice([-1, 1]) * rng.uniform(0.6, 0.95) * half_angle
        angle = np.full(len(along), side)
    thickness = rng.uniform(0.5, 3.0)  # mm, standard deviation
    along = along + rng.normal(0, thickness, len(along))
    level = np.full(len(along), rng.uniform(*_LEVEL_DB))
    first, last = rng.uniform(0, 9, 2)  # rad: it does not shine evenly
    level += 3 * np.sin(np.linspace(first, last, len(along)))
    places = np.stack([along * np.sin(angle), along * np.cos(angle)], axis=1)
    return Bright(places, level, np.full(len(along), rng.uniform(*_FOLLOWS)))


def _clot(rng: np.random.Generator, end: Array) -> Bright:
    """A few millimetres of calcium, which move as the annulus does."""
    count = int(rng.integers(10, 60))
    places = end + rng.normal(0, rng.uniform(0.8, 2.5), (count, 2))
    return Bright(places, np.full(count, rng.uniform(*_LEVEL_DB)), np.ones(count))
