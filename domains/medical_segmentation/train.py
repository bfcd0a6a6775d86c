"""The task: what is learned, how its loss is made, and how a trained one labels a volume."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from domains import task as contract
from domains.errors import DataError
from domains.medical_segmentation.data import PatchData, class_table, load_plan, load_prepared
from domains.medical_segmentation.models.inference import probabilities
from domains.medical_segmentation.models.losses import segmentation_loss, soft_dice
from domains.medical_segmentation.models.networks import make_network
from domains.medical_segmentation.science.cases import Case, Catalogue
from domains.medical_segmentation.science.preparation import Prepared, prepare, restore, to_label
from domains.task import DataModule


class Task(contract.Task):
    """A network that labels volumes; what it was planned for travels in its ``config``.

    Args:
        model: section ``model``.
        plan: spacing, patch and normalisation of the fingerprint.
        channels: names of an image's channels.
        labels: name -> value, background left out.
        regions: name -> label values, largest first; ``None`` = labels exclude each other.
        paint: region -> label value of an answer.
        **config: ``optimizer``, ``lr``, ``weight_decay``, ``max_steps``.
    """

    table: Tensor

    def __init__(
        self,
        model: Mapping[str, Any],
        plan: Mapping[str, Any],
        channels: Sequence[str],
        labels: Mapping[str, int],
        regions: Mapping[str, Sequence[int]] | None,
        paint: Mapping[str, int] | None,
        **config: Any,
    ) -> None:
        super().__init__(
            model=dict(model),
            plan=dict(plan),
            channels=list(channels),
            labels=dict(labels),
            regions=regions,
            paint=paint,
            **config,
        )
        self.plan, self.channels, self.labels = plan, list(channels), dict(labels)
        self.regions, self.paint = regions, paint
        num_outputs = len(regions) if regions else 1 + len(labels)
        self.network, self.patch, self.strides = make_network(
            model, len(channels), num_outputs, plan
        )
        self.register_buffer("table", _region_table(labels, regions), persistent=False)

    # --- training ------------------------------------------------------------------------------

    def training_step(self, batch: Mapping[str, Tensor], _: int) -> Tensor:
        """Soft Dice and cross-entropy of all resolutions."""
        table = self.table if self.regions else None
        loss = segmentation_loss(self.network(batch["image"]), batch["target"].long(), table)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch: Mapping[str, Tensor], _: int) -> None:
        """Log ``val_loss``, 1 − mean Dice of the structures of a whole case, network's grid."""
        probability = self._probability(batch["image"])
        if self.regions:
            wanted = self.table[batch["target"].long()].movedim(-1, 0).float()
            found = (probability > 0.5).float()
        else:
            num_classes = len(probability)
            wanted = torch.nn.functional.one_hot(batch["target"].long(), num_classes)
            found = torch.nn.functional.one_hot(probability.argmax(0), num_classes)
            wanted, found = (one.movedim(-1, 0)[1:].float() for one in (wanted, found))
        dice = soft_dice(found[None], wanted[None])  # (1, structures); absent and not found = 1
        self.log("val_loss", 1 - dice.mean(), batch_size=1, on_epoch=True)

    def configure_optimizers(self) -> Any:
        """AdamW with one cycle of the rate, or nnU-Net's SGD with polynomial decay."""
        steps, lr, decay = (self.config[key] for key in ("max_steps", "lr", "weight_decay"))
        optimizer: torch.optim.Optimizer
        if self.config["optimizer"] == "sgd":
            optimizer = torch.optim.SGD(
                self.network.parameters(), lr, momentum=0.99, nesterov=True, weight_decay=decay
            )
        else:
            optimizer = torch.optim.AdamW(self.network.parameters(), lr, weight_decay=decay)
        rise = max(1, steps // 5)

        def factor(step: int) -> float:
            if self.config["optimizer"] == "sgd":
                return (1 - min(step, steps - 1) / steps) ** 0.9
            if step < rise:
                return 0.04 + 0.96 * (step + 1) / rise
            return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))

        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }

    # --- use -----------------------------------------------------------------------------------

    def segment(self, image: NDArray[np.float32], affine: NDArray[np.float64]) -> NDArray[np.uint8]:
        """Label (X, Y, Z) on the grid of the image.

        Args:
            image: (C, X, Y, Z) in the scanner's own unit, channels as in ``channels``.
            affine: (4, 4), voxel indices to mm in RAS.

        Raises:
            DataError: another number of channels.
        """
        if len(image) != len(self.channels):
            raise DataError(
                f"medical_segmentation: the image has {len(image)} channels, the network was "
                f"trained on {len(self.channels)}: {', '.join(self.channels)}; give one file each"
            )
        return self.segment_prepared(prepare(Case("input", image, affine), self.plan))

    def segment_prepared(self, prepared: Prepared) -> NDArray[np.uint8]:
        """Label (X, Y, Z) on the scanner's grid of a case on the network's."""
        self.eval()
        image = torch.from_numpy(prepared.image).to(self.device)
        probability = restore(self._probability(image).cpu().numpy(), prepared)
        return to_label(probability, list(self.labels.values()), self.regions, self.paint)

    def _probability(self, image: Tensor) -> Tensor:
        return probabilities(self.network, image, self.patch, self.strides, bool(self.regions))


def build(
    dataset: Path | str, *, model: Mapping, train: Mapping, **_: Any
) -> tuple[Task, DataModule]:
    """Task and data for the dataset folder that ``ingest`` wrote.

    Args:
        dataset: the folder.
        model: section ``model``.
        train: section ``train``.

    Raises:
        DataError: a split is empty or without labels, or the network does not fit the plan.
    """
    torch.manual_seed(train["seed"])
    catalogue, plan = Catalogue.load(dataset), load_plan(dataset)
    try:
        task = Task(
            model,
            plan,
            catalogue.channels,
            catalogue.labels,
            catalogue.regions,
            catalogue.paint,
            **{key: train[key] for key in ("optimizer", "lr", "weight_decay", "max_steps")},
        )
    except ValueError as error:
        raise DataError(
            f"medical_segmentation: network {model['network']} with these sizes cannot be made: "
            f"{error}; change section model, or ingest.max_patch_voxels"
        ) from error
    parts = {split: load_prepared(dataset, split, plan) for split in ("train", "validate")}
    data = PatchData(
        parts["train"],
        parts["validate"],
        task.patch,
        plan["spacing_mm"],
        class_table(catalogue),
        not catalogue.is_sided,
        train,
    )
    return task, data


def _region_table(labels: Mapping[str, int], regions: Mapping[str, Sequence[int]] | None) -> Tensor:
    """(K, R), true where a class belongs to a region; classes in the order of ``labels``."""
    values = [0, *labels.values()]
    members = [list(part) for part in (regions or {}).values()]
    return torch.tensor([[value in part for part in members] for value in values])
