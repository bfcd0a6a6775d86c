"""A beating left ventricle in the apical four-chamber plane, whose strain is known exactly.

Legend: T frames, S positions along the wall, N points.

The endocardium is half a prolate ellipse per side of the apex (septal, lateral), sharing the apex
and the width.  A material point is (s, w): s from 0 (septal annulus) over 0.5 (apex) to 1 (lateral
annulus) along the endocardium at end-diastole, w from 0 (endocardium) to 1 (epicardium) through the
wall.  Motion is built from the strain, not the other way round:

1. the endocardium at s is stretched by λ(s, t) = 1 + ε(s) g(t), with g the beat (0 at
   end-diastole, 1 at end-systole) and ε the peak Lagrangian strain;
2. each side's ellipse takes the length whose arc is the integral of λ over that side, so the
   annulus descends towards the apex, the more the nearer to the base;
3. points sit on it at the arc length that is the integral of λ up to their s;
4. the wall thickens as it shortens, so that its area in the plane is kept to first order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.optimize import brentq
from scipy.special import ellipeinc

from domains.echo_clutter.science.clips import NUM_SEGMENTS

Array = NDArray[np.float64]

# Peak longitudinal strain of healthy hearts rises from base to apex (Leitman et al., J Am Soc
# Echocardiogr 2004, and the vendor comparisons of Farsalinos et al., 2015: −17 to −23 %).
HEALTHY = np.array([-0.17, -0.19, -0.22, -0.23, -0.22, -0.19, -0.17])

# Segments that lose their blood supply: AHA's assignment of territories (Cerqueira et al.,
# Circulation 2002, figure 3), four-chamber view.
TERRITORIES: dict[str, tuple[int, ...]] = {
    "normal": (),
    "rca": (0, 1),
    "lcx": (4, 5, 6),
    "lad_prox": (1, 2, 3, 4),
    "lad_dist": (2, 3),
}

# fraction of the beat -> share of the peak strain: ejection, early filling, diastasis, atrial kick
_BEAT_TIME = [0.0, 0.10, 0.25, 0.38, 0.46, 0.60, 0.82, 1.0]
_BEAT_SHARE = [0.0, 0.20, 0.75, 1.0, 0.88, 0.32, 0.22, 0.0]

_BASE_ANGLE = 1.68  # rad from the apex: a little past the ellipse's widest place, as annuli are
_FINE = np.linspace(0, 1, 1001)  # positions s of the tables of arc length
_ANGLES = np.linspace(0, _BASE_ANGLE, 601)  # rad from the apex


def beat(phase: Array) -> Array:
    """Share of the peak strain at ``phase`` of the beat; 0 and 1 are end-diastole."""
    return np.asarray(PchipInterpolator(_BEAT_TIME, _BEAT_SHARE)(np.asarray(phase) % 1.0))


@dataclass(frozen=True)
class Ventricle:
    """One left ventricle at end-diastole; lengths in mm.

    Args:
        length: from apex to annulus along the long axis.
        width: half of the cavity's greatest width.
        thickness: of the wall.
        apex: (x, y) of the endocardial apex; y is the depth.
        lean: rad, turns the long axis, positive moves the base to the right.
        peak_strain: (7,) of the segments, Lagrangian, at end-systole.
        narrowing: share of the width that is lost at end-systole.
    """

    length: float
    width: float
    thickness: float
    apex: tuple[float, float]
    lean: float
    peak_strain: Array
    narrowing: float

    def strain_at(self, s: Array) -> Array:
        """Peak strain ε(s): a smooth curve with the segments' mean values at their middles."""
        # clamped ends keep the annulus from running off
        middles = (np.arange(NUM_SEGMENTS) + 0.5) / NUM_SEGMENTS
        knots = np.concatenate([[0.0], middles, [1.0]])
        values = np.concatenate([self.peak_strain[:1], self.peak_strain, self.peak_strain[-1:]])
        return np.asarray(PchipInterpolator(knots, values)(s))

    def at(self, phase: float) -> Wall:
        """The wall at ``phase`` of the beat."""
        share = float(beat(np.asarray(phase)))
        stretch = 1 + self.strain_at(_FINE) * share
        step = _FINE[1]
        arc = np.concatenate([[0.0], np.cumsum((stretch[1:] + stretch[:-1]) / 2 * step)])
        # the arc at rest is 2 × the arc of one side
        arc *= 2 * arc_length(_BASE_ANGLE, self.width, _semi_axis(self.length))
        from_apex = arc - arc[len(_FINE) // 2]
        width = self.width * (1 - self.narrowing * share)
        axes = tuple(_semi_axis_of_arc(width, whole) for whole in (-from_apex[0], from_apex[-1]))
        return Wall(self, width, (axes[0], axes[1]), from_apex, stretch)

    def axis_point(self, share_of_length: float) -> Array:
        """(x, y) in mm of a point on the long axis at rest: 0 = apex, 1 = annulus."""
        return self.to_image(np.array([[0.0, share_of_length * self.length]]))[0]

    def to_image(self, points: Array) -> Array:
        """From (beside the axis, below the apex) to image axes."""
        cos, sin = np.cos(self.lean), np.sin(self.lean)
        turned = points @ np.array([[cos, -sin], [sin, cos]])
        return np.asarray(turned + np.asarray(self.apex))


@dataclass(frozen=True)
class Wall:
    """The wall at one moment.

    Args:
        ventricle: whose wall.
        width: half of the cavity's greatest width now, mm.
        axes: long semi-axes of the septal and the lateral ellipse now, mm.
        from_apex: (S,) arc length from the apex at the positions ``_FINE``, septal side negative.
        stretch: (S,) length against rest there.
    """

    ventricle: Ventricle
    width: float
    axes: tuple[float, float]
    from_apex: Array
    stretch: Array

    def place(self, s: Array, w: Array | float) -> Array:
        """Places (N, 2) in mm, (x, y), of the material points ``s`` (N,), ``w`` (N,) or one."""
        s = np.asarray(s, dtype=np.float64)
        arc = np.interp(s, _FINE, self.from_apex)
        place, normal = np.empty((len(s), 2)), np.empty((len(s), 2))
        for side, axis, of_side in ((-1, self.axes[0], arc < 0), (1, self.axes[1], arc >= 0)):
            angle = np.interp(np.abs(arc[of_side]), arc_length(_ANGLES, self.width, axis), _ANGLES)
            place[of_side], normal[of_side] = _ellipse(angle, self.width, axis, side)
        thickness = self.ventricle.thickness / np.interp(s, _FINE, self.stretch)
        return self.ventricle.to_image(place + normal * np.multiply(w, thickness)[:, None])


def arc_length(angle: Array | float, width: float, long: float) -> Array:
    """Arc in mm from the apex to ``angle`` of an ellipse with semi-axes ``width``, ``long``."""
    return np.asarray(width * ellipeinc(angle, 1 - (long / width) ** 2))


def _semi_axis(length: float) -> float:
    """Semi-axis of the ellipse whose annulus is ``length`` below the apex."""
    return length / (1 - np.cos(_BASE_ANGLE))


def _semi_axis_of_arc(width: float, arc: float) -> float:
    """Long semi-axis in mm of the ellipse that reaches its annulus after ``arc``."""
    return float(brentq(lambda long: arc_length(_BASE_ANGLE, width, long) - arc, 0.1 * arc, arc))


def _ellipse(angle: Array, width: float, long: float, side: int) -> tuple[Array, Array]:
    """Points and outward normals (N, 2) as (beside the axis, below the apex)."""
    place = np.stack([side * width * np.sin(angle), long * (1 - np.cos(angle))], axis=1)
    normal = np.stack([side * np.sin(angle) / width, -np.cos(angle) / long], axis=1)
    return place, normal / np.linalg.norm(normal, axis=1, keepdims=True)


def draw_ventricle(rng: np.random.Generator, subject_class: str) -> Ventricle:
    """A random heart; ``subject_class`` is a key of ``TERRITORIES``.

    Adult dimensions (Lang et al., J Am Soc Echocardiogr 2015: long axis 79 ± 8 mm, width
    42 to 58 mm, wall 6 to 10 mm).  Infarcted segments keep −15 to 30 % of their strain.
    """
    strain = HEALTHY * rng.uniform(0.9, 1.1) + rng.normal(0, 0.008, NUM_SEGMENTS)
    kept = rng.uniform(-0.15, 0.3, NUM_SEGMENTS)
    ill = np.isin(np.arange(NUM_SEGMENTS), TERRITORIES[subject_class])
    strain = np.where(ill, strain * kept, strain)
    return Ventricle(
        length=rng.uniform(72, 86),
        width=rng.uniform(20, 25),
        thickness=rng.uniform(7.5, 10.5),
        apex=(rng.uniform(-6, 6), rng.uniform(22, 30)),
        lean=rng.uniform(-0.12, 0.12),
        peak_strain=strain,
        narrowing=0.25 * float(np.mean(strain) / np.mean(HEALTHY)),
    )
