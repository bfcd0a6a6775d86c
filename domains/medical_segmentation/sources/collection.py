"""What a source hands to ``ingest``: cases to be read one by one, and where they come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from domains.medical_segmentation.science.cases import Case


@dataclass
class Collection:
    """The cases of one source, with the facts that the data card tells.

    Args:
        title: one line, says whether the data are simulated.
        source: where they come from.
        licence: of the raw data.
        name: of the data set.
        kind: ``simulated anatomy`` or ``real``.
        channels: names of an image's channels, in order.
        labels: name -> value; None = named by the values that occur.
        regions: name -> values; None = the labels exclude each other.
        paint: region -> value of its own voxels.
        readers: case -> function that reads it; notes of the reading are added to ``notes``.
        rejected: reason -> number of records refused or dropped.
        notes: sentence -> number of cases it holds for.
        warnings: further sentences.
    """

    title: str
    source: str
    licence: str
    name: str
    kind: str
    channels: list[str]
    labels: dict[str, int] | None
    regions: Mapping[str, list[int]] | None = None
    paint: Mapping[str, int] | None = None
    readers: dict[str, Callable[[], Case]] = field(default_factory=dict)
    rejected: dict[str, int] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def reject(self, reason: str, count: int = 1) -> None:
        """Count ``count`` records more that were refused for ``reason``."""
        if count:
            self.rejected[reason] = self.rejected.get(reason, 0) + count

    def note(self, sentence: str) -> None:
        """Count a case more for which ``sentence`` holds."""
        self.notes[sentence] = self.notes.get(sentence, 0) + 1
