"""Clutter as the authors' clips show it, drawn at random and added to clean clips.

Legend: T frames, H depth, W width (pixels); lengths are pixels of a 128 × 128 image.

Cluttered minus clean frames of the authors' clips (Tabassian et al. 2024, arXiv:2401.13147) are
smooth Gaussian spots, added to display grey levels, clipped at 255 and cut by the sector.  Fits to
the four vendors GE, Hitachi, Philips, Samsung (frames 0 to 49 of each):

* near field: static, on the axis 8 to 9 below the top of the sector, amplitude 165 to 196, σ 13.3
  to 15.0 along the depth and 5.0 to 5.2 across;
* reverberation: beside the lateral wall, at a third of the depth and two thirds of the way to the
  edge, amplitude 172 to 202, σ 3.1 to 3.4 by 6.4 to 7.2, rising outwards by 0.59 to 0.67 rad; it
  drifts evenly by 3.0 to 3.4 down and 2.0 to 2.2 sideways over the 50 frames.

The ranges below are wider on all sides, both walls are hit, and the spot may ride with the wall
instead of drifting.  Haze (broad, weak, flickering) is ours: real clips have it, these do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domains.echo_clutter.science.spots import KINDS, Clutter, Spot

Range = tuple[float, float]

REFERENCE_SIZE = 128
"""Pixels to which all lengths of this file refer; other sizes scale them."""

NEAR_FIELD: dict[str, Range] = {
    "amplitude": (130.0, 225.0),  # grey levels
    "below_top": (4.0, 18.0),
    "beside_axis": (-3.0, 3.0),
    "sigma_along": (9.0, 19.0),  # along the depth
    "sigma_across": (3.8, 7.0),
    "tilt": (-0.1, 0.1),  # rad
}
REVERBERATION: dict[str, Range] = {
    "amplitude": (140.0, 225.0),
    "relative_depth": (0.22, 0.60),  # 0 = top of the sector, 1 = bottom
    "relative_width": (0.40, 0.75),  # 0 = axis, 1 = edge of the sector at that depth
    "sigma_along": (2.5, 4.5),
    "sigma_across": (5.0, 9.0),
    "tilt": (-0.95, -0.2),  # rad, rises away from the axis as the authors' does; mirrored left
    "drift_down": (-4.0, 4.0),  # pixels over the clip
    "drift_aside": (-2.5, 2.5),
    "ride": (0.5, 4.0),  # pixels, swing of a spot that rides where the wall is not known
}
HAZE: dict[str, Range] = {
    "amplitude": (15.0, 60.0),
    "relative_depth": (0.1, 0.7),
    "relative_width": (-0.6, 0.6),
    "sigma_along": (12.0, 30.0),
    "sigma_across": (12.0, 30.0),
    "tilt": (-0.8, 0.8),
}


def draw_clutter(
    seed: int,
    sector: NDArray[np.bool_],
    num_frames: int,
    chances: Mapping[str, float],
    contour: NDArray | None = None,
) -> Clutter:
    """Random clutter for one clip; the same arguments give the same clutter.

    Each kind comes with its own chance; where none came, the likeliest one is taken.

    Args:
        seed: of everything drawn.
        sector: (H, W) true inside the image; says where top, axis and edges are.
        num_frames: T of the whole clip.
        chances: probability of each of ``KINDS``.
        contour: (T, P, 2) endocardium (x, y) in pixels: the reverberation then starts beside it
            and may ride with it; without one it rides on a swing of its own.

    Raises:
        ValueError: an empty sector or an unknown kind.
    """
    if unknown := set(chances) - set(KINDS):
        raise ValueError(f"chances of {sorted(unknown)}, expected some of {KINDS}")
    if not sector.any():
        raise ValueError("the sector has no pixel")
    rng = np.random.default_rng(seed)
    share = {kind: chances.get(kind, 0.0) for kind in KINDS}
    present = {kind: rng.random() < share[kind] for kind in KINDS}
    if not any(present.values()) and any(share.values()):
        present[max(share, key=share.__getitem__)] = True
    frame = _Frame.of(sector)
    # all are drawn in any case, so one kind looks the same whether the others are there or not
    near_field = _near_field(rng, frame)
    reverberation, path = _reverberation(rng, frame, num_frames, contour)
    haze = _placed(rng, frame, HAZE, side=1)
    return Clutter(
        shape=(int(sector.shape[0]), int(sector.shape[1])),
        near_field=near_field if present["near_field"] else None,
        reverberation=reverberation if present["reverberation"] else None,
        path=path,
        haze=haze if present["haze"] else None,
        seed=seed,
    )


@dataclass(frozen=True)
class _Frame:
    """Where the sector lies: rows of its top and bottom, its axis, its edges in each row."""

    top: int
    bottom: int
    axis: float
    left: NDArray
    right: NDArray
    scale: float

    @staticmethod
    def of(sector: NDArray[np.bool_]) -> _Frame:
        rows = np.flatnonzero(sector.any(axis=1))
        columns = np.where(sector, np.arange(sector.shape[1])[None], -1)
        right = columns.max(axis=1)
        left = np.where(sector, np.arange(sector.shape[1])[None], sector.shape[1]).min(axis=1)
        # the middle of the upper third: the very top may be cut askew
        upper = rows[: max(1, len(rows) // 3)]
        axis = float(np.mean((left[upper] + right[upper]) / 2))
        scale = max(sector.shape) / REFERENCE_SIZE
        return _Frame(int(rows[0]), int(rows[-1]), axis, left, right, scale)

    def at(self, relative_depth: float, relative_width: float) -> tuple[float, float]:
        """(x, y) of a place in the sector; relative width −1 to 1 from edge to edge."""
        y = self.top + relative_depth * (self.bottom - self.top)
        edge = self.right if relative_width > 0 else self.left
        x = self.axis + abs(relative_width) * (float(edge[round(y)]) - self.axis)
        return x, y


def _near_field(rng: np.random.Generator, frame: _Frame) -> Spot:
    drawn = {key: rng.uniform(*limits) for key, limits in NEAR_FIELD.items()}
    return Spot(
        amplitude=drawn["amplitude"],
        x=frame.axis + drawn["beside_axis"] * frame.scale,
        y=frame.top + drawn["below_top"] * frame.scale,
        sigma_along=drawn["sigma_along"] * frame.scale,
        sigma_across=drawn["sigma_across"] * frame.scale,
        tilt=drawn["tilt"],
    )


def _placed(
    rng: np.random.Generator, frame: _Frame, ranges: Mapping[str, Range], side: int
) -> Spot:
    drawn = {key: rng.uniform(*limits) for key, limits in ranges.items()}
    x, y = frame.at(drawn["relative_depth"], side * drawn["relative_width"])
    return Spot(
        amplitude=drawn["amplitude"],
        x=x,
        y=y,
        sigma_along=drawn["sigma_along"] * frame.scale,
        sigma_across=drawn["sigma_across"] * frame.scale,
        tilt=side * drawn["tilt"],
    )


def _reverberation(
    rng: np.random.Generator, frame: _Frame, num_frames: int, contour: NDArray | None
) -> tuple[Spot, NDArray[np.float64]]:
    """The spot in frame 0, and its path (T, 2) in pixels: half of them drift, half ride."""
    side = 1 if rng.random() < 0.7 else -1  # mostly the lateral wall, as the authors' clips
    spot = _placed(rng, frame, REVERBERATION, side)
    drift = np.array([rng.uniform(*REVERBERATION[key]) for key in ("drift_aside", "drift_down")])
    swing = rng.uniform(*REVERBERATION["ride"]) * frame.scale
    turn, begin, is_riding = rng.uniform(0, np.pi), rng.random(), rng.random() < 0.5
    time = np.arange(num_frames) / max(num_frames, 1)
    if not is_riding:
        return spot, drift * frame.scale * time[:, None]
    if contour is None:
        beat = np.sin(np.pi * ((time + begin) % 1)) ** 2
        direction = np.array([np.cos(turn), np.sin(turn)])
        return spot, swing * (beat - beat[0])[:, None] * direction
    nearest = np.argmin(np.sum((contour[0] - [spot.x, spot.y]) ** 2, axis=1))
    path = contour[:, nearest] - contour[0, nearest]
    return spot, path.astype(np.float64)
