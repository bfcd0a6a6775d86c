"""A dataset at rest: volumes with labels as NIfTI on the scanner's grid, and what they mean.

Legend: C channel; X, Y, Z voxels of the scanner's grid.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import takewhile
from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from domains.errors import DataError
from domains.files import write_json

SPLITS = ("train", "validate", "test")


@dataclass(frozen=True)
class Case:
    """One subject's volume.

    Args:
        name: as its files begin.
        image: (C, X, Y, Z), the scanner's own unit.
        affine: (4, 4), voxel indices to mm in RAS.
        label: (X, Y, Z), uint8, 0 background; None where there is none.
    """

    name: str
    image: NDArray[np.float32]
    affine: NDArray[np.float64]
    label: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class Catalogue:
    """What ``dataset.json`` says.

    Args:
        name: of the dataset.
        kind: ``simulated anatomy`` or ``real``.
        channels: names in the order of the files ``_0000``, ``_0001``, ….
        labels: name -> value, background left out.
        splits: train, validate, test -> cases.
        subjects: case -> subject; no subject is in two splits.
        regions: name -> the label values it is the union of, largest first; None = the labels
            exclude each other and are predicted as such.
        paint: region -> the label value that an answer gets where the region is, in this order.
        is_sided: whether a label's name says left or right, so that a subject with the two
            swapped would be labelled wrongly.
        source: where the raw data came from.
    """

    name: str
    kind: str
    channels: Sequence[str]
    labels: Mapping[str, int]
    splits: Mapping[str, Sequence[str]]
    subjects: Mapping[str, str]
    regions: Mapping[str, Sequence[int]] | None = None
    paint: Mapping[str, int] | None = None
    is_sided: bool = False
    source: str = ""

    def save(self, dataset: Path) -> None:
        """Write ``dataset.json``."""
        write_json(dataset / "dataset.json", asdict(self))

    @staticmethod
    def load(dataset: Path | str) -> Catalogue:
        """Read ``dataset.json``.

        Raises:
            DataError: there is none.
        """
        path = Path(dataset) / "dataset.json"
        if not path.is_file():
            raise DataError(f"{path}: no such dataset; run the ingest step of this domain first")
        return Catalogue(**json.loads(path.read_text()))


def save_case(dataset: Path, case: Case) -> None:
    """Write ``images/<case>_0000.nii.gz`` and so on, and ``labels/<case>.nii.gz``."""
    for number, channel in enumerate(case.image):
        path = dataset / "images" / f"{case.name}_{number:04d}.nii.gz"
        write_nifti(path, nib.Nifti1Image(_small(channel), case.affine))
    if case.label is not None:
        path = dataset / "labels" / f"{case.name}.nii.gz"
        write_nifti(path, nib.Nifti1Image(case.label.astype(np.uint8), case.affine))


def load_case(dataset: Path | str, name: str) -> Case:
    """The case ``name`` of a dataset that ``save_case`` wrote.

    Raises:
        DataError: it has no image there.
    """
    dataset = Path(dataset)
    every = (dataset / "images" / f"{name}_{number:04d}.nii.gz" for number in range(10_000))
    paths = list(takewhile(Path.is_file, every))
    if not paths:
        raise DataError(f"{dataset}: no image of case {name}; run the ingest step again")
    volumes = [nib.Nifti1Image.from_filename(path) for path in paths]
    label_path, label = dataset / "labels" / f"{name}.nii.gz", None
    if label_path.is_file():
        label = np.asarray(nib.Nifti1Image.from_filename(label_path).dataobj, np.uint8)
    return Case(
        name=name,
        image=np.stack([np.asarray(one.dataobj, np.float32) for one in volumes]),
        affine=np.asarray(volumes[0].affine, np.float64),
        label=label,
    )


def load_cases(dataset: Path | str, split: str) -> list[Case]:
    """All cases of ``train``, ``validate`` or ``test``, in the order of ``dataset.json``.

    Raises:
        DataError: no dataset there, or no case in the split.
    """
    names = Catalogue.load(dataset).splits[split]
    if not names:
        raise DataError(f"{dataset}: no case in split {split}; give ingest more subjects")
    return [load_case(dataset, name) for name in names]


def write_nifti(path: Path, image: nib.Nifti1Image, is_gzip: bool = True) -> None:
    """Write ``image``, the same bytes every time (no date in the head of the gzip)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = image.to_bytes()
    # level 6: 9 takes four times as long for one per cent
    path.write_bytes(gzip.compress(content, 6, mtime=0) if is_gzip else content)


def _small(values: NDArray[np.float32]) -> NDArray:
    """``values`` as int16 where that loses nothing, else float32."""
    is_whole = bool(np.all(values == np.rint(values)))
    if is_whole and values.min() >= -(2**15) and values.max() < 2**15:
        return values.astype(np.int16)
    return values.astype(np.float32)
