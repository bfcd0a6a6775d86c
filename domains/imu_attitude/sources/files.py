"""The user's own recordings: declared columns, units and conventions to ``Recording``.

Legend: N rows of a file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domains.errors import DataError
from domains.files import fetch
from domains.imu_attitude.params import FilesParams
from domains.imu_attitude.science import plausibility, quaternions
from domains.imu_attitude.science.recording import Recording
from domains.imu_attitude.sources.collection import Collection, assign_splits
from domains.imu_attitude.sources.columns import select
from domains.imu_attitude.sources.readers import READERS, Arrays, read_arrays
from domains.imu_attitude.sources.time_axis import TimeAxis, read_time_axis

STANDARD_GRAVITY = 9.80665
"""m/s² in one g (3rd CGPM, 1901)."""


def collect_files(source: str, params: FilesParams, min_segment_s: float) -> Collection:
    """The recordings of a file, a folder of files, or an address, by split.

    Raises:
        DataError: nothing there, or a file that is not what ``params`` declares.
    """
    collection = Collection(
        title="recordings of the user", source=source, licence="as the owner of the files says"
    )
    paths = find_files(source)
    found = {path.stem: read_recordings(path, params, min_segment_s, collection) for path in paths}
    for name, split in _splits(found, params, collection).items():
        collection.splits[split] += found[name]
    return collection


@dataclass(frozen=True)
class _Raw:
    """The declared columns of one file: units of the domain, gaps and all."""

    gyr: NDArray  # (N, 3) rad/s
    acc: NDArray  # (N, 3) m/s²
    reference: NDArray | None  # (N, 4)
    moving: NDArray | None  # (N,)
    axis: TimeAxis


def read_recordings(
    path: Path, params: FilesParams, min_segment_s: float, collection: Collection
) -> list[Recording]:
    """The uninterrupted stretches of one file; what is left out is counted in ``collection``.

    Raises:
        DataError: a missing column, a value that is no number, wrong units, an unusable time axis.
    """
    raw = _read(path, params, collection)
    recordings = []
    for number, rows in enumerate(raw.axis.segments, 1):
        if len(rows) < max(min_segment_s * raw.axis.rate_hz, 2):
            collection.reject(f"segment shorter than {min_segment_s:g} s")
            continue
        recording = Recording(
            name=path.stem if len(raw.axis.segments) == 1 else f"{path.stem}_s{number}",
            rate_hz=raw.axis.rate_hz,
            gyr=raw.gyr[rows],
            acc=raw.acc[rows],
            reference=None if raw.reference is None else raw.reference[rows],
            moving=None if raw.moving is None else raw.moving[rows],
            time_s=raw.axis.time_s[rows],
            device=params.device,
        )
        recordings.append(_evenly_spaced(recording, collection))
    if not recordings:
        raise DataError(
            f"{path}: no stretch of {min_segment_s:g} s without a gap; lower ingest.min_segment_s"
        )
    plausibility.check_units(max(recordings, key=len))
    for recording in recordings:
        if count := plausibility.saturated_samples(recording):
            collection.warnings.append(
                f"{recording.name}: the gyroscope stands at its limit of "
                f"{np.abs(recording.gyr).max():.3g} rad/s in {count} of {len(recording)} samples; "
                "no method can follow there"
            )
    return recordings


def _read(path: Path, params: FilesParams, collection: Collection) -> _Raw:
    """The columns that ``params`` declares, converted, with the time axis they make."""
    arrays, columns = read_arrays(path), params.columns
    gyr = select(arrays, columns.gyr, "xyz", "gyr", path)
    acc = select(arrays, columns.acc, "xyz", "acc", path)
    stamps = None if columns.time is None else select(arrays, columns.time, "", "time", path)
    reference = _reference(arrays, params, path, collection)
    moving, rate_hz = None, params.rate_hz
    if columns.moving is not None:
        moving = select(arrays, columns.moving, "", "moving", path) > 0
    if columns.rate is not None:
        rate_hz = float(select(arrays, columns.rate, "", "rate", path)[0])
    others = {"acc": acc, "time": stamps, "reference": reference, "moving": moving}
    for key, value in others.items():
        if value is not None and len(value) != len(gyr):
            raise DataError(
                f"{path}: {len(value)} samples of {key}, expected {len(gyr)} as the gyroscope has; "
                f"set ingest.files.columns.{key}"
            )
    for key, values in {"gyr": gyr, "acc": acc}.items():
        if empty := [
            one for one, x in zip("xyz", values.T, strict=True) if not np.isfinite(x).any()
        ]:
            which = key if len(empty) == 3 else f"{key} ({', '.join(empty)})"
            raise DataError(
                f"{path}: column {which} holds no number; set ingest.files.columns.{key}"
            )
    is_good = np.isfinite(gyr).all(axis=1) & np.isfinite(acc).all(axis=1)
    axis = read_time_axis(stamps, is_good, str(path), params.time_unit, rate_hz)
    collection.warnings += axis.warnings
    num_lost = len(gyr) - sum(map(len, axis.segments))
    collection.reject("sample without a number or with a repeated time stamp", num_lost)
    return _Raw(
        gyr=gyr * (np.pi / 180 if params.gyr_unit == "deg/s" else 1.0),
        acc=acc * (STANDARD_GRAVITY if params.acc_unit == "g" else 1.0),
        reference=reference,
        moving=moving,
        axis=axis,
    )


def _reference(
    arrays: Arrays, params: FilesParams, path: Path, collection: Collection
) -> NDArray | None:
    """True attitudes (N, 4) in our convention, NaN where the file has none."""
    if params.columns.reference is None:
        return None
    given = select(arrays, params.columns.reference, params.order, "reference", path)
    given = given.astype(np.float64)
    norm = np.linalg.norm(given, axis=1)
    is_wrong = np.isfinite(norm) & (np.abs(norm - 1) > 0.02)
    if np.mean(is_wrong) > 0.5:
        raise DataError(
            f"{path}: reference has length {np.nanmedian(norm):.3g}, expected unit quaternions; "
            "set ingest.files.columns.reference"
        )
    if count := int(is_wrong.sum()):
        collection.warnings.append(
            f"{path}: {count} of {len(given)} reference quaternions are not of unit length "
            f"({int(np.sum(norm == 0))} all zero) and were masked"
        )
    given[is_wrong] = np.nan
    unit = quaternions.normalize(given)
    return quaternions.convert_back(unit, params.order, params.frame, params.direction)


def _evenly_spaced(recording: Recording, collection: Collection) -> Recording:
    """``recording``, interpolated to even spacing where its stamps stray by about half a sample.

    One lost sample makes them stray by half a sample or more, wherever it is.
    """
    time_s, rate_hz = recording.time_s, recording.rate_hz
    # the rate of this stretch, which differs from the file's by the clock's wander
    rate_hz = (len(time_s) - 1) / (time_s[-1] - time_s[0]) if len(time_s) > 25 else rate_hz
    even = time_s[0] + np.arange(len(time_s)) / rate_hz
    if np.max(np.abs(time_s - even)) * rate_hz <= 0.45:
        return replace(recording, rate_hz=float(rate_hz))
    rate_hz = recording.rate_hz
    even = time_s[0] + np.arange(int((time_s[-1] - time_s[0]) * rate_hz + 1e-6) + 1) / rate_hz
    collection.warnings.append(
        f"{recording.name}: uneven time stamps, {len(time_s)} samples interpolated to {len(even)} "
        f"at {rate_hz:.4g} Hz"
    )
    gyr, acc = (
        np.stack([np.interp(even, time_s, x) for x in values.T], axis=-1)
        for values in (recording.gyr, recording.acc)
    )
    reference, moving = recording.reference, recording.moving
    if reference is not None:
        reference = quaternions.resample(reference, time_s, even).astype(np.float32)
    if moving is not None:
        moving = moving[np.interp(even, time_s, np.arange(len(time_s))).round().astype(int)]
    return replace(recording, gyr=gyr, acc=acc, time_s=even, reference=reference, moving=moving)


def find_files(source: str) -> list[Path]:
    """The recordings that ``source`` means: a file, those in a folder, or what is at an address.

    Raises:
        DataError: an empty folder, two files of one name, or an address that cannot be reached.
    """
    if source.startswith(("http://", "https://")):
        return [fetch(source, None, "imu_attitude")]
    path = Path(source).expanduser()
    if not path.is_dir():
        return [path]
    paths = sorted(file for file in path.iterdir() if file.suffix.lower() in READERS)
    if not paths:
        raise DataError(f"{path}: no recordings there, expected files as {', '.join(READERS)}")
    stems = [file.stem for file in paths]
    if twins := [file.name for file in paths if stems.count(file.stem) > 1]:
        raise DataError(
            f"{path}: files share a name: {', '.join(twins)}; expected one file for each "
            "recording; rename or remove one"
        )
    return paths


def _splits(
    found: dict[str, list[Recording]], params: FilesParams, collection: Collection
) -> dict[str, str]:
    """File -> split: as declared, else the last fifth to test and the fifth before to validate."""
    wanted = {
        "train": params.train_trials,
        "validate": params.validate_trials,
        "test": params.test_trials,
    }
    names = list(found)
    if any(wanted.values()):
        chosen = assign_splits(names, wanted, "ingest.files")
        collection.reject("file in no split", len(names) - len(chosen))
        return chosen
    if len(names) < 3:
        collection.warnings.append(
            "fewer than three files: all are for the test; to train, give three or more"
        )
        return dict.fromkeys(names, "test")
    fifth = max(1, len(names) // 5)
    parts = ["train"] * (len(names) - 2 * fifth) + ["validate"] * fifth + ["test"] * fifth
    return dict(zip(names, parts, strict=True))
