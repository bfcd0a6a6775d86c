"""From scatterers to grey levels, as a phased array and its scanner make them.

Legend: N scatterers, R ranges, A beams.

1. Each scatterer adds its complex amplitude, turned by the phase of its two-way path 4πr/λ, to the
   range–beam grid (demodulated echo).
2. The grid is smeared by a point spread function that separates into pulse length along the range
   and beam width across angles: constant in angle, so broader in mm the deeper (Szabo, Diagnostic
   Ultrasound Imaging, 2014, chapter 10).
3. Thermal noise is added, the same at all depths before time-gain compensation.
4. The envelope is log-compressed to the display's dynamic range.

The presets are ours, in the range of adult cardiac settings; the letters stand for no make.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

Array = NDArray[np.float64]

_SPEED = 1540.0  # m/s, of sound in soft tissue


@dataclass(frozen=True)
class Scanner:
    """One make of scanner with its settings.

    Args:
        frequency_mhz: of the transmitted pulse.
        pulse_mm: standard deviation of the pulse along the range.
        beam_deg: standard deviation of the beam across angles.
        half_angle_deg: between the axis and the outermost beams.
        depth_mm: of the deepest sample.
        dynamic_range_db: what the display shows between black and white.
        gain_db: brightest tissue against white.
        blood_db: blood against myocardium.
        noise_db: noise at full depth against myocardium.
        smoothing: persistence, share of the frame before.
    """

    frequency_mhz: float
    pulse_mm: float
    beam_deg: float
    half_angle_deg: float
    depth_mm: float
    dynamic_range_db: float
    gain_db: float
    blood_db: float
    noise_db: float
    smoothing: float

    @property
    def wavelength_mm(self) -> float:
        """In tissue."""
        return _SPEED / self.frequency_mhz / 1000


SCANNERS: dict[str, Scanner] = {
    "A": Scanner(2.5, 0.75, 0.85, 33, 150, 60, -8, -28, -30, 0.2),
    "B": Scanner(2.2, 0.95, 1.05, 34, 155, 75, -20, -20, -24, 0.3),
    "C": Scanner(3.2, 0.60, 0.75, 32, 145, 65, -20, -24, -28, 0.1),
    "D": Scanner(2.0, 0.90, 1.20, 35, 160, 85, -28, -16, -18, 0.4),
    "E": Scanner(2.8, 0.70, 0.90, 33, 150, 70, -18, -22, -26, 0.2),
    "F": Scanner(2.4, 0.85, 1.00, 34, 155, 65, -16, -25, -25, 0.3),
}

NEAR_MM = 6.0
"""First sample of a beam: nothing is recorded while the pulse is sent."""

_SAMPLES_PER_PULSE = 2.0  # grid steps per standard deviation of the pulse, and of the beam


@dataclass(frozen=True)
class Grid:
    """The ranges and beams of one scanner.

    Args:
        scanner: whose grid it is.
        num_ranges, num_beams: R, A.
    """

    scanner: Scanner
    num_ranges: int
    num_beams: int

    @staticmethod
    def of(scanner: Scanner) -> Grid:
        """A grid fine enough for the scanner's point spread function."""
        steps = (scanner.depth_mm - NEAR_MM) / scanner.pulse_mm
        beams = 2 * scanner.half_angle_deg / scanner.beam_deg
        return Grid(
            scanner, int(_SAMPLES_PER_PULSE * steps) + 1, int(_SAMPLES_PER_PULSE * beams) + 1
        )

    def echo(self, places: Array, amplitude: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """Smeared complex echo (R, A) of scatterers at ``places`` (N, 2), (x, depth) in mm."""
        scanner = self.scanner
        radius, angle = np.hypot(*places.T), np.arctan2(*places.T)
        along = (radius - NEAR_MM) / (scanner.depth_mm - NEAR_MM) * (self.num_ranges - 1)
        half_angle = np.deg2rad(scanner.half_angle_deg)
        across = (angle / half_angle + 1) / 2 * (self.num_beams - 1)
        inside = (along >= 0) & (along < self.num_ranges - 1)
        inside &= (across >= 0) & (across < self.num_beams - 1)
        along, across, radius = along[inside], across[inside], radius[inside]
        turned = amplitude[inside] * np.exp(-4j * np.pi / scanner.wavelength_mm * radius)
        grid = np.zeros(self.num_ranges * self.num_beams, np.complex128)
        row, column = along.astype(int), across.astype(int)
        down, right = along - row, across - column
        for step_down, weight_down in ((0, 1 - down), (1, down)):
            for step_right, weight_right in ((0, 1 - right), (1, right)):
                place = (row + step_down) * self.num_beams + column + step_right
                part = turned * (weight_down * weight_right)
                grid += np.bincount(place, part.real, len(grid))
                grid += 1j * np.bincount(place, part.imag, len(grid))
        return self.smear(grid.reshape(self.num_ranges, self.num_beams))

    def smear(self, echo: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """``echo`` (R, A) convolved with the point spread function."""
        for axis in (0, 1):
            echo = gaussian_filter1d(echo.real, _SAMPLES_PER_PULSE, axis) + 1j * gaussian_filter1d(
                echo.imag, _SAMPLES_PER_PULSE, axis
            )
        return echo

    def noise(self, rng: np.random.Generator) -> NDArray[np.complex128]:
        """Complex noise (R, A) of mean power one at full depth, falling towards the probe."""
        shape = (self.num_ranges, self.num_beams)
        white = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
        depth = np.linspace(NEAR_MM / self.scanner.depth_mm, 1, self.num_ranges)
        return white / np.sqrt(2) * depth[:, None]


def compress(envelope: Array, white: float, dynamic_range_db: float) -> Array:
    """Grey levels 0 to 255 of ``envelope``: 255 at ``white``, 0 a dynamic range below it."""
    level_db = 20 * np.log10(np.maximum(envelope, 1e-12) / white)
    return np.asarray(np.clip(255 * (1 + level_db / dynamic_range_db), 0, 255))
