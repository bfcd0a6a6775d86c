"""Raw clips to one dataset: a NetCDF file per clip, sorted into splits, and a card."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from domains.contract import Card
from domains.echo_clutter.params import ClutterParams, FilesParams, IngestParams, SampleParams
from domains.echo_clutter.science.clips import SPLITS, Clip, save_clip
from domains.echo_clutter.science.clutter import KINDS, draw_clutter
from domains.echo_clutter.sources.collection import Collection
from domains.errors import DataError
from domains.files import whole_folder

UNITS = {
    "clean": "grey level, 0 to 255",
    "cluttered": "grey level, 0 to 255",
    "contour": "pixel",
    "frame_time_ms": "ms",
    "pixel_mm": "mm",
}


def ingest(source: str, out: Path | str, **params: Mapping[str, Any]) -> Card:
    """Write the dataset folder ``out`` and return its card.

    Args:
        source: ``sample`` (simulated), ``public`` (the authors' clips), or the path or URL of
            DICOM, video or NPZ files.
        out: folder that appears whole or not at all.
        **params: the domain's block; only ``ingest`` is read.

    Raises:
        DataError: a clip that cannot be used, or none at all.
    """
    settings = IngestParams.model_validate(params["ingest"])
    collection = collect(source, settings)
    if not any(collection.splits.values()):
        raise DataError(
            f"echo_clutter: {source}: no clip left; refused: {collection.rejected or 'none'}"
        )
    splits = add_clutter(collection.splits, settings.clutter)
    with whole_folder(Path(out)) as folder:
        for split in SPLITS:
            for clip in splits[split]:
                save_clip(folder, clip, split)
        card = _card(collection, splits)
        card.save(folder)
    return card


def collect(source: str, settings: IngestParams) -> Collection:
    """The clips of ``source`` by split, cut to ``settings.size``."""
    if source == "sample":
        return _sample(settings.sample, settings.files, settings.size)
    if source == "public":
        from domains.echo_clutter.sources.public import collect_public

        return collect_public(settings.public, settings.size)
    from domains.echo_clutter.sources.files import collect_files

    return collect_files(source, settings.files, settings.size)


def _sample(params: SampleParams, files: FilesParams, size: int) -> Collection:
    """Simulated clips, and as in-vivo clip the real cine that comes inside pydicom."""
    from domains.echo_clutter.sources.public import packaged_cine
    from domains.echo_clutter.sources.simulator import simulate_split

    vendors = {
        "train": params.train_vendors,
        "validate": params.validate_vendors,
        "test": params.test_vendors,
    }
    named = Counter(vendor for names in vendors.values() for vendor in set(names))
    if shared := [vendor for vendor, count in named.items() if count > 1]:
        raise DataError(
            f"echo_clutter: ingest.sample: vendor {shared[0]} is in two splits; leave it in "
            "one, or the test is not of an unseen vendor"
        )
    collection = Collection(
        title="simulated apical four-chamber clips with exact wall motion, no measurement",
        source=f"domains/echo_clutter/sources/simulator.py, seed {params.seed}",
        licence="BSD-3-Clause, as Convoy itself",
    )
    counts = {
        "train": params.train_subjects,
        "validate": params.validate_subjects,
        "test": params.test_subjects,
    }
    first = 1
    for split, count in counts.items():
        collection.splits[split] = simulate_split(
            first, count, vendors[split], params.frames, size, params.seed
        )
        first += count
    cine = packaged_cine(size, files)
    if cine is None:
        collection.warnings.append("this pydicom has no examples_ybr_color.dcm: no in-vivo clip")
    else:
        collection.splits["in_vivo"] = [cine]
        collection.source += "; in vivo: examples_ybr_color.dcm of the package pydicom, MIT"
    return collection


def add_clutter(splits: Mapping[str, list[Clip]], params: ClutterParams) -> dict[str, list[Clip]]:
    """The clips with clutter fixed by ``params.seed`` where validation and test have none yet.

    Raises:
        DataError: a clip needs clutter, and every chance is 0.
    """
    chances = {kind: getattr(params, kind) for kind in KINDS}
    done = {split: list(clips) for split, clips in splits.items()}
    for number, split in enumerate(("validate", "test")):
        for index, clip in enumerate(done[split]):
            if clip.cluttered is not None or clip.clean is None:
                continue
            if not any(chances.values()):
                raise DataError(
                    f"echo_clutter: ingest.clutter: {', '.join(KINDS)} are all 0, and the {split} "
                    f"clip {clip.name} has no clutter of its own; set one of them above 0"
                )
            seed = int(np.random.SeedSequence([params.seed, number, index]).generate_state(1)[0])
            drawn = draw_clutter(seed, clip.sector, len(clip), chances, clip.contour)
            frames = np.rint(drawn.add(clip.clean, clip.sector)).astype(np.uint8)
            record = json.dumps(drawn.record(), sort_keys=True)
            done[split][index] = replace(clip, cluttered=frames, clutter=record)
    return done


def _card(collection: Collection, splits: Mapping[str, list[Clip]]) -> Card:
    """Facts of what was kept: clips, frames, clips with exact contours, clips without truth."""
    kept = [clip for split in SPLITS for clip in splits[split]]
    return Card(
        title=collection.title,
        source=collection.source,
        licence=collection.licence,
        units=UNITS,
        splits={split: [clip.name for clip in splits[split]] for split in SPLITS},
        counts={
            "clips": len(kept),
            "frames": sum(len(clip) for clip in kept),
            "vendors": len({clip.vendor for clip in kept}),
            "clips with exact contour": sum(clip.contour is not None for clip in kept),
            "clips without truth": sum(clip.clean is None for clip in kept),
        },
        rejected=collection.rejected,
        warnings=collection.warnings,
    )
