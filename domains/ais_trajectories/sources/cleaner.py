"""Files of messages to clean messages, vessel by vessel, in two passes and bounded memory.

1. Read block by block; set aside what a row shows by itself; spool the rest by vessel.
2. Bucket by bucket: sort by vessel and time, set aside what a row shows among its vessel's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domains.ais_trajectories.params import IngestParams
from domains.ais_trajectories.science import cleaning
from domains.ais_trajectories.science.storage import SPLITS
from domains.ais_trajectories.sources.messages import STATIC_TYPES, read_messages
from domains.ais_trajectories.sources.spool import Spool, num_buckets
from domains.errors import DataError

Columns = dict[str, NDArray]


@dataclass
class Report:
    """What was found, kept and set aside.

    Args:
        refused: reason -> lines, rows or messages that could not be read.
        flagged: reason -> position messages that cleaning set aside.
        blanked: quantity -> values that were sent as "not available" or out of range.
        counts: what there is.
        vessels: split -> its vessels.
        warnings: sentences for the user.
    """

    refused: Counter[str] = field(default_factory=Counter)
    flagged: Counter[str] = field(default_factory=Counter)
    blanked: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    vessels: dict[str, set[str]] = field(default_factory=lambda: {s: set() for s in SPLITS})
    warnings: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The cleaning report as plain values."""
        return {
            "messages": dict(sorted(self.counts.items())),
            "could not be read": told(self.refused),
            "set aside": told(self.flagged),
            "values blanked": told(self.blanked),
        }


def told(counts: Counter[str]) -> dict[str, int]:
    """The counts above zero, by name."""
    return {name: num for name, num in sorted(counts.items()) if num}


class Cleaner:
    """Clean messages of some files.

    Args:
        settings: the block ``ingest``.
        scratch: folder for the spool.
        set_aside: called with rows and the reason (N,) of each.
    """

    def __init__(
        self,
        settings: IngestParams,
        scratch: Path,
        set_aside: Callable[[Columns, NDArray], None],
    ) -> None:
        self.report = Report()
        self.vessels: Counter[int] = Counter()  # messages of each, after the first pass
        self.hours: Counter[int] = Counter()  # messages in each hour since 1970, likewise
        self._settings, self._scratch, self._set_aside = settings, scratch, set_aside
        self._ship_types: dict[int, int] = {}

    def read(self, files: Sequence[Path]) -> Spool:
        """The first pass.

        Raises:
            DataError: a file cannot be used, or no position of a ship is in any.
        """
        report = self.report
        with Spool(self._scratch, num_buckets(list(files))) as spool:
            for file in files:
                for block in read_messages(
                    file, self._settings.files, report.refused, report.warnings
                ):
                    self._first_pass(block, spool)
        if not self.vessels:
            reasons = told(report.refused + report.flagged)
            found = ", ".join(f"{num} × {name}" for name, num in reasons.items())
            hint = (
                "; times of a table are s since 1970 or ISO 8601 as 2024-01-01T00:00:00Z"
                if "no receive time" in reasons
                else ""
            )
            raise DataError(
                f"ais_trajectories: {', '.join(map(str, files))}: no position of a ship with a "
                f"time, expected AIS messages; found {found or 'an empty file'}{hint}"
            )
        return spool

    def buckets(self, spool: Spool) -> Iterator[Columns]:
        """The second pass: clean rows sorted by vessel and time; a vessel is in one bucket."""
        clean = self._settings.clean
        for rows in spool.buckets():
            self.report.counts["out of order"] += cleaning.count_out_of_order(
                rows["vessel"], rows["time_s"]
            )
            # stable: of equal times the one that came first
            rows = take(rows, np.lexsort((rows["time_s"], rows["vessel"])))
            reason = cleaning.flag_tracks(rows, clean.max_speed_kn, clean.stale_h)
            self._flag(rows, reason)
            rows = take(rows, reason == 0)
            vessels, place = np.unique(rows["vessel"], return_inverse=True)
            kinds = [self._ship_types.get(vessel, 0) for vessel in vessels.tolist()]
            rows["ship_type"] = np.array(kinds, dtype=np.int16)[place]
            yield rows

    def _first_pass(self, block: Columns, spool: Spool) -> None:
        typed = take(block, block["ship_type"] > 0)
        self._ship_types.update(
            zip(typed["vessel"].tolist(), typed["ship_type"].tolist(), strict=True)
        )
        is_static = np.isin(block["message_type"], STATIC_TYPES)
        self.report.counts["static messages"] += int(is_static.sum())
        rows = take(block, ~is_static)
        self.report.counts["position messages"] += len(rows["vessel"])
        reason = cleaning.flag_rows(rows, self._settings.region)
        self._flag(rows, reason)
        kept, blanked = cleaning.blank_sentinels(take(rows, reason == 0))
        self.report.blanked.update(blanked)
        count(self.vessels, kept["vessel"])
        count(self.hours, (kept["time_s"] // 3600).astype(np.int64))
        spool.append({name: values for name, values in kept.items() if name != "ship_type"})

    def _flag(self, rows: Columns, reason: NDArray[np.uint8]) -> None:
        names = np.array(cleaning.REASONS, dtype=object)[reason[reason > 0]]
        self._set_aside(take(rows, reason > 0), names)
        count(self.report.flagged, names)


def take(columns: Columns, rows: NDArray) -> Columns:
    """Those rows of all columns."""
    return {name: values[rows] for name, values in columns.items()}


def count(counter: Counter, values: NDArray) -> None:
    """Add how often each value is there."""
    found, num = np.unique(values, return_counts=True)
    counter.update(dict(zip(found.tolist(), num.tolist(), strict=True)))
