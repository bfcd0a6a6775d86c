"""Folders as users have them: which files make a case.

Recognised, in this order:

1. ``dataset.json`` with ``imagesTr`` and ``labelsTr``: Medical Segmentation Decathlon (M. Antonelli
   et al., Nature Communications 13, 2022) and nnU-Net, versions 1 and 2;
2. ``images`` and ``labels``: one NIfTI file (``…_0000`` and so on for several channels) or DICOM
   folder a case, labels of the same name;
3. BraTS patients: ``<patient>_flair``, ``_t1``, ``_t1c`` (``_t1ce``, ``_t1gd``), ``_t2``, ``_seg``,
   or since 2023 ``<patient>-t2f`` and so on, in one folder or a folder each;
4. ``<case>.nii.gz`` beside ``<case>_seg.nii.gz`` (or ``_label``, ``_mask``), likewise.

Where folders of 3 or 4 have files of one name (``p1/t1.nii.gz``, ``p2/t1.nii.gz``), the folder's
name comes before it: the cases are ``p1_t1`` and ``p2_t1``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from domains.errors import DataError
from domains.medical_segmentation.sources import dicom
from domains.medical_segmentation.sources.nifti import is_nifti, stem

_BRATS = {"flair": "flair", "t1c": "t1c", "t1ce": "t1c", "t1gd": "t1c", "t1": "t1", "t2": "t2"}
"""Ending of a BraTS file -> channel."""

_BRATS_2023 = {"t2f": "flair", "t1c": "t1c", "t1n": "t1", "t2w": "t2"}
"""The same since 2023, after a hyphen."""

_TRUTH = ("seg", "label", "labels", "mask")


@dataclass(frozen=True)
class Files:
    """Where one case lies: ``images`` in the order of the channels."""

    images: list[Path]
    label: Path


@dataclass
class Layout:
    """The cases of a folder.

    Args:
        kind: name of the layout, for the record.
        channels: names; empty = the files tell their number.
        cases: name -> files.
        labels: name -> value where the folder says so.
        regions: name -> values where the folder says so (nnU-Net 2).
        paint: region -> value.
        rejected: reason -> count.
    """

    kind: str
    channels: list[str]
    cases: dict[str, Files]
    labels: dict[str, int] | None = None
    regions: dict[str, list[int]] | None = None
    paint: dict[str, int] | None = None
    rejected: dict[str, int] = field(default_factory=dict)


def find_layout(folder: Path) -> Layout:
    """The cases in ``folder``, by the first layout that fits.

    Raises:
        DataError: none fits; says what was looked for.  Or two files go by one name.
    """
    from domains.medical_segmentation.sources.msd import read_msd

    if (folder / "dataset.json").is_file():
        return read_msd(folder)
    inside = [child for child in folder.iterdir() if child.is_dir()] if folder.is_dir() else []
    if (folder / "images").is_dir():
        return _images_and_labels(folder)
    paths = [path for place in (folder, *inside) for path in place.glob("*") if is_nifti(path)]
    files = _by_name(paths)
    if layout := _brats(files):
        return layout
    if layout := _beside(files):
        return layout
    raise DataError(
        f"{folder}: no cases found; expected dataset.json with imagesTr and labelsTr (MSD, "
        "nnU-Net), or images/ and labels/, or BraTS patients (<patient>_flair.nii.gz, …, "
        "_seg.nii.gz), or <case>.nii.gz beside <case>_seg.nii.gz"
    )


def channel_groups(paths: Sequence[Path], labels: Path | None = None) -> dict[str, list[Path]]:
    """Case -> its files: ``<case>_0000``, ``_0001``, … together, others for themselves.

    A number that the name of a label has too is the case's, no channel's.  ``<case>`` beside
    ``<case>_0000`` is no channel of it: for ``predict`` (no ``labels``), whose answer is called so,
    it is left out.

    Raises:
        DataError: two files of one name; with ``labels``, ``<case>`` beside ``<case>_0000``.
    """
    truths = {stem(path) for path in labels.glob("*") if is_nifti(path)} if labels else set()
    groups: dict[str, list[Path]] = {}
    seen: dict[str, Path] = {}
    for path in sorted(paths):
        name = path.name if path.is_dir() else stem(path)
        _enter(seen, name, path)
        numbered = None if name in truths else re.fullmatch(r"(.+)_(\d{4})", name)
        groups.setdefault(numbered[1] if numbered else name, []).append(path)
    for case, group in groups.items():
        if len(group) > 1 and (whole := seen.get(case)) in group:
            group.remove(whole)
            if labels:
                raise DataError(
                    f"{whole}: lies beside {group[0].name}, expected one volume or its numbered "
                    "channels; remove the one or the others"
                )
    return groups


def _by_name(paths: Sequence[Path]) -> dict[str, Path]:
    """Files by name, behind their folder's (where it does not begin so) if two have one name.

    Raises:
        DataError: two files of a folder have one name.
    """
    has_twins = len({stem(path) for path in paths}) < len(paths)
    found: dict[str, Path] = {}
    for path in sorted(paths):
        name, folder = stem(path), path.parent.name
        is_told = not has_twins or name.startswith(folder)
        _enter(found, name if is_told else f"{folder}_{name}", path)
    return found


def _enter(found: dict[str, Path], name: str, path: Path) -> None:
    if (twin := found.setdefault(name, path)) != path:
        raise DataError(f"{path}: goes by the name of {twin}; expected one file: remove one")


def _images_and_labels(folder: Path) -> Layout:
    paths = [path for path in (folder / "images").iterdir() if is_nifti(path)]
    paths += [path for path in (folder / "images").iterdir() if dicom.is_series(path)]
    labels = folder / "labels"
    return paired(channel_groups(paths, labels), labels, Layout("images and labels", [], {}))


def paired(groups: dict[str, list[Path]], labels: Path, layout: Layout) -> Layout:
    """``layout`` with the cases that have image and label; the others are counted."""
    truths = _by_name([path for path in labels.glob("*") if is_nifti(path)])
    layout.cases = {
        name: Files(images, truths[name]) for name, images in groups.items() if name in truths
    }
    for reason, count in (
        ("image without a label", len(set(groups) - set(truths))),
        ("label without an image", len(set(truths) - set(groups))),
    ):
        if count:
            layout.rejected[reason] = count
    if not layout.cases:
        raise DataError(
            f"{labels}: no label with the name of an image ({len(truths)} labels, {len(groups)} "
            "images), expected <case>.nii.gz for <case>.nii.gz or <case>_0000.nii.gz"
        )
    return layout


def _brats(files: Mapping[str, Path]) -> Layout | None:
    """Patients with a FLAIR, all with the same channels; the others are counted."""
    found: dict[str, dict[str, Path]] = {}
    for whole, path in files.items():
        name, separator, ending = max(
            (whole.rpartition("_"), whole.rpartition("-")), key=lambda cut: len(cut[0])
        )
        channel = (_BRATS if separator == "_" else _BRATS_2023).get(ending.lower())
        if ending.lower() == "seg":
            channel = "seg"
        if channel:
            _enter(found.setdefault(name, {}), channel, path)
    patients = {name: parts for name, parts in found.items() if "flair" in parts}
    if not patients:
        return None
    order = [
        one for one in ("flair", "t1", "t1c", "t2") if any(one in p for p in patients.values())
    ]
    cases = {
        name: Files([parts[channel] for channel in order], parts["seg"])
        for name, parts in sorted(patients.items())
        if "seg" in parts and all(channel in parts for channel in order)
    }
    layout = Layout("BraTS", order, cases)
    if lost := len(patients) - len(cases):
        layout.rejected["BraTS patient without a label or one of the channels"] = lost
    return layout


def _beside(files: Mapping[str, Path]) -> Layout | None:
    """Volumes with a label beside them."""
    cases = {}
    for name, path in sorted(files.items()):
        truth = next((files[f"{name}_{e}"] for e in _TRUTH if f"{name}_{e}" in files), None)
        if truth is not None:
            cases[name] = Files([path], truth)
    used = {path for files_of in cases.values() for path in (*files_of.images, files_of.label)}
    layout = Layout("volumes and labels", [], cases)
    if lost := len(set(files.values()) - used):
        layout.rejected["volume without a label beside it"] = lost
    return layout if cases else None
