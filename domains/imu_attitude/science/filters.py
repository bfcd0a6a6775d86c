"""The attitude filters that people run today, all behind one signature.

Legend: N samples.  ``filter(gyr, acc, rate_hz) -> (N, 4)``: gyroscope (N, 3) in rad/s, specific
force (N, 3) in m/s², samples per second; the attitude after each sample in the convention of
``science.quaternions`` (w, x, y, z; sensor → earth, z up).  None uses a magnetometer, so their
heading starts anywhere and drifts.  All but ``offline_vqf`` are causal.

=============  =================================================================================
strapdown      the gyroscope alone, from the first sample's tilt: what every other must beat
mahony         R. Mahony, T. Hamel, J.-M. Pflimlin, "Nonlinear Complementary Filters on the
               Special Orthogonal Group", IEEE TAC 53(5), 2008; package ahrs
madgwick       S. O. H. Madgwick, "An efficient orientation filter for inertial and
               inertial/magnetic sensor arrays", 2010; package ahrs
vqf            D. Laidig, T. Seel, "VQF", Information Fusion 91, 2023; package vqf, defaults
offline_vqf    the same, acausal: it also reads the future
riann          D. Weber, C. Gühmann, T. Seel, "RIANN", AI 2(3), 2021; package riann
=============  =================================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from domains.imu_attitude.science import quaternions
from domains.imu_attitude.science.quaternions import Array

Filter = Callable[[ArrayLike, ArrayLike, float], Array]

# The single set of gains with the lowest mean error over the 30 BROAD trials with enough motion
# (BROAD's "TAGP", trial-agnostic generalised performance, without magnetometer).
MADGWICK_BETA = 0.03
MAHONY_KP, MAHONY_KI = 0.2, 0.0012


def strapdown(gyr: ArrayLike, acc: ArrayLike, rate_hz: float) -> Array:
    """The integral of the angular rate, from the tilt that the first specific force shows."""
    gyr, acc = _float64(gyr, acc)
    q = quaternions.from_rotation_vector(gyr / rate_hz)
    q[0] = quaternions.from_acceleration(acc[0])
    # Running product q0 ⊗ q1 ⊗ … ⊗ qn, doubling the reach each round (Hillis, Steele 1986)
    reach = 1
    while reach < len(q):
        q[reach:] = quaternions.multiply(q[:-reach], q[reach:])
        reach *= 2
    return quaternions.normalize(q)


def mahony(gyr: ArrayLike, acc: ArrayLike, rate_hz: float) -> Array:
    """Complementary filter with integral gyroscope bias; gains ``MAHONY_KP``, ``MAHONY_KI``."""
    from ahrs.filters import Mahony

    gyr, acc = _float64(gyr, acc)
    start = quaternions.from_acceleration(acc[0])
    return Mahony(
        gyr=gyr, acc=acc, frequency=rate_hz, k_P=MAHONY_KP, k_I=MAHONY_KI, q0=start, b0=np.zeros(3)
    ).Q


def madgwick(gyr: ArrayLike, acc: ArrayLike, rate_hz: float) -> Array:
    """Gradient-descent filter; gain ``MADGWICK_BETA`` rad/s."""
    from ahrs.filters import Madgwick

    gyr, acc = _float64(gyr, acc)
    start = quaternions.from_acceleration(acc[0])
    return Madgwick(gyr=gyr, acc=acc, frequency=rate_hz, gain=MADGWICK_BETA, q0=start).Q


def vqf(gyr: ArrayLike, acc: ArrayLike, rate_hz: float) -> Array:
    """Causal VQF with the parameters its authors ship."""
    from vqf import VQF

    return VQF(1.0 / rate_hz).updateBatch(*_float64(gyr, acc))["quat6D"]


def offline_vqf(gyr: ArrayLike, acc: ArrayLike, rate_hz: float) -> Array:
    """Acausal VQF (forward and backward) with the parameters its authors ship."""
    from vqf import offlineVQF

    return offlineVQF(*_float64(gyr, acc), None, 1.0 / rate_hz)["quat6D"]


def riann(gyr: ArrayLike, acc: ArrayLike, rate_hz: float) -> Array:
    """Two-layer GRU with the weights its authors ship; it has learnt from most BROAD trials."""
    gyr, acc = _float64(gyr, acc)
    return quaternions.normalize(_riann().predict(acc, gyr, rate_hz))


FILTERS: dict[str, Filter] = {
    "strapdown": strapdown,
    "mahony": mahony,
    "madgwick": madgwick,
    "riann": riann,
    "vqf": vqf,
    "offline_vqf": offline_vqf,
}
"""Every baseline by name, the weakest first."""


@lru_cache(maxsize=1)
def _riann() -> Any:
    from riann.riann import RIANN

    # RIANN() looks for its weights in a way that finds nothing on Python 3.11, so name them.
    return RIANN(str(files("riann") / "riann.onnx"))


def _float64(gyr: ArrayLike, acc: ArrayLike) -> tuple[Array, Array]:
    return (
        np.ascontiguousarray(gyr, dtype=np.float64),
        np.ascontiguousarray(acc, dtype=np.float64),
    )
