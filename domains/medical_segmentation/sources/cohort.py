"""A simulated cohort: one template, many anatomies and scanners, with exact labels.

Each subject is the template of ``sources.atlas`` seen through

1. an anatomy: scale, turn and shift, then a smooth random displacement (Gaussian field, correlation
   about 9 mm) that moves every point of brain and structures alike;
2. a contrast: brightness of the three tissues drawn anew, mixed with the template's own T1 after a
   random gamma;
3. a scanner: point spread of a voxel's width, a smooth multiplicative bias field, Rician noise, a
   gain without meaning, another field of view, and axes as RAS or LPS.

It follows the generative idea of synthetic training images (B. Billot et al., "SynthSeg", Medical
Image Analysis 86, 2023) on a template with T1 texture.  What it lacks: folding that differs between
people, disease, motion, other sequences.

Legend: X, Y, Z voxels of a subject.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from domains.medical_segmentation.science.cases import Case
from domains.medical_segmentation.sources.atlas import Atlas

CENTRE_MM = np.array([21.0, 2.0, 5.0])
"""Centre of the nuclei in MNI coordinates: what turns and scales turn about."""

EXTENT_MM = np.array([47.0, 69.0, 52.0])
"""Mean field of view."""

CORRELATION_MM = 9.0

SCALE_SD, TURN_SD_RAD, SHIFT_SD_MM = 0.05, 0.05, 1.0
"""Spread of size (5 %), turn (3°) and shift between subjects, standard deviations."""


def simulate_case(
    name: str, atlas: Atlas, seed: tuple[int, int], spacing_mm: float, deformation_mm: float
) -> Case:
    """The subject that ``seed`` draws.

    Args:
        name: of the case.
        atlas: the template, as voxels of ``spacing_mm`` see it.
        seed: of everything random in it.
        spacing_mm: edge of a voxel.
        deformation_mm: standard deviation of the displacement along each axis.
    """
    rng = np.random.default_rng(seed)
    extent = EXTENT_MM + rng.uniform(-3.0, 3.0, 3)
    shape = np.rint(extent / spacing_mm).astype(int)
    origin = CENTRE_MM - (shape - 1) / 2 * spacing_mm + rng.uniform(-1.5, 1.5, 3)
    axes = [start + spacing_mm * np.arange(n) for start, n in zip(origin, shape, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"))
    there = anatomy(points, rng, spacing_mm, deformation_mm)

    maps = (atlas.t1, atlas.grey, atlas.white, *atlas.structures)
    t1, grey, white, caudate, putamen = (_sampled(one, there, atlas.origin_mm) for one in maps)
    label = np.where(caudate > putamen, 1, 2) * (np.maximum(caudate, putamen) > 0.5)
    image = _scanned(_contrast(t1, grey, white, rng), rng)
    affine = np.diag([spacing_mm] * 3 + [1.0])
    affine[:3, 3] = origin
    if rng.random() < 0.5:  # as most scanners store it
        image, label = image[::-1, ::-1], label[::-1, ::-1]
        affine[:2, 3] += affine[[0, 1], [0, 1]] * (shape[:2] - 1)
        affine[[0, 1], [0, 1]] *= -1
    return Case(name, image[None].astype(np.float32), affine, label.astype(np.uint8))


def anatomy(
    points_mm: NDArray, rng: np.random.Generator, spacing_mm: float, deformation_mm: float
) -> NDArray[np.float64]:
    """Where in the template each point (3, X, Y, Z) of the subject comes from, in mm."""
    from scipy.spatial.transform import Rotation

    scale = np.exp(rng.normal(0.0, SCALE_SD, 3))
    turn = Rotation.from_rotvec(rng.normal(0.0, TURN_SD_RAD, 3)).as_matrix()
    shift = rng.normal(0.0, SHIFT_SD_MM, 3)
    centred = points_mm - CENTRE_MM[:, None, None, None]
    moved = np.tensordot(turn * scale, centred, axes=1)
    field = np.stack(
        [_smooth_field(points_mm.shape[1:], CORRELATION_MM / spacing_mm, rng) for _ in range(3)]
    )
    return moved + deformation_mm * field + (CENTRE_MM + shift)[:, None, None, None]


def _smooth_field(
    shape: tuple[int, ...], width: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Gaussian random field of mean 0 and variance 1, ``width`` voxels wide, without edges."""
    from scipy.ndimage import gaussian_filter

    margin = int(np.ceil(3 * width))
    noise = rng.standard_normal([n + 2 * margin for n in shape])
    smooth = gaussian_filter(noise, width, mode="wrap")
    # a Gaussian filter leaves the variance (2 √π width)⁻³ of white noise
    smooth *= (2 * np.sqrt(np.pi) * width) ** 1.5
    return smooth[tuple(slice(margin, margin + n) for n in shape)]


def _sampled(values: NDArray, points_mm: NDArray, origin_mm: NDArray) -> NDArray:
    from scipy.ndimage import map_coordinates

    return map_coordinates(values, points_mm - origin_mm[:, None, None, None], order=1)


def _contrast(t1: NDArray, grey: NDArray, white: NDArray, rng: np.random.Generator) -> NDArray:
    """Brightness before the scanner: half template, half tissues with levels of their own."""
    level_fluid, level_grey = rng.uniform(0.15, 0.35), rng.uniform(0.55, 0.75)
    fluid = np.clip(1.0 - grey - white, 0.0, 1.0)
    tissues = level_fluid * fluid + level_grey * grey + white
    return 0.5 * np.clip(t1, 0.0, None) ** rng.uniform(0.8, 1.3) + 0.5 * tissues


def _scanned(signal: NDArray, rng: np.random.Generator) -> NDArray:
    """``signal`` with a bias field (about 15 %), Rician noise (2 to 6 %) and a gain."""
    bias = np.exp(_bias(signal.shape, rng))
    noise = rng.uniform(0.02, 0.06) * rng.standard_normal((2, *signal.shape))
    magnitude = np.hypot(signal * bias + noise[0], noise[1])
    return np.rint(rng.uniform(200.0, 4000.0) * magnitude)


def _bias(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray:
    """Logarithm of the coil's sensitivity: a random quadratic over the field of view."""
    axes = np.meshgrid(*(np.linspace(-1.0, 1.0, n) for n in shape), indexing="ij", sparse=True)
    linear, quadratic = rng.normal(0.0, 0.1, 3), rng.normal(0.0, 0.1, 3)
    return sum(a * x + b * x**2 for a, b, x in zip(linear, quadratic, axes, strict=True))
