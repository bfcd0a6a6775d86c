"""One recording of an inertial sensor, and the dataset folder that holds many.

Legend: N samples, one per 1/rate_hz seconds without gaps.

At rest a recording is a NetCDF file ``<dataset>/trials/<split>_<name>.nc`` with dimensions
``time, axis (x, y, z), component (w, x, y, z)`` and variables ``gyr [rad s-1], acc [m s-2],
reference, moving``; the attributes say rate, split, device and whether it is simulated.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from domains.errors import DataError
from domains.imu_attitude.science import quaternions

SPLITS = ("train", "validate", "test")

_ENCODING = {"zlib": True, "complevel": 4, "shuffle": True}


@dataclass(frozen=True)
class Recording:
    """Gyroscope and accelerometer of one sensor over one uninterrupted stretch of time.

    Args:
        name: of the trial or file, unique in a dataset.
        rate_hz: samples per second.
        gyr: (N, 3) angular rate in rad/s, sensor frame.
        acc: (N, 3) specific force in m/s², sensor frame: about +9.81 on the axis that points up
            at rest.
        reference: (N, 4) true attitude, convention of ``science.quaternions``; NaN where it was
            lost; ``None`` where it was never measured.
        moving: (N,) samples that count for the error metric; ``None`` = all.
        time_s: (N,) seconds since the start of the raw recording.
        device: the sensor's name.
        is_simulated: whether the numbers come from a simulator.
    """

    name: str
    rate_hz: float
    gyr: NDArray  # float32, whatever is given
    acc: NDArray  # float32
    reference: NDArray | None = None  # float32
    moving: NDArray[np.bool_] | None = None
    time_s: NDArray[np.float64] = None  # type: ignore[assignment] # from rate_hz where not given
    device: str = "unknown"
    is_simulated: bool = False

    def __post_init__(self) -> None:
        num = len(self.gyr)
        kinds = {"gyr": np.float32, "acc": np.float32, "reference": np.float32, "moving": np.bool_}
        shapes = {"gyr": (num, 3), "acc": (num, 3), "reference": (num, 4), "moving": (num,)}
        for key, kind in kinds.items():
            if (value := getattr(self, key)) is None:
                continue
            object.__setattr__(self, key, np.ascontiguousarray(value, dtype=kind))
            if getattr(self, key).shape != shapes[key]:
                raise DataError(
                    f"imu_attitude: {self.name}: {key} has shape {np.shape(value)}, "
                    f"expected {shapes[key]}"
                )
        time_s = np.arange(num) / self.rate_hz if self.time_s is None else self.time_s
        object.__setattr__(self, "time_s", np.asarray(time_s, dtype=np.float64))
        if self.time_s.shape != (num,) or not self.rate_hz > 0:
            raise DataError(
                f"imu_attitude: {self.name}: {len(self.time_s)} times at {self.rate_hz} Hz do not "
                f"fit {num} samples"
            )

    def __len__(self) -> int:
        return len(self.gyr)

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self) / self.rate_hz

    def cut(self, start: int, stop: int, name: str | None = None) -> Recording:
        """Samples ``start`` to ``stop`` (exclusive) as a recording of their own."""
        part = slice(start, stop)
        return replace(
            self,
            name=name or self.name,
            gyr=self.gyr[part],
            acc=self.acc[part],
            reference=None if self.reference is None else self.reference[part],
            moving=None if self.moving is None else self.moving[part],
            time_s=self.time_s[part],
        )

    def resampled(self, rate_hz: float) -> Recording:
        """The same motion as a sensor of ``rate_hz`` would have recorded it.

        Polyphase resampling with a zero-phase anti-aliasing low-pass for the two sensors,
        spherical interpolation for the reference, the nearest sample for ``moving``.  The rate
        reached is the nearest ratio of whole numbers up to 1000 and is what the result says.
        """
        ratio = Fraction(rate_hz / self.rate_hz).limit_denominator(1000)
        if ratio == 1:
            return self
        if ratio <= 0:
            raise DataError(
                f"imu_attitude: {self.name}: cannot resample {self.rate_hz:g} Hz to {rate_hz:g} Hz"
            )
        up, down = ratio.numerator, ratio.denominator
        rate_hz = self.rate_hz * up / down
        gyr, acc = (
            resample_poly(x.astype(np.float64), up, down, axis=0, padtype="edge")
            for x in (self.gyr, self.acc)
        )
        time_s = self.time_s[0] + np.arange(len(gyr)) / rate_hz
        known_s = self.time_s[0] + np.arange(len(self)) / self.rate_hz
        nearest = np.rint((time_s - time_s[0]) * self.rate_hz).astype(int).clip(0, len(self) - 1)
        reference = self.reference
        if reference is not None:
            reference = quaternions.resample(reference, known_s, time_s)
        return replace(
            self,
            rate_hz=rate_hz,
            gyr=gyr,
            acc=acc,
            reference=reference,
            moving=None if self.moving is None else self.moving[nearest],
            time_s=time_s,
        )


def save_recording(folder: Path, recording: Recording, split: str) -> Path:
    """Write ``recording`` into the dataset ``folder``; the same recording gives the same bytes."""
    import xarray as xr

    variables: dict[str, tuple[Any, ...]] = {
        "gyr": (("time", "axis"), recording.gyr, {"units": "rad s-1", "long_name": "angular rate"}),
        "acc": (("time", "axis"), recording.acc, {"units": "m s-2", "long_name": "specific force"}),
    }
    if recording.reference is not None:
        about = {"units": "1", "long_name": "true attitude, sensor to earth (ENU)"}
        variables["reference"] = (("time", "component"), recording.reference, about)
    if recording.moving is not None:
        about = {"units": "1", "long_name": "sample counts for the error metric"}
        variables["moving"] = (("time",), recording.moving.astype(np.int8), about)
    dataset = xr.Dataset(
        variables,
        coords={
            "time": ("time", recording.time_s, {"units": "s", "long_name": "time since start"}),
            "axis": ["x", "y", "z"],
            "component": ["w", "x", "y", "z"],
        },
        attrs={
            "name": recording.name,
            "rate_hz": float(recording.rate_hz),
            "split": split,
            "device": recording.device,
            "simulated": int(recording.is_simulated),
        },
    )
    path = Path(folder) / "trials" / f"{split}_{recording.name}.nc"
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.to_netcdf(path, engine="h5netcdf", encoding=dict.fromkeys(variables, _ENCODING))
    return path


def load_recording(path: Path) -> Recording:
    """The recording in one NetCDF file that ``save_recording`` wrote."""
    import xarray as xr

    # without decode_times=False xarray takes a variable in "s" for a time span
    with xr.open_dataset(path, engine="h5netcdf", decode_times=False) as dataset:
        return Recording(
            name=str(dataset.attrs["name"]),
            rate_hz=float(dataset.attrs["rate_hz"]),
            gyr=dataset["gyr"].values,
            acc=dataset["acc"].values,
            reference=dataset["reference"].values if "reference" in dataset else None,
            moving=dataset["moving"].values.astype(bool) if "moving" in dataset else None,
            time_s=dataset["time"].values,
            device=str(dataset.attrs["device"]),
            is_simulated=bool(dataset.attrs["simulated"]),
        )


def load_dataset(folder: Path | str, split: str) -> list[Recording]:
    """All recordings of one split (train, validate or test), by name; empty where it has none.

    Raises:
        DataError: ``folder`` holds no dataset of this domain.
    """
    trials = Path(folder) / "trials"
    if not trials.is_dir():
        raise DataError(f"{trials}: no such folder; run the ingest step of imu_attitude first")
    if split not in SPLITS:
        raise ValueError(f"split is one of {SPLITS}, not {split!r}")
    return [load_recording(path) for path in sorted(trials.glob(f"{split}_*.nc"))]
