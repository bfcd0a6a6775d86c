"""Raw volumes to one dataset: NIfTI on the scanner's grid, splits by subject, fingerprint, card."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from domains.contract import Card
from domains.errors import DataError
from domains.files import whole_folder, write_json
from domains.medical_segmentation.params import IngestParams
from domains.medical_segmentation.science import fingerprint
from domains.medical_segmentation.science.cases import Case, Catalogue, load_case, save_case
from domains.medical_segmentation.science.regions import brats_regions
from domains.medical_segmentation.sources.collection import Collection
from domains.medical_segmentation.sources.splits import draw_splits, subject_of

UNITS = {"image": "scanner's own (CT: HU)", "label": "1", "affine": "mm", "spacing": "mm"}

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_SIDE = re.compile(r"(left|right).*|lh|rh|lt|rt|l|r")


def ingest(source: str, out: Path | str, **params: Mapping[str, Any]) -> Card:
    """Write the dataset folder ``out`` and return its card.

    Args:
        source: ``sample`` (simulated), ``public`` (MSD Hippocampus), or a path or URL of cases.
        out: folder that appears whole or not at all.
        **params: the domain's block; only ``ingest`` is read.

    Raises:
        DataError: a case that cannot be used (unless they are skipped), or too few of them.
    """
    settings = IngestParams.model_validate(params["ingest"])
    collection = collect(source, settings)
    with whole_folder(Path(out)) as folder:
        label_voxels = _save_cases(folder, collection, settings.bad_cases == "skip")
        catalogue = _catalogue(collection, label_voxels, settings)
        catalogue.save(folder)
        train = (load_case(folder, name) for name in catalogue.splits["train"])
        measured = fingerprint.measure(train, catalogue.channels, catalogue.regions)
        plan = fingerprint.plan(
            measured,
            settings.modality,
            settings.max_patch_voxels,
            settings.patch_multiple,
            settings.spacing_mm,
        )
        write_json(folder / "fingerprint.json", {"measured": measured, "plan": plan})
        card = _card(collection, catalogue, label_voxels)
        card.save(folder)
    return card


def collect(source: str, settings: IngestParams) -> Collection:
    """The cases of ``source``, none read yet."""
    if source == "sample":
        return _sample(settings)
    from domains.medical_segmentation.sources.files import collect_files, collect_public

    return collect_public(settings) if source == "public" else collect_files(source, settings)


def _sample(settings: IngestParams) -> Collection:
    from domains.medical_segmentation.sources.atlas import LABELS, load_atlas
    from domains.medical_segmentation.sources.cohort import simulate_case

    sample = settings.sample
    atlas = load_atlas(sample.spacing_mm)
    collection = Collection(
        title="simulated anatomy: caudate and putamen of one template, deformed; no patients",
        source=f"MNI152 template of nilearn, sources/cohort.py, seed {settings.seed}",
        licence="ICBM 152 (c) 1993-2009 L. Collins, McConnell Brain Imaging Centre: free to use, "
        "copy, modify and distribute with this notice",
        name="simulated deep nuclei",
        kind="simulated anatomy",
        channels=["simulated T1 MR"],
        labels=dict(LABELS),
    )
    for number in range(sample.num_cases):
        name = f"nuclei_{number:03d}"
        seed = (settings.seed, number)
        collection.readers[name] = partial(
            simulate_case, name, atlas, seed, sample.spacing_mm, sample.deformation_mm
        )
    return collection


def _save_cases(folder: Path, collection: Collection, skip: bool) -> dict[str, dict[int, int]]:
    """Write every case; returns for each the number of voxels of its label values."""
    voxels: dict[str, dict[int, int]] = {}
    for name, case in _read_cases(collection, skip):
        save_case(folder, case)
        voxels[name] = {value: n for value, n in _values(case).items() if value > 0}
    if not voxels:
        raise DataError(
            f"medical_segmentation: {collection.source}: no case left; refused: "
            f"{collection.rejected}"
        )
    return voxels


def _read_cases(collection: Collection, skip: bool) -> Iterator[tuple[str, Case]]:
    """Each case that can be used, checked against channels and labels of the collection."""
    allowed = None if collection.labels is None else {0, *collection.labels.values()}
    for name, read in collection.readers.items():
        try:
            case = read()
            if not collection.channels:
                collection.channels = [f"channel_{n}" for n in range(len(case.image))]
            if len(case.image) != len(collection.channels):
                raise DataError(
                    f"medical_segmentation: case {name} has {len(case.image)} channels, expected "
                    f"{len(collection.channels)}: {', '.join(collection.channels)}"
                )
            unknown = set() if allowed is None else set(_values(case)) - allowed
            if unknown:
                raise DataError(
                    f"medical_segmentation: the label of case {name} has the values "
                    f"{sorted(unknown)}, expected {sorted(allowed or ())}; name them in "
                    "dataset.json or ingest.labels"
                )
        except DataError as error:
            if not skip:
                raise DataError(
                    f"{error} (ingest.bad_cases: skip leaves such cases out)"
                ) from error
            collection.reject("case that cannot be used")
            collection.warnings.append(f"left out: {error}")
            continue
        yield name, case


def _values(case: Case) -> dict[int, int]:
    """Label value -> number of voxels."""
    assert case.label is not None  # every reader gives one
    values, counts = np.unique(case.label, return_counts=True)
    return {int(value): int(n) for value, n in zip(values, counts, strict=True)}


def _catalogue(
    collection: Collection, voxels: Mapping[str, Mapping[int, int]], settings: IngestParams
) -> Catalogue:
    labels = collection.labels
    regions, paint = collection.regions, collection.paint
    if labels is None:
        found = sorted({value for counts in voxels.values() for value in counts})
        labels = _named(found, collection.name)
    if not labels:
        raise DataError(
            f"medical_segmentation: {collection.source}: no voxel of any case is labelled"
        )
    if regions is None and (nested := brats_regions(labels)):
        regions, paint = nested
    subjects = {name: subject_of(name, settings.subject) for name in voxels}
    return Catalogue(
        name=collection.name,
        kind=collection.kind,
        channels=collection.channels,
        labels=labels,
        splits=draw_splits(subjects, settings),
        subjects=subjects,
        regions=regions,
        paint=paint,
        is_sided=any(_is_of_one_side(name) for name in labels),
        source=collection.source,
    )


def _is_of_one_side(label: str) -> bool:
    """Whether a word of a label's name says left or right: mirrored it would be another one."""
    return any(_SIDE.fullmatch(word.lower()) for word in _WORD.findall(label))


def _named(values: Sequence[int], layout: str) -> dict[str, int]:
    """Names for label values that no file names; BraTS's are known by their numbers.

    1, 2, 4 are necrosis, oedema and enhancing tumour, with 3 for non-enhancing tumour until 2015;
    since 2023 enhancing tumour is 3.
    """
    if layout == "BraTS" and set(values) <= {1, 2, 3, 4}:
        names = {1: "necrosis", 2: "oedema", 3: "non_enhancing", 4: "enhancing"}
        if 4 not in values:
            names[3] = "enhancing"
        return {names[value]: value for value in values}
    return {f"label_{value}": value for value in values}


def _card(
    collection: Collection, catalogue: Catalogue, voxels: Mapping[str, Mapping[int, int]]
) -> Card:
    notes = [f"{sentence} ({n} cases)" for sentence, n in collection.notes.items()]
    return Card(
        title=collection.title,
        source=collection.source,
        licence=collection.licence,
        units=UNITS,
        splits=catalogue.splits,
        counts={
            "cases": len(voxels),
            "subjects": len(set(catalogue.subjects.values())),
            **{
                f"cases with {name}": sum(value in counts for counts in voxels.values())
                for name, value in catalogue.labels.items()
            },
            **{
                f"voxels of {name}": sum(counts.get(value, 0) for counts in voxels.values())
                for name, value in catalogue.labels.items()
            },
        },
        rejected=collection.rejected,
        warnings=[*collection.warnings, *notes],
    )
