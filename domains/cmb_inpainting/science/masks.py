"""Masks: the Galaxy by threshold of a foreground template, random discs and strips.

Thresholding the brightest pixels of the lowest band is how WMAP made its kp2 and KQ85 masks
(C. L. Bennett et al., ApJS 148, 2003, astro-ph/0302208).

Legend: N pixels in RING order; a mask is True (1) where observed, False (0) where to fill.
"""

from __future__ import annotations

import re
from functools import lru_cache

import healpy
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import KDTree
from scipy.spatial.transform import Rotation

from domains.cmb_inpainting.science.covariance import unit_vectors
from domains.cmb_inpainting.science.spectra import synthesize
from domains.cmb_inpainting.science.sphere import nside_of

MaskArray = NDArray[np.bool_]

DISC_RADII_DEG = (1.0, 5.0)
"""Smallest and largest radius of random discs."""

_SPEC = re.compile(r"(gal|turned|discs|strip)(\d+)(?:x(\d+))?")


def parse(spec: str) -> tuple[str, int, int]:
    """Kind, per cent of the sky and number of masks of e.g. ``turned15x20``.

    Raises:
        ValueError: no such kind, nothing or everything masked, several of the one Galaxy.
    """
    match = _SPEC.fullmatch(spec)
    if not match:
        raise ValueError(f"mask {spec!r}: expected gal15, turned15x20, discs10 or strip20")
    kind, percent, count = match[1], int(match[2]), int(match[3] or 1)
    if not 1 <= percent <= 80 or count < 1:
        raise ValueError(f"mask {spec!r}: expected 1 to 80 per cent and at least one")
    if kind == "gal" and count > 1:
        raise ValueError(f"mask {spec!r}: there is one Galaxy; turned{percent}x{count} turns it")
    return kind, percent, count


def draw_masks(spec: str, nside: int, seed: int, template: ArrayLike | None = None) -> MaskArray:
    """The masks of a specification, (count, N).

    Args:
        spec: see ``parse``.
        nside: of the masks.
        seed: of random ones; the same seed gives the same masks.
        template: foreground map (N,); ``None`` = ``simulated_foreground``.
    """
    kind, percent, count = parse(spec)
    if template is None:
        template = simulated_foreground(nside)
    template = np.asarray(template, dtype=np.float64)
    masks = []
    for rng in np.random.default_rng(seed).spawn(count):
        if kind == "discs":
            masks.append(disc_mask(nside, percent, rng))
        elif kind == "strip":
            masks.append(strip_mask(nside, percent, rng))
        else:
            sky = template if kind == "gal" else turn(template, Rotation.random(rng=rng))
            masks.append(threshold_mask(sky, percent))
    return np.array(masks)


def threshold_mask(template: ArrayLike, percent: float) -> MaskArray:
    """Mask of the brightest ``percent`` of the pixels of a foreground map (N,)."""
    template = np.asarray(template, dtype=np.float64)
    num_masked = round(len(template) * percent / 100)
    mask = np.ones(len(template), dtype=bool)
    mask[np.argsort(-template, kind="stable")[:num_masked]] = False
    return mask


def disc_mask(nside: int, percent: float, rng: np.random.Generator) -> MaskArray:
    """Mask of random discs, added until they cover ``percent`` of the sky."""
    vectors = unit_vectors(nside)
    mask = np.ones(len(vectors), dtype=bool)
    while mask.mean() > 1 - percent / 100:
        centre = rng.standard_normal(3)
        centre /= np.linalg.norm(centre)
        radius = np.deg2rad(rng.uniform(*DISC_RADII_DEG))
        mask[vectors @ centre > np.cos(radius)] = False
    return mask


def strip_mask(nside: int, percent: float, rng: np.random.Generator) -> MaskArray:
    """Mask of a straight strip around the whole sphere, in a random direction."""
    pole = rng.standard_normal(3)
    pole /= np.linalg.norm(pole)
    return threshold_mask(-np.abs(unit_vectors(nside) @ pole), percent)


def turn(sky: NDArray, rotation: Rotation) -> NDArray[np.float64]:
    """The sky (N,) turned as a whole, interpolated between pixels."""
    vectors = rotation.inv().apply(unit_vectors(nside_of(len(sky))).copy())
    theta, phi = healpy.vec2ang(vectors)
    return healpy.get_interp_val(sky, theta, phi)


@lru_cache(maxsize=8)
def simulated_foreground(nside: int) -> NDArray[np.float64]:
    """A made-up Galaxy (N,), in units of its own: for masks where no foreground map is at hand.

    A disc brighter towards its centre, two spurs, the clumps of a lognormal field with the
    C_ℓ ∝ ℓ^−2.6 of diffuse Galactic emission, and 40 compact sources.  Always the same sky.
    """
    vectors = unit_vectors(nside)
    latitude = np.arcsin(vectors[:, 2].clip(-1, 1))
    longitude = np.arctan2(vectors[:, 1], vectors[:, 0])
    towards_centre = 0.5 * (1 + np.cos(longitude))
    width = np.deg2rad(3 + 3 * towards_centre**2)
    sky = (1 + towards_centre) / (1 + (latitude / width) ** 2)
    rng = np.random.default_rng(19790601)
    for axis, radius_deg in (((0.5, -0.3, 0.8), 58.0), ((0.6, 0.4, -0.7), 50.0)):
        distance = np.arccos((vectors @ axis / np.linalg.norm(axis)).clip(-1, 1))
        sky += 0.06 * np.exp(-(((distance - np.deg2rad(radius_deg)) / 0.07) ** 2))
    ell = np.arange(min(3 * nside, 192))
    power = np.maximum(ell, 4.0) ** -2.6
    power[0] = 0
    clumps = synthesize(power, nside, 19790601)
    sky *= np.exp(0.7 * clumps / clumps.std())
    for _ in range(40):
        centre = rng.standard_normal(3) * (1, 1, 0.6)
        distance = np.arccos((vectors @ centre / np.linalg.norm(centre)).clip(-1, 1))
        sky += rng.uniform(0.5, 3) * np.exp(-0.5 * (distance / np.deg2rad(1.2)) ** 2)
    sky.setflags(write=False)
    return sky


def distance_to_edge(mask: ArrayLike) -> NDArray[np.float64]:
    """Angle in degrees from each pixel (N,) to the nearest one on the other side of the edge.

    180 everywhere where there is no edge.
    """
    mask = np.asarray(mask) > 0.5
    vectors = unit_vectors(nside_of(len(mask)))
    distance = np.full(len(mask), 180.0)
    if mask.any() and not mask.all():
        for side in (mask, ~mask):
            chord, _ = KDTree(vectors[~side]).query(vectors[side])
            distance[side] = np.rad2deg(2 * np.arcsin((chord / 2).clip(0, 1)))
    return distance
