"""Dataset to batches: simulated skies, drawn as they are needed, behind the training masks.

Legend: B groups, S skies behind one mask, n = nside, N = 12·n² pixels in RING order.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader

from domains.cmb_inpainting.science.fills import DiffusiveFill, zero_fill
from domains.cmb_inpainting.science.masks import distance_to_edge
from domains.cmb_inpainting.science.skies import Masks, SkySet, Universe
from domains.cmb_inpainting.science.sphere import to_faces
from domains.errors import DataError
from domains.task import DataModule

_REPEATS = 64  # groups of each mask that make an epoch; skies are new in each


class Start:
    """The fill that a network corrects, for one mask, and what it is told of the mask.

    Args:
        mask: (N,), true where observed.
        kind: ``diffusive`` or ``zero``.
    """

    def __init__(self, mask: NDArray[np.bool_], kind: str) -> None:
        self.mask = mask
        self._fill = DiffusiveFill(mask) if kind == "diffusive" else None
        self.observed = torch.from_numpy(to_faces(mask))
        self.distance = torch.from_numpy(to_faces(distance_to_edge(mask)).astype(np.float32))

    def __call__(self, skies: NDArray) -> Tensor:
        """Started skies (S, 12, n, n), µK, of skies (S, N)."""
        filled = self._fill(skies) if self._fill else zero_fill(skies, self.mask)
        return torch.from_numpy(to_faces(filled).astype(np.float32))

    def group(self, skies: NDArray) -> dict[str, Tensor]:
        """``sky`` and ``start`` (S, 12, n, n), ``observed`` and ``distance`` (12, n, n)."""
        sky = torch.from_numpy(to_faces(skies).astype(np.float32))
        return {
            "sky": sky,
            "start": self(skies),
            "observed": self.observed,
            "distance": self.distance,
        }


class SkyData(DataModule):
    """Groups of skies behind one mask each; a batch has ``batch_size`` groups.

    Args:
        universe: what skies are drawn from.
        masks: of the training split.
        validate: fixed skies behind the masks of the validation split.
        start: ``diffusive`` or ``zero``.
        section: section ``train``.
    """

    def __init__(
        self,
        universe: Universe,
        masks: Masks,
        validate: SkySet,
        start: str,
        section: Mapping[str, Any],
    ) -> None:
        super().__init__(len(masks.names) * _REPEATS, section["batch_size"])
        for name, mask in [
            *zip(masks.names, masks.values, strict=True),
            *zip(validate.masks.names, validate.masks.values, strict=True),
        ]:
            if mask.all() or not mask.any():
                state = "masks no" if mask.all() else "masks every"
                raise DataError(
                    f"cmb_inpainting: mask {name} {state} pixel; leave it out of ingest.train_masks"
                    " and ingest.validate_masks"
                )
        self.universe, self.masks, self.validate = universe, masks, validate
        self.count = section["skies_per_mask"]
        self._start = lru_cache(maxsize=64)(lambda number: Start(masks.values[number], start))
        self._start_kind = start

    def train_sample(self, index: int, seed: int) -> dict[str, Tensor]:
        """A group of new skies behind mask ``index``."""
        seeds = range(seed * self.count, (seed + 1) * self.count)
        skies = np.stack([self.universe.draw(number) for number in seeds])
        return self._start(index % len(self.masks.names)).group(skies)

    def val_dataloader(self) -> DataLoader:
        """All validation skies behind each validation mask."""
        starts = (Start(mask, self._start_kind) for mask in self.validate.masks.values)
        return DataLoader([start.group(self.validate.skies) for start in starts])  # type: ignore
