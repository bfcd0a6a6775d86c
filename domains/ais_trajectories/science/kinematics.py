"""Forecasts that need no training: a ship stays, goes on as it went, or as a Kalman filter says.

Legend: N windows, L fixes of the context, H steps ahead.  Positions are km east and north of the
last fix, in even steps; what comes back has shape (N, H, 2).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

VELOCITY_STEPS = 2
"""Constant velocity is that of the last two steps, 20 minutes at 10-minute steps."""


def persistence(context_km: Array, num_steps: int) -> Array:
    """The last fix, for ever."""
    return np.zeros((len(context_km), num_steps, 2))


def constant_velocity(context_km: Array, num_steps: int) -> Array:
    """Straight on with the mean velocity of the last steps.

    Args:
        context_km: (N, L, 2), L ≥ 2; the last is the origin.
    """
    steps = min(VELOCITY_STEPS, context_km.shape[1] - 1)
    velocity = (context_km[:, -1] - context_km[:, -1 - steps]) / steps  # (N, 2) km per step
    return np.arange(1, num_steps + 1)[:, None] * velocity[:, None]


def kalman(context_km: Array, num_steps: int, noise_ratio: float) -> Array:
    """Straight on from the state of a Kalman filter with nearly constant velocity.

    The filter of Bar-Shalom, Li, Kirubarajan 2001, section 6.3.2, with white acceleration; both
    axes share the covariance, and the gains depend on the ratio of the noises alone.

    Args:
        context_km: (N, L, 2).
        num_steps: H.
        noise_ratio: power of the acceleration (km²/step³) over the variance of a position (km²).
    """
    transition = np.array([[1.0, 1.0], [0.0, 1.0]])
    process = noise_ratio * np.array([[1 / 3, 1 / 2], [1 / 2, 1.0]])
    first, second = context_km[:, 0], context_km[:, 1]
    # two-point start: position and velocity from the first two fixes
    position, velocity = second, second - first  # (N, 2) each
    covariance = np.array([[1.0, 1.0], [1.0, 2.0]])
    for number in range(2, context_km.shape[1]):
        covariance = transition @ covariance @ transition.T + process
        gain = covariance[:, 0] / (covariance[0, 0] + 1)
        covariance = covariance - np.outer(gain, covariance[0])
        position = position + velocity
        surprise = context_km[:, number] - position
        position, velocity = position + gain[0] * surprise, velocity + gain[1] * surprise
    ahead = np.arange(1, num_steps + 1)[:, None]
    return position[:, None] + ahead * velocity[:, None]
