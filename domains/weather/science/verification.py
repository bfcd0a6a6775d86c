"""Forecasts against what came: errors and correlations of several methods on the same cases.

Legend: N forecasts, S leads, C channels, H latitudes, W longitudes, K wavenumbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from domains.weather.science import scores
from domains.weather.science.spectrum import mean_zonal_power


@dataclass
class Verification:
    """What ``add`` has seen so far.

    Args:
        channels: (C,) names.
        leads_h: (S,) hours ahead.
        weights: (C, H, W) of the cells.
        latitude: (H,) degrees.
        spectrum_leads_h: leads whose zonal spectra are kept; none on a regional grid.
    """

    channels: Sequence[str]
    leads_h: Sequence[float]
    weights: NDArray
    latitude: NDArray
    spectrum_leads_h: Sequence[float] = ()
    square_errors: dict[str, list[list[NDArray]]] = field(default_factory=dict)
    correlations: dict[str, list[list[NDArray]]] = field(default_factory=dict)
    powers: dict[tuple[str, float], list[NDArray]] = field(default_factory=dict)

    def add(
        self, lead: int, fields: Mapping[str, NDArray], truth: NDArray, climatology: NDArray
    ) -> None:
        """Score fields of one lead, in the order of forecasts.

        Args:
            lead: index in ``leads_h``.
            fields: method -> (n, C, H, W), SI units.
            truth: (n, C, H, W).
            climatology: (n, C, H, W), of the valid time.
        """
        for method, forecast in fields.items():
            errors = self.square_errors.setdefault(method, [[] for _ in self.leads_h])
            found = self.correlations.setdefault(method, [[] for _ in self.leads_h])
            errors[lead].append(scores.mean_square_error(forecast, truth, self.weights))
            found[lead].append(
                scores.anomaly_correlation(forecast, truth, climatology, self.weights)
            )
        lead_h = self.leads_h[lead]
        if lead_h in self.spectrum_leads_h:
            circle = np.cos(np.deg2rad(self.latitude))
            for method, values in {"truth": truth, **fields}.items():
                power = mean_zonal_power(values, self.latitude, circle)  # (n, C, K)
                self.powers.setdefault((method, lead_h), []).append(power)

    @property
    def methods(self) -> list[str]:
        """Names of the methods, ours first."""
        return list(self.square_errors)

    def rmse_of_cases(self, method: str) -> NDArray[np.float64]:
        """(N, S, C) root mean square error of each field."""
        return np.sqrt(_joined(self.square_errors[method]))

    def rmse(self, method: str) -> NDArray[np.float64]:
        """(S, C) mean over forecasts of the root: see ``scores.rmse``."""
        return self.rmse_of_cases(method).mean(0)

    def rmse_wb2(self, method: str) -> NDArray[np.float64]:
        """(S, C) root of the mean over forecasts: see ``scores.rmse_wb2``."""
        return np.sqrt(_joined(self.square_errors[method]).mean(0))

    def acc(self, method: str) -> NDArray[np.float64]:
        """(S, C) anomaly correlation, mean over forecasts."""
        return _joined(self.correlations[method]).mean(0)

    def power(self, method: str, lead_h: float) -> NDArray[np.float64]:
        """(C, K) zonal power, mean over forecasts; ``truth`` is a method too."""
        return np.concatenate(self.powers[method, lead_h]).mean(0)

    def place(self, lead_h: float) -> int:
        """Index of the lead ``lead_h``."""
        return int(np.argmin(np.abs(np.asarray(self.leads_h) - lead_h)))


def _joined(parts: Sequence[Sequence[NDArray]]) -> NDArray[np.float64]:
    """(N, S, C) of lists by lead of (n, C)."""
    return np.stack([np.concatenate(part) for part in parts], axis=1)


def persistence_24h_offset(lead: int, steps_per_day: int) -> int:
    """Frames from the last known one to the last known one of the hour of day of a lead.

    0 or negative: at a day's steps of 4, leads 1, 2, 3, 4, 5 look at frames −3, −2, −1, 0, −3.

    Args:
        lead: steps ahead, from 1.
        steps_per_day: frames in 24 h.
    """
    return lead - steps_per_day * -(-lead // steps_per_day)
