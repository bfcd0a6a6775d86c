"""A trained model and the user's recording to its attitude, as CSV or NPZ.

Legend: N samples.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from domains.errors import DataError
from domains.files import whole_file
from domains.imu_attitude.params import FilesParams, PredictParams
from domains.imu_attitude.science import plausibility, quaternions
from domains.imu_attitude.science.recording import Recording
from domains.imu_attitude.sources.collection import Collection
from domains.imu_attitude.sources.files import find_files, read_recordings

if TYPE_CHECKING:
    from domains.imu_attitude.models.attitude import Estimate

_log = logging.getLogger(__name__)

OUTPUTS = (".csv", ".npz")


class AttitudeModel(Protocol):
    """What a trained task of this domain can do."""

    def estimate(
        self,
        gyr: NDArray,
        acc: NDArray,
        rate_hz: float,
        mode: str = "offline",
        device: str | None = None,
    ) -> Estimate:
        """Attitudes (N, 4), convention of ``science.quaternions``, with notes."""


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
            Or a folder of such files.
        output: ends in .csv or .npz; it appears whole or not at all.  For a folder, the folder
            that gets a .csv of the same name for each file.
        **params: the domain's block; ``ingest.files`` and ``evaluate.predict`` are read.

    Raises:
        DataError: the input cannot be used, or the output has another ending.
    """
    places = _places(Path(input), Path(output))
    files = FilesParams.model_validate(params["ingest"]["files"])
    columns = files.columns.model_copy(update={"reference": None, "moving": None})
    files = files.model_copy(update={"columns": columns})
    wanted = PredictParams.model_validate(params["evaluate"]["predict"])
    # a sensor that the model was trained with is known by its name
    device = None if files.device == "unknown" else files.device
    notes: list[Sequence[str]] = []
    for source, place in places:
        record = Collection(title="", source=str(source), licence="")
        recordings = read_recordings(source, files, 0.0, record)
        _warn(record.warnings)
        estimates = [_estimate(task, _arrays(one), wanted.mode, device) for one in recordings]
        notes += [estimate.notes for estimate in estimates]
        table = _table(recordings, [_canonical(estimate) for estimate in estimates], wanted)
        with whole_file(place) as scratch:
            (_write_csv if place.suffix.lower() == ".csv" else _write_npz)(scratch, table, wanted)
        if wanted.figure:
            with whole_file(place.with_suffix(".png")) as scratch:
                _draw(scratch, table, source.name)
    _warn(_told_once(notes))


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
    estimate = _estimate(task, arrays, mode, device)
    _warn(estimate.notes)
    return {"quaternion": _canonical(estimate)}


def _estimate(
    task: AttitudeModel, arrays: Mapping[str, NDArray], mode: str, device: str | None
) -> Estimate:
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
    return task.estimate(recording.gyr, recording.acc, rate_hz, mode=mode, device=device)


def _canonical(estimate: Estimate) -> NDArray[np.float64]:
    return quaternions.canonical(quaternions.normalize(estimate.attitude))


def _warn(sentences: Sequence[str]) -> None:
    for sentence in sentences:
        _log.warning("warning: imu_attitude: %s", sentence)


def _told_once(notes: Sequence[Sequence[str]]) -> list[str]:
    """The notes of all segments, each once (they may differ in numbers), with its count."""
    alike: dict[str, list[str]] = {}
    for note in (note for segment in notes for note in segment):
        alike.setdefault(re.sub(r"[\d.]+", "", note), []).append(note)
    if len(notes) == 1:
        return [same[0] for same in alike.values()]
    return [f"{same[0]} ({len(same)} of {len(notes)} segments)" for same in alike.values()]


def _places(input: Path, output: Path) -> list[tuple[Path, Path]]:
    """Each file to read and the file to write for it."""
    is_table = output.suffix.lower() in OUTPUTS
    if input.is_dir():
        if is_table or output.is_file():
            raise DataError(f"{output}: the input is a folder, expected a folder to write to")
        places = [(file, output / f"{file.stem}.csv") for file in find_files(str(input))]
    elif not is_table:
        raise DataError(
            f"{output}: cannot write this kind of file, expected {' or '.join(OUTPUTS)}"
        )
    else:
        places = [(input, output)]
    for source, place in places:
        if source.resolve() == place.resolve():
            raise DataError(f"{place}: is the input itself; write the attitude to another place")
    return places


def example_input(_: Any) -> dict[str, NDArray]:
    """Four seconds of a simulated sensor at 100 Hz, as ``infer`` takes them."""
    from domains.imu_attitude.sources.simulator import simulate_trial

    trial = simulate_trial(1, "slow_combined", "simulated A", duration_s=20.0, seed=0)
    return _arrays(trial.cut(600, 1000))


def _arrays(recording: Recording) -> dict[str, NDArray]:
    parts = {"gyr": recording.gyr, "acc": recording.acc, "rate_hz": [recording.rate_hz]}
    return {key: np.asarray(part, dtype=np.float64) for key, part in parts.items()}


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
            axes.plot(
                table["time_s"][rows],
                quaternions.without_jumps(angle),
                color="tab:blue",
                linewidth=0.8,
            )
        axes.set_ylabel(f"{key.removesuffix('_deg')} (°)")
    top.set_title(f"{name}: attitude of the sensor against the horizontal, in degrees")
    bottom.set_xlabel("time (s)")
    figure.savefig(path, dpi=120, format="png")
