"""Raw recordings to one dataset: a NetCDF file per trial, sorted into splits, and a card."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from domains.contract import Card
from domains.errors import DataError
from domains.files import whole_folder
from domains.imu_attitude.params import IngestParams, SampleParams
from domains.imu_attitude.science import plausibility
from domains.imu_attitude.science.recording import SPLITS, save_recording
from domains.imu_attitude.sources.collection import Collection

UNITS = {"time": "s", "gyr": "rad s-1", "acc": "m s-2", "reference": "1 (unit quaternion)"}


def ingest(source: str, out: Path | str, **params: Mapping[str, Any]) -> Card:
    """Write the dataset folder ``out`` and return its card.

    Args:
        source: ``sample`` (simulated), ``public`` (BROAD), or the path or URL of recordings.
        out: folder that appears whole or not at all.
        **params: the domain's block; only ``ingest`` is read.

    Raises:
        DataError: a recording that cannot be used, or none at all.
    """
    settings = IngestParams.model_validate(params["ingest"])
    collection = collect(source, settings)
    if not any(collection.splits.values()):
        raise DataError(f"imu_attitude: {source}: no recording left; {collection.warnings}")
    with whole_folder(Path(out)) as folder:
        for split in SPLITS:
            for recording in collection.splits[split]:
                if settings.rate_hz is not None:
                    recording = recording.resampled(settings.rate_hz)
                save_recording(folder, recording, split)
        card = _card(collection)
        card.save(folder)
    return card


def collect(source: str, settings: IngestParams) -> Collection:
    """The recordings of ``source`` by split, checked."""
    if source == "sample":
        return _sample(settings.sample)
    if source == "public":
        from domains.imu_attitude.sources.broad import collect_broad

        collection = collect_broad(settings.public)
        for trials in collection.splits.values():
            for trial in trials:
                plausibility.check_units(trial)
        return collection
    from domains.imu_attitude.sources.files import collect_files

    return collect_files(source, settings.files, settings.min_segment_s)


def _sample(params: SampleParams) -> Collection:
    from domains.imu_attitude.sources.simulator import simulate_sample

    collection = Collection(
        title="simulated handheld inertial sensors, no measurement",
        source=f"domains/imu_attitude/sources/simulator.py, seed {params.seed}",
        licence="BSD-3-Clause, as Convoy itself",
    )
    collection.splits = simulate_sample(
        params.seed,
        params.duration_s,
        params.train_trials,
        params.validate_trials,
        params.test_trials,
    )
    return collection


def _card(collection: Collection) -> Card:
    """Facts of what was kept: trials, samples, seconds, and samples without a true attitude."""
    kept = [recording for split in SPLITS for recording in collection.splits[split]]
    unknown = sum(
        len(trial) if trial.reference is None else int(np.isnan(trial.reference[:, 0]).sum())
        for trial in kept
    )
    return Card(
        title=collection.title,
        source=collection.source,
        licence=collection.licence,
        units=UNITS,
        splits={s: [trial.name for trial in collection.splits[s]] for s in SPLITS},
        counts={
            "trials": len(kept),
            "samples": sum(len(trial) for trial in kept),
            "seconds": round(sum(trial.duration_s for trial in kept)),
            "samples without true attitude": unknown,
        },
        rejected=collection.rejected,
        warnings=collection.warnings,
    )
