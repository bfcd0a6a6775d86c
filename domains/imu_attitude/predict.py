"""A trained model and the user's recording to its attitude, as CSV or NPZ.

Legend: N samples.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from domains.errors import DataError
from domains.files import whole_file
from domains.imu_attitude.params import FilesParams, PredictParams
from domains.imu_attitude.science import plausibility, quaternions
from domains.imu_attitude.science.recording import Recording
from domains.imu_attitude.sources.collection import Collection
from domains.imu_attitude.sources.files import read_recordings

_log = logging.getLogger(__name__)

OUTPUTS = (".csv", ".npz")


class AttitudeModel(Protocol):
    """What a trained task of this domain can do."""

    def attitude(
        self,
        gyr: NDArray,
        acc: NDArray,
        rate_hz: float,
        mode: str = "offline",
        device: str | None = None,
    ) -> NDArray[np.float64]:
        """Attitudes (N, 4), convention of ``science.quaternions``."""


def predict(
    task: AttitudeModel, input: Path | str, output: Path | str, **params: Mapping[str, Any]
) -> None:
    """Write the attitude at each sample of the recording ``input`` to ``output``.

    Columns (arrays) of the result: ``time_s`` since the start of the file, ``segment`` (1, 2, …;
    the heading starts anew after each gap), the quaternion in the convention that
    ``evaluate.predict`` names, and ``roll_deg``, ``pitch_deg`` of the sensor's axes against the
    horizontal (z-y'-x'', whatever the convention).  In an NPZ the quaternion is one array (N, 4).

    Args:
        task: a trained task.
        input: CSV, NPZ, HDF5 or MAT, as ``ingest.files`` declares it; a reference is not needed.
        output: ends in .csv or .npz; it appears whole or not at all.
        **params: the domain's block; ``ingest.files`` and ``evaluate.predict`` are read.

    Raises:
        DataError: the input cannot be used, or the output has another ending.
    """
    output = Path(output)
    if output.suffix.lower() not in OUTPUTS:
        raise DataError(
            f"{output}: cannot write this kind of file, expected {' or '.join(OUTPUTS)}"
        )
    files = FilesParams.model_validate(params["ingest"]["files"])
    columns = files.columns.model_copy(update={"reference": None, "moving": None})
    files = files.model_copy(update={"columns": columns})
    wanted = PredictParams.model_validate(params["evaluate"]["predict"])
    record = Collection(title="", source=str(input), licence="")
    recordings = read_recordings(Path(input), files, 0.0, record)
    for warning in record.warnings:
        _log.warning(warning)
    # a sensor that the model was trained with is known by its name
    device = None if files.device == "unknown" else files.device
    attitudes = [
        infer(task, _arrays(recording), wanted.mode, device)["quaternion"]
        for recording in recordings
    ]
    table = _table(recordings, attitudes, wanted)
    with whole_file(output) as scratch:
        (_write_csv if output.suffix.lower() == ".csv" else _write_npz)(scratch, table, wanted)
    if wanted.figure:
        with whole_file(output.with_suffix(".png")) as scratch:
            _draw(scratch, table, Path(input).name)


def infer(
    task: AttitudeModel,
    arrays: Mapping[str, NDArray],
    mode: str = "offline",
    device: str | None = None,
) -> dict[str, NDArray[np.float64]]:
    """``quaternion`` (N, 4), w ≥ 0, sensor → earth (ENU), for one uninterrupted recording.

    Args:
        task: a trained task.
        arrays: ``gyr`` (N, 3) in rad/s, ``acc`` (N, 3) in m/s², ``rate_hz`` (1,).
        mode: ``offline`` uses the future, ``causal`` not.
        device: name of the sensor, if the model was trained with it.

    Raises:
        DataError: an array is missing, of another shape, not finite, or in other units.
    """
    if missing := [key for key in ("gyr", "acc", "rate_hz") if key not in arrays]:
        raise DataError(
            f"imu_attitude: {', '.join(missing)} missing, expected gyr (N, 3) in rad/s, "
            "acc (N, 3) in m/s² and rate_hz (1,)"
        )
    rate_hz = float(np.ravel(arrays["rate_hz"])[0])
    recording = Recording("input", rate_hz, np.asarray(arrays["gyr"]), np.asarray(arrays["acc"]))
    if not (np.isfinite(recording.gyr).all() and np.isfinite(recording.acc).all()):
        raise DataError("imu_attitude: gyr or acc is not finite everywhere; cut the gaps out first")
    plausibility.check_units(recording)
    attitude = task.attitude(recording.gyr, recording.acc, rate_hz, mode=mode, device=device)
    return {"quaternion": quaternions.canonical(quaternions.normalize(attitude))}


def example_input() -> dict[str, NDArray]:
    """Four seconds of a simulated sensor at 100 Hz, as ``infer`` takes them."""
    from domains.imu_attitude.sources.simulator import simulate_trial

    trial = simulate_trial(1, "slow_combined", "simulated A", duration_s=20.0, seed=0)
    return _arrays(trial.cut(600, 1000))


def _arrays(recording: Recording) -> dict[str, NDArray]:
    return {"gyr": recording.gyr, "acc": recording.acc, "rate_hz": np.array([recording.rate_hz])}


def _table(
    recordings: list[Recording], attitudes: list[NDArray], wanted: PredictParams
) -> dict[str, NDArray]:
    """Columns of the result: each (N,), the quaternion (N, 4)."""
    attitude = np.concatenate(attitudes)
    roll, pitch = quaternions.roll_pitch(attitude)
    return {
        "time_s": np.concatenate([recording.time_s for recording in recordings]),
        "segment": np.repeat(np.arange(len(recordings)) + 1, [len(one) for one in recordings]),
        "quaternion": quaternions.convert(attitude, wanted.order, wanted.frame, wanted.direction),
        "roll_deg": np.rad2deg(roll),
        "pitch_deg": np.rad2deg(pitch),
    }


def _write_csv(path: Path, table: dict[str, NDArray], wanted: PredictParams) -> None:
    names = ["time_s", "segment", *(f"q_{axis}" for axis in wanted.order), "roll_deg", "pitch_deg"]
    columns = np.column_stack(list(table.values()))
    formats = ["%.6f", "%d", *["%.9f"] * 4, "%.6f", "%.6f"]
    np.savetxt(path, columns, fmt=formats, delimiter=",", header=",".join(names), comments="")


def _write_npz(path: Path, table: dict[str, NDArray], wanted: PredictParams) -> None:
    convention = f"{wanted.order}, {wanted.frame}, {wanted.direction}"
    with open(path, "wb") as stream:
        np.savez_compressed(stream, **{**table, "convention": np.array(convention)})  # type: ignore


def _draw(path: Path, table: dict[str, NDArray], name: str) -> None:
    """Roll and pitch over time, a line for each segment."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True)
    for axes, key in ((top, "roll_deg"), (bottom, "pitch_deg")):
        for segment in np.unique(table["segment"]):
            rows = table["segment"] == segment
            angle = table[key][rows]
            # no line from +180° to −180°, which are the same
            angle = np.where(np.abs(np.diff(angle, prepend=angle[0])) > 180, np.nan, angle)
            axes.plot(table["time_s"][rows], angle, color="tab:blue", linewidth=0.8)
        axes.set_ylabel(f"{key.removesuffix('_deg')} (°)")
    top.set_title(f"{name}: attitude of the sensor against the horizontal, in degrees")
    bottom.set_xlabel("time (s)")
    figure.savefig(path, dpi=120, format="png")
