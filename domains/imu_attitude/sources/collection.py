"""What a source hands to ``ingest``: recordings by split, and where they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from domains.errors import DataError
from domains.imu_attitude.science.recording import SPLITS, Recording


@dataclass
class Collection:
    """Recordings of one source by split, with the facts that the data card tells.

    Args:
        title: one line, says whether the data are simulated.
        source: where they come from.
        licence: of the raw data.
        splits: train, validate, test -> recordings.
        rejected: reason -> number of records refused or dropped.
        warnings: counted warnings, one sentence each.
    """

    title: str
    source: str
    licence: str
    splits: dict[str, list[Recording]] = field(default_factory=lambda: {s: [] for s in SPLITS})
    rejected: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def reject(self, reason: str, count: int = 1) -> None:
        """Count ``count`` records more that were refused for ``reason``."""
        if count:
            self.rejected[reason] = self.rejected.get(reason, 0) + count


def assign_splits(
    names: Sequence[str], wanted: Mapping[str, Sequence[int | str]], key: str
) -> dict[str, str]:
    """Name -> split, for every name that the three lists ask for.

    Args:
        names: of all trials or files.
        wanted: split -> list; a whole number means the trial whose name begins with it.
        key: of ``params.yaml`` that holds the lists, for the message.

    Raises:
        DataError: a trial in two splits, or one that does not exist.
    """
    chosen: dict[str, str] = {}
    for split, entries in wanted.items():
        for entry in entries:
            name = _find(names, entry)
            if name is None:
                raise DataError(
                    f"imu_attitude: {key}.{split}_trials names {entry!r}, which is no trial; "
                    f"expected one of {', '.join(names[:5])}{' …' if len(names) > 5 else ''}"
                )
            if name in chosen:
                raise DataError(
                    f"imu_attitude: {name} is in {key}.{chosen[name]}_trials and in "
                    f"{split}_trials, expected in one split only; take it out of one"
                )
            chosen[name] = split
    return chosen


def _find(names: Sequence[str], entry: int | str) -> str | None:
    for name in names:
        number = name.split("_")[0]
        if name == entry or (isinstance(entry, int) and number.isdigit() and int(number) == entry):
            return name
    return None
