"""Simulated apical four-chamber clips, the embedded sample: exact motion, then its B-mode image.

Nothing here is measured; the card of the dataset says so.  Motion is two-dimensional (nothing moves
out of the plane), attenuation is taken as compensated, and the anatomy is simple; what is exact is
the motion of the wall, and with it the strain.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from domains.echo_clutter.science.clips import NUM_SEGMENTS, Clip
from domains.echo_clutter.science.geometry import Sector, resampling_matrix, scan_converter
from domains.echo_clutter.sources.anatomy import Heart, build_heart
from domains.echo_clutter.sources.imaging import NEAR_MM, SCANNERS, Grid, Scanner, compress
from domains.echo_clutter.sources.motion import TERRITORIES, draw_ventricle

PIECES = 8
"""Pieces of the contour in each segment."""

CONTOUR = np.linspace(0, 1, PIECES * NUM_SEGMENTS + 1)
"""Positions along the wall of the contour's points."""

_SCREEN = 3  # pixels of the scanner's screen for one of the clip, along each axis


def simulate_clip(
    number: int, subject_class: str, vendor: str, frames: int, size: int, seed: int
) -> Clip:
    """One clean clip with its exact contour; the same arguments give the same bytes.

    Args:
        number: of the subject; different numbers are different hearts.
        subject_class: key of ``motion.TERRITORIES``.
        vendor: key of ``imaging.SCANNERS``.
        frames: of one beat, the first at end-diastole.
        size: depth and width in pixels.
        seed: of the whole sample.
    """
    rng = np.random.default_rng([seed, number])
    scanner, ventricle = SCANNERS[vendor], draw_ventricle(rng, subject_class)
    sector, pixel_mm = place_sector(scanner, size)
    heart = build_heart(
        rng, ventricle, scanner.depth_mm, np.deg2rad(scanner.half_angle_deg), scanner.blood_db
    )
    rate_bpm = rng.uniform(55, 90)
    phases = np.arange(frames) / frames
    contour = np.stack([ventricle.at(phase).place(CONTOUR, 0.0) for phase in phases])
    grey = _image(rng, heart, scanner, phases)
    converter = display_converter(sector, grey.shape[1], grey.shape[2], size)
    clean = (converter @ grey.reshape(frames, -1).T).T.reshape(frames, size, size)
    segment = np.minimum(np.arange(len(CONTOUR)) // PIECES, NUM_SEGMENTS - 1)
    return Clip(
        name=f"{number:03d}_{subject_class}_{vendor}",
        sector=sector.mask((size, size)),
        clean=np.rint(clean).astype(np.uint8),
        contour=(contour / pixel_mm + [sector.x, sector.y]).astype(np.float32),
        segment=segment.astype(np.int8),
        frame_time_ms=60_000 / rate_bpm / frames,
        pixel_mm=pixel_mm,
        subject=f"simulated {number:03d}, {subject_class}",
        vendor=f"simulated {vendor}",
        view="A4C",
        kind="simulated",
    )


def simulate_split(
    first: int, count: int, vendors: Sequence[str], frames: int, size: int, seed: int
) -> list[Clip]:
    """``count`` clips of subjects ``first``, ``first`` + 1, …: classes and vendors take turns."""
    classes = list(TERRITORIES)
    return [
        simulate_clip(
            first + index,
            classes[index % len(classes)],
            vendors[index % len(vendors)],
            frames,
            size,
            seed,
        )
        for index in range(count)
    ]


def place_sector(scanner: Scanner, size: int) -> tuple[Sector, float]:
    """Where the scanner's fan lies in a square of ``size`` pixels, and mm in a pixel."""
    half_angle = float(np.deg2rad(scanner.half_angle_deg))
    far = min(size - 2.0, (size - 1) / 2 / np.sin(half_angle))
    pixel_mm = scanner.depth_mm / far
    return Sector((size - 1) / 2, 0.0, NEAR_MM / pixel_mm, far, half_angle), pixel_mm


def display_converter(
    sector: Sector, num_ranges: int, num_beams: int, size: int
) -> sparse.csr_array:
    """Matrix (size², R·A) from beams to pixels as a scanner's larger screen, shrunk, shows them.

    Near the probe beams lie closer than pixels: picked out one by one they would alias, and speckle
    would seem to move less than it does.  The screen is shrunk as the user's own clips are.
    """
    fine = _SCREEN * size
    # centres of the fine pixels lie further in, see ``geometry.resampling_matrix``
    shift = (_SCREEN - 1) / 2
    screen = Sector(
        _SCREEN * sector.x + shift,
        _SCREEN * sector.y + shift,
        _SCREEN * sector.near,
        _SCREEN * sector.far,
        sector.half_angle,
    )
    shrink = sparse.csr_array(resampling_matrix(fine, size))
    converter = scan_converter(screen, num_ranges, num_beams, (fine, fine))
    off = sparse.diags_array(sector.mask((size, size)).ravel().astype(np.float64))
    return sparse.csr_array(off @ (sparse.kron(shrink, shrink, "csr") @ converter))


def _image(
    rng: np.random.Generator, heart: Heart, scanner: Scanner, phases: np.ndarray
) -> np.ndarray:
    """Grey levels (T, R, A) of the beat, still in beams."""
    grid = Grid.of(scanner)
    # probe contact and ribs: some beams are weaker than others, all the time
    gain_db = np.interp(
        np.linspace(0, 1, grid.num_beams), np.linspace(0, 1, 7), rng.normal(0, 2.0, 7)
    )
    gain = 10 ** (gain_db / 20)
    envelopes: list[np.ndarray] = []
    reference, noise_level = 1.0, 0.0
    for phase in phases:
        echo = grid.echo(heart.places(float(phase)), heart.amplitudes(rng)) * gain
        if not envelopes:  # levels of the whole clip are set on its first frame
            reference = float(np.percentile(np.abs(echo), 90))
            noise_level = reference * 10 ** (scanner.noise_db / 20)
        envelope = np.abs(echo + grid.noise(rng) * noise_level)
        if envelopes:
            envelope = (1 - scanner.smoothing) * envelope + scanner.smoothing * envelopes[-1]
        envelopes.append(envelope)
    white = reference * 10 ** ((8 - scanner.gain_db) / 20)
    return compress(np.stack(envelopes), white, scanner.dynamic_range_db)
