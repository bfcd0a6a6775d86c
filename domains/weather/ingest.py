"""Raw fields to one dataset: the fields with their splits, their climatology, and a card."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domains.contract import Card
from domains.errors import DataError
from domains.files import whole_folder
from domains.weather.params import IngestParams, SplitParams
from domains.weather.science.calendars import MINUTES_PER_DAY, parse_time
from domains.weather.science.channels import channel_unit
from domains.weather.science.climatology import MIN_DAYS_FOR_YEAR, fit_climatology
from domains.weather.science.dataset import (
    GAP,
    SPLITS,
    consolidate,
    frame_dataset,
    mark_runs,
    open_dataset,
    times_of,
)
from domains.weather.sources.collection import Collection
from domains.weather.sources.quality import Quality, fill_store

_log = logging.getLogger(__name__)

MIN_FRAMES = 4
"""Of a split: two to begin with, and two to score."""


def ingest(source: str, out: Path | str, **params: Mapping[str, Any]) -> Card:
    """Write the dataset folder ``out`` and return its card.

    Args:
        source: ``sample`` (simulated), ``public`` (ERA5), or the path or URL of fields.
        out: folder that appears whole or not at all.
        **params: the domain's block; only ``ingest`` is read.

    Raises:
        DataError: fields that cannot be used, or too few of them.
    """
    settings = IngestParams.model_validate(params["ingest"])
    collection = collect(source, settings)
    split = split_times(collection, settings.split, settings.step_h)
    attributes = {
        "title": collection.title,
        "channels": collection.channels,
        "units": [channel_unit(name) for name in collection.channels],
        "step_h": settings.step_h,
        "is_zonally_symmetric": collection.is_zonally_symmetric,
        "is_simulated": collection.is_simulated,
    }
    frame = frame_dataset(
        collection.times, collection.grid, split, np.ones(collection.shape, bool), attributes
    )
    with whole_folder(Path(out)) as folder:
        quality = fill_store(folder / "fields.zarr", frame, collection, settings.files.missing)
        shortage = write_climatology(folder, settings)
        card = _card(collection, folder, quality, shortage)
        card.save(folder)
    return card


def collect(source: str, settings: IngestParams) -> Collection:
    """The frames of ``source`` that ``settings`` asks for."""
    if source == "sample":
        from domains.weather.sources.held_suarez import collect_sample

        whole = collect_sample()
    elif source == "public":
        from domains.weather.sources.public import collect_public

        whole = collect_public(settings.public)
    else:
        from domains.weather.sources.files import collect_files

        whole = collect_files(source, settings.files)
    whole = whole.cut_times(settings.start, settings.end, settings.step_h)
    whole = whole.cut_region(settings.region)
    if _is_remote(source, settings):
        from domains.weather.sources.public import cached

        size = 4 * len(whole) * int(np.prod(whole.shape))
        _log.warning(
            "weather: reading %d frames of %d channels on %d × %d points over the network: %.3g "
            "GiB of fields, kept in CONVOY_CACHE; a store may have to send whole chunks, which "
            "are more",
            len(whole), *whole.shape, size / 2**30,
        )  # fmt: skip
        whole = cached(whole, settings.files)
    return whole


def _is_remote(source: str, settings: IngestParams) -> bool:
    """Whether fields come piece by piece over the network; a folder or whole file is at hand."""
    from domains.weather.sources.openers import GRIB, NETCDF
    from domains.weather.sources.public import locate

    if source == "public":
        source = locate(settings.public.address)
    return "://" in source and Path(source).suffix.lower() not in (*NETCDF, *GRIB)


def split_times(collection: Collection, split: SplitParams, step_h: float) -> NDArray[np.int8]:
    """(T,) 0 train, 1 validate, 2 test, −1 gap: three blocks in time.

    Raises:
        DataError: a date outside the record, blocks out of order, or a block that is too short.
    """
    minutes, calendar = collection.times.minutes, collection.times.calendar
    span = minutes[-1] - minutes[0] + round(60 * step_h)
    gap = round(split.gap_days * MINUTES_PER_DAY)
    test = minutes[-1] + round(60 * step_h) - span * split.test_share
    if split.test_from is not None:
        test = _inside(collection, split.test_from, "ingest.split.test_from")
    validate = test - gap - span * split.validate_share
    if split.validate_from is not None:
        validate = _inside(collection, split.validate_from, "ingest.split.validate_from")
    if validate >= test:
        raise DataError(
            f"weather: ingest.split: validation begins at {split.validate_from}, expected before "
            f"the test, {split.test_from or 'by test_share'} ({calendar} calendar)"
        )
    found = np.full(len(minutes), GAP, np.int8)
    found[minutes < validate - gap] = 0
    found[(minutes >= validate) & (minutes < test - gap)] = 1
    found[minutes >= test] = 2
    for number, name in enumerate(SPLITS):
        if (count := int(np.sum(found == number))) < MIN_FRAMES:
            raise DataError(
                f"{collection.source}: {count} frames for the split {name}, expected {MIN_FRAMES} "
                f"or more of {len(minutes)} frames every {step_h:g} h; give a longer record, a "
                "shorter ingest.split.gap_days, or other shares"
            )
    return found


def _inside(collection: Collection, text: str, key: str) -> int:
    minutes = collection.times.minutes
    found = parse_time(text, collection.times.calendar, key)
    if not minutes[0] < found <= minutes[-1]:
        raise DataError(f"weather: {key}: {text} lies outside the record; {collection.span()}")
    return found


def write_climatology(folder: Path, settings: IngestParams) -> str | None:
    """``climatology.zarr`` of the training split; returns what it lacks, in words."""
    dataset = open_dataset(folder)
    train = dataset.isel(time=np.flatnonzero(dataset["split"].to_numpy() == 0))
    days = train.sizes["time"] * settings.step_h / 24
    climatology = fit_climatology(
        train["field"],
        train["year_phase"].to_numpy(),
        train["day_phase"].to_numpy(),
        settings.harmonics,
        days=days,
        is_zonally_symmetric=dataset.attrs["is_zonally_symmetric"],
    )
    chunks = tuple(
        1 if dim == "channel" else n for dim, n in climatology["coefficient"].sizes.items()
    )
    climatology.to_zarr(
        folder / "climatology.zarr",
        zarr_format=2,
        consolidated=False,
        encoding={"coefficient": {"chunks": chunks}},
    )
    consolidate(folder / "climatology.zarr")
    kind = climatology.attrs["kind"]
    if kind == "mean":
        return "one mean field: the training split is too short for hours and seasons"
    if kind == "hour_of_day":
        lack = "is shorter than a year" if days < MIN_DAYS_FOR_YEAR else "lacks a part of the year"
        return f"a mean field for each hour, the same in all seasons: the training split {lack}"
    return None


def _card(collection: Collection, folder: Path, quality: Quality, shortage: str | None) -> Card:
    dataset = open_dataset(folder)
    split, labels = dataset["split"].to_numpy(), times_of(dataset).labels()
    splits = {}
    for number, name in enumerate(SPLITS):
        (rows,) = np.nonzero(split == number)
        splits[name] = [f"{labels[rows[0]]}/{labels[rows[-1]]}"]
    counts = {
        "frames": len(labels),
        "channels": len(collection.channels),
        "latitudes": len(collection.grid.latitude),
        "longitudes": len(collection.grid.longitude),
        **{f"{name} frames": int(np.sum(split == number)) for number, name in enumerate(SPLITS)},
        "frames between splits": int(np.sum(split == GAP)) - quality.incomplete,
        "cells filled from the nearest": quality.filled,
    }
    runs = mark_runs(dataset["time"].to_numpy(), np.zeros(len(split), np.int8),
                     dataset.attrs["step_h"])  # fmt: skip
    rejected = dict(collection.rejected)
    if quality.incomplete:
        rejected["frame with missing cells"] = quality.incomplete
    notes = []
    if shortage:
        notes.append(f"the climatology is {shortage} ({counts['train frames']} frames)")
    if quality.filled:
        notes.append(
            f"{quality.filled} of {dataset['valid'].size} cells never have a value; they were "
            "filled from the nearest and are not scored"
        )
    return Card(
        title=collection.title,
        source=collection.source,
        licence=collection.licence,
        units={name: channel_unit(name) for name in collection.channels},
        splits=splits,
        counts={**counts, "runs without a gap": int(runs[-1]) + 1},
        rejected=rejected,
        warnings=[*collection.warnings, *notes],
    )
