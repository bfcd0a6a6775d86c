"""Errors of path forecasts on the sphere, by window and horizon.

Legend: N windows, H steps ahead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domains.ais_trajectories.science import geodesy, kinematics
from domains.ais_trajectories.science.windows import Windows

Array = NDArray[np.float64]

HORIZONS_H = (1.0, 2.0, 3.0, 6.0, 12.0)
"""Hours ahead at which the literature reports errors."""

NOISE_RATIOS = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""From which the Kalman filter's is chosen on validation."""


@dataclass(frozen=True)
class PathErrors:
    """All methods on the same windows.

    Args:
        windows: N of them.
        paths_km: method -> (N, H, 2) km east and north of the last fix.
        errors_km: method -> (N, H) great-circle distance from the truth, NaN where unknown.
    """

    windows: Windows
    paths_km: Mapping[str, Array]
    errors_km: Mapping[str, Array]

    @staticmethod
    def of(cut: Windows, paths_km: Mapping[str, Array]) -> PathErrors:
        """Score every method."""
        return PathErrors(
            cut, paths_km, {name: distances_km(cut, path) for name, path in paths_km.items()}
        )

    def horizons(self) -> dict[str, int]:
        """``1h``, ``2h`` ... -> step, as far as the windows go, the last one always among them."""
        steps = self.windows.future_longitude.shape[1]
        hours = {hour: round(60 * hour / self.windows.step_min) - 1 for hour in HORIZONS_H}
        found = {f"{hour:g}h": step for hour, step in hours.items() if 0 <= step < steps}
        last = f"{steps * self.windows.step_min / 60:g}h"
        return {**found, last: steps - 1}

    def at(self, step: int, which: NDArray[np.bool_]) -> dict[str, Array]:
        """Method -> errors in km at a step, of the windows at ``which`` where truth is known."""
        known = which & np.isfinite(self.windows.future_longitude[:, step])
        return {name: errors[known, step] for name, errors in self.errors_km.items()}

    def final(self, which: NDArray[np.bool_]) -> dict[str, Array]:
        """Method -> errors in km at the last known step of each window at ``which``."""
        known = np.isfinite(self.windows.future_longitude)
        last = known.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1)
        rows = np.flatnonzero(which & known.any(1))
        return {name: errors[rows, last[rows]] for name, errors in self.errors_km.items()}


def places(cut: Windows, path_km: Array) -> tuple[Array, Array]:
    """Longitude and latitude (N, H) of paths (N, H, 2) in km around the last fixes."""
    origin = cut.longitude[:, -1:], cut.latitude[:, -1:]
    return geodesy.from_local_km(path_km[..., 0], path_km[..., 1], *origin)


def distances_km(cut: Windows, path_km: Array) -> Array:
    """Great-circle distance (N, H) between a path and the truth, NaN where that is unknown."""
    return geodesy.haversine_km(*places(cut, path_km), cut.future_longitude, cut.future_latitude)


def simple_paths(cut: Windows, noise_ratio: float) -> dict[str, Array]:
    """The forecasts without training, (N, H, 2) km each."""
    context, steps = cut.context_km(), cut.future_longitude.shape[1]
    return {
        "constant_velocity": kinematics.constant_velocity(context, steps),
        "persistence": kinematics.persistence(context, steps),
        "kalman": kinematics.kalman(context, steps, noise_ratio),
    }


def best_noise_ratio(cut: Windows) -> float:
    """The Kalman filter's ratio of noises with the least mean error on ``cut`` (validation)."""
    context, steps = cut.context_km(), cut.future_longitude.shape[1]
    errors = [
        float(np.nanmean(distances_km(cut, kinematics.kalman(context, steps, ratio))))
        for ratio in NOISE_RATIOS
    ]
    return NOISE_RATIOS[int(np.argmin(errors))]
