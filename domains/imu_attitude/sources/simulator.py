"""Simulated recordings, the embedded sample: exact motion, then what a cheap sensor makes of it.

Legend: N samples.

Errors of the sensor, per device: axes that are not quite orthogonal nor of exact scale, white
noise and a bias that starts anywhere and walks (the two terms of the Allan deviation that matter
over minutes: IEEE Std 952-1997, annex C), and the delay of the sensor's own low-pass filter.  The
gyroscope reads the mean rate since the last sample, as integrating sensors do.  Taps are damped
oscillations.  The reference has the noise and the gaps of an optical tracker.  Nothing here is
measured; the card of the dataset says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domains.imu_attitude.science import quaternions
from domains.imu_attitude.science.quaternions import Array
from domains.imu_attitude.science.recording import Recording
from domains.imu_attitude.sources.motion import KINDS, Kind, simulate_motion


@dataclass(frozen=True)
class Device:
    """Rate and error budget of a sensor; figures of the order of consumer MEMS data sheets.

    Args:
        rate_hz: samples per second.
        gyr_noise: rad/s/√Hz.
        gyr_bias: spread of the initial bias in rad/s.
        gyr_walk: rad/s/√s.
        acc_noise: m/s²/√Hz.
        acc_bias: spread of the bias in m/s².
        misfit: spread of each entry of the scale and misalignment matrices; 0.1° between axes,
            as factory-calibrated units state.
        latency_s: delay of the built-in filter in s; MPU-6000's registers offer 2.8 ms at a
            bandwidth of 98 Hz and 4.8 ms at 42 Hz (RM-MPU-6000A, register 26).
    """

    rate_hz: float
    gyr_noise: float = 1.2e-4
    gyr_bias: float = 6e-3
    gyr_walk: float = 4e-5
    acc_noise: float = 2e-3
    acc_bias: float = 0.02
    misfit: float = 1.7e-3
    latency_s: float = 0.0


DEVICES: dict[str, Device] = {
    "simulated A": Device(100.0, latency_s=4.8e-3),
    "simulated B": Device(200.0, gyr_bias=3e-3, latency_s=2.8e-3),
    "simulated C": Device(2000 / 7, gyr_noise=8e-5, latency_s=2.8e-3),
    "simulated D": Device(128.0, gyr_noise=2e-4, gyr_bias=9e-3, acc_noise=3e-3, latency_s=4.8e-3),
}

_TRACKER_NOISE = np.deg2rad(0.05)  # rad, optical reference
_GAPS, _GAP_S = 2, 0.5  # times the reference is lost per trial, and for how long


def simulate_trial(
    number: int, kind_name: str, device_name: str, duration_s: float, seed: int
) -> Recording:
    """One simulated trial; the same arguments give the same numbers.

    Args:
        number: of the trial; different numbers are different motions.
        kind_name: key of ``KINDS``.
        device_name: key of ``DEVICES``.
        duration_s: length in s.
        seed: of the whole sample.
    """
    kind, device = KINDS[kind_name], DEVICES[device_name]
    rng = np.random.default_rng([seed, number])
    num = int(duration_s * device.rate_hz)
    time_s = np.arange(num) / device.rate_hz
    # one time more in front: the first reading covers the interval before it
    read_at = np.r_[-1 / device.rate_hz, time_s] - device.latency_s
    motion = simulate_motion(kind, np.r_[read_at, time_s], duration_s, rng)
    attitude, moving = motion.attitude[num + 1 :], motion.moving[num + 1 :]
    gyr = mean_rate(motion.attitude[: num + 1], device.rate_hz)
    acc = motion.force[1 : num + 1]
    tap_gyr, tap_acc = _taps(kind, time_s, moving, rng)
    gyr, acc = measure(gyr + tap_gyr, acc + tap_acc, device, device_name, rng)
    return Recording(
        name=f"{number:02d}_{kind_name}",
        rate_hz=device.rate_hz,
        gyr=gyr,
        acc=acc,
        reference=_track(attitude, device.rate_hz, rng),
        moving=moving,
        time_s=time_s,
        device=device_name,
        is_simulated=True,
    )


def simulate_sample(
    seed: int, duration_s: float, num_train: int, num_validate: int, num_test: int
) -> dict[str, list[Recording]]:
    """The embedded sample by split: kinds and devices take turns, device D only in the test."""
    splits: dict[str, list[Recording]] = {}
    number = 0
    for split, count in (("train", num_train), ("validate", num_validate), ("test", num_test)):
        names = [name for name in DEVICES if name != "simulated D" or split == "test"]
        splits[split] = []
        for index in range(count):
            number += 1
            kind = list(KINDS)[index % len(KINDS)]
            device = names[(index + 1) % len(names) if split == "test" else index % len(names)]
            splits[split].append(simulate_trial(number, kind, device, duration_s, seed))
    return splits


def mean_rate(attitude: Array, rate_hz: float) -> Array:
    """Angular rate (N, 3) in rad/s, constant between two of the attitudes (N + 1, 4)."""
    change = quaternions.multiply(quaternions.conjugate(attitude[:-1]), attitude[1:])
    return quaternions.to_rotation_vector(change) * rate_hz


def measure(
    gyr: Array, acc: Array, device: Device, device_name: str, rng: np.random.Generator
) -> tuple[Array, Array]:
    """What ``device`` reads of the true rate and specific force, both (N, 3)."""
    # scale and axes belong to the device, bias and noise to the day
    made = np.random.default_rng(list(device_name.encode()))
    gyr = gyr @ (np.eye(3) + made.normal(0, device.misfit, (3, 3))).T
    acc = acc @ (np.eye(3) + made.normal(0, device.misfit, (3, 3))).T
    num, root_rate = len(gyr), np.sqrt(device.rate_hz)
    walk = np.cumsum(rng.standard_normal((num, 3)), axis=0) * device.gyr_walk / root_rate
    gyr = gyr + rng.normal(0, device.gyr_bias, 3) + walk
    gyr += rng.standard_normal((num, 3)) * device.gyr_noise * root_rate
    acc = acc + made.normal(0, device.acc_bias, 3)
    acc += rng.standard_normal((num, 3)) * device.acc_noise * root_rate
    return gyr, acc


def _taps(
    kind: Kind, time_s: Array, moving: np.ndarray, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Rate (N, 3) in rad/s and force (N, 3) in m/s² of shocks: damped oscillations of 20-40 Hz."""
    gyr, acc = np.zeros((len(time_s), 3)), np.zeros((len(time_s), 3))
    count = rng.poisson(kind.taps_per_s * moving.mean() * time_s[-1]) if kind.taps_per_s else 0
    for begin in rng.choice(time_s[moving], count):
        since = np.maximum(time_s - begin, 0.0)[:, None]
        ring = np.exp(-since / 0.02) * np.sin(2 * np.pi * rng.uniform(20, 40) * since)
        acc += ring * rng.normal(0, 30.0, 3)
        gyr += ring * rng.normal(0, 1.0, 3)
    return gyr, acc


def _track(attitude: Array, rate_hz: float, rng: np.random.Generator) -> Array:
    """The attitude (N, 4) as an optical tracker gives it: slightly noisy, lost now and then."""
    noise = rng.normal(0, _TRACKER_NOISE, (len(attitude), 3))
    seen = quaternions.multiply(attitude, quaternions.from_rotation_vector(noise))
    length = int(_GAP_S * rate_hz)
    for start in rng.integers(0, len(seen) - length, _GAPS):
        seen[start : start + length] = np.nan
    return quaternions.canonical(seen)
