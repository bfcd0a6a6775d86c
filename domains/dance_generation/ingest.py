"""Motions and music to one dataset: a NetCDF file per pair, sorted into splits, and a card."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from domains.contract import Card
from domains.dance_generation.params import IngestParams
from domains.dance_generation.science.dance import SPLITS, Facts, save_pair
from domains.dance_generation.sources.collection import Collection, check_splits
from domains.errors import DataError
from domains.files import whole_folder

UNITS = {
    "audio": "1 (largest magnitude 1)",
    "root_position": "m",
    "rotations": "1 (6-D)",
    "beats": "s",
    "step": "1 (index into dataset.json)",
    "count": "1 (place in the bar)",
}


def ingest(source: str, out: Path | str, **params: Mapping[str, Any]) -> Card:
    """Write the dataset folder ``out`` and return its card.

    Args:
        source: ``sample`` (synthetic), ``public`` (CMU salsa), or a folder of motions and music.
        out: folder that appears whole or not at all.
        **params: the domain's block; only ``ingest`` is read.

    Raises:
        DataError: a file that cannot be used, or no pair to train on.
    """
    settings = IngestParams.model_validate(params["ingest"])
    collection = collect(source, settings)
    if not collection.splits["train"]:
        reasons = "; ".join(f"{count} × {why}" for why, count in collection.rejected.items())
        raise DataError(
            f"dance_generation: {source}: no pair to train on, expected one or more "
            f"({reasons or 'no files'})"
        )
    check_splits(collection.splits)
    facts = Facts(collection.skeleton, collection.steps, settings.fps, settings.audio_rate_hz)
    with whole_folder(Path(out)) as folder:
        facts.save(folder)
        for split in SPLITS:
            for pair in collection.splits[split]:
                save_pair(folder, pair, split)
        card = _card(collection)
        card.save(folder)
    return card


def collect(source: str, settings: IngestParams) -> Collection:
    """The pairs of ``source`` by split."""
    if source == "sample":
        from domains.dance_generation.sources.synthetic import collect_sample

        return collect_sample(settings)
    if source == "public":
        from domains.dance_generation.sources.cmu import collect_cmu

        return collect_cmu(settings)
    from domains.dance_generation.sources.files import collect_files

    return collect_files(source, settings)


def _card(collection: Collection) -> Card:
    kept = [pair for split in SPLITS for pair in collection.splits[split]]
    return Card(
        title=collection.title,
        source=collection.source,
        licence=collection.licence,
        units=UNITS,
        splits={split: [pair.name for pair in collection.splits[split]] for split in SPLITS},
        counts={
            "pairs": len(kept),
            "songs": len({pair.song for pair in kept}),
            "takes": len({pair.take for pair in kept}),
            "frames": sum(len(pair.root_position) for pair in kept),
            "seconds": round(sum(pair.duration_s for pair in kept)),
            "beats": sum(len(pair.beats_s) for pair in kept),
        },
        rejected=collection.rejected,
        warnings=collection.warnings,
    )
