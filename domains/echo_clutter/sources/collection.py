"""Clips gathered from a source, by split, with what was refused on the way."""

from __future__ import annotations

from dataclasses import dataclass, field

from domains.echo_clutter.science.clips import SPLITS, Clip


@dataclass
class Collection:
    """What an ingest gathers before it writes anything.

    Args:
        title: one line, says whether the data are simulated.
        source: where the clips came from.
        licence: of the clips.
        splits: split -> clips.
        rejected: reason -> count.
        warnings: one sentence each.
    """

    title: str
    source: str
    licence: str
    splits: dict[str, list[Clip]] = field(default_factory=lambda: {split: [] for split in SPLITS})
    rejected: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def reject(self, reason: str, count: int = 1) -> None:
        """Count records that are left out."""
        self.rejected[reason] = self.rejected.get(reason, 0) + count
