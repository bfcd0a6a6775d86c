"""Dataset to batches: patches of prepared volumes, augmented anew each time.

Legend: B batch, C channel, X Y Z patch.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader

from domains.errors import DataError
from domains.medical_segmentation.models.augmentation import (
    change_intensity,
    patch_places,
    sampled_image,
    sampled_label,
)
from domains.medical_segmentation.science.cases import Catalogue, load_case
from domains.medical_segmentation.science.preparation import Prepared, prepare
from domains.task import DataModule, one_at_a_time

_IN_MEMORY = 4 * 2**30
"""Bytes of prepared volumes that are held in memory; the others lie in files and are mapped."""

_PLACES = 10_000  # voxels of a structure that patches are centred on, evenly spaced (nnU-Net)


def labelled(dataset: Path | str, split: str) -> list[str]:
    """Names of the cases of a split that have a label.

    Raises:
        DataError: none has.
    """
    names = Catalogue.load(dataset).splits[split]
    found = [name for name in names if (Path(dataset) / "labels" / f"{name}.nii.gz").is_file()]
    if not found:
        raise DataError(
            f"{dataset}: {len(names)} cases in split {split}, none has a label; add labels or cases"
        )
    return found


def load_prepared(dataset: Path | str, split: str, plan: Mapping[str, Any]) -> Iterator[Prepared]:
    """The cases of a split that have a label, on the network's grid, one after the other.

    Raises:
        DataError: none has.
    """
    return (prepare(load_case(dataset, name), plan) for name in labelled(dataset, split))


class PatchData(DataModule):
    """Patches around random voxels of the training cases, whole validation cases.

    Args:
        train, validate: cases on the network's grid, with labels.
        patch: edges of a patch in voxels.
        spacing_mm: edges of a voxel.
        classes: (256,) class index of each label value.
        can_mirror: whether a subject with left and right swapped is one too.
        section: section ``train``.
    """

    def __init__(
        self,
        train: Iterable[Prepared],
        validate: Iterable[Prepared],
        patch: Sequence[int],
        spacing_mm: Sequence[float],
        classes: Tensor,
        can_mirror: bool,
        section: Mapping[str, Any],
    ) -> None:
        store = _Store()
        self.train = [store.keep(case, classes) for case in train]
        self.validate = [store.keep(case, classes) for case in validate]
        super().__init__(len(self.train) * section["patches_per_case"], section["batch_size"])
        self.store = store
        self.patch, self.spacing_mm = tuple(patch), spacing_mm
        self.can_mirror, self.section = can_mirror, section
        self.places = [_places(label) for _, label in self.train]

    def train_sample(self, index: int, seed: int) -> dict[str, Tensor]:
        """``image`` (C, X, Y, Z) normalised and ``target`` (X, Y, Z), class index."""
        number = index % len(self.train)
        image, label = self.train[number]
        random = torch.Generator().manual_seed(seed)
        centre = self._centre(number, random)
        spatial = _happens(self.section["spatial_share"], random)
        place = patch_places(self.patch, self.spacing_mm, centre, spatial, random)
        patch, target = sampled_image(image, place), sampled_label(label, place)
        if _happens(self.section["intensity_share"], random):
            patch = change_intensity(patch, random)
        # Bodies are symmetric from left to right at most: front and top are never swapped
        if self.can_mirror and _happens(0.5, random):
            patch, target = patch.flip(1), target.flip(0)
        return {"image": patch, "target": target}

    def val_dataloader(self) -> DataLoader:
        """Whole cases, one at a time: ``image`` (C, X, Y, Z), ``target`` (X, Y, Z)."""
        cases = [{"image": image, "target": label} for image, label in self.validate]
        return one_at_a_time(cases)

    def _centre(self, number: int, random: torch.Generator) -> Tensor:
        """(3,) middle of a patch: a random voxel, or one of a structure, moved into the volume."""
        sizes = self.train[number][1].shape
        places = self.places[number]
        if places and _happens(self.section["foreground_share"], random):
            structure = places[_draw(len(places), random)]
            voxel = structure[_draw(len(structure), random)].tolist()
        else:
            voxel = [_draw(size, random) for size in sizes]
        return torch.tensor(
            [
                (size - 1) / 2 if size <= edge else min(max(at, edge / 2), size - 1 - edge / 2)
                for at, size, edge in zip(voxel, sizes, self.patch, strict=True)
            ]
        )


def class_table(catalogue: Catalogue) -> Tensor:
    """(256,) class index of each label value: 0 background, then in the order of ``labels``."""
    table = torch.zeros(256, dtype=torch.uint8)
    for number, value in enumerate(catalogue.labels.values(), start=1):
        table[value] = number
    return table


def load_plan(dataset: Path | str) -> dict[str, Any]:
    """Spacing, patch and normalisation that follow from the training cases.

    Raises:
        DataError: no dataset there.
    """
    path = Path(dataset) / "fingerprint.json"
    if not path.is_file():
        raise DataError(f"{path} is missing; run the ingest step of this domain first")
    plan: dict[str, Any] = json.loads(path.read_text())["plan"]
    return plan


class _Store:
    """Prepared cases as tensors: in memory, and beyond its limit in a temporary folder."""

    def __init__(self) -> None:
        self.used = self.count = 0
        self.folder: Path | None = None

    def keep(self, case: Prepared, classes: Tensor) -> tuple[Tensor, Tensor]:
        """Image (C, X, Y, Z) and class index (X, Y, Z)."""
        assert case.label is not None
        target = classes[torch.from_numpy(case.label).long()].numpy()
        self.used += case.image.nbytes + target.nbytes
        parts = [case.image, target]
        if self.used > _IN_MEMORY:
            parts = [self._mapped(part) for part in parts]
        return torch.from_numpy(parts[0]), torch.from_numpy(parts[1])

    def _mapped(self, values: NDArray) -> NDArray:
        if self.folder is None:
            self.folder = Path(tempfile.mkdtemp(prefix="convoy-volumes-"))
            weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        path = self.folder / f"{self.count}.npy"
        self.count += 1
        np.save(path, values, allow_pickle=False)
        # copy on write: torch wants memory that it may write to
        return np.load(path, mmap_mode="c", allow_pickle=False)


def _places(label: Tensor) -> list[Tensor]:
    """Voxels (N, 3) of each structure that is there."""
    found = [(label == value).nonzero() for value in label.unique() if value > 0]
    return [voxels[:: max(1, len(voxels) // _PLACES)] for voxels in found]


def _happens(share: float, random: torch.Generator) -> bool:
    return float(torch.rand((), generator=random)) < share


def _draw(count: int, random: torch.Generator) -> int:
    return int(torch.randint(count, (), generator=random))
