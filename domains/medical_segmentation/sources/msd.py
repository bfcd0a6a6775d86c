"""Folders with ``dataset.json``: the Medical Segmentation Decathlon's and nnU-Net's."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from domains.errors import DataError
from domains.medical_segmentation.sources.layouts import Layout, channel_groups, paired
from domains.medical_segmentation.sources.nifti import is_nifti

_SPELLINGS = {
    "edema": "oedema",
    "ncr": "necrosis",
    "necrotic_core": "necrosis",
    "non_enhancing_tumor": "non_enhancing",
    "non_enhancing_tumour": "non_enhancing",
    "enhancing_tumor": "enhancing",
    "enhancing_tumour": "enhancing",
    "et": "enhancing",
}
"""Names of brain-tumour labels as data sets spell them -> ours."""


def read_msd(folder: Path) -> Layout:
    """The training cases of ``folder``; test volumes without labels are counted.

    Raises:
        DataError: ``dataset.json`` is no JSON or lacks labels, or no case is there.
    """
    path = folder / "dataset.json"
    try:
        described = json.loads(path.read_text())
        channels = described.get("channel_names") or described.get("modality") or {}
        names = [str(channels[key]) for key in sorted(channels, key=int)]
        labels, regions, paint = _labels(described)
        values = sorted(labels.values())
        if not set(values) <= set(range(1, 256)) or len(set(values)) < len(values):
            raise ValueError(f"label values {values}, expected different ones of 1 to 255")
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise DataError(
            f"{path}: cannot be used ({type(error).__name__}: {error}), expected labels and "
            "channel_names (nnU-Net 2) or modality (MSD), as JSON"
        ) from error
    for part in ("imagesTr", "labelsTr"):
        if not (folder / part).is_dir():
            raise DataError(f"{folder / part}: no such folder, expected one beside dataset.json")
    layout = Layout(str(described.get("name", folder.name)), names, {}, labels, regions, paint)
    images = [one for one in (folder / "imagesTr").iterdir() if is_nifti(one)]
    truths = folder / "labelsTr"
    layout = paired(channel_groups(images, truths), truths, layout)
    if tests := sum(is_nifti(one) for one in (folder / "imagesTs").glob("*")):
        layout.rejected["volume of imagesTs, which has no label"] = tests
    return layout


def _labels(
    described: dict[str, Any],
) -> tuple[dict[str, int], dict[str, list[int]] | None, dict[str, int] | None]:
    """Labels, and nnU-Net's regions if a label is a list of values.

    MSD writes value -> name, nnU-Net 2 name -> value; ``regions_class_order`` is the value that a
    region's own voxels get.
    """
    given = described["labels"]
    if all(str(key).isdigit() for key in given):
        given = {name: int(value) for value, name in given.items()}
    given = {_slug(name): value for name, value in given.items() if value not in (0, [0])}
    given.pop("ignore", None)
    if not any(isinstance(value, list) for value in given.values()):
        return {name: int(value) for name, value in given.items()}, None, None
    regions = {
        n: [int(v) for v in (value if isinstance(value, list) else [value])]
        for n, value in given.items()
    }
    order = [int(value) for value in described["regions_class_order"]]
    if len(order) != len(regions):
        raise ValueError(f"{len(order)} values in regions_class_order for {len(regions)} regions")
    values = sorted({value for part in regions.values() for value in part})
    if not set(order) <= set(values):
        raise ValueError(f"regions_class_order {order} has values that no region has")
    labels = {f"label_{value}": value for value in values}
    return labels, regions, dict(zip(regions, order, strict=True))


def _slug(name: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")
    return _SPELLINGS.get(slug, slug)
