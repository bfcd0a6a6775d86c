"""Clean messages to the tables of a dataset: split, cut into tracks, resampled, written."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import numpy as np

from domains.ais_trajectories.params import IngestParams
from domains.ais_trajectories.science import tracks
from domains.ais_trajectories.science.storage import SPLITS, TableWriter
from domains.ais_trajectories.sources.cleaner import Cleaner, Columns, Report, take
from domains.ais_trajectories.sources.splits import Splits


def write_tables(files: list[Path], settings: IngestParams, folder: Path, scratch: Path) -> Report:
    """Write tracks, messages and flagged messages; returns what was found.

    Args:
        files: of raw messages.
        settings: the block ``ingest``.
        folder: of the dataset.
        scratch: for files that are not needed afterwards.

    Raises:
        DataError: a file cannot be used, or no position is left.
    """
    with ExitStack() as stack:
        writers = {
            table: stack.enter_context(TableWriter(folder, table))
            for table in ("tracks", "messages", "flagged")
        }
        cleaner = Cleaner(
            settings,
            scratch,
            lambda rows, names: writers["flagged"].append({**rows, "reason": names}),
        )
        spool = cleaner.read(files)
        splits = Splits(cleaner.vessels, cleaner.hours, settings.split, settings.seed)
        next_track = 0
        for rows in cleaner.buckets(spool):
            messages = _cut(rows, splits, settings.tracks.gap_min, next_track)
            if len(messages["track_id"]):
                next_track = int(messages["track_id"][-1]) + 1
            writers["messages"].append(messages)
            cleaner.report.counts["messages kept"] += len(messages["track_id"])
            writers["tracks"].append(_resample(messages, settings, cleaner.report))
    _warn_of_empty_splits(cleaner.report, settings.tracks.min_points)
    return cleaner.report


def _cut(rows: Columns, splits: Splits, gap_min: float, next_track: int) -> Columns:
    """The rows with ``split`` and ``track_id``, sorted by track and time; none is lost."""
    part = splits(rows["vessel"], rows["time_s"])
    # stable: the parts of one vessel, each still in order of time
    order = np.lexsort((part, rows["vessel"]))
    rows, part = take(rows, order), part[order]
    group = rows["vessel"] * (len(SPLITS) + 1) + part
    track = next_track + tracks.segment(group, rows["time_s"], gap_min)
    return {**rows, "track_id": track, "split": splits.names(part)}


def _resample(messages: Columns, settings: IngestParams, report: Report) -> Columns:
    """Points of the tracks that are long enough."""
    points = tracks.resample(messages["track_id"], messages, settings.tracks.step_min)
    track, place, num = np.unique(points.pop("track"), return_inverse=True, return_counts=True)
    is_long = num >= settings.tracks.min_points
    points = take({**points, "track_id": track[place]}, is_long[place])
    first = np.searchsorted(messages["track_id"], points["track_id"])
    points |= {name: messages[name][first] for name in ("vessel", "ship_type", "split")}
    points["is_moving"] = points["sog_kn"] > settings.tracks.moving_kn
    report.counts["tracks"] += int(is_long.sum())
    report.counts["tracks too short"] += len(np.unique(messages["track_id"])) - int(is_long.sum())
    report.counts["points"] += len(points["time_s"])
    for split in SPLITS:
        vessels = np.unique(points["vessel"][points["split"] == split])
        report.vessels[split] |= set(map(str, vessels.tolist()))
    return points


def _warn_of_empty_splits(report: Report, min_points: int) -> None:
    for split, vessels in report.vessels.items():
        if not vessels:
            report.warnings.append(
                f"no track of {min_points} points in the {split} split; give more messages, or "
                "change ingest.split and ingest.tracks"
            )
