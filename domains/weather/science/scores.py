"""Scores of gridded forecasts: RMSE in both conventions, ACC, skill.

S. Rasp et al., "WeatherBench 2" (2024, arXiv:2308.15560), section 4.  Weights are those of
``science.grid``, cos φ where WeatherBench 2 has areas: mean one over the cells that count, zero
elsewhere.

Two RMSEs are in use, and the first is never the greater (Jensen):

    rmse      = mean over starts of  √( mean over cells of w (f − o)² )
    rmse_wb2  = √( mean over starts and cells of w (f − o)² )          the root of WeatherBench 2
"""

# S starts (or any leading axes), H latitude, W longitude

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

ACC_USEFUL = 0.6
"""Anomaly correlation above which a forecast counts as useful: the field's custom."""


def weighted_mean(values: ArrayLike, weights: ArrayLike) -> NDArray[np.float64]:
    """Mean over the last two axes with ``weights``, in float64.

    Args:
        values: (…, H, W).
        weights: (H, W), (H, 1), or with leading axes, such as channels; ≥ 0, of any sum above 0.

    Returns:
        (…)
    """
    values = np.asarray(values)
    share = np.asarray(weights, dtype=np.float64)
    share = np.broadcast_to(share, share.shape[:-2] + values.shape[-2:])
    total = np.einsum("...hw,...hw->...", values, share, dtype=np.float64)
    return total / share.sum((-2, -1))


def mean_square_error(
    forecast: ArrayLike, truth: ArrayLike, weights: ArrayLike
) -> NDArray[np.float64]:
    """Weighted mean square error of each field, (…), of forecast and truth (…, H, W)."""
    error = np.asarray(forecast, dtype=np.float64) - np.asarray(truth, dtype=np.float64)
    return weighted_mean(error**2, weights)


def rmse(forecast: ArrayLike, truth: ArrayLike, weights: ArrayLike) -> NDArray[np.float64]:
    """Root mean square error of each field, averaged over starts: the root comes first.

    Args:
        forecast, truth: (S, …, H, W).
        weights: (H, W) or (H, 1).

    Returns:
        (…), in the unit of the field
    """
    return np.sqrt(mean_square_error(forecast, truth, weights)).mean(axis=0)


def rmse_wb2(forecast: ArrayLike, truth: ArrayLike, weights: ArrayLike) -> NDArray[np.float64]:
    """Root of the mean square error over all starts: the root comes last; arguments as ``rmse``."""
    return np.sqrt(mean_square_error(forecast, truth, weights).mean(axis=0))


def anomaly_correlation(
    forecast: ArrayLike, truth: ArrayLike, climatology: ArrayLike, weights: ArrayLike
) -> NDArray[np.float64]:
    """Anomaly correlation coefficient of each field, not centred, as WeatherBench 2 has it.

        ACC = ⟨f′ o′⟩ / √(⟨f′²⟩ ⟨o′²⟩),  f′ = f − climatology,  o′ = o − climatology

    Args:
        forecast, truth, climatology: (…, H, W); the climatology is that of the valid time.
        weights: (H, W) or (H, 1).

    Returns:
        (…), in [−1, 1]; 0 where a forecast has no anomaly at all, as climatology itself.
    """
    normal = np.asarray(climatology, dtype=np.float64)
    ours = np.asarray(forecast, dtype=np.float64) - normal
    true = np.asarray(truth, dtype=np.float64) - normal
    product = weighted_mean(ours * true, weights)
    size = np.sqrt(weighted_mean(ours**2, weights) * weighted_mean(true**2, weights))
    return np.divide(product, size, out=np.zeros_like(product), where=size > 0)


def skill(ours: ArrayLike, baseline: ArrayLike) -> NDArray[np.float64]:
    """1 − ours / baseline of two errors: 1 is perfect, 0 as good as the baseline, below 0 worse."""
    return 1 - np.asarray(ours, dtype=np.float64) / np.asarray(baseline, dtype=np.float64)


def last_lead_ahead(ours: ArrayLike, baseline: ArrayLike, leads_h: ArrayLike) -> float:
    """Last lead, h, up to which ours is below the baseline at every lead; 0 if never.

    Args:
        ours, baseline: errors (L,).
        leads_h: (L,), ascending.
    """
    is_behind = np.asarray(ours) >= np.asarray(baseline)
    num_ahead = int(np.argmax(is_behind)) if is_behind.any() else len(is_behind)
    return float(np.asarray(leads_h)[num_ahead - 1]) if num_ahead else 0.0
